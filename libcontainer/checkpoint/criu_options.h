/* The part of a CRIU request that checkpoint and restore share: directories, the
 * options of the command line, the configuration file. */
#ifndef KNARR_LIBCONTAINER_CHECKPOINT_CRIU_OPTIONS_H
#define KNARR_LIBCONTAINER_CHECKPOINT_CRIU_OPTIONS_H

#include "base/protobuf.h"
#include "libcontainer/container.h"

struct criu_directories {
	const char *image, *work; /* the same when no work path was given */
	int image_fd, work_fd;	  /* work_fd -1: the same directory */
};

/* Opens the directories. make: missing ones are made (0700), the last component of
 * the path only; the work directory in any case. 0 or -errno with err. */
int criu_directories_open(const struct container_criu_options *options, bool make, struct arena *a, struct err *err,
			  struct criu_directories *ret_directories);
void criu_directories_close(struct criu_directories *directories);

/* After the dump of a container with a user namespace: gives the image to the
 * container's root, as whom CRIU reads some of it at
 * restore. uid 0: does nothing. 0 or -errno with err. */
int criu_directories_give(const struct criu_directories *directories, uid_t uid, gid_t gid, struct err *err);

/* The ids that root of the user namespace of the process pid has for the runtime;
 * 0 when that is root. */
void criu_root_ids(pid_t pid, uid_t *ret_uid, gid_t *ret_gid);

/* In CRIU's process, when that has left the runtime's mount namespace: the same
 * descriptors, but of the directories as the new one has them. 0 or -errno with err. */
int criu_directories_reopen(const struct criu_directories *directories, struct err *err);

/* Adds everything that does not depend on the container but for its annotations
 * (org.criu.config). 0 or -errno with err for a bad value. */
int criu_options_put(const struct container_criu_options *opts, const struct criu_directories *directories,
		     const struct spec_pairs *annotations, const char *log_file, struct err *err,
		     struct protobuf *options);

/* -EPERM with err for an unprivileged user; verb is for the message. */
int criu_check_user(const char *verb, struct err *err);

#endif
