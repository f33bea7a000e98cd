/* What CRIU must be told of a container's mounts: those whose file system lies
 * outside. In an image they have a name, the destination in the config; at
 * restore the config says what that name stands for. criu(8), --external. */
#ifndef KNARR_LIBCONTAINER_CHECKPOINT_CRIU_MOUNTS_H
#define KNARR_LIBCONTAINER_CHECKPOINT_CRIU_MOUNTS_H

#include "base/protobuf.h"
#include "cgroups/cgroup.h"
#include "libcontainer/state/state.h"
#include "oci-spec/spec.h"

/* Adds to the options of a dump the mounts of the running container that come
 * from outside: bind mounts and what is mounted below recursive ones, masked
 * files, devices bound from the host. 0 or -errno with err, also for id-mapped
 * mounts, whose map CRIU loses. Memory from a. */
int criu_mounts_dump(struct arena *a, const struct spec *spec, const struct state *state, struct err *err,
		     struct protobuf *options);

/* The other half: what each of the names is on this host. cg: the new container's;
 * notify_dir: the directory that is mounted for NOTIFY_SOCKET. Returns as above. */
int criu_mounts_restore(struct arena *a, const struct spec *spec, const char *bundle, const struct cgroup *cg,
			const char *notify_dir, struct err *err, struct protobuf *options);

/* Makes the missing mount points: in a root file system that may be a fresh one, rootfd, and in
 * the sources of bind mounts that others lie in. 0 or -errno with err. */
int criu_mounts_make_points(struct arena *a, const struct spec *spec, const char *bundle, int rootfd, struct err *err);

#endif
