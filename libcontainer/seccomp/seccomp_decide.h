/* From a profile to a decision for every call. Internal to seccomp. */
#ifndef KNARR_LIBCONTAINER_SECCOMP_SECCOMP_DECIDE_H
#define KNARR_LIBCONTAINER_SECCOMP_SECCOMP_DECIDE_H

#include "base/err.h"
#include "libcontainer/seccomp/bpf_graph.h"
#include "oci-spec/spec.h"

/* The whole decision of the profile (see seccomp.c for what it means). 0, or -EINVAL with err.
 * Memory from the graph's arena. */
int seccomp_decide(const struct spec_seccomp *profile, struct bpf_graph *graph, struct err *err, bpf_node *ret_root);

#endif
