/* The host name or the domain name, by a flag of the step. */
#include "namespaces/uts.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "namespaces/namespace.h"

int
uts_run_set_name(struct plan_ctx *c, const struct plan_step *step)
{
	const char *name = plan_text(c->plan, step->u.uts.name);
	size_t len = strlen(name);
	int r = namespace_check_foreign(c, &step->u.uts.own);

	if (r < 0)
		return r;
	if (step->u.uts.domain ? setdomainname(name, len) : sethostname(name, len))
		return err_set(c->err, errno, "set the %s to '%s'", step->u.uts.domain ? "domain name" : "host name",
			       name);
	return 0;
}
