/* A frame for tests that run rootfs steps in real namespaces: as root, and as
 * root of an unprivileged user's user namespace.
 *
 * The program moves into a mount namespace whose "/" is shared, as hosts have
 * it. At the end no mount may be there that was not at the beginning, and two of
 * its own must be left: a step that leaks a mount, or unmounts too much, is seen. Each case builds a plan, runs it in a
 * child with new namespaces, and looks around from inside. Heap calls while a plan runs are counted: there must be
 * none. */
#ifndef KNARR_TESTS_UNIT_ROOTFS_CASE_H
#define KNARR_TESTS_UNIT_ROOTFS_CASE_H

#include <stdbool.h>

#include "namespaces/mount/rootfs.h"
#include "plan/plan.h"

#define USER  54321 /* the unprivileged user's uid and gid */
#define PLAIN (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)

typedef void build_fn(struct plan_builder *b);
typedef void check_fn(struct plan_ctx *c);

extern int failed;
extern char base[64]; /* a directory of our own on the disk (below TMPDIR), with volume/file, volume/inner */

#define CHECK(cond) ((cond) ? (void)0 : complain(__FILE__, __LINE__, #cond))

/* The whole program: runs the cases in the frame. Exit status for main(). */
int rootfs_cases(void (*run)(void));

/* Says which case the next messages and commands belong to. */
void name_case(const char *name);

/* A path below base; a few of them are valid at a time. */
const char *at(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Runs a shell command with base as its directory. */
void sh(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Builds, runs and checks one case. user: as root of their user namespace.
 * expect: part of the error that must come. check: looks around inside. */
void run_case(const char *name, bool user, build_fn *build, const char *expect, check_fn *check);
struct plan_strv options(struct plan_builder *b, const char *list);
void add_root(struct plan_builder *b, const char *path);
struct plan_step *add_fs(struct plan_builder *b, const char *type, const char *dest, const char *opts, uint64_t attrs);
struct plan_step *add_bind(struct plan_builder *b, const char *source, const char *dest, bool dir);
void add_path(struct plan_builder *b, enum plan_kind kind, const char *path);
void add_device(struct plan_builder *b, const char *path, uint32_t mode, uint32_t major, uint32_t minor);
void add_symlink(struct plan_builder *b, const char *path, const char *target);
void add_sysctl(struct plan_builder *b, const char *name, const char *value);
void add_pivot(struct plan_builder *b, enum plan_pivot_how how);
bool has_text(const char *path, const char *text);
bool exists(const char *path);
unsigned long mount_flags(const char *path);
unsigned mode_of(const char *path);
bool is_char(const char *path, unsigned major, unsigned minor);
/* Lines of mountinfo that contain text. */
unsigned count_mounts(const char *text);
bool is_empty(const char *path);
void complain(const char *file, int line, const char *what);

/* A directory below base that looks like a root file system. */
void make_rootfs(const char *name);

#endif
