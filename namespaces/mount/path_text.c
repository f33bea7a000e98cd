/* Parts of a path are taken one after another; ".." takes back the one before it. */
#include "namespaces/mount/path_text.h"

#include <string.h>

char *
path_clean(struct arena *a, const char *path)
{
	char *clean = arena_alloc(a, strlen(path) + 2);
	size_t len = 0;

	while (*path) {
		size_t n = strcspn(path, "/");

		if (n == 2 && path[0] == '.' && path[1] == '.') {
			while (len && clean[--len] != '/')
				;
		} else if (n && !(n == 1 && path[0] == '.')) {
			clean[len++] = '/';
			memcpy(clean + len, path, n);
			len += n;
		}
		path += n;
		path += strspn(path, "/");
	}
	if (!len)
		clean[len++] = '/';
	clean[len] = '\0';
	return clean;
}

const char *
path_absolute(struct arena *a, const char *base, const char *path)
{
	return path[0] == '/' ? path : arena_printf(a, "%s/%s", base, path);
}

bool
path_is_in(const char *path, const char *top)
{
	size_t n = strlen(top);

	if (n == 1)
		return true;
	return strncmp(path, top, n) == 0 && (path[n] == '\0' || path[n] == '/');
}
