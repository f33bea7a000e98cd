/* Theory of operation.
 *
 * A profile is turned into a classic BPF program in the parent; the child only hands
 * the bytes to seccomp(2). libseccomp could do that, and runc and crun leave it to it; for the
 * usual profile it takes some 16 ms, and its program asks for each number of a call
 * in turn, which costs the kernel time at each load. Here the rules become a graph of
 * decisions (seccomp_decide.h) and the graph a program (bpf_graph.h), which asks for ranges of
 * numbers, in a fiftieth of the time. tests/unit/test_seccomp_model.c compares it with
 * libseccomp's, call by call.
 *
 * Meaning of a profile, as containers rely on it:
 *  - the native architecture is always filtered, listed or not; calls of an
 *    architecture that is neither kill the thread (libseccomp's default);
 *  - several args of a rule must all match, unless two of them look at the same
 *    argument: then each stands alone (one rule each), since a libseccomp rule
 *    cannot test an argument twice;
 *  - a rule that does what the default does anyway is left out, as libseccomp
 *    refuses it;
 *  - a rule without args counts whatever other rules say about the call; which of several rules
 *    with args counts, seccomp_tree.c says;
 *  - a call that neither knarr nor libseccomp has ever heard of is left out: profiles
 *    name the calls of many kernels. If the rule is stricter than the default, with a
 *    warning;
 *  - a call that is newer than all that the profile names fails with ENOSYS
 *    (seccomp_decide.c). */
#include "libcontainer/seccomp/seccomp.h"

#include <linux/filter.h>
#include <linux/seccomp.h>

#include "libcontainer/seccomp/bpf_graph.h"
#include "libcontainer/seccomp/seccomp_decide.h"
#include "libcontainer/seccomp/seccomp_tables.h"

/* NEW_LISTENER is left to the loader. Together with it, TSYNC needs ESRCH as
 * its way to fail; WAIT_KILLABLE_RECV is refused by the kernel without it. */
static uint32_t
load_flags(const struct spec_seccomp *profile, bool notify)
{
	uint32_t flags = 0;

	for (size_t i = 0; i < profile->flags.n; i++)
		flags |= seccomp_flag_bit(profile->flags.items[i]);
	if (notify && (flags & SECCOMP_FILTER_FLAG_TSYNC))
		flags |= SECCOMP_FILTER_FLAG_TSYNC_ESRCH;
	if (!notify)
		flags &= ~(uint32_t)SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
	return flags;
}

int
seccomp_compile(const struct spec_seccomp *profile, struct arena *a, struct err *err, struct seccomp_filter *ret_filter)
{
	auto_arena struct arena scratch = { 0 };
	struct bpf_graph g = { .arena = &scratch };
	struct sock_filter *program;
	bool notify = seccomp_uses_action(profile, SPEC_ACT_NOTIFY);
	bpf_node root;
	size_t n;
	int r = seccomp_decide(profile, &g, err, &root);

	if (r < 0)
		return r;
	n = bpf_graph_emit(&g, root, &program);
	if (n == 0)
		return err_plain(err,
				 "linux.seccomp: the profile needs more than the %d instructions that the kernel takes",
				 BPF_MAXINSNS);
	*ret_filter = (struct seccomp_filter){
		.program = arena_grow(a, program, n * sizeof(*program), n * sizeof(*program)),
		.len = n * sizeof(*program),
		.flags = load_flags(profile, notify),
		.notify = notify,
	};
	return 0;
}
