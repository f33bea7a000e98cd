/* Theory of operation: mappings are found by name, as the kernel compares paths
 * (mount and dentry) too, while the device numbers in /proc/self/maps differ
 * from stat(2) on btrfs and overlayfs. Which of them may hold written pages is
 * told by the program headers: a segment made writable, even if the loader took
 * that away again (RELRO), was written to. */
#include "libcontainer/process/exe_guard_maps.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fd.h"

struct line_reader {
	int fd, code; /* code: what read(2) failed with, or E2BIG for a line that does not fit */
	size_t at, len;
	char buf[PATH_MAX + 512];
};

/* Next line without its newline, NULL at the end, or with reader->code. */
static char *
read_line(struct line_reader *reader)
{
	for (;;) {
		char *line = reader->buf + reader->at, *end = memchr(line, '\n', reader->len - reader->at);
		ssize_t n;

		if (end) {
			*end = '\0';
			reader->at = (size_t)(end - reader->buf) + 1;
			return line;
		}
		memmove(reader->buf, line, reader->len - reader->at);
		reader->len -= reader->at;
		reader->at = 0;
		if (reader->len == sizeof(reader->buf)) {
			reader->code = E2BIG;
			return NULL;
		}
		do
			n = read(reader->fd, reader->buf + reader->len, sizeof(reader->buf) - reader->len);
		while (n < 0 && errno == EINTR);
		if (n <= 0) {
			reader->code = n < 0 ? errno : 0;
			return NULL;
		}
		reader->len += (size_t)n;
	}
}

/* "START-END rwxp OFFSET DEV INODE    PATH"; file: that one only, or NULL. */
static bool
parse_mapping(const char *line, const char *file, struct exe_range *ret)
{
	const char *path = strchr(line, '/');
	char *end;
	uintptr_t stop;

	if (!path || (file && strcmp(path, file) != 0))
		return false;
	ret->start = strtoul(line, &end, 16);
	if (*end != '-')
		return false;
	stop = strtoul(end + 1, &end, 16);
	if (*end != ' ' || stop <= ret->start || strlen(end) < 6)
		return false;
	ret->len = stop - ret->start;
	ret->prot =
		(end[1] == 'r' ? PROT_READ : 0) | (end[2] == 'w' ? PROT_WRITE : 0) | (end[3] == 'x' ? PROT_EXEC : 0);
	ret->offset = strtoull(end + 5, &end, 16);
	ret->as_in_file = false;
	return *end == ' ';
}

struct mark {
	struct exe_range *ranges;
	int n;
};

/* For one loaded object: marks the ranges that are exactly one of its read-only
 * segments. One that is more (two mappings that the kernel joined) is left out. */
static int
mark_object(struct dl_phdr_info *info, size_t size, void *data)
{
	const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	struct mark *m = data;

	(void)size;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];
		uintptr_t start = (info->dlpi_addr + p->p_vaddr) / page * page;
		uintptr_t stop = (info->dlpi_addr + p->p_vaddr + p->p_filesz + page - 1) / page * page;

		if (p->p_type != PT_LOAD || (p->p_flags & PF_W))
			continue;
		for (int j = 0; j < m->n; j++) {
			struct exe_range *r = &m->ranges[j];

			if (start == r->start && stop - start == r->len && !(r->prot & PROT_WRITE))
				r->as_in_file = true;
		}
	}
	return 0;
}

/* Mappings of the file, or of any with a name but that at `except`; returns how many. */
static int
find_ranges(const char *file, const void *except, struct exe_range *ranges, int max, struct err *err)
{
	struct line_reader r = { .at = 0, .len = 0 };
	auto_close int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
	char *line;
	int n = 0;

	if (fd < 0)
		return err_set(err, errno, "open '/proc/self/maps'");
	r.fd = fd;
	while ((line = read_line(&r))) {
		if (n == max)
			return err_set(err, E2BIG, "files are mapped in too many places");
		if (parse_mapping(line, file, &ranges[n]) && (!except || ranges[n].start != (uintptr_t)except))
			n++;
	}
	return r.code ? err_set(err, r.code, "read '/proc/self/maps'") : n;
}

int
exe_guard_find_ranges(const char *exe, struct exe_range *ranges, struct err *err)
{
	struct mark m = { ranges, find_ranges(exe, NULL, ranges, EXE_RANGES_MAX, err) };

	if (m.n > 0)
		dl_iterate_phdr(mark_object, &m);
	return m.n;
}

int
exe_guard_find_files(const void *except, struct exe_range *ranges, struct err *err)
{
	return find_ranges(NULL, except, ranges, EXE_FILES_MAX, err);
}
