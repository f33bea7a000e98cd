/* Calls that are newer than a profile. Internal to seccomp. */
#ifndef KNARR_LIBCONTAINER_SECCOMP_UNKNOWN_H
#define KNARR_LIBCONTAINER_SECCOMP_UNKNOWN_H

#include <linux/filter.h>
#include <stddef.h>

#include "base/arena.h"
#include "oci-spec/spec.h"

/* Puts instructions before the n of prog that answer ENOSYS to every call with a
 * number above the highest that the profile names for its architecture. The
 * result is in the arena; prog itself when the profile asks for none (its default
 * lets calls pass, leaves them to a tracer or listener, or is ENOSYS). Returns how
 * many instructions *ret_prog has. */
size_t seccomp_unknown_calls(const struct spec_seccomp *s, const struct sock_filter *prog, size_t n, struct arena *a,
			     const struct sock_filter **ret_prog);

#endif
