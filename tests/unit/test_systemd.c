/* The systemd driver without a systemd: names of units, values of annotations,
 * properties from limits. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cgroups/systemd/systemd.h"
#include "tests/unit/check.h"

static void
fail(int line, const char *what, const char *got, const char *want)
{
	printf("%s:%d: %s: got '%s', want '%s'\n", __FILE__, line, what, got, want);
	failed = 1;
}

/* ---- names ------------------------------------------------------------- */

/* want: the path below the manager, or words of the error. */
static void
name_case(int line, const char *path, const char *id, bool user, const char *subgroup, int r, const char *want)
{
	auto_arena struct arena a = { 0 };
	char key[] = "run.oci.systemd.subgroup";
	struct spec_pair pair = { key, arena_strdup(&a, subgroup ? subgroup : "") };
	struct spec s = { 0 };
	struct systemd_names names = { 0 };
	struct err err;
	int got;

	s.linux_.cgroups_path = path ? arena_strdup(&a, path) : NULL;
	s.annotations = (struct spec_pairs){ &pair, subgroup ? 1 : 0 };
	err_clear(&err);
	got = systemd_resolve_names(&s, id, user, &a, &err, &names);
	if (got != r || (r == 0 && strcmp(names.path, want) != 0) || (r < 0 && !strstr(err.msg, want)))
		fail(line, path ? path : id, r == 0 && got == 0 ? names.path : err.msg, want);
	if (got == 0) {
		struct cgroup cg = { .path = names.path, .unit = names.unit };
		const char *scope = systemd_scope_path(&cg, &a);
		size_t n = strlen(scope), unit = strlen(names.unit);

		if (strncmp(scope, names.path, n) != 0 || n < unit || strcmp(scope + n - unit, names.unit) != 0)
			fail(line, "scope", scope, names.unit);
	}
}
#define NAME(...) name_case(__LINE__, __VA_ARGS__)

static void
test_names(void)
{
	char longer[400];

	NAME(NULL, "web1", false, NULL, 0, "/system.slice/knarr-web1.scope/container");
	NAME("", "web1", true, NULL, 0, "/user.slice/knarr-web1.scope/container");
	NAME(NULL, "a+b", false, NULL, 0, "/system.slice/knarr-a\\x2bb.scope/container");
	NAME("machine.slice:libpod:abc", "x", false, NULL, 0, "/machine.slice/libpod-abc.scope/container");
	NAME("::abc", "x", false, NULL, 0, "/system.slice/abc.scope/container");
	NAME(":p:abc", "x", true, "", 0, "/user.slice/p-abc.scope");
	NAME("-.slice:p:abc", "x", false, "in", 0, "/p-abc.scope/in");
	NAME("kubepods-besteffort-pod_1.slice:cri:c", "x", false, NULL, 0,
	     "/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod_1.slice/cri-c.scope/container");
	NAME("a.slice:p:x/y", "x", false, NULL, 0, "/a.slice/p-x\\x2fy.scope/container");
	NAME("/knarr/web1", "x", false, NULL, -EINVAL, "slice:prefix:name");
	NAME("a.slice:b", "x", false, NULL, -EINVAL, "slice:prefix:name");
	NAME("a.slice:b:", "x", false, NULL, -EINVAL, "slice:prefix:name");
	NAME("a.slice:b:c:d", "x", false, NULL, -EINVAL, "slice:prefix:name");
	NAME("a:b:c", "x", false, NULL, -EINVAL, ".slice");
	NAME(".slice:b:c", "x", false, NULL, -EINVAL, ".slice");
	NAME("-a.slice:b:c", "x", false, NULL, -EINVAL, "empty part");
	NAME("a-.slice:b:c", "x", false, NULL, -EINVAL, "empty part");
	NAME("a--b.slice:b:c", "x", false, NULL, -EINVAL, "empty part");
	NAME("a/../b.slice:b:c", "x", false, NULL, -EINVAL, "character");
	NAME(NULL, "x", false, "..", -EINVAL, "subgroup");
	NAME(NULL, "x", false, "a/b", -EINVAL, "subgroup");
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	NAME(NULL, longer, false, NULL, -EINVAL, "255");
}

/* ---- values ------------------------------------------------------------ */

static void
show(const struct systemd_value *v, char *buf, size_t size)
{
	size_t n = strlen(buf);

	n += (size_t)snprintf(buf + n, size - n, "%s:", v->type);
	switch (*v->type) {
	case 'b':
		snprintf(buf + n, size - n, "%d", v->v.b);
		return;
	case 's':
	case 'o':
	case 'g':
		snprintf(buf + n, size - n, "%s", v->v.s);
		return;
	case 'd':
		snprintf(buf + n, size - n, "%g", v->v.d);
		return;
	case 'n':
	case 'i':
	case 'x':
		snprintf(buf + n, size - n, "%lld", (long long)v->v.i);
		return;
	case 'a':
	case '(':
	case 'v':
		for (size_t i = 0; i < v->n; i++) {
			n = strlen(buf);
			snprintf(buf + n, size - n, "%s", i ? " " : "{");
			show(&v->items[i], buf, size);
		}
		n = strlen(buf);
		snprintf(buf + n, size - n, "%s", v->n ? "}" : "{}");
		return;
	default:
		snprintf(buf + n, size - n, "%llu", (unsigned long long)v->v.u);
	}
}

/* want NULL: an error. */
static const struct {
	const char *text, *want;
} values[] = {
	{ "'text'", "s:text" },
	{ "\"it's\"", "s:it's" },
	{ "'a\\'b\\n\\\\'", "s:a'b\n\\" },
	{ "''", "s:" },
	{ "true", "b:1" },
	{ " false ", "b:0" },
	{ "10", "i:10" },
	{ "-10", "i:-10" },
	{ "0x10", "i:16" },
	{ "1.5", "d:1.5" },
	{ "double 2", "d:2" },
	{ "uint64 10", "t:10" },
	{ "uint64 18446744073709551615", "t:18446744073709551615" },
	{ "int64 -9", "x:-9" },
	{ "byte 0xff", "y:255" },
	{ "@t 7", "t:7" },
	{ "objectpath '/a'", "o:/a" },
	{ "@as ['a', 'b']", "as:{s:a s:b}" },
	{ "@as []", "as:{}" },
	{ "['a']", "as:{s:a}" },
	{ "[uint64 1, 2]", "at:{t:1 t:2}" },
	{ "@au [1,2]", "au:{u:1 u:2}" },
	{ "('a', uint64 5)", "(st):{s:a t:5}" },
	{ "@a(st) [('/dev/sda', 100)]", "a(st):{(st):{s:/dev/sda t:100}}" },
	{ "@a(st) []", "a(st):{}" },
	{ "[[1],[2,3]]", "aai:{ai:{i:1} ai:{i:2 i:3}}" },
	{ "<'x'>", "v:{s:x}" },
	{ "(1,)", "(i):{i:1}" },
	{ "", NULL },
	{ "text", NULL },
	{ "'text", NULL },
	{ "'a' 'b'", NULL },
	{ "truely", NULL },
	{ "uint64 ", NULL },
	{ "uint64 -1", NULL },
	{ "uint32 4294967296", NULL },
	{ "byte 256", NULL },
	{ "2147483648", NULL },
	{ "[]", NULL },
	{ "[1, 'a']", NULL },
	{ "[1 2]", NULL },
	{ "[1,2", NULL },
	{ "@as [1]", NULL },
	{ "@q 'a'", NULL },
	{ "@z 1", NULL },
	{ "@(st) ('a')", NULL },
	{ "@(st) ('a', 1, 2)", NULL },
	{ "@a{sv} {}", NULL },
	{ "@h 0", NULL },
	{ "uint64 true", NULL },
	{ "()", NULL },
	{ "[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]", NULL },
	{ "1e", NULL },
	{ "+", NULL },
	{ "uint64 +", NULL },
	{ "double +", NULL },
	{ "+7", "i:7" },
	{ "'\\u0041'", NULL },
};

static void
test_values(void)
{
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		auto_arena struct arena a = { 0 };
		struct systemd_value v;
		char text[512] = "";
		struct err err;
		int r;

		err_clear(&err);
		r = systemd_value_parse(values[i].text, &a, &err, &v);
		if (r == 0)
			show(&v, text, sizeof(text));
		if (r == 0 ? !values[i].want || strcmp(text, values[i].want) != 0 : values[i].want || !err.msg[0])
			fail(__LINE__, values[i].text, r == 0 ? text : err.msg,
			     values[i].want ? values[i].want : "error");
	}
}

/* ---- properties -------------------------------------------------------- */

static void
add(struct settings *list, const char *file, const char *value)
{
	static struct setting items[8];

	if (list->n == 0)
		list->items = items;
	items[list->n++] = (struct setting){ .property = "p", .file = file, .value = value };
}

/* want: NAME=TYPE:VALUE… of all, or NULL for an error. */
static void
settings_case(int line, const char *file, const char *value, const char *want)
{
	auto_arena struct arena a = { 0 };
	struct settings list = { .arena = &a };
	struct systemd_properties p = { .arena = &a };
	char text[1024] = "";
	struct err err;
	int r;

	err_clear(&err);
	add(&list, file, value);
	r = systemd_properties_from_settings(&p, &list, &err);
	for (size_t i = 0; i < p.n; i++) {
		size_t n = strlen(text);

		snprintf(text + n, sizeof(text) - n, "%s%s=", i ? " " : "", p.items[i].name);
		show(&p.items[i].value, text, sizeof(text));
	}
	if (want ? r < 0 || strcmp(text, want) != 0 : r >= 0)
		fail(line, file, r < 0 ? err.msg : text, want ? want : "error");
}
#define SETTING(...) settings_case(__LINE__, __VA_ARGS__)

static void
test_settings(void)
{
	SETTING("memory.max", "67108864", "MemoryMax=t:67108864");
	SETTING("memory.max", "max", "MemoryMax=t:18446744073709551615");
	SETTING("memory.high", "50M", "MemoryHigh=t:52428800");
	SETTING("memory.low", "1k", "MemoryLow=t:1024");
	SETTING("memory.min", "0", "MemoryMin=t:0");
	SETTING("memory.swap.max", "0", "MemorySwapMax=t:0");
	SETTING("memory.max", "lots", NULL);
	SETTING("memory.max", "99999999999T", NULL);
	SETTING("pids.max", "17", "TasksMax=t:17");
	SETTING("pids.max", "max", "TasksMax=t:18446744073709551615");
	SETTING("pids.max", "0", "");
	SETTING("cpu.weight", "59", "CPUWeight=t:59");
	SETTING("cpu.idle", "1", "CPUWeight=t:0");
	SETTING("cpu.idle", "0", "CPUWeight=t:18446744073709551615");
	SETTING("cpu.max", "50000 100000", "CPUQuotaPerSecUSec=t:500000 CPUQuotaPeriodUSec=t:100000");
	SETTING("cpu.max", "50000", "CPUQuotaPerSecUSec=t:500000");
	SETTING("cpu.max", "max 50000", "CPUQuotaPerSecUSec=t:18446744073709551615 CPUQuotaPeriodUSec=t:50000");
	SETTING("cpu.max", "max", "CPUQuotaPerSecUSec=t:18446744073709551615");
	/* Up to whole percents. */
	SETTING("cpu.max", "25500 50000", "CPUQuotaPerSecUSec=t:510000 CPUQuotaPeriodUSec=t:50000");
	SETTING("cpu.max", "1000 1000000", "CPUQuotaPerSecUSec=t:10000 CPUQuotaPeriodUSec=t:1000000");
	SETTING("cpu.max", "33333 100000", "CPUQuotaPerSecUSec=t:340000 CPUQuotaPeriodUSec=t:100000");
	SETTING("cpu.max", "300000 100000", "CPUQuotaPerSecUSec=t:3000000 CPUQuotaPeriodUSec=t:100000");
	SETTING("cpu.max", "5 0", NULL);
	SETTING("cpu.max", "", NULL);
	SETTING("cpuset.cpus", "0-1", "AllowedCPUs=ay:{y:3}");
	SETTING("cpuset.cpus", "0,3,8-9", "AllowedCPUs=ay:{y:9 y:3}");
	SETTING("cpuset.cpus", "17", "AllowedCPUs=ay:{y:0 y:0 y:2}");
	SETTING("cpuset.cpus", "", "AllowedCPUs=ay:{}");
	SETTING("cpuset.mems", "0", "AllowedMemoryNodes=ay:{y:1}");
	SETTING("cpuset.cpus", "3-1", NULL);
	SETTING("cpuset.cpus", "99999", NULL);
	SETTING("cpuset.cpus", "a", NULL);
	SETTING("io.weight", "200", "IOWeight=t:200");
	SETTING("io.weight", "default 200", "IOWeight=t:200");
	SETTING("io.weight", "8:0 200", "");
	SETTING("cpu.max.burst", "1000", "");
	SETTING("hugetlb.2MB.max", "2097152", "");
	SETTING("memory.oom.group", "1", "");
	SETTING(NULL, "a warning", "");
}

static void
annotation_case(int line, const char *name, const char *value, const char *want)
{
	auto_arena struct arena a = { 0 };
	struct spec_pair pairs[] = {
		{ arena_strdup(&a, "other"), arena_strdup(&a, "not ' parsed") },
		{ arena_printf(&a, "org.systemd.property.%s", name), arena_strdup(&a, value) },
	};
	struct spec s = { .annotations = { pairs, 2 } };
	struct systemd_properties p = { .arena = &a };
	char text[512] = "";
	struct err err;
	int r;

	err_clear(&err);
	r = systemd_properties_from_annotations(&p, &s, &err);
	if (r == 0 && p.n == 1) {
		snprintf(text, sizeof(text), "%s=", p.items[0].name);
		show(&p.items[0].value, text, sizeof(text));
	}
	if (want ? r < 0 || strcmp(text, want) != 0 : r >= 0 || !strstr(err.msg, name))
		fail(line, name, r < 0 ? err.msg : text, want ? want : "error");
}
#define ANNOTATION(...) annotation_case(__LINE__, __VA_ARGS__)

static void
test_annotations(void)
{
	struct systemd_properties p = { 0 };
	auto_arena struct arena a = { 0 };

	ANNOTATION("CollectMode", "'inactive'", "CollectMode=s:inactive");
	ANNOTATION("TimeoutStopSec", "10", "TimeoutStopUSec=t:10000000");
	ANNOTATION("TimeoutStopSec", "uint64 10", "TimeoutStopUSec=t:10000000");
	ANNOTATION("TimeoutStopSec", "1.5", "TimeoutStopUSec=t:1500000");
	ANNOTATION("TimeoutStopUSec", "uint64 123456", "TimeoutStopUSec=t:123456");
	ANNOTATION("After", "@as ['a.service']", "After=as:{s:a.service}");
	ANNOTATION("TimeoutStopSec", "-1", NULL);
	ANNOTATION("TimeoutStopSec", "'10'", NULL);
	ANNOTATION("Slice", "'a.slice'", NULL);
	ANNOTATION("PIDs", "@au [1]", NULL);
	ANNOTATION("Delegate", "false", NULL);
	ANNOTATION("a b", "true", NULL);
	ANNOTATION("", "true", NULL);
	ANNOTATION("CPUWeight", "", NULL);

	p.arena = &a;
	systemd_properties_set_text(&p, "A", "1");
	systemd_properties_set_bool(&p, "B", true);
	systemd_properties_set_text(&p, "A", "2");
	if (p.n != 2 || strcmp(p.items[0].value.v.s, "2") != 0 || !p.items[1].value.v.b)
		fail(__LINE__, "set", "", "");
}

int
main(void)
{
	test_names();
	test_values();
	test_settings();
	test_annotations();
	return failed;
}
