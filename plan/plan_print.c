/* `knarr plan`: a sealed plan as text for people and golden tests. First how the process is made,
 * what is done around the init; then the sources that the runtime opens; then one line
 * per step (plan_print_step.c): number, kind, its arguments as name=value, then what a
 * failure does and the property that the step comes from. No address and no fd
 * number is printed, so the text is the same on every host. */
#include "plan/plan.h"

#include <stdlib.h>
#include <string.h>

#include "plan/plan_put.h"

static void
print_maps(struct plan_printer *printer, const char *name, struct plan_bytes maps)
{
	const struct plan_id_map *m = (const struct plan_id_map *)(printer->p->blob + maps.off);

	for (uint32_t i = 0; i < maps.len / sizeof(*m); i++)
		plan_put(printer, "%s map: container %u = host %u, %u ids\n", name, m[i].container, m[i].host,
			 m[i].size);
}

static void
print_net_devices(struct plan_printer *printer, struct plan_strv names)
{
	const char *s = plan_first(printer->p, names);

	for (uint32_t i = 0; i < names.n; i += 2) {
		plan_put(printer, "network device: ");
		plan_put_quoted(printer, s);
		plan_put(printer, " as ");
		s = plan_next(s);
		plan_put_quoted(printer, s);
		plan_put(printer, "\n");
		s = plan_next(s);
	}
}

static void
print_lines(struct plan_printer *printer, const char *prefix, struct plan_strv lines)
{
	const char *s = plan_first(printer->p, lines);

	for (uint32_t i = 0; i < lines.n; i++, s = plan_next(s))
		plan_put_line(printer, prefix, s);
}

static void
print_spawn(struct plan_printer *printer, const struct plan_spawn *spawn)
{
	static const char *const how[] = { "", "written by the runtime", "written by newuidmap and newgidmap" };

	plan_put(printer, "namespaces:");
	plan_put_names(printer, "new", spawn->clone_flags, namespace_names);
	plan_put(printer, "\n");
	for (uint32_t i = 0; i < spawn->n_joins; i++) {
		plan_put(printer, "namespaces:");
		plan_put_names(printer, "join", (uint64_t)(uint32_t)spawn->joins[i].nstype, namespace_names);
		plan_put_str(printer, "path", spawn->joins[i].path);
		plan_put(printer, "\n");
	}
	if (spawn->enters) {
		plan_put(printer, "namespaces:");
		plan_put_names(printer, "enter", spawn->enter_flags, namespace_names);
		plan_put(printer, " after-step=%u\n", spawn->n_outside);
	}
	if (spawn->enters_pidns_last)
		plan_put(printer, "pid namespace: entered before step %u\n", spawn->first_seen);
	print_maps(printer, "uid", spawn->uid_maps);
	print_maps(printer, "gid", spawn->gid_maps);
	if (spawn->map_how != PLAN_MAP_NONE)
		plan_put(printer, "id maps: %s%s\n", how[spawn->map_how],
			 spawn->deny_setgroups ? ", setgroups denied" : "");
	if (spawn->time_offsets) {
		plan_put(printer, "time namespace:");
		plan_put_str(printer, "offsets", spawn->time_offsets);
		plan_put(printer, "\n");
	}
	print_net_devices(printer, spawn->net_devices);
	plan_put(printer, "cgroup: %s\n", spawn->has_cgroup ? "own" : "that of the runtime");
	print_lines(printer, "  ", spawn->cgroup);
	if (spawn->has_oom_score)
		plan_put(printer, "oom score: %d\n", spawn->oom_score);
	if (spawn->has_scheduler) {
		plan_put(printer, "scheduler:");
		plan_print_scheduler(printer, &spawn->scheduler);
		plan_put(printer, "\n");
	}
	if (spawn->resctrl) {
		plan_put(printer, "resctrl:");
		plan_put_str(printer, "group", spawn->resctrl);
		plan_put_flag(printer, "monitored", spawn->resctrl_monitors);
		plan_put(printer, "\n");
	}
}

static void
print_source(struct plan_printer *printer, const struct plan_source *src)
{
	plan_put(printer, src->device.mode ? "make" : "open");
	plan_put_str(printer, src->device.mode ? "device" : "source", src->path);
	if (src->device.mode)
		plan_put_node(printer, &src->device);
	plan_put_flag(printer, "recursive", src->recursive);
	plan_put_flag(printer, "nofollow", src->nofollow);
	plan_put_flag(printer, "id-mapped", src->idmap.mapped);
	plan_put_flag(printer, "all-id-mapped", src->idmap.recursive);
	plan_put_str(printer, "maps-of", src->idmap.userns);
	plan_put_what(printer, src->what);
	print_maps(printer, "  uid", src->idmap.uid_maps);
	print_maps(printer, "  gid", src->idmap.gid_maps);
}

void
plan_print(const struct plan *plan, FILE *out)
{
	struct plan_printer o = { plan, out };

	print_spawn(&o, &plan->spawn);
	for (uint32_t i = 0; i < plan->n_sources; i++)
		print_source(&o, &plan->sources[i]);
	for (uint32_t i = 0; i < plan->n_steps; i++)
		plan_print_step(&o, "", i + 1, &plan->steps[i]);
}

const char *const *
plan_step_lines(const struct plan *plan, struct arena *a)
{
	const char **lines = arena_alloc(a, (plan->n_steps + 1) * sizeof(*lines));

	for (uint32_t i = 0; i < plan->n_steps; i++) {
		char *text = NULL;
		size_t size;
		struct plan_printer o = { plan, open_memstream(&text, &size) };

		if (!o.out)
			return NULL;
		plan_print_step(&o, "", i + 1, &plan->steps[i]);
		fclose(o.out);
		lines[i] = text ? arena_printf(a, "%.*s", (int)strcspn(text, "\n"), text) : "";
		free(text);
	}
	return lines;
}
