/* Theory of operation: the config that a container was made of, as text, beside its
 * state. `update` and `mounts` write into it what they have changed, so that it
 * says how the container is; nobody looks at the bundle's again. */
#include <stdlib.h>

#include "base/fd.h"
#include "libcontainer/state/state.h"

#define FILE_NAME "config.json"

int
state_save_config(const struct state_dir *dir, const char *json, size_t len, struct err *err)
{
	int r = fd_replace_file_at(dir->fd, FILE_NAME, json, len, 0600);

	return r < 0 ? err_set(err, -r, "write " FILE_NAME " in the state directory '%s'", dir->path) : 0;
}

int
state_begin_config(const struct state_dir *dir, const char *json, size_t len, struct err *err,
		   struct fd_replacement *ret_replacement)
{
	int r = fd_replace_begin(dir->fd, FILE_NAME, json, len, 0600, ret_replacement);

	return r < 0 ? err_set(err, -r, "write " FILE_NAME " in the state directory '%s'", dir->path) : 0;
}

int
state_commit_config(const struct state_dir *dir, struct fd_replacement *replacement, struct err *err)
{
	int r = fd_replace_commit(replacement);

	return r < 0 ? err_set(err, -r, "replace " FILE_NAME " in the state directory '%s'", dir->path) : 0;
}

int
state_load_config(const struct state_dir *dir, struct arena *a, struct err *err, char **ret_json, size_t *ret_len)
{
	char *text = NULL;
	size_t len;
	int r = fd_read_file_at(dir->fd, FILE_NAME, SPEC_MAX_SIZE, &text, &len);

	if (r < 0)
		return err_set(err, -r, "read " FILE_NAME " in the state directory '%s'", dir->path);
	*ret_json = arena_strndup(a, text, len);
	*ret_len = len;
	free(text);
	return 0;
}
