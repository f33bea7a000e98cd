/* Namespaces that the config names by path: they are outside, an image has not
 * got them. criu(8), --external, --inherit-fd, --join-ns. */
#ifndef KNARR_LIBCONTAINER_CHECKPOINT_CRIU_NAMESPACES_H
#define KNARR_LIBCONTAINER_CHECKPOINT_CRIU_NAMESPACES_H

#include "base/protobuf.h"
#include "oci-spec/spec.h"

/* Network and pid namespace: CRIU leaves them alone. pid: of the container's init.
 * 0 or -errno with err. */
int criu_namespaces_dump(const struct spec *spec, pid_t pid, struct err *err, struct protobuf *options);

/* Descriptors that CRIU inherits. */
struct criu_namespaces {
	int fds[NS_COUNT];
	size_t n;
};

/* Opens those of the config. The caller closes them. 0 or -errno with err. */
int criu_namespaces_restore(const struct spec *spec, struct err *err, struct protobuf *options,
			    struct criu_namespaces *ret_open);
void criu_namespaces_close(struct criu_namespaces *namespaces);

#endif
