/* Theory of operation: see uts.h. */
#include "namespaces/uts.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

int
uts_run_set_name(struct plan_ctx *c, const struct plan_step *s)
{
	const char *name = plan_text(c->plan, s->u.uts.name);
	size_t len = strlen(name);

	if (s->u.uts.domain ? setdomainname(name, len) : sethostname(name, len))
		return err_set(c->err, errno, "set the %s to '%s'", s->u.uts.domain ? "domain name" : "host name",
			       name);
	return 0;
}
