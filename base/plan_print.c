/* `knarr plan`: a sealed plan as text for people and golden tests. First the stage,
 * what is done around the init; then the sources that the runtime opens; then one line
 * per step (plan_print_step.c): number, kind, its arguments as name=value, then what a
 * failure does and the property that the step comes from. No address and no fd
 * number is printed, so the text is the same on every host. */
#include "base/plan.h"

#include "base/plan_put.h"

static void
print_maps(struct plan_printer *o, const char *name, struct plan_bytes maps)
{
	const struct plan_id_map *m = (const struct plan_id_map *)(o->p->blob + maps.off);

	for (uint32_t i = 0; i < maps.len / sizeof(*m); i++)
		plan_put(o, "%s map: container %u = host %u, %u ids\n", name, m[i].container, m[i].host, m[i].size);
}

static void
print_net_devices(struct plan_printer *o, struct plan_strv names)
{
	const char *s = plan_first(o->p, names);

	for (uint32_t i = 0; i < names.n; i += 2) {
		plan_put(o, "network device: ");
		plan_put_quoted(o, s);
		plan_put(o, " as ");
		s = plan_next(s);
		plan_put_quoted(o, s);
		plan_put(o, "\n");
		s = plan_next(s);
	}
}

static void
print_lines(struct plan_printer *o, const char *prefix, struct plan_strv lines)
{
	const char *s = plan_first(o->p, lines);

	for (uint32_t i = 0; i < lines.n; i++, s = plan_next(s))
		plan_put_line(o, prefix, s);
}

static void
print_stage(struct plan_printer *o, const struct plan_stage *g)
{
	static const char *const how[] = { "", "written by the runtime", "written by newuidmap and newgidmap" };

	plan_put(o, "namespaces:");
	plan_put_names(o, "new", g->clone_flags, namespace_names);
	plan_put(o, "\n");
	for (uint32_t i = 0; i < g->n_joins; i++) {
		plan_put(o, "namespaces:");
		plan_put_names(o, "join", (uint64_t)(uint32_t)g->joins[i].nstype, namespace_names);
		plan_put_str(o, "path", g->joins[i].path);
		plan_put(o, "\n");
	}
	if (g->enters) {
		plan_put(o, "namespaces:");
		plan_put_names(o, "enter", g->enter_flags, namespace_names);
		plan_put(o, " after-step=%u\n", g->n_outside);
	}
	print_maps(o, "uid", g->uid_maps);
	print_maps(o, "gid", g->gid_maps);
	if (g->map_how != PLAN_MAP_NONE)
		plan_put(o, "id maps: %s%s\n", how[g->map_how], g->deny_setgroups ? ", setgroups denied" : "");
	if (g->time_offsets) {
		plan_put(o, "time namespace:");
		plan_put_str(o, "offsets", g->time_offsets);
		plan_put(o, "\n");
	}
	print_net_devices(o, g->net_devices);
	plan_put(o, "cgroup: %s\n", g->has_cgroup ? "own" : "that of the runtime");
	print_lines(o, "  ", g->cgroup);
	if (g->has_oom_score)
		plan_put(o, "oom score: %d\n", g->oom_score);
	if (g->resctrl) {
		plan_put(o, "resctrl:");
		plan_put_str(o, "group", g->resctrl);
		plan_put_flag(o, "monitored", g->resctrl_monitors);
		plan_put(o, "\n");
	}
}

static void
print_source(struct plan_printer *o, const struct plan_source *src)
{
	plan_put(o, src->device.mode ? "make" : "open");
	plan_put_str(o, src->device.mode ? "device" : "source", src->path);
	if (src->device.mode)
		plan_put_node(o, &src->device);
	plan_put_flag(o, "recursive", src->recursive);
	plan_put_flag(o, "nofollow", src->nofollow);
	plan_put_flag(o, "id-mapped", src->idmap.mapped);
	plan_put_flag(o, "all-id-mapped", src->idmap.recursive);
	plan_put_str(o, "maps-of", src->idmap.userns);
	plan_put(o, "  # %s\n", plan_text(o->p, src->what));
	print_maps(o, "  uid", src->idmap.uid_maps);
	print_maps(o, "  gid", src->idmap.gid_maps);
}

void
plan_print(const struct plan *p, FILE *out)
{
	struct plan_printer o = { p, out };

	print_stage(&o, &p->stage);
	for (uint32_t i = 0; i < p->n_sources; i++)
		print_source(&o, &p->sources[i]);
	for (uint32_t i = 0; i < p->n_steps; i++)
		plan_print_step(&o, "", i + 1, &p->steps[i]);
}
