/* What the init, or knarr:[join], left in the shared status when it failed. For the files of
 * the stage only. */
#ifndef KNARR_LIBCONTAINER_STAGE_STAGE_ERROR_H
#define KNARR_LIBCONTAINER_STAGE_STAGE_ERROR_H

#include "libcontainer/stage/stage.h"

/* 0: it has told of no failure. Else -errno with err, and a hint where the plan (may be NULL)
 * allows one. */
int stage_error(const struct stage *stage, const struct plan *plan, struct err *err);

/* Fills err: whoever was being set up was killed. -ECHILD. plan may be NULL. */
int stage_error_killed(const struct plan *plan, struct err *err);

#endif
