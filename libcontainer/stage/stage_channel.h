/* What the runtime's half of the stage shares among its files: see stage.h. For
 * stage.c and stage_channel.c only. */
#ifndef KNARR_LIBCONTAINER_STAGE_STAGE_CHANNEL_H
#define KNARR_LIBCONTAINER_STAGE_STAGE_CHANNEL_H

#include "libcontainer/stage/stage.h"

/* An empty stage: no process, no descriptor. */
void stage_init(struct stage *stage);

/* Maps the status that is shared with the init, with_fd: from a memfd, which `start`
 * can be given. 0 or -errno with err; stage_close() undoes it. */
int stage_map_status(struct stage *stage, bool with_fd, struct err *err);

#endif
