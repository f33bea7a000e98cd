/* Theory of operation.
 *
 * A file is named by a hash of its key and holds a header, the whole key and
 * the program. The hash only finds the file: the key is compared to the last
 * byte, so a collision costs a compilation and nothing else. The checksum is
 * not a defence (who can write here is the runtime's user himself) but finds
 * files torn by a power failure.
 *
 * Trust: the program decides what a container may do, so a file counts only if
 * folder and file belong to the effective user and nobody else may write them.
 * Whatever is wrong with a file, the answer is "not found", and the compiled
 * program replaces it. */
#include "libcontainer/seccomp_cache.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/filter.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"

#define MAX_FILE    ((size_t)32 * 1024 * 1024)
#define MAX_PROGRAM (BPF_MAXINSNS * sizeof(struct sock_filter))
#define NAME_SIZE   40 /* 32 hex digits, ".bpf" */
#define STALE_TEMP  60 /* seconds: a temporary file this old was left by a crash */

static const char magic[8] = "knarrBPF";

struct header {
	char magic[8];
	uint32_t key_len, program_len;
	uint64_t checksum; /* of the program */
};

/* Eight bytes a step: multiply, and fold the high half back, since only it
 * depends on all the bits. Good enough to tell files apart and torn ones. */
static uint64_t
hash_bytes(uint64_t h, const void *data, size_t len)
{
	const char *p = data;

	h ^= len;
	while (len > 0) {
		size_t n = len < sizeof(h) ? len : sizeof(h);
		uint64_t word = 0;

		memcpy(&word, p, n);
		h = (h ^ word) * 0x9e3779b97f4a7c15ULL;
		h ^= h >> 32;
		p += n;
		len -= n;
	}
	return h;
}
#define HASH_START_A 0xcbf29ce484222325ULL
#define HASH_START_B 0x6c62272e07bb0142ULL

static void
append(struct seccomp_key *k, const void *data, size_t len)
{
	if (k->cap - k->len < len) {
		size_t cap = k->cap ? k->cap : 8192;

		while (cap - k->len < len)
			cap *= 2;
		k->data = arena_grow(k->arena, k->data, k->len, cap);
		k->cap = cap;
	}
	memcpy(k->data + k->len, data, len);
	k->len += len;
}

void
seccomp_key_number(struct seccomp_key *k, uint64_t v)
{
	append(k, &v, sizeof(v));
}

void
seccomp_key_string(struct seccomp_key *k, const char *s)
{
	append(k, s, strlen(s) + 1);
}

static void
file_name(const struct seccomp_key *k, char name[NAME_SIZE])
{
	snprintf(name, NAME_SIZE, "%016llx%016llx.bpf", (unsigned long long)hash_bytes(HASH_START_A, k->data, k->len),
		 (unsigned long long)hash_bytes(HASH_START_B, k->data, k->len));
}

static bool
is_private(int fd, mode_t type)
{
	struct stat st;

	return fstat(fd, &st) == 0 && (st.st_mode & S_IFMT) == type && st.st_uid == geteuid() &&
	       !(st.st_mode & (S_IWGRP | S_IWOTH));
}

int
seccomp_cache_open(const char *dir)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	auto_close int fd = open(dir, flags);

	if (fd < 0 && errno == ENOENT) {
		if (mkdir(dir, 0700) < 0 && errno != EEXIST)
			return -errno;
		fd = open(dir, flags);
	}
	if (fd < 0)
		return -errno;
	if (!is_private(fd, S_IFDIR))
		return -EPERM;
	return fd_take(&fd);
}

/* Checks a file's bytes and points into them. */
static const void *
find_program(const char *data, size_t len, const struct seccomp_key *k, size_t *ret_len)
{
	struct header h;
	const char *program;

	if (len < sizeof(h))
		return NULL;
	memcpy(&h, data, sizeof(h));
	if (memcmp(h.magic, magic, sizeof(magic)) != 0 || h.key_len != k->len || h.program_len == 0 ||
	    h.program_len > MAX_PROGRAM || h.program_len % sizeof(struct sock_filter) ||
	    len != sizeof(h) + k->len + h.program_len)
		return NULL;
	program = data + sizeof(h) + k->len;
	if (memcmp(data + sizeof(h), k->data, k->len) != 0 ||
	    hash_bytes(HASH_START_A, program, h.program_len) != h.checksum)
		return NULL;
	*ret_len = h.program_len;
	return program;
}

int
seccomp_cache_load(int dirfd, const struct seccomp_key *k, struct arena *a, const void **ret_program, size_t *ret_len)
{
	char name[NAME_SIZE];
	auto_close int fd = -1;
	const void *program;
	size_t len, program_len;
	char *data;
	int r;

	file_name(k, name);
	fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0 || !is_private(fd, S_IFREG))
		return -ENOENT;
	r = fd_read_all(fd, MAX_FILE, &data, &len);
	if (r < 0)
		return -ENOENT;
	program = find_program(data, len, k, &program_len);
	if (program) {
		void *copy = arena_alloc(a, program_len);

		memcpy(copy, program, program_len);
		*ret_program = copy;
		*ret_len = program_len;
	}
	free(data);
	return program ? 0 : -ENOENT;
}

/* Looks at one name of the folder. Returns true if it is a stored program, with
 * its age in *ret_time; removes the rests of a writer that died. */
static bool
is_stored(int dirfd, const char *name, struct timespec *ret_time)
{
	size_t n = strlen(name);
	struct stat st;

	if (n < 5 || strcmp(name + n - 4, ".bpf") != 0) {
		if (name[0] == '.' && strstr(name, ".bpf.") && fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    S_ISREG(st.st_mode) && st.st_mtime + STALE_TEMP < time(NULL))
			unlinkat(dirfd, name, 0);
		return false;
	}
	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return false;
	*ret_time = st.st_mtim;
	return true;
}

/* One walk finds how many there are and the oldest. Returns the number. */
static size_t
find_oldest(int dirfd, const char *keep, char *ret_name, size_t size)
{
	DIR *dir = fd_open_stream(dirfd);
	struct timespec oldest = { 0 }, t;
	struct dirent *e;
	size_t n = 0;

	if (!dir)
		return 0;
	ret_name[0] = '\0';
	while ((e = readdir(dir))) {
		if (!is_stored(dirfd, e->d_name, &t))
			continue;
		n++;
		if (strcmp(e->d_name, keep) == 0 || strlen(e->d_name) >= size)
			continue;
		if (ret_name[0] &&
		    (t.tv_sec > oldest.tv_sec || (t.tv_sec == oldest.tv_sec && t.tv_nsec >= oldest.tv_nsec)))
			continue;
		oldest = t;
		memcpy(ret_name, e->d_name, strlen(e->d_name) + 1);
	}
	closedir(dir);
	return n;
}

static void
drop_oldest(int dirfd, const char *keep)
{
	char name[NAME_MAX + 1];

	while (find_oldest(dirfd, keep, name, sizeof(name)) > SECCOMP_CACHE_FILES)
		if (!name[0] || unlinkat(dirfd, name, 0) < 0)
			break;
}

int
seccomp_cache_store(int dirfd, const struct seccomp_key *k, const void *program, size_t len)
{
	struct header h = { .key_len = (uint32_t)k->len, .program_len = (uint32_t)len };
	size_t total = sizeof(h) + k->len + len;
	char name[NAME_SIZE];
	char *data;
	int r;

	if (total > MAX_FILE)
		return -EFBIG;
	memcpy(h.magic, magic, sizeof(magic));
	h.checksum = hash_bytes(HASH_START_A, program, len);
	data = arena_alloc(k->arena, total);
	memcpy(data, &h, sizeof(h));
	memcpy(data + sizeof(h), k->data, k->len);
	memcpy(data + sizeof(h) + k->len, program, len);
	file_name(k, name);
	r = fd_replace_file_at(dirfd, name, data, total, 0600);
	if (r == 0)
		drop_oldest(dirfd, name);
	return r;
}
