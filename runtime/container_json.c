/* Theory of operation: see container_json.h. */
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
container_json_write(struct json_out *j, struct arena *a, const struct state *s, enum container_status status,
		     const char *exit_reason)
{
	json_out_open(j, '{');
	json_out_member(j, "ociVersion", s->oci_version ? s->oci_version : "");
	json_out_member(j, "id", s->id);
	json_out_key(j, "pid");
	json_out_int(j, status == STATUS_STOPPED ? 0 : s->pid);
	json_out_member(j, "status", state_status_name(status));
	json_out_member(j, "bundle", s->bundle ? s->bundle : "");
	json_out_member(j, "rootfs", s->rootfs ? s->rootfs : "");
	json_out_member(j, "created", s->created ? s->created : "");
	write_annotations(j, &s->annotations);
	json_out_member(j, "owner", container_owner_name(a, s->owner));
	if (exit_reason)
		json_out_member(j, "exitReason", exit_reason);
	json_out_close(j, '}');
}
