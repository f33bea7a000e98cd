/* Theory of operation: systemd decides where a scope is, from two names alone: a
 * slice "a-b.slice" lies in "a.slice", which lies in the manager's own cgroup, and
 * the scope lies in its slice. So the path of a container's cgroup is known before
 * anything was made, but for the manager's part (systemd_locate()).
 *
 * The container does not live in the scope itself but in a directory below it. What
 * systemd gives away (Delegate=) is what is below; the files of the scope are its
 * own, it writes them again when it reloads, and so are device programs on it. */
#include <string.h>

#include "cgroups/systemd/systemd.h"
#include "oci-spec/annotations.h"

#define UNIT_NAME_MAX 255

static const char property[] = "linux.cgroupsPath";

/* ---- escaping ---------------------------------------------------------- */

static bool
is_letter_or_digit(char ch)
{
	return (ch >= '0' && ch <= '9') || (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z');
}

/* systemd.unit(5): letters, digits, ":", "-", "_", ".", "\" and "@". */
static char *
escape(const char *name, struct arena *a)
{
	static const char digits[] = "0123456789abcdef";
	char *text = arena_alloc(a, 4 * strlen(name) + 1), *p = text;

	for (; *name; name++) {
		unsigned char c = (unsigned char)*name;

		if (is_letter_or_digit(*name) || strchr(":-_.@", *name)) {
			*p++ = *name;
			continue;
		}
		*p++ = '\\';
		*p++ = 'x';
		*p++ = digits[c >> 4];
		*p++ = digits[c & 15];
	}
	return text;
}

/* ---- slices ------------------------------------------------------------ */

static int
check_slice(const char *slice, struct err *err)
{
	static const char suffix[] = ".slice";
	size_t len = strlen(slice), stem = len - (sizeof(suffix) - 1);
	const char *fault = NULL;

	if (len < sizeof(suffix) || strcmp(slice + stem, suffix) != 0)
		fault = "its name does not end with .slice";
	else if (len > UNIT_NAME_MAX)
		fault = "its name is too long";
	else if (stem == 1 && slice[0] == '-')
		return 0;
	else if (slice[0] == '-' || slice[stem - 1] == '-' || strstr(slice, "--"))
		fault = "it has an empty part between dashes";
	for (size_t i = 0; !fault && i < len; i++)
		if (!is_letter_or_digit(slice[i]) && !strchr(":-_.\\", slice[i]))
			fault = "it has a character that no slice can have";
	return fault ? err_plain(err, "%s: '%s' is not a slice: %s", property, slice, fault) : 0;
}

/* "a-b.slice": "/a.slice/a-b.slice"; the root slice, "-.slice": "". */
static char *
slice_path(const char *slice, struct arena *a)
{
	size_t stem = strlen(slice) - strlen(".slice");
	char *path = arena_strdup(a, "");

	if (stem == 1 && slice[0] == '-')
		return path;
	for (size_t i = 1; i <= stem; i++)
		if (i == stem || slice[i] == '-')
			path = arena_printf(a, "%s/%.*s.slice", path, (int)i, slice);
	return path;
}

/* ---- the sub-cgroup ---------------------------------------------------- */

static int
find_subgroup(const struct spec *spec, struct err *err, const char **ret_name)
{
	const char *name = annotation_get(&spec->annotations, ANNOTATION_SYSTEMD_SUBGROUP);

	if (!name)
		name = "container";
	if (strchr(name, '/') || strchr(name, '\n') || !strcmp(name, ".") || !strcmp(name, "..") ||
	    strlen(name) > UNIT_NAME_MAX)
		return err_plain(err, "annotations[\"%s\"]: '%s' is not the name of a directory",
				 annotation_name(ANNOTATION_SYSTEMD_SUBGROUP), name);
	*ret_name = name;
	return 0;
}

/* ---- all --------------------------------------------------------------- */

/* Three parts, neither more nor fewer; the first two may be empty. */
static int
split(const char *text, struct arena *a, struct err *err, const char *parts[3])
{
	const char *first = strchr(text, ':'), *second = first ? strchr(first + 1, ':') : NULL;

	if (!second || strchr(second + 1, ':') || !second[1])
		return err_plain(err, "%s: with systemd it has the form \"slice:prefix:name\", found '%s'", property,
				 text);
	parts[0] = arena_strndup(a, text, (size_t)(first - text));
	parts[1] = arena_strndup(a, first + 1, (size_t)(second - first - 1));
	parts[2] = second + 1;
	return 0;
}

int
systemd_resolve_names(const struct spec *spec, const char *id, bool user, struct arena *a, struct err *err,
		      struct systemd_names *ret_names)
{
	const char *parts[3] = { "", "knarr", id }, *wanted = spec->linux_.cgroups_path, *sub = "";
	const char *slice;
	char *unit;
	int r = find_subgroup(spec, err, &sub);

	if (r == 0 && wanted && *wanted)
		r = split(wanted, a, err, parts);
	slice = *parts[0] ? parts[0] : user ? "user.slice" : "system.slice";
	if (r == 0)
		r = check_slice(slice, err);
	if (r < 0)
		return r;
	unit = arena_printf(a, "%s%s%s.scope", parts[1], *parts[1] ? "-" : "", parts[2]);
	unit = escape(unit, a);
	if (unit[0] == '.' || strlen(unit) > UNIT_NAME_MAX)
		return err_plain(err,
				 "%s: '%.64s…' cannot be the name of a unit, which has at most %d characters and does "
				 "not begin with a dot",
				 property, unit, UNIT_NAME_MAX);
	*ret_names = (struct systemd_names){
		.unit = unit,
		.slice = arena_strdup(a, slice),
		.path = arena_printf(a, "%s/%s%s%s", slice_path(slice, a), unit, *sub ? "/" : "", sub),
	};
	return 0;
}

char *
systemd_scope_path(const struct cgroup *cg, struct arena *a)
{
	size_t len = strlen(cg->path), unit = strlen(cg->unit);
	const char *slash = strrchr(cg->path, '/');

	/* Either the last name or the last but one. */
	if (slash && strcmp(slash + 1, cg->unit) != 0)
		len = (size_t)(slash - cg->path);
	if (len <= unit || memcmp(cg->path + len - unit, cg->unit, unit) != 0)
		len = strlen(cg->path);
	return arena_strndup(a, cg->path, len);
}
