/* The option parser and the names of signals. */
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "runtime/options.h"
#include "runtime/signal_name.h"
#include "tests/unit/check.h"

struct values {
	const char *text, *choice;
	struct option_list list;
	unsigned number;
	bool flag, all;
};

static const struct option_row rows[] = {
	{ "text", 't', OPTION_TEXT, "DIR", offsetof(struct values, text), "a text" },
	{ "choice", 'c', OPTION_CHOICE, "table|json", offsetof(struct values, choice), "a choice" },
	{ "list", 'l', OPTION_LIST, "DIR", offsetof(struct values, list), "a list" },
	{ "number", 'n', OPTION_NUMBER, "N", offsetof(struct values, number), "a number" },
	{ "flag", 'f', OPTION_FLAG, NULL, offsetof(struct values, flag), "a flag" },
	{ "all", 'a', OPTION_FLAG, NULL, offsetof(struct values, all), "another" },
	{ 0 },
};

struct global {
	bool debug, flag;
};

static const struct option_row global_rows[] = {
	{ "debug", 0, OPTION_FLAG, NULL, offsetof(struct global, debug), "a flag" },
	{ "flag", 0, OPTION_FLAG, NULL, offsetof(struct global, flag), "hidden by the first set" },
	{ 0 },
};

/* One parse and all that came of it. */
static struct arena arena;
static struct values v;
static struct global g;
static struct option_list operands;
static struct err err;
static const char *help;

#define MAX_ARGS 16

static int
parse_until(size_t operands_before_end, const char *const *args)
{
	const struct option_set sets[] = { { rows, &v, help }, { global_rows, &g, NULL } };
	size_t n = 0;

	v = (struct values){ 0 };
	g = (struct global){ 0 };
	operands = (struct option_list){ 0 };
	err_clear(&err);
	while (args[n])
		n++;
	return options_parse(sets, 2, args, n, operands_before_end, &arena, &err, &operands);
}

#define ARGS(...)  ((const char *const[MAX_ARGS]){ __VA_ARGS__ })
#define PARSE(...) parse_until(OPTIONS_EVERYWHERE, ARGS(__VA_ARGS__))

static bool
is(const char *a, const char *b)
{
	return a && !strcmp(a, b);
}

static void
test_forms(void)
{
	CHECK(PARSE("--text", "x", "one", "-f", "two") == 0);
	CHECK(is(v.text, "x") && v.flag && !v.all && operands.n == 2);
	CHECK(is(operands.items[0], "one") && is(operands.items[1], "two"));
	CHECK(PARSE("--text=a=b") == 0 && is(v.text, "a=b"));
	CHECK(PARSE("--text=") == 0 && is(v.text, ""));
	CHECK(PARSE("-tx", "-t", "y") == 0 && is(v.text, "y"));
	CHECK(PARSE("-t", "--flag") == 0 && is(v.text, "--flag") && !v.flag);
	CHECK(PARSE("-aft", "x") == 0 && v.all && v.flag && is(v.text, "x"));
	CHECK(PARSE("-aftx") == 0 && v.all && v.flag && is(v.text, "x"));
	CHECK(PARSE("--list", "a", "-lb", "--list=c") == 0 && v.list.n == 3 && is(v.list.items[2], "c"));
	CHECK(PARSE("-") == 0 && operands.n == 1 && is(operands.items[0], "-"));
	CHECK(PARSE("--text", "-") == 0 && is(v.text, "-"));
	CHECK(PARSE(NULL) == 0 && operands.n == 0);
}

static void
test_flags(void)
{
	CHECK(PARSE("--flag=true") == 0 && v.flag);
	CHECK(PARSE("--flag", "--flag=false") == 0 && !v.flag);
	CHECK(PARSE("--flag=1", "--all=T") == 0 && v.flag && v.all);
	CHECK(PARSE("--flag=0", "--all=FALSE") == 0 && !v.flag && !v.all);
	CHECK(PARSE("--flag=yes") < 0 && is(err.msg, "option '--flag': expected true or false, found 'yes'"));
	CHECK(PARSE("--flag", "true") == 0 && v.flag && operands.n == 1);
}

static void
test_values(void)
{
	CHECK(PARSE("--number", "42") == 0 && v.number == 42);
	CHECK(PARSE("--number", "2147483647") == 0 && v.number == INT_MAX);
	CHECK(PARSE("--number", "2147483648") < 0);
	CHECK(PARSE("--number", "99999999999999999999999") < 0);
	CHECK(PARSE("--number", "-1") < 0);
	CHECK(PARSE("--number", "+1") < 0);
	CHECK(PARSE("--number", " 1") < 0);
	CHECK(PARSE("--number", "1x") < 0);
	CHECK(PARSE("--number", "") < 0);
	CHECK(PARSE("--number", "0x10") < 0);
	CHECK(strstr(err.msg, "'0x10'") != NULL);
	CHECK(PARSE("--choice", "json") == 0 && is(v.choice, "json"));
	CHECK(PARSE("-ctable") == 0 && is(v.choice, "table"));
	CHECK(PARSE("--choice", "jso") < 0 && is(err.msg, "option '--choice': expected table|json, found 'jso'"));
	CHECK(PARSE("--choice", "") < 0);
	CHECK(PARSE("--choice", "table|json") < 0);
}

static void
test_errors(void)
{
	CHECK(PARSE("--tex", "x") < 0 && is(err.msg, "unknown option '--tex', did you mean '--text'?"));
	CHECK(PARSE("--qwertyuiop") < 0 && is(err.msg, "unknown option '--qwertyuiop'"));
	CHECK(PARSE("--xtext=5") < 0 && strstr(err.msg, "'--xtext'") && !strstr(err.msg, "=5"));
	CHECK(PARSE("-z") < 0 && is(err.msg, "unknown option '-z'"));
	CHECK(PARSE("-fz") < 0 && is(err.msg, "unknown option '-z'"));
	CHECK(PARSE("--text") < 0 && is(err.msg, "option '--text' needs a value: --text DIR"));
	CHECK(PARSE("-t") < 0 && is(err.msg, "option '--text' needs a value: --text DIR"));
	help = "knarr help run";
	CHECK(PARSE("--tex", "x") < 0 &&
	      is(err.msg, "unknown option '--tex', did you mean '--text'? (see knarr help run)"));
	CHECK(PARSE("--qwertyuiop") < 0 && is(err.msg, "unknown option '--qwertyuiop' (see knarr help run)"));
	CHECK(PARSE("-z") < 0 && is(err.msg, "unknown option '-z' (see knarr help run)"));
	help = NULL;
	CHECK(PARSE("--=x") < 0);
	CHECK(PARSE("-\xff") < 0);
}

static void
test_end(void)
{
	CHECK(PARSE("a", "--", "-f", "--text", "--") == 0 && operands.n == 4 && !v.flag);
	CHECK(is(operands.items[3], "--"));
	/* exec: the first operand is the id, the program's options are its own. */
	CHECK(parse_until(1, ARGS("-f", "id", "ls", "-a", "--text", "--")) == 0);
	CHECK(v.flag && !v.all && !v.text && operands.n == 5 && is(operands.items[2], "-a"));
	CHECK(parse_until(1, ARGS("--", "id", "-a", "--")) == 0 && operands.n == 3 && !v.all);
}

static void
test_sets(void)
{
	CHECK(PARSE("--debug", "--flag") == 0);
	CHECK(g.debug && v.flag && !g.flag);
	CHECK(PARSE("--debu") < 0 && strstr(err.msg, "'--debug'"));
}

/* Many operands must not take memory in the square of their number. */
static void
test_many(void)
{
	static const char *args[20001];

	for (size_t i = 0; i < 20000; i++)
		args[i] = "x";
	CHECK(parse_until(OPTIONS_EVERYWHERE, args) == 0 && operands.n == 20000);
}

static void
test_signals(void)
{
	const struct {
		const char *name;
		int number; /* -1: refused */
	} cases[] = {
		{ "KILL", SIGKILL },
		{ "SIGKILL", SIGKILL },
		{ "sigkill", SIGKILL },
		{ "9", 9 },
		{ "0", 0 },
		{ "15", 15 },
		{ "64", 64 },
		{ "65", -1 },
		{ "-9", -1 },
		{ "", -1 },
		{ "SIG", -1 },
		{ "9x", -1 },
		{ "RTMIN", SIGRTMIN },
		{ "SIGRTMIN+3", SIGRTMIN + 3 },
		{ "RTMIN+99", -1 },
		{ "RTMAX", SIGRTMAX },
		{ "RTMAX-1", SIGRTMAX - 1 },
		{ "RTMIN-1", -1 },
		{ "RTMIN+", -1 },
		{ "HUP", SIGHUP },
		{ "winch", SIGWINCH },
		{ "SIG9", -1 },
		{ "99999999999999999999", -1 },
	};
	int number;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int r = signal_from_name(cases[i].name, &err, &number);

		if (r < 0 ? cases[i].number == -1 : number == cases[i].number)
			continue;
		printf("%s:%d: signal '%s': %d, %d\n", __FILE__, __LINE__, cases[i].name, r, number);
		failed = 1;
	}
	CHECK(signal_from_name("KIL", &err, &number) < 0 && strstr(err.msg, "'KILL'"));
}

int
main(void)
{
	test_forms();
	test_flags();
	test_values();
	test_errors();
	test_end();
	test_sets();
	test_many();
	test_signals();
	arena_free(&arena);
	return failed;
}
