/* Theory of operation: every controller has one function, which reads its files
 * and leaves zeros where a file is missing: on a hybrid host, or without the
 * controller, most are. That the directory itself is there is seen by cgroup.procs,
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
	int error; /* the first -errno that does not mean "there is none" */
};

/* True when there is something to read. A file that is missing, and pressure of a kernel
 * booted with psi=0, is nothing; what is gone is seen at the end. */
static bool
is_there(struct reader *reader, int result)
{
	if (result >= 0)
		return true;
	if (result != -ENOENT && result != -EOPNOTSUPP && result != -ENODEV && result != -ENODATA && !reader->error)
		reader->error = result;
	return false;
}

/* A whole file in the arena; NULL: there is none. */
static char *
read_text(struct reader *reader, const char *file)
{
	char *text, *copy;
	size_t len;

	if (!is_there(reader, fd_read_file_at(reader->dirfd, file, STAT_MAX, &text, &len)))
		return NULL;
	copy = arena_strndup(reader->arena, text, len);
	free(text);
	return copy;
}

static bool
read_number(struct reader *reader, const char *file, uint64_t *value)
{
	return is_there(reader, keyed_read_number(reader->dirfd, file, value));
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
read_pressure(struct reader *reader, const char *file, struct cgroup_pressure *pressure)
{
	const char *text = read_text(reader, file), *line;

	for (line = text; line && *line; line += strcspn(line, "\n"), line += *line == '\n') {
		if (!strncmp(line, "some ", 5))
			pressure->some = parse_stall(line);
		else if (!strncmp(line, "full ", 5))
			pressure->full = parse_stall(line);
		else
			continue;
		pressure->is_there = true;
	}
}

/* ---- cpu ----------------------------------------------------------------- */

static void
read_cpu(struct reader *reader, struct cgroup_stats *stats)
{
	const char *text = read_text(reader, "cpu.stat"), *max = read_text(reader, "cpu.max");

	if (text) {
		stats->has_cpu = keyed_find(text, "usage_usec", &stats->cpu_usage);
		keyed_find(text, "user_usec", &stats->cpu_user);
		keyed_find(text, "system_usec", &stats->cpu_system);
		stats->has_cpu_controller = keyed_find(text, "nr_periods", &stats->cpu_periods);
		keyed_find(text, "nr_throttled", &stats->cpu_throttled_periods);
		keyed_find(text, "throttled_usec", &stats->cpu_throttled_time);
	}
	stats->cpu_quota = KEYED_MAX;
	if (max) {
		if (isdigit((unsigned char)*max))
			stats->cpu_quota = strtoull(max, NULL, 10);
		stats->cpu_period = strtoull(max + strcspn(max, " \n"), NULL, 10);
	}
	read_pressure(reader, "cpu.pressure", &stats->cpu_pressure);
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
read_memory_stat(struct reader *reader, struct cgroup_stats *stats)
{
	char *text = read_text(reader, "memory.stat"), *save = NULL;

	if (!text)
		return;
	stats->memory_stat = arena_array(reader->arena, count_lines(text), sizeof(*stats->memory_stat));
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char *blank = strchr(line, ' ');

		if (!blank)
			continue;
		*blank = '\0';
		stats->memory_stat[stats->n_memory_stat++] =
			(struct cgroup_counter){ line, strtoull(blank + 1, NULL, 10) };
	}
}

static void
read_memory_events(struct reader *reader, struct cgroup_stats *stats)
{
	const struct {
		const char *key;
		uint64_t *value;
	} rows[] = {
		{ "low", &stats->events_low },		 { "high", &stats->events_high },
		{ "max", &stats->events_max },		 { "oom", &stats->events_oom },
		{ "oom_kill", &stats->events_oom_kill }, { "oom_group_kill", &stats->events_oom_group_kill },
	};
	const char *text = read_text(reader, "memory.events");

	for (size_t i = 0; text && i < sizeof(rows) / sizeof(rows[0]); i++)
		keyed_find(text, rows[i].key, rows[i].value);
}

static void
read_memory(struct reader *reader, struct cgroup_stats *stats)
{
	stats->memory_limit = stats->swap_limit = KEYED_MAX;
	stats->has_memory = read_number(reader, "memory.current", &stats->memory_usage);
	read_number(reader, "memory.peak", &stats->memory_peak);
	read_number(reader, "memory.max", &stats->memory_limit);
	read_number(reader, "memory.low", &stats->memory_low);
	stats->has_swap = read_number(reader, "memory.swap.current", &stats->swap_usage);
	read_number(reader, "memory.swap.peak", &stats->swap_peak);
	read_number(reader, "memory.swap.max", &stats->swap_limit);
	read_memory_stat(reader, stats);
	read_memory_events(reader, stats);
	read_pressure(reader, "memory.pressure", &stats->memory_pressure);
}

uint64_t
cgroup_stats_memory(const struct cgroup_stats *stats, const char *key)
{
	for (size_t i = 0; i < stats->n_memory_stat; i++)
		if (!strcmp(stats->memory_stat[i].key, key))
			return stats->memory_stat[i].value;
	return 0;
}

/* ---- pids, io ------------------------------------------------------------ */

static void
read_pids(struct reader *reader, struct cgroup_stats *stats)
{
	stats->pids_limit = KEYED_MAX;
	stats->has_pids = read_number(reader, "pids.current", &stats->pids);
	read_number(reader, "pids.max", &stats->pids_limit);
	is_there(reader, keyed_read(reader->dirfd, "pids.events", "max", &stats->pids_refused));
}

static uint64_t
io_value(const char *line, const char *key)
{
	const char *value = keyed_in_line(line, key);

	return value ? strtoull(value, NULL, 10) : 0;
}

static void
read_io(struct reader *reader, struct cgroup_stats *stats)
{
	char *text = read_text(reader, "io.stat"), *save = NULL;

	read_pressure(reader, "io.pressure", &stats->io_pressure);
	stats->has_io = text != NULL;
	if (!text)
		return;
	stats->io = arena_array(reader->arena, count_lines(text), sizeof(*stats->io));
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		struct cgroup_io_device *d = &stats->io[stats->n_io];
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
		stats->n_io++;
	}
}

/* ---- hugetlb ------------------------------------------------------------- */

static int
compare_hugetlb(const void *left, const void *right)
{
	return strcmp(((const struct cgroup_hugetlb *)left)->page_size,
		      ((const struct cgroup_hugetlb *)right)->page_size);
}

/* "hugetlb.2MB.current" → "2MB"; NULL: another file. */
static char *
page_size_of(struct reader *reader, const char *file)
{
	static const char head[] = "hugetlb.", tail[] = ".current";
	size_t n = strlen(file), around = sizeof(head) - 1 + sizeof(tail) - 1;

	if (n <= around || strncmp(file, head, sizeof(head) - 1) || strcmp(file + n - (sizeof(tail) - 1), tail))
		return NULL;
	file += sizeof(head) - 1;
	n -= around;
	return memchr(file, '.', n) ? NULL : arena_strndup(reader->arena, file, n);
}

static void
add_hugetlb(struct reader *reader, struct cgroup_stats *stats, char *size)
{
	struct cgroup_hugetlb h = { .page_size = size };

	/* Reservations are what the limit refuses first, since Linux 5.7. */
	if (!read_number(reader, arena_printf(reader->arena, "hugetlb.%s.rsvd.current", size), &h.usage))
		read_number(reader, arena_printf(reader->arena, "hugetlb.%s.current", size), &h.usage);
	is_there(reader,
		 keyed_read(reader->dirfd, arena_printf(reader->arena, "hugetlb.%s.events", size), "max", &h.failures));
	stats->hugetlb = arena_grow(reader->arena, stats->hugetlb, stats->n_hugetlb * sizeof(h),
				    (stats->n_hugetlb + 1) * sizeof(h));
	stats->hugetlb[stats->n_hugetlb++] = h;
}

static void
read_hugetlb(struct reader *reader, struct cgroup_stats *stats)
{
	DIR *dir = fd_open_stream(reader->dirfd);
	const struct dirent *e;
	char *size;

	if (!dir) {
		is_there(reader, -errno);
		return;
	}
	while ((e = readdir(dir)))
		if ((size = page_size_of(reader, e->d_name)))
			add_hugetlb(reader, stats, size);
	closedir(dir);
	if (stats->n_hugetlb)
		qsort(stats->hugetlb, stats->n_hugetlb, sizeof(*stats->hugetlb), compare_hugetlb);
}

/* ---- all ----------------------------------------------------------------- */

int
cgroup_stats_read(int dirfd, struct arena *a, struct cgroup_stats *ret_stats)
{
	static void (*const readers[])(struct reader *, struct cgroup_stats *) = {
		read_cpu, read_memory, read_pids, read_io, read_hugetlb,
	};
	struct reader r = { dirfd, a, 0 };
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
	if (r.error)
		return r.error;
	*ret_stats = s;
	return 0;
}
