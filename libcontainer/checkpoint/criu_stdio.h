/* The standard descriptors of a container that lead out of it (a pipe to a
 * supervisor, /dev/null or a log file of the host): an image cannot have their
 * other ends. At dump they are named in descriptors.json, a file of the image that
 * runc and its callers know: an array of three strings. At restore those of the
 * caller take their places. */
#ifndef KNARR_LIBCONTAINER_CHECKPOINT_CRIU_STDIO_H
#define KNARR_LIBCONTAINER_CHECKPOINT_CRIU_STDIO_H

#include "base/mountinfo.h"
#include "base/protobuf.h"
#include "oci-spec/spec.h"

/* Writes descriptors.json for the process pid into the directory image_fd, and tells
 * CRIU which files are outside. 0 or -errno with err. */
int criu_stdio_dump(pid_t pid, int image_fd, struct err *err, struct protobuf *options);

/* Gives the caller's descriptors 0 to 2 to CRIU for what descriptors.json names.
 * No such file: nothing. Of the file, which may come from anywhere, only names
 * of pipes, sockets and files are taken. 0 or -errno with err, also when a file is to
 * be replaced by something that CRIU cannot open as it opens files: spec says who
 * that is then. */
int criu_stdio_restore(int image_fd, const struct spec *spec, struct err *err, struct protobuf *options);

#endif
