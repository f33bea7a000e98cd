/* The maps that follow "idmap=" and "ridmap=",
 * an extension of crun that podman-run(1) hands on:
 *
 *	idmap=uids=0-1000-10#10-2000-5;gids=@0-3-1
 *
 * Each range is FILE-SYSTEM-ID "-" HOST-ID "-" SIZE. With "@" in front, HOST-ID is an id
 * of the container: it moves as far as the range of the container's user namespace moves
 * that holds FILE-SYSTEM-ID (crun(1)). */
#include "namespaces/mount/mount_idmap.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MAX_RANGES 340 /* user_namespaces(7) */
#define END_OF_IDS UINT32_MAX

struct option_parser {
	const struct rootfs_planner *p;
	const char *property;
};

static int
refuse(const struct option_parser *parser, const char *range, const char *why)
{
	return err_plain(parser->p->err, "%s.options: idmap: the range '%s' %s", parser->property, range, why);
}

/* Digits alone: no sign, no space. */
static bool
parse_number(const char **text, uint64_t *ret)
{
	char *end;

	if (**text < '0' || **text > '9')
		return false;
	errno = 0;
	*ret = strtoull(*text, &end, 10);
	*text = end;
	return errno == 0 && *ret < END_OF_IDS;
}

/* How far the container's user namespace moves the id. */
static bool
find_shift(const struct spec_id_mappings *container, uint64_t id, int64_t *ret)
{
	for (size_t i = 0; i < container->n; i++) {
		const struct spec_id_mapping *m = &container->items[i];

		if (id >= m->container_id && id - m->container_id < m->size) {
			*ret = (int64_t)m->host_id - m->container_id;
			return true;
		}
	}
	return false;
}

static int
parse_range(const struct option_parser *parser, const char *range, const struct spec_id_mappings *container,
	    struct spec_id_mapping *ret)
{
	const char *s = range + (*range == '@');
	uint64_t v[3] = { 0 };
	int64_t shift = 0;

	for (int i = 0; i < 3; i++)
		if (!parse_number(&s, &v[i]) || *s++ != (i < 2 ? '-' : '\0'))
			return refuse(parser, range, "is not of the form FILE-SYSTEM-ID-HOST-ID-SIZE");
	if (*range == '@' && container->n == 0)
		return refuse(parser, range, "is relative to a user namespace, for which the config has no mappings");
	if (*range == '@' && !find_shift(container, v[0], &shift))
		return refuse(parser, range, "begins with an id that the container's user namespace does not map");
	if (v[2] == 0)
		return refuse(parser, range, "is empty");
	if (v[0] + v[2] > END_OF_IDS || (int64_t)v[1] + shift < 0 ||
	    (int64_t)(v[1] + v[2]) + shift > (int64_t)END_OF_IDS)
		return refuse(parser, range, "goes beyond the largest id");
	*ret = (struct spec_id_mapping){ .container_id = (uint32_t)v[0],
					 .host_id = (uint32_t)((int64_t)v[1] + shift),
					 .size = (uint32_t)v[2] };
	return 0;
}

static bool
overlap(uint32_t first, uint32_t a_size, uint32_t second, uint32_t b_size)
{
	return (uint64_t)first < (uint64_t)second + b_size && (uint64_t)second < (uint64_t)first + a_size;
}

static int
check_overlap(const struct option_parser *parser, const char *range, const struct spec_id_mappings *maps)
{
	const struct spec_id_mapping *last = &maps->items[maps->n];

	for (size_t i = 0; i < maps->n; i++)
		if (overlap(last->container_id, last->size, maps->items[i].container_id, maps->items[i].size) ||
		    overlap(last->host_id, last->size, maps->items[i].host_id, maps->items[i].size))
			return refuse(parser, range, "overlaps one before it");
	return 0;
}

/* Ranges with "#" between them. text is cut into pieces. */
static int
parse_ranges(const struct option_parser *parser, char *text, const struct spec_id_mappings *container,
	     struct spec_id_mappings *ret)
{
	char *range, *rest = text;
	int r = 0;

	if (ret->n)
		return err_plain(parser->p->err, "%s.options: idmap: uids or gids is given twice", parser->property);
	ret->items = arena_array(parser->p->b->arena, MAX_RANGES, sizeof(*ret->items));
	while (r == 0 && (range = strsep(&rest, "#"))) {
		if (ret->n == MAX_RANGES)
			return refuse(parser, range, "is one too many for the kernel");
		r = parse_range(parser, range, container, &ret->items[ret->n]);
		if (r == 0)
			r = check_overlap(parser, range, ret);
		ret->n++;
	}
	return r;
}

int
mount_idmap_parse_option(const struct rootfs_planner *planner, const char *property, const char *maps,
			 struct spec_id_mappings *ret_uids, struct spec_id_mappings *ret_gids)
{
	const struct option_parser o = { planner, property };
	char *part, *rest = arena_strdup(planner->b->arena, maps);
	struct spec_id_mappings uids = { 0 }, gids = { 0 };
	int r = 0;

	while (r == 0 && (part = strsep(&rest, ";"))) {
		if (strncmp(part, "uids=", 5) == 0)
			r = parse_ranges(&o, part + 5, &planner->s->linux_.uid_mappings, &uids);
		else if (strncmp(part, "gids=", 5) == 0)
			r = parse_ranges(&o, part + 5, &planner->s->linux_.gid_mappings, &gids);
		else
			r = err_plain(planner->err, "%s.options: idmap: '%s' is neither 'uids=…' nor 'gids=…'",
				      property, part);
	}
	if (r == 0 && (!uids.n || !gids.n))
		r = err_plain(planner->err, "%s.options: idmap: uids and gids go together", property);
	if (r < 0)
		return r;
	*ret_uids = uids;
	*ret_gids = gids;
	return 0;
}
