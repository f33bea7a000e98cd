/* The state document of a container; the owner's name is looked up in /etc/passwd. */
#include "runtime/container_json.h"

#include <pwd.h>
#include <stdio.h>

char *
container_owner_name(struct arena *a, uid_t uid)
{
	/* The file and not getpwuid(): a static program cannot load NSS modules. */
	FILE *f = fopen("/etc/passwd", "re");
	const struct passwd *pw;
	char *name = NULL;

	while (f && !name && (pw = fgetpwent(f)))
		if (pw->pw_uid == uid)
			name = arena_strdup(a, pw->pw_name);
	if (f)
		fclose(f);
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
