/* The cache of compiled filters: what is found, what is not believed, what is
 * dropped, and writers that meet. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "libcontainer/seccomp.h"
#include "libcontainer/seccomp_cache.h"
#include "tests/unit/check.h"
#include "tests/unit/log_capture.h"

static char base[] = "/tmp/test_seccomp_cache.XXXXXX";
static char dir[64];

static struct seccomp_key
make_key(struct arena *a, uint64_t n)
{
	struct seccomp_key k = { .arena = a };

	seccomp_key_string(&k, "a test");
	seccomp_key_number(&k, n);
	return k;
}

static int
open_cache(void)
{
	int fd = seccomp_cache_open(dir);

	CHECK(fd >= 0, "%s", err_reason(-fd));
	if (fd < 0)
		exit(1);
	return fd;
}

/* Walks the folder: counts the programs, and tells one name. */
static size_t
list_files(int dirfd, char *ret_name, bool remove)
{
	DIR *d = fdopendir(openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	struct dirent *e;
	size_t n = 0;

	while (d && (e = readdir(d))) {
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		if (remove)
			unlinkat(dirfd, e->d_name, 0);
		else if (ret_name)
			snprintf(ret_name, NAME_MAX + 1, "%s", e->d_name);
		n++;
	}
	closedir(d);
	return n;
}

static void
empty_cache(void)
{
	auto_close int fd = open_cache();

	list_files(fd, NULL, true);
}

static bool
is_found(int fd, struct arena *a, const struct seccomp_key *k, const void *program, size_t len)
{
	const void *found;
	size_t found_len;

	return seccomp_cache_load(fd, k, a, &found, &found_len) == 0 && found_len == len &&
	       !memcmp(found, program, len);
}

static void
test_store_and_load(void)
{
	auto_arena struct arena a = { 0 };
	static const uint64_t program[] = { 1, 2, 3 }, other[] = { 4 };
	struct seccomp_key one = make_key(&a, 1), two = make_key(&a, 2);
	auto_close int fd = open_cache();
	struct stat st;

	CHECK(fstat(fd, &st) == 0 && (st.st_mode & 07777) == 0700, "%o", st.st_mode);
	CHECK(!is_found(fd, &a, &one, program, sizeof(program)), "nothing is there");
	CHECK(seccomp_cache_store(fd, &one, program, sizeof(program)) == 0, "store");
	CHECK(is_found(fd, &a, &one, program, sizeof(program)), "found");
	CHECK(!is_found(fd, &a, &two, program, sizeof(program)), "another key");
	CHECK(seccomp_cache_store(fd, &one, other, sizeof(other)) == 0, "store again");
	CHECK(is_found(fd, &a, &one, other, sizeof(other)), "replaced");
	empty_cache();
}

/* Every byte of a stored file counts, and every length but the right one. */
static void
test_damage(void)
{
	auto_arena struct arena a = { 0 };
	static const uint64_t program[] = { 1, 2, 3 };
	struct seccomp_key k = make_key(&a, 1);
	auto_close int fd = open_cache();
	char name[NAME_MAX + 1] = "", *data;
	size_t len;

	CHECK(seccomp_cache_store(fd, &k, program, sizeof(program)) == 0, "store");
	CHECK(list_files(fd, name, false) == 1, "one file");
	if (fd_read_file_at(fd, name, 1 << 20, &data, &len) < 0)
		exit(1);
	for (size_t i = 0; i < len; i++) {
		data[i] ^= 0x10;
		CHECK(fd_replace_file_at(fd, name, data, len, 0600) == 0, "write");
		CHECK(!is_found(fd, &a, &k, program, sizeof(program)), "byte %zu changed", i);
		data[i] ^= 0x10;
	}
	for (size_t n = 0; n < len; n++) {
		CHECK(fd_replace_file_at(fd, name, data, n, 0600) == 0, "write");
		CHECK(!is_found(fd, &a, &k, program, sizeof(program)), "cut at %zu", n);
	}
	CHECK(fd_replace_file_at(fd, name, data, len + 1, 0600) == 0, "write"); /* the NUL behind */
	CHECK(!is_found(fd, &a, &k, program, sizeof(program)), "longer");
	CHECK(fd_replace_file_at(fd, name, data, len, 0600) == 0, "write");
	CHECK(is_found(fd, &a, &k, program, sizeof(program)), "whole again");
	free(data);

	CHECK(fchmodat(fd, name, 0620, 0) == 0, "chmod");
	CHECK(!is_found(fd, &a, &k, program, sizeof(program)), "a group may write it");
	CHECK(fchmodat(fd, name, 0602, 0) == 0, "chmod");
	CHECK(!is_found(fd, &a, &k, program, sizeof(program)), "everybody may write it");
	CHECK(fchmodat(fd, name, 0600, 0) == 0, "chmod");
	if (geteuid() == 0 && fchownat(fd, name, 1, 0, 0) == 0)
		CHECK(!is_found(fd, &a, &k, program, sizeof(program)), "another user's");
	CHECK(renameat(fd, name, fd, "x") == 0 && symlinkat("x", fd, name) == 0, "link");
	CHECK(!is_found(fd, &a, &k, program, sizeof(program)), "a link");
	unlinkat(fd, name, 0);
	CHECK(mkfifoat(fd, name, 0600) == 0, "fifo");
	CHECK(!is_found(fd, &a, &k, program, sizeof(program)), "a fifo");
	empty_cache();
}

static void
test_folder(void)
{
	char path[128];

	chmod(dir, 0770);
	CHECK(seccomp_cache_open(dir) == -EPERM, "a group may write the folder");
	chmod(dir, 0700);
	snprintf(path, sizeof(path), "%s/link", base);
	CHECK(symlink(dir, path) == 0 && seccomp_cache_open(path) < 0, "a link");
	unlink(path);
	if (geteuid() == 0 && chown(dir, 1, 0) == 0) {
		CHECK(seccomp_cache_open(dir) == -EPERM, "another user's");
		CHECK(chown(dir, 0, 0) == 0, "chown");
	}
	CHECK(seccomp_cache_open("/nowhere/at/all") == -ENOENT, "no parent");
}

static void
test_bound(void)
{
	auto_arena struct arena a = { 0 };
	static const uint64_t program[] = { 7 };
	auto_close int fd = open_cache();
	struct timespec old[2] = { { 1000, 0 }, { 1000, 0 } };

	for (uint64_t i = 0; i < SECCOMP_CACHE_FILES; i++) {
		struct seccomp_key k = make_key(&a, i);

		CHECK(seccomp_cache_store(fd, &k, program, sizeof(program)) == 0, "store");
		if (i == 5) { /* this one is the oldest */
			DIR *d = fdopendir(openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
			struct dirent *e;

			while (d && (e = readdir(d)))
				if (e->d_name[0] != '.')
					utimensat(fd, e->d_name, old, 0);
			closedir(d);
			old[0].tv_sec = 0;
		}
	}
	CHECK(list_files(fd, NULL, false) == SECCOMP_CACHE_FILES, "full");
	/* The rest of a writer that died, and a file that is none of ours. */
	CHECK(fd_close(openat(fd, ".0.bpf.1", O_CREAT | O_WRONLY | O_CLOEXEC, 0600)) == -1, "temporary");
	utimensat(fd, ".0.bpf.1", old, 0);
	for (uint64_t i = 0; i < 6; i++) {
		struct seccomp_key k = make_key(&a, 1000 + i);

		CHECK(seccomp_cache_store(fd, &k, program, sizeof(program)) == 0, "store");
		CHECK(list_files(fd, NULL, false) == SECCOMP_CACHE_FILES, "%zu files", list_files(fd, NULL, false));
	}
	for (uint64_t i = 0; i < 6; i++) {
		struct seccomp_key gone = make_key(&a, i), kept = make_key(&a, 1000 + i);

		CHECK(!is_found(fd, &a, &gone, program, sizeof(program)), "the oldest go first");
		CHECK(is_found(fd, &a, &kept, program, sizeof(program)), "the newest stay");
	}
	empty_cache();
}

/* Many processes compile and load the same few profiles: each must get the
 * program that it would have got alone. */
static int
compile_many(unsigned seed)
{
	for (unsigned i = 0; i < 60; i++) {
		auto_arena struct arena a = { 0 };
		const char *name = "getpid";
		struct spec_seccomp_rule rule = {
			{ (char **)&name, 1 }, SPEC_ACT_ERRNO, { true, 1 + (i * 7 + seed) % 4 }, NULL, 0
		};
		struct spec_seccomp s = { .default_action = SPEC_ACT_ALLOW, .syscalls = &rule, .n_syscalls = 1 };
		struct seccomp_filter cached, fresh;
		struct err e;

		if (seccomp_compile(&s, dir, &a, &e, &cached) < 0 || seccomp_compile(&s, NULL, &a, &e, &fresh) < 0)
			return 1;
		if (cached.len != fresh.len || memcmp(cached.program, fresh.program, fresh.len) != 0)
			return 2;
		if (i % 10 == 0)
			empty_cache();
	}
	return failed;
}

static void
test_concurrent(void)
{
	int status;

	for (unsigned i = 0; i < 6; i++)
		if (fork() == 0)
			_exit(compile_many(i));
	while (wait(&status) > 0)
		CHECK(status == 0, "%#x", (unsigned)status);
	empty_cache();
}

/* On a hit nothing is compiled: the stored program comes back, whatever it is. */
static void
test_hit(void)
{
	auto_arena struct arena a = { 0 };
	struct spec_seccomp s = { .default_action = SPEC_ACT_ALLOW };
	struct seccomp_filter f;
	char name[NAME_MAX + 1] = "", *data;
	auto_close int fd = open_cache();
	struct err e;
	size_t len;

	CHECK(seccomp_compile(&s, dir, &a, &e, &f) == 0, "%s", e.msg);
	CHECK(list_files(fd, name, false) == 1, "stored");
	data = NULL;
	CHECK(fd_read_file_at(fd, name, 1 << 20, &data, &len) == 0 && len > f.len, "read");
	CHECK(data && !memcmp(data + len - f.len, f.program, f.len), "the program ends the file");
	free(data);
	s.flags = (struct spec_strings){ (char *[]){ (char *)"SECCOMP_FILTER_FLAG_LOG" }, 1 };
	CHECK(seccomp_compile(&s, dir, &a, &e, &f) == 0 && f.flags == 2, "flags are no part of the key");
	CHECK(list_files(fd, NULL, false) == 1, "the same file");
	s.default_action = SPEC_ACT_LOG;
	CHECK(seccomp_compile(&s, dir, &a, &e, &f) == 0, "%s", e.msg);
	CHECK(list_files(fd, NULL, false) == 2, "another file");
	empty_cache();
}

int
main(void)
{
	if (!mkdtemp(base))
		return 99;
	snprintf(dir, sizeof(dir), "%s/cache", base);
	test_store_and_load();
	test_damage();
	test_folder();
	test_bound();
	test_hit();
	test_concurrent();
	rmdir(dir);
	CHECK(rmdir(base) == 0, "something was left in %s", base);
	return failed;
}
