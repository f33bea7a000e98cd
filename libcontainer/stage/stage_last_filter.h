/* When the filter of linux.seccomp can be loaded before the process can be seen. */
#ifndef KNARR_LIBCONTAINER_STAGE_STAGE_LAST_FILTER_H
#define KNARR_LIBCONTAINER_STAGE_STAGE_LAST_FILTER_H

#include "plan/plan.h"

/* For a finished plan: marks its LOAD_SECCOMP (early) if the process can be seen before it is
 * the program, and the filter lets pass all calls that the last steps make. */
void stage_last_plan_filter(struct plan_builder *b);

#endif
