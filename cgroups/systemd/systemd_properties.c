/* Theory of operation: limits are written to the files by knarr and told to
 * systemd as properties, because systemd writes what it knows again whenever it
 * reloads. Both come from the one list of settings.c, which speaks in files of
 * cgroup v2: a table here says which property stands for a file, and how its text
 * becomes the property's value. A file without a property is one that systemd does
 * not write either.
 *
 * Nothing is said of devices: without DevicePolicy= systemd attaches no program,
 * and knarr's own, on the container's directory, is left alone. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cgroups/systemd/systemd.h"
#include "oci-spec/annotations.h"

#define DEFAULT_PERIOD 100000
#define USEC_PER_SEC   1000000
#define CPU_QUOTA_STEP 10000 /* a percent of a second: systemd keeps it as CPUQuota=N% */
#define MAX_CPUS       8192
#define UNLIMITED      UINT64_MAX

/* ---- lists ------------------------------------------------------------- */

void
systemd_properties_set(struct systemd_properties *properties, const char *name, struct systemd_value value)
{
	for (size_t i = 0; i < properties->n; i++)
		if (!strcmp(properties->items[i].name, name)) {
			properties->items[i].value = value;
			return;
		}
	if (properties->n == properties->cap) {
		size_t cap = properties->cap ? 2 * properties->cap : 16;

		properties->items =
			arena_grow(properties->arena, properties->items, properties->n * sizeof(*properties->items),
				   cap * sizeof(*properties->items));
		properties->cap = cap;
	}
	properties->items[properties->n++] = (struct systemd_property){ name, value };
}

void
systemd_properties_set_text(struct systemd_properties *properties, const char *name, const char *text)
{
	systemd_properties_set(properties, name, (struct systemd_value){ .type = "s", .v.s = text });
}

void
systemd_properties_set_bool(struct systemd_properties *properties, const char *name, bool value)
{
	systemd_properties_set(properties, name, (struct systemd_value){ .type = "b", .v.b = value });
}

static void
set_number(struct systemd_properties *properties, const char *name, uint64_t number)
{
	systemd_properties_set(properties, name, (struct systemd_value){ .type = "t", .v.u = number });
}

/* ---- the text of a file ------------------------------------------------ */

/* "max" or a number, maybe with a unit as the memory files take it. What is no
 * number is left to the kernel to refuse: -EINVAL. */
static int
parse_limit(const char *text, uint64_t *ret_number)
{
	static const char units[] = "kmgt";
	const char *unit;
	uint64_t number;
	char *end;

	if (!strcmp(text, "max")) {
		*ret_number = UNLIMITED;
		return 0;
	}
	if (!isdigit((unsigned char)*text))
		return -EINVAL;
	errno = 0;
	number = strtoull(text, &end, 10);
	unit = *end ? strchr(units, tolower((unsigned char)*end)) : NULL;
	if (unit && !end[1]) {
		unsigned shift = 10 * (unsigned)(unit - units + 1);

		if (number > UINT64_MAX >> shift)
			return -ERANGE;
		*ret_number = number << shift;
		return 0;
	}
	if (errno || *end)
		return -EINVAL;
	*ret_number = number;
	return 0;
}

static int
add_limit(struct systemd_properties *properties, const char *name, const char *text)
{
	uint64_t number;
	int r = parse_limit(text, &number);

	if (r == 0)
		set_number(properties, name, number);
	return r;
}

/* systemd refuses TasksMax=0, which linux.resources.unified may hold; the file alone says
 * it then. */
static int
add_tasks(struct systemd_properties *properties, const char *name, const char *text)
{
	return !strcmp(text, "0") ? 0 : add_limit(properties, name, text);
}

/* "QUOTA", "QUOTA PERIOD", or "max" in the place of QUOTA. */
static int
add_cpu_max(struct systemd_properties *properties, const char *name, const char *text)
{
	uint64_t quota, period = DEFAULT_PERIOD;
	size_t n = strcspn(text, " ");
	bool has_period = text[n] != '\0';
	__uint128_t per_second;
	int r = parse_limit(arena_strndup(properties->arena, text, n), &quota);

	if (r == 0 && has_period)
		r = parse_limit(text + n + 1, &period);
	if (r < 0 || !period)
		return -EINVAL;
	if (quota != UNLIMITED) {
		per_second = ((__uint128_t)quota * USEC_PER_SEC + period - 1) / period;
		per_second = (per_second + CPU_QUOTA_STEP - 1) / CPU_QUOTA_STEP * CPU_QUOTA_STEP;
		if (per_second >= UINT64_MAX)
			return -ERANGE;
		quota = (uint64_t)per_second;
	}
	set_number(properties, name, quota);
	if (has_period)
		set_number(properties, "CPUQuotaPeriodUSec", period);
	return 0;
}

/* systemd takes a weight of 0 for "idle" (since version 252), and knows no other way out of
 * it than another weight, or none. */
static int
add_cpu_idle(struct systemd_properties *properties, const char *name, const char *text)
{
	set_number(properties, name, !strcmp(text, "1") ? 0 : UNLIMITED);
	return 0;
}

/* "0-3,7": bit N of a little-endian mask. */
static int
add_bits(struct systemd_properties *properties, const char *name, const char *text)
{
	uint8_t mask[MAX_CPUS / 8] = { 0 };
	struct systemd_value value = { .type = "ay" };

	while (*text) {
		unsigned long first, last;
		char *end;

		if (!isdigit((unsigned char)*text))
			return -EINVAL;
		first = last = strtoul(text, &end, 10);
		if (*end == '-' && isdigit((unsigned char)end[1]))
			last = strtoul(end + 1, &end, 10);
		if (last < first || last >= MAX_CPUS)
			return -EINVAL;
		for (; first <= last; first++)
			mask[first / 8] |= (uint8_t)(1u << first % 8);
		if (last / 8 + 1 > value.n)
			value.n = last / 8 + 1;
		text = end + strspn(end, ", ");
	}
	value.items = arena_array(properties->arena, value.n + 1, sizeof(*value.items));
	for (size_t i = 0; i < value.n; i++)
		value.items[i] = (struct systemd_value){ .type = "y", .v.u = mask[i] };
	systemd_properties_set(properties, name, value);
	return 0;
}

/* A lone weight, or "default N"; one for a device has no property. */
static int
add_io_weight(struct systemd_properties *properties, const char *name, const char *text)
{
	static const char prefix[] = "default ";

	if (!strncmp(text, prefix, sizeof(prefix) - 1))
		text += sizeof(prefix) - 1;
	return strchr(text, ' ') ? 0 : add_limit(properties, name, text);
}

/* ---- settings ---------------------------------------------------------- */

static const struct {
	const char *file, *name;
	int (*add)(struct systemd_properties *p, const char *name, const char *text);
} files[] = {
	{ "memory.max", "MemoryMax", add_limit },
	{ "memory.high", "MemoryHigh", add_limit },
	{ "memory.low", "MemoryLow", add_limit },
	{ "memory.min", "MemoryMin", add_limit },
	{ "memory.swap.max", "MemorySwapMax", add_limit },
	{ "cpu.weight", "CPUWeight", add_limit },
	{ "cpu.max", "CPUQuotaPerSecUSec", add_cpu_max },
	{ "cpu.idle", "CPUWeight", add_cpu_idle },
	{ "pids.max", "TasksMax", add_tasks },
	{ "cpuset.cpus", "AllowedCPUs", add_bits },
	{ "cpuset.mems", "AllowedMemoryNodes", add_bits },
	{ "io.weight", "IOWeight", add_io_weight },
};

int
systemd_properties_from_settings(struct systemd_properties *properties, const struct settings *list, struct err *err)
{
	for (size_t i = 0; i < list->n; i++) {
		const struct setting *s = &list->items[i];
		/* The weight for BFQ is systemd's business: it makes it of the other. */
		bool bfq = s->file && !strcmp(s->file, "io.bfq.weight") && s->alt_file;
		const char *file = bfq ? s->alt_file : s->file, *value = bfq ? s->alt_value : s->value;

		for (size_t k = 0; file && k < sizeof(files) / sizeof(files[0]); k++)
			if (!strcmp(files[k].file, file) && files[k].add(properties, files[k].name, value) < 0)
				return err_plain(err, "%s: '%.300s' is not a value for systemd's property %s",
						 s->property, value, files[k].name);
	}
	return 0;
}

/* ---- annotations ------------------------------------------------------- */

static int
check_name(const char *key, const char *name, struct err *err)
{
	/* knarr would look for the container in the wrong place, or lose it. */
	static const char *const own[] = { "PIDs", "Slice", "Delegate", "DelegateSubgroup", "ControlGroup" };

	if (!isupper((unsigned char)*name))
		return err_plain(err, "annotations[\"%s\"]: '%s' is not the name of a property of systemd", key, name);
	for (const char *c = name; *c; c++)
		if (!isalnum((unsigned char)*c))
			return err_plain(err, "annotations[\"%s\"]: '%s' is not the name of a property of systemd", key,
					 name);
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		if (!strcmp(name, own[i]))
			return err_plain(err, "annotations[\"%s\"]: knarr itself sets this property", key);
	return 0;
}

/* "TimeoutStopSec", but not "TimeoutStopUSec", which D-Bus has. */
static bool
is_in_seconds(const char *name)
{
	size_t n = strlen(name);

	return n > 3 && !strcmp(name + n - 3, "Sec") && islower((unsigned char)name[n - 4]);
}

static int
seconds_to_usec(struct systemd_value *value)
{
	double seconds;

	switch (*value->type) {
	case 'n':
	case 'i':
	case 'x':
		seconds = (double)value->v.i;
		break;
	case 'y':
	case 'q':
	case 'u':
	case 't':
		seconds = (double)value->v.u;
		break;
	case 'd':
		seconds = value->v.d;
		break;
	default:
		return -EINVAL;
	}
	if (!(seconds >= 0) || seconds >= 1e12)
		return -ERANGE;
	*value = (struct systemd_value){ .type = "t", .v.u = (uint64_t)(seconds * USEC_PER_SEC + 0.5) };
	return 0;
}

static int
add_annotation(struct systemd_properties *properties, const char *key, const char *text, struct err *err)
{
	const char *name = key + strlen(annotation_name(ANNOTATION_SYSTEMD_PROPERTY));
	struct systemd_value value;
	int r = check_name(key, name, err);

	if (r == 0 && systemd_value_parse(text, properties->arena, err, &value) < 0)
		r = err_wrap(err, "annotations[\"%s\"]", key);
	if (r < 0)
		return r;
	if (is_in_seconds(name)) {
		if (seconds_to_usec(&value) < 0)
			return err_plain(err, "annotations[\"%s\"]: '%s' is not a number of seconds", key, text);
		name = arena_printf(properties->arena, "%.*sUSec", (int)strlen(name) - 3, name);
	}
	systemd_properties_set(properties, name, value);
	return 0;
}

int
systemd_properties_from_annotations(struct systemd_properties *properties, const struct spec *spec, struct err *err)
{
	const char *property = annotation_name(ANNOTATION_SYSTEMD_PROPERTY);

	for (size_t i = 0; i < spec->annotations.n; i++) {
		const struct spec_pair *pair = &spec->annotations.items[i];
		int r = 0;

		if (!strncmp(pair->key, property, strlen(property)))
			r = add_annotation(properties, pair->key, pair->value, err);
		if (r < 0)
			return r;
	}
	return 0;
}
