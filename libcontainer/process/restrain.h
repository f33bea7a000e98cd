/* What a process of the runtime gives up when all that it has left to do is to forward signals and
 * a terminal, to wait or watch, and maybe to remove the container: what reaches it from the container (output, messages
 * to the notify socket) must not be worth attacking. */
#ifndef KNARR_LIBCONTAINER_PROCESS_RESTRAIN_H
#define KNARR_LIBCONTAINER_PROCESS_RESTRAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define RESTRAIN_CAPABILITY(number) ((uint64_t)1 << (number))

enum restrain_use {
	RESTRAIN_READ,	 /* files are read */
	RESTRAIN_PARENT, /* listed, and empty directories in it are removed */
	RESTRAIN_CGROUP, /* files are read and written, directories removed */
	RESTRAIN_STATE,	 /* files are made, changed and removed, directories removed */
	RESTRAIN_USES
};

/* A directory that stays in reach, with all below it. */
struct restrain_place {
	int dirfd; /* of path, or AT_FDCWD */
	const char *path;
	enum restrain_use use;
};

struct restrain_options {
	bool uses_files;		     /* opens, reads and changes files */
	bool removes;			     /* the container, at its end; with uses_files */
	bool asks_systemd;		     /* to stop the container's scope */
	bool looks_into_processes;	     /* in /proc; Landlock denies that altogether, and is left out */
	uint64_t capabilities;		     /* those which are kept, where the process has them */
	const struct restrain_place *places; /* one that is not there (any more) is passed over */
	size_t n_places;
};

/* From now on and for ever: no_new_privs; no capability but those of the options; not dumpable, as with fewer
 * capabilities more processes of the same uid could trace it; by Landlock, nothing of the file system but the places,
 * no TCP and no abstract socket that is not connected yet; and by seccomp only the system calls that are left to make:
 * the others fail with EPERM. What is open stays usable.
 *
 * A kernel without Landlock or without seccomp goes without that one. A build with sanitizers
 * (their checks at the exit trace the process, and read files) keeps to capabilities and
 * no_new_privs, one that counts lines (it writes its counters at the exit) to no_new_privs.
 * 0 or -errno with err: then the process may have given up a part. */
int restrain_self(const struct restrain_options *options, struct err *err);

#endif
