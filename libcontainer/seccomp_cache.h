/* Compiled filters kept between runs: libseccomp needs some 16 ms for the usual
 * profile, reading its program back a few microseconds. Internal to seccomp. */
#ifndef KNARR_LIBCONTAINER_SECCOMP_CACHE_H
#define KNARR_LIBCONTAINER_SECCOMP_CACHE_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

/* Everything that a program depends on, as bytes. */
struct seccomp_key {
	struct arena *arena;
	char *data;
	size_t len, cap;
};

/* Append a number, and a string with its NUL. */
void seccomp_key_number(struct seccomp_key *k, uint64_t v);
void seccomp_key_string(struct seccomp_key *k, const char *s);

/* Most files in the folder; the oldest go first. */
#define SECCOMP_CACHE_FILES 64

/* Opens the folder (made 0700 when missing) if it is safe to trust: the
 * effective user's own, writable by nobody else, no link. Returns an fd or -errno. */
int seccomp_cache_open(const char *dir);

/* Finds the program stored for exactly this key. Memory from a. -ENOENT: there
 * is none (or what is there is not to be trusted). */
int seccomp_cache_load(int dirfd, const struct seccomp_key *k, struct arena *a, const void **ret_program,
		       size_t *ret_len);

/* Stores a program; another process sees nothing or all of it. 0 or -errno. */
int seccomp_cache_store(int dirfd, const struct seccomp_key *k, const void *program, size_t len);

#endif
