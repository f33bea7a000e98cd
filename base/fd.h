/* File descriptors that close themselves, and the few calls on them that
 * every directory needs. All descriptors made here are close-on-exec. */
#ifndef KNARR_BASE_FD_H
#define KNARR_BASE_FD_H

#include <dirent.h>
#include <stddef.h>
#include <sys/types.h>

/* Closes fd unless it is negative; errno is kept. Returns -1, so that
 * `fd = fd_close(fd)` forgets the number. */
int fd_close(int fd);

/* Gives the descriptor away: returns *fd and leaves -1 behind. */
int fd_take(int *fd);

static inline void
fd_cleanup(int *fd)
{
	fd_close(*fd);
}
#define auto_close __attribute__((cleanup(fd_cleanup)))

/* Reads fd from its present offset to its end into a buffer that the caller
 * frees; one NUL byte follows the data. More than max bytes is -EFBIG.
 * Returns 0 or -errno. */
int fd_read_all(int fd, size_t max, char **ret_data, size_t *ret_len);

/* openat(dirfd, path) and fd_read_all() in one. 0 or -errno. */
int fd_read_file_at(int dirfd, const char *path, size_t max, char **ret_data, size_t *ret_len);

/* Reads a small file (procfs, cgroupfs) into buf and ends it with a NUL; one trailing
 * newline is removed. Allocates nothing. Returns the length, or -errno (-EFBIG when
 * the file does not fit into size - 1 bytes); then buf has no string. */
ssize_t fd_read_small_at(int dirfd, const char *path, char *buf, size_t size);

/* The same of a file that the kernel writes in one piece, whose end need not be asked for: those with
 * one record, such as /proc/PID/stat and most of a cgroup, not lists. */
ssize_t fd_read_record_at(int dirfd, const char *path, char *buf, size_t size);

/* Writes all of data. Restarts after EINTR and short writes. 0 or -errno. */
int fd_write_all(int fd, const void *data, size_t len);

/* Opens path below dirfd for writing (no creation) and writes text in a single
 * write(2), as procfs and cgroupfs need it. 0 or -errno. */
int fd_write_file_at(int dirfd, const char *path, const char *text);

/* Replaces the file `name` in dirfd by data so that a reader sees the old or
 * the new content, never a part: a temporary file beside it, then renameat(2). mode
 * is the new file's, less the umask. 0 or -errno. */
int fd_replace_file_at(int dirfd, const char *name, const void *data, size_t len, mode_t mode);

/* The same in two halves, for what must be known to succeed before something else is
 * done: begin writes the temporary file, so that the space is taken; commit renames it.
 * After a begin that succeeded one of commit and abort must follow; both leave no
 * temporary file. 0 or -errno. */
struct fd_replacement {
	int dirfd;	/* the caller's, which must stay open */
	char name[256]; /* empty: nothing was begun */
	char temporary[256];
};
int fd_replace_begin(int dirfd, const char *name, const void *data, size_t len, mode_t mode,
		     struct fd_replacement *ret_replacement);
int fd_replace_commit(struct fd_replacement *replacement);
void fd_replace_abort(struct fd_replacement *replacement);

/* mkdirat(2) with exactly that mode, whatever the caller's umask. 0 or -errno. */
int fd_make_dir_at(int dirfd, const char *name, mode_t mode);

/* A stream over the directory dirfd, which stays as it is, for closedir(3). NULL with
 * errno. */
DIR *fd_open_stream(int dirfd);

#endif
