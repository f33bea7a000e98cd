/* struct state and its JSON, which docs/state.md documents. Inside state/ only. */
#ifndef KNARR_LIBCONTAINER_STATE_STATE_JSON_H
#define KNARR_LIBCONTAINER_STATE_STATE_JSON_H

#include "libcontainer/state/state.h"

/* One object on one line, without a line end, in a; its length. */
size_t state_json_write(const struct state *state, struct arena *a, const char **ret_text);

/* Fills state with the members that text has; memory from a. -EINVAL with err ("'PATH' is
 * damaged: …"), where path is for the message, when it is not the state of id. */
int state_json_read(const char *path, const char *text, size_t len, const char *id, struct arena *a, struct err *err,
		    struct state *state);

#endif
