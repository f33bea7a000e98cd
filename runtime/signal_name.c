/* SIGRTMIN is the C library's, as in
 * kill(1): the first two real-time signals of the kernel belong to its threads. */
#include "runtime/signal_name.h"

#include <ctype.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "oci-spec/names.h"

static const struct {
	const char *name;
	int number;
} signals[] = {
	/* first what is sent most often: of two names as near, the first is suggested */
	{ "KILL", SIGKILL },	 { "HUP", SIGHUP },   { "INT", SIGINT },   { "QUIT", SIGQUIT },
	{ "ILL", SIGILL },	 { "TRAP", SIGTRAP }, { "ABRT", SIGABRT }, { "IOT", SIGABRT },
	{ "BUS", SIGBUS },	 { "FPE", SIGFPE },   { "USR1", SIGUSR1 }, { "SEGV", SIGSEGV },
	{ "USR2", SIGUSR2 },	 { "PIPE", SIGPIPE }, { "ALRM", SIGALRM }, { "TERM", SIGTERM },
	{ "CHLD", SIGCHLD },	 { "CLD", SIGCHLD },  { "CONT", SIGCONT }, { "STOP", SIGSTOP },
	{ "TSTP", SIGTSTP },	 { "TTIN", SIGTTIN }, { "TTOU", SIGTTOU }, { "URG", SIGURG },
	{ "XCPU", SIGXCPU },	 { "XFSZ", SIGXFSZ }, { "PROF", SIGPROF }, { "WINCH", SIGWINCH },
	{ "VTALRM", SIGVTALRM }, { "IO", SIGIO },     { "POLL", SIGIO },   { "PWR", SIGPWR },
	{ "SYS", SIGSYS },
#ifdef SIGSTKFLT
	{ "STKFLT", SIGSTKFLT },
#endif
};
#define N_SIGNALS (sizeof(signals) / sizeof(signals[0]))

/* A decimal number from 0 to max, and nothing after it; -1: it is none. */
static int
parse_number(const char *text, int max)
{
	unsigned long v;
	char *end;

	if (!isdigit((unsigned char)*text))
		return -1;
	v = strtoul(text, &end, 10);
	return *end || v > (unsigned long)max ? -1 : (int)v;
}

/* RTMIN, RTMIN+N, RTMAX, RTMAX-N; -1: something else. */
static int
parse_realtime(const char *name)
{
	int range = SIGRTMAX - SIGRTMIN, n;

	if (!strcasecmp(name, "RTMIN"))
		return SIGRTMIN;
	if (!strcasecmp(name, "RTMAX"))
		return SIGRTMAX;
	if (!strncasecmp(name, "RTMIN+", 6))
		return (n = parse_number(name + 6, range)) < 0 ? -1 : SIGRTMIN + n;
	if (!strncasecmp(name, "RTMAX-", 6))
		return (n = parse_number(name + 6, range)) < 0 ? -1 : SIGRTMAX - n;
	return -1;
}

static int
complain(const char *name, const char *bare, struct err *err)
{
	const char *nearest = NULL;
	size_t best = SIZE_MAX;

	for (size_t i = 0; i < N_SIGNALS; i++) {
		size_t distance = name_distance(bare, signals[i].name);

		if (distance < best) {
			best = distance;
			nearest = signals[i].name;
		}
	}
	if (nearest)
		return err_plain(err, "unknown signal '%s', did you mean '%s'?", name, nearest);
	return err_plain(err, "unknown signal '%s'", name);
}

int
signal_from_name(const char *name, struct err *err, int *ret_signal)
{
	const char *bare = !strncasecmp(name, "SIG", 3) ? name + 3 : name;
	int number = parse_number(name, SIGRTMAX);

	if (number < 0)
		number = parse_realtime(bare);
	for (size_t i = 0; i < N_SIGNALS && number < 0; i++)
		if (!strcasecmp(bare, signals[i].name))
			number = signals[i].number;
	if (number < 0)
		return complain(name, bare, err);
	*ret_signal = number;
	return 0;
}
