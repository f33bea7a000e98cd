/* Theory of operation: subuid(5). A line is "OWNER:START:COUNT", OWNER a name
 * or a number; lines that are something else are passed over, as the helpers
 * do. The user's name comes from the passwd file beside it and not from
 * getpwuid(3), which would load name services into a program that may be
 * static; a user from elsewhere (LDAP) is left to the helpers to judge. */
#include "namespaces/user/idmap_subid.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "namespaces/user/idmap.h"

#define MAX_FILE   ((size_t)16 * 1024 * 1024)
#define MAX_RANGES 256
#define MAX_USER   256

static void
free_text(char **text)
{
	free(*text);
}
#define auto_text __attribute__((cleanup(free_text)))

/* Cuts the next line off *text; NULL at the end. */
static char *
next_line(char **text)
{
	char *line = *text, *end;

	if (!line || !*line)
		return NULL;
	end = strchr(line, '\n');
	if (end)
		*end = '\0';
	*text = end ? end + 1 : line + strlen(line);
	return line;
}

/* A decimal number below 2^32 that fills s. */
static bool
parse_id(const char *text, uint32_t *ret)
{
	uint64_t v = 0;

	if (!*text || strlen(text) > 10)
		return false;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return false;
		v = v * 10 + (uint64_t)(*text - '0');
	}
	if (v > UINT32_MAX)
		return false;
	*ret = (uint32_t)v;
	return true;
}

static bool
parse_range(char *line, uid_t uid, const char *user, struct plan_id_map *ret)
{
	char *start = strchr(line, ':'), *count = start ? strchr(start + 1, ':') : NULL;
	struct plan_id_map m = { 0 };
	uint32_t owner;

	if (!count)
		return false;
	*start++ = '\0';
	*count++ = '\0';
	if (!(user && strcmp(line, user) == 0) && !(parse_id(line, &owner) && owner == uid))
		return false;
	if (!parse_id(start, &m.host) || !parse_id(count, &m.size) || m.size == 0)
		return false;
	*ret = m;
	return true;
}

/* Ranges of the user (by number, or by name unless that is NULL) in a file like
 * /etc/subuid: fills host and size of at most max maps, returns how many, or -errno. */
static int
read_subids(const char *file, uid_t uid, const char *user, struct plan_id_map *maps, size_t max)
{
	auto_text char *data = NULL;
	char *text, *line;
	size_t len, n = 0;
	int r = fd_read_file_at(AT_FDCWD, file, MAX_FILE, &data, &len);

	if (r < 0)
		return r;
	text = data;
	while (n < max && (line = next_line(&text)))
		if (parse_range(line, uid, user, &maps[n]))
			n++;
	return (int)n;
}

/* Name of a user in a passwd(5) file. */
static bool
find_user(const char *file, uid_t uid, char *ret_name, size_t size)
{
	auto_text char *data = NULL;
	char *text, *line;
	size_t len;

	if (fd_read_file_at(AT_FDCWD, file, MAX_FILE, &data, &len) < 0)
		return false;
	text = data;
	while ((line = next_line(&text))) {
		char *save, *name = strtok_r(line, ":", &save), *id;
		uint32_t found;

		if (!name || !strtok_r(NULL, ":", &save) || !(id = strtok_r(NULL, ":", &save)))
			continue;
		if (parse_id(id, &found) && found == uid && strlen(name) < size) {
			memcpy(ret_name, name, strlen(name) + 1);
			return true;
		}
	}
	return false;
}

static bool
has_other_source(const char *dir)
{
	auto_text char *data = NULL;
	char path[4096], *text, *line;
	size_t len;

	snprintf(path, sizeof(path), "%s/nsswitch.conf", dir);
	if (fd_read_file_at(AT_FDCWD, path, MAX_FILE, &data, &len) < 0)
		return false;
	text = data;
	while ((line = next_line(&text)))
		if (strncmp(line, "subid:", 6) == 0)
			return true;
	return false;
}

/* A range may run over several entries that touch each other. */
static bool
is_covered(const struct plan_id_map *map, const struct plan_id_map *owned, size_t n)
{
	uint64_t at = map->host, end = at + map->size;

	while (at < end) {
		size_t i;

		for (i = 0; i < n; i++)
			if (at >= owned[i].host && at - owned[i].host < owned[i].size)
				break;
		if (i == n)
			return false;
		at = (uint64_t)owned[i].host + owned[i].size;
	}
	return true;
}

static int
fail_missing(const struct idmap_kind *kind, const char *dir, const char *user, size_t n_owned,
	     const struct plan_id_map *map, size_t i, struct err *err)
{
	if (n_owned == 0)
		return err_plain(err, "%s[%zu]: host ids %u to %u are not yours: no entry for user %s in %s/%s",
				 kind->property, i, map->host, map->host + (map->size - 1), user, dir, kind->file);
	return err_plain(err,
			 "%s[%zu]: host ids %u to %u are not yours: the entry for user %s in %s/%s does not hold them",
			 kind->property, i, map->host, map->host + (map->size - 1), user, dir, kind->file);
}

int
idmap_check_owned(const struct idmap_kind *kind, const char *dir, uid_t uid, uint32_t own,
		  const struct plan_id_map *maps, size_t n, struct err *err, bool *ret_delegated)
{
	struct plan_id_map owned[MAX_RANGES];
	char path[4096], user[MAX_USER];
	bool known, delegated = false;
	int n_owned;

	snprintf(path, sizeof(path), "%s/passwd", dir);
	known = find_user(path, uid, user, sizeof(user));
	snprintf(path, sizeof(path), "%s/%s", dir, kind->file);
	n_owned = read_subids(path, uid, known ? user : NULL, owned, MAX_RANGES);
	if (n_owned < 0 && n_owned != -ENOENT)
		return err_set(err, -n_owned, "read '%s'", path);
	if (n_owned < 0)
		n_owned = 0;
	if (has_other_source(dir) || (!known && n_owned == 0)) {
		*ret_delegated = true;
		return 0;
	}
	for (size_t i = 0; i < n; i++) {
		if (is_covered(&maps[i], owned, (size_t)n_owned))
			delegated = true;
		else if (maps[i].host != own || maps[i].size != 1)
			return fail_missing(kind, dir, known ? user : "of this number", (size_t)n_owned, &maps[i], i,
					    err);
	}
	*ret_delegated = delegated;
	return 0;
}
