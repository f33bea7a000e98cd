/* A path in linux.namespaces is compared with the runtime's own namespaces before it is joined. A
 * path of a process (/proc/PID/ns/net) may be another's in between: so whoever changes a
 * namespace that was joined asks again which it is. */
#include "namespaces/namespace.h"

#include <errno.h>

int
namespace_check_foreign(struct plan_ctx *c, const struct plan_own_namespace *own)
{
	struct ns_id present;
	int r = own->id.inode ? ns_own_id((enum ns_kind)own->kind, &present) : 0;

	if (r < 0)
		return err_set(c->err, -r, "look at the %s namespace", ns_kinds[own->kind].word);
	if (own->id.inode && own->id.inode == present.inode && own->id.device == present.device)
		return err_plain(c->err,
				 "the %s namespace that was joined is the runtime's own: it would change the host",
				 ns_kinds[own->kind].word);
	return 0;
}
