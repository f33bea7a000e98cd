/* The state document of a container; the owner's name is looked up in /etc/passwd: the file and not
 * getpwuid(), since a static program cannot load NSS modules. Its lines are name:password:uid:… */
#include "runtime/container_json.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"

#define PASSWD_MAX ((size_t)64 * 1024 * 1024)

/* The length of the name in a line that is uid's, else 0. */
static size_t
name_length(const char *line, uid_t uid)
{
	const char *end = strchr(line, ':'), *number = end ? strchr(end + 1, ':') : NULL;
	char *behind;

	/* "+" and "-" are entries of NIS. */
	if (!number || strchr("+-#", *line) || !isdigit((unsigned char)*++number))
		return 0;
	return strtoul(number, &behind, 10) == uid && *behind == ':' ? (size_t)(end - line) : 0;
}

char *
container_owner_name(struct arena *a, uid_t uid)
{
	char *text = NULL, *rest, *line, *name = NULL;
	size_t len;

	if (fd_read_file_at(AT_FDCWD, "/etc/passwd", PASSWD_MAX, &text, &len) == 0) {
		for (rest = text; !name && (line = strsep(&rest, "\n"));)
			if (name_length(line, uid) > 0)
				name = arena_strndup(a, line, name_length(line, uid));
		free(text);
	}
	return name ? name : arena_printf(a, "#%u", uid);
}

static void
write_annotations(struct json_out *j, const struct spec_pairs *annotations)
{
	if (annotations->n == 0)
		return;
	json_out_key(j, "annotations");
	json_out_open(j, '{');
	for (size_t i = 0; i < annotations->n; i++)
		json_out_member(j, annotations->items[i].key, annotations->items[i].value);
	json_out_close(j, '}');
}

void
container_json_write(struct json_out *j, const struct state *state, enum container_status status, const char *owner,
		     const char *exit_reason)
{
	json_out_open(j, '{');
	json_out_member(j, "ociVersion", state->oci_version ? state->oci_version : "");
	json_out_member(j, "id", state->id);
	json_out_key(j, "pid");
	json_out_int(j, status == STATUS_STOPPED ? 0 : state->pid);
	json_out_member(j, "status", state_status_name(status));
	json_out_member(j, "bundle", state->bundle ? state->bundle : "");
	json_out_member(j, "rootfs", state->rootfs ? state->rootfs : "");
	json_out_member(j, "created", state->created ? state->created : "");
	write_annotations(j, &state->annotations);
	json_out_member(j, "owner", owner);
	if (exit_reason)
		json_out_member(j, "exitReason", exit_reason);
	json_out_close(j, '}');
}
