/* The status is memory of the init's too, which may be hostile by now: its texts are copied
 * first, and ended. */
#include "libcontainer/stage/stage_error.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "libcontainer/stage/planrun.h"
#include "libcontainer/stage/stage_last.h"

int
stage_error(const struct stage *stage, const struct plan *plan, struct err *err)
{
	bool failed = __atomic_load_n(&stage->status->failed, __ATOMIC_ACQUIRE);
	struct err told = stage->status->err;
	const char *hint;
	size_t n;

	told.msg[ERR_MSG_MAX - 1] = '\0';
	if (!(failed && told.msg[0]) && stage_last_error(stage->status, &told) == 0)
		return 0;
	*err = told;
	hint = plan ? planrun_hint(plan, err) : NULL;
	n = strlen(err->msg);
	if (hint)
		snprintf(err->msg + n, sizeof(err->msg) - n, " (%s)", hint);
	return err->code > 0 ? -err->code : -EINVAL;
}

int
stage_error_killed(const struct plan *plan, struct err *err)
{
	err_plain(err, "the %s was killed while it was being set up",
		  plan && plan->spawn.enters ? "process" : "container's init");
	return -ECHILD;
}
