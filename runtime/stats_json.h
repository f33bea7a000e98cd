/* Statistics and events of a container in the JSON of `runc events`. */
#ifndef KNARR_RUNTIME_STATS_JSON_H
#define KNARR_RUNTIME_STATS_JSON_H

#include "base/json_out.h"
#include "libcontainer/stats.h"

/* One object: {"type":"stats","id":…,"data":{…}}. */
void stats_json_write(struct json_out *j, const struct container_stats *stats);

/* {"type":"oom","id":…} */
void stats_json_write_oom(struct json_out *j, const char *id);

#endif
