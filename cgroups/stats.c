/* Theory of operation: every controller has one function, which reads its files
 * and leaves zeros where a file is missing: on a hybrid host, or without the
 * controller, most are. That the folder itself is there is seen by cgroup.procs,
 * which no cgroup lacks; it is looked at last, so that a cgroup that vanishes
 * between two reads is an error and not a container that uses nothing. */
#include "cgroups/stats.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"

#define STAT_MAX ((size_t)1024 * 1024) /* io.stat has a line for each disk */

struct reader {
	int dirfd;
	struct arena *arena;
};

/* A whole file in the arena; NULL: there is none. */
static char *
read_text(const struct reader *r, const char *file)
{
	char *text, *copy;
	size_t len;

	if (fd_read_file_at(r->dirfd, file, STAT_MAX, &text, &len) < 0)
		return NULL;
	copy = arena_strndup(r->arena, text, len);
	free(text);
	return copy;
}

static bool
read_number(const struct reader *r, const char *file, uint64_t *value)
{
	return keyed_read_number(r->dirfd, file, value) == 0;
}

/* ---- pressure ------------------------------------------------------------ */

/* "12.34" in hundredths. */
static unsigned
parse_percent(const char *text)
{
	char *end;
	unsigned long whole;
	unsigned value;

	if (!text)
		return 0;
	whole = strtoul(text, &end, 10);
	value = whole > 100 ? 10000 : (unsigned)whole * 100;
	if (end[0] == '.' && isdigit((unsigned char)end[1])) {
		value += (unsigned)(end[1] - '0') * 10;
		if (isdigit((unsigned char)end[2]))
			value += (unsigned)(end[2] - '0');
	}
	return value;
}

static struct cgroup_stall
parse_stall(const char *line)
{
	const char *total = keyed_in_line(line, "total");

	return (struct cgroup_stall){
		.avg10 = parse_percent(keyed_in_line(line, "avg10")),
		.avg60 = parse_percent(keyed_in_line(line, "avg60")),
		.avg300 = parse_percent(keyed_in_line(line, "avg300")),
		.total = total ? strtoull(total, NULL, 10) : 0,
	};
}

static void
read_pressure(const struct reader *r, const char *file, struct cgroup_pressure *p)
{
	/* The file of a kernel booted with psi=0 is there but cannot be read. */
	const char *text = read_text(r, file), *line;

	for (line = text; line && *line; line += strcspn(line, "\n"), line += *line == '\n') {
		if (!strncmp(line, "some ", 5))
			p->some = parse_stall(line);
		else if (!strncmp(line, "full ", 5))
			p->full = parse_stall(line);
		else
			continue;
		p->is_there = true;
	}
}

/* ---- cpu ----------------------------------------------------------------- */

static void
read_cpu(const struct reader *r, struct cgroup_stats *s)
{
	const char *text = read_text(r, "cpu.stat"), *max = read_text(r, "cpu.max");

	if (text) {
		s->has_cpu = keyed_find(text, "usage_usec", &s->cpu_usage);
		keyed_find(text, "user_usec", &s->cpu_user);
		keyed_find(text, "system_usec", &s->cpu_system);
		s->has_cpu_controller = keyed_find(text, "nr_periods", &s->cpu_periods);
		keyed_find(text, "nr_throttled", &s->cpu_throttled_periods);
		keyed_find(text, "throttled_usec", &s->cpu_throttled_time);
	}
	s->cpu_quota = KEYED_MAX;
	if (max) {
		if (isdigit((unsigned char)*max))
			s->cpu_quota = strtoull(max, NULL, 10);
		s->cpu_period = strtoull(max + strcspn(max, " \n"), NULL, 10);
	}
	read_pressure(r, "cpu.pressure", &s->cpu_pressure);
}

/* ---- memory -------------------------------------------------------------- */

static size_t
count_lines(const char *text)
{
	size_t n = 1;

	while ((text = strchr(text, '\n')))
		n++, text++;
	return n;
}

static void
read_memory_stat(const struct reader *r, struct cgroup_stats *s)
{
	char *text = read_text(r, "memory.stat"), *save = NULL;

	if (!text)
		return;
	s->memory_stat = arena_array(r->arena, count_lines(text), sizeof(*s->memory_stat));
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char *blank = strchr(line, ' ');

		if (!blank)
			continue;
		*blank = '\0';
		s->memory_stat[s->n_memory_stat++] = (struct cgroup_counter){ line, strtoull(blank + 1, NULL, 10) };
	}
}

static void
read_memory_events(const struct reader *r, struct cgroup_stats *s)
{
	const struct {
		const char *key;
		uint64_t *value;
	} rows[] = {
		{ "low", &s->events_low },	     { "high", &s->events_high },
		{ "max", &s->events_max },	     { "oom", &s->events_oom },
		{ "oom_kill", &s->events_oom_kill }, { "oom_group_kill", &s->events_oom_group_kill },
	};
	const char *text = read_text(r, "memory.events");

	for (size_t i = 0; text && i < sizeof(rows) / sizeof(rows[0]); i++)
		keyed_find(text, rows[i].key, rows[i].value);
}

static void
read_memory(const struct reader *r, struct cgroup_stats *s)
{
	s->memory_limit = s->swap_limit = KEYED_MAX;
	s->has_memory = read_number(r, "memory.current", &s->memory_usage);
	read_number(r, "memory.peak", &s->memory_peak);
	read_number(r, "memory.max", &s->memory_limit);
	read_number(r, "memory.low", &s->memory_low);
	s->has_swap = read_number(r, "memory.swap.current", &s->swap_usage);
	read_number(r, "memory.swap.peak", &s->swap_peak);
	read_number(r, "memory.swap.max", &s->swap_limit);
	read_memory_stat(r, s);
	read_memory_events(r, s);
	read_pressure(r, "memory.pressure", &s->memory_pressure);
}

uint64_t
cgroup_stats_memory(const struct cgroup_stats *s, const char *key)
{
	for (size_t i = 0; i < s->n_memory_stat; i++)
		if (!strcmp(s->memory_stat[i].key, key))
			return s->memory_stat[i].value;
	return 0;
}

/* ---- pids, io ------------------------------------------------------------ */

static void
read_pids(const struct reader *r, struct cgroup_stats *s)
{
	s->pids_limit = KEYED_MAX;
	s->has_pids = read_number(r, "pids.current", &s->pids);
	read_number(r, "pids.max", &s->pids_limit);
	keyed_read(r->dirfd, "pids.events", "max", &s->pids_refused);
}

static uint64_t
io_value(const char *line, const char *key)
{
	const char *value = keyed_in_line(line, key);

	return value ? strtoull(value, NULL, 10) : 0;
}

static void
read_io(const struct reader *r, struct cgroup_stats *s)
{
	char *text = read_text(r, "io.stat"), *save = NULL;

	read_pressure(r, "io.pressure", &s->io_pressure);
	s->has_io = text != NULL;
	if (!text)
		return;
	s->io = arena_array(r->arena, count_lines(text), sizeof(*s->io));
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		struct cgroup_io_device *d = &s->io[s->n_io];
		char *end;

		d->major = (unsigned)strtoul(line, &end, 10);
		/* Linux 6.1 lists devices without any number behind them. */
		if (end == line || *end != ':' || !strchr(end, '='))
			continue;
		d->minor = (unsigned)strtoul(end + 1, NULL, 10);
		d->read_bytes = io_value(line, "rbytes");
		d->write_bytes = io_value(line, "wbytes");
		d->reads = io_value(line, "rios");
		d->writes = io_value(line, "wios");
		s->n_io++;
	}
}

/* ---- hugetlb ------------------------------------------------------------- */

static int
compare_hugetlb(const void *a, const void *b)
{
	return strcmp(((const struct cgroup_hugetlb *)a)->page_size, ((const struct cgroup_hugetlb *)b)->page_size);
}

/* "hugetlb.2MB.current" → "2MB"; NULL: another file. */
static char *
page_size_of(const struct reader *r, const char *file)
{
	static const char head[] = "hugetlb.", tail[] = ".current";
	size_t n = strlen(file), around = sizeof(head) - 1 + sizeof(tail) - 1;

	if (n <= around || strncmp(file, head, sizeof(head) - 1) || strcmp(file + n - (sizeof(tail) - 1), tail))
		return NULL;
	file += sizeof(head) - 1;
	n -= around;
	return memchr(file, '.', n) ? NULL : arena_strndup(r->arena, file, n);
}

static void
add_hugetlb(const struct reader *r, struct cgroup_stats *s, char *size)
{
	struct cgroup_hugetlb h = { .page_size = size };

	/* Reservations are what the limit refuses first, since Linux 5.7. */
	if (!read_number(r, arena_printf(r->arena, "hugetlb.%s.rsvd.current", size), &h.usage))
		read_number(r, arena_printf(r->arena, "hugetlb.%s.current", size), &h.usage);
	keyed_read(r->dirfd, arena_printf(r->arena, "hugetlb.%s.events", size), "max", &h.failures);
	s->hugetlb = arena_grow(r->arena, s->hugetlb, s->n_hugetlb * sizeof(h), (s->n_hugetlb + 1) * sizeof(h));
	s->hugetlb[s->n_hugetlb++] = h;
}

static void
read_hugetlb(const struct reader *r, struct cgroup_stats *s)
{
	DIR *dir = fd_open_stream(r->dirfd);
	const struct dirent *e;
	char *size;

	if (!dir)
		return;
	while ((e = readdir(dir)))
		if ((size = page_size_of(r, e->d_name)))
			add_hugetlb(r, s, size);
	closedir(dir);
	if (s->n_hugetlb)
		qsort(s->hugetlb, s->n_hugetlb, sizeof(*s->hugetlb), compare_hugetlb);
}

/* ---- all ----------------------------------------------------------------- */

int
cgroup_stats_read(int dirfd, struct arena *a, struct cgroup_stats *ret_stats)
{
	static void (*const readers[])(const struct reader *, struct cgroup_stats *) = {
		read_cpu, read_memory, read_pids, read_io, read_hugetlb,
	};
	struct reader r = { dirfd, a };
	struct cgroup_stats s = { 0 };
	char byte;

	for (size_t i = 0; i < sizeof(readers) / sizeof(readers[0]); i++)
		readers[i](&r, &s);
	auto_close int fd = openat(dirfd, "cgroup.procs", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return -errno;
	/* A threaded cgroup refuses the read, a removed one the open or the read. */
	if (read(fd, &byte, 1) < 0 && errno != EOPNOTSUPP)
		return -errno;
	*ret_stats = s;
	return 0;
}
