/* The rows of NS_KINDS as a table that is there at run time, and which namespace it is: the
 * files of one namespace have one device and one inode. */
#include "base/ns.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#define NS_ROW(kind, word, file, flag) [kind] = { word, file, flag },
const struct ns ns_kinds[NS_COUNT] = { NS_KINDS(NS_ROW) };

int
ns_own_id(enum ns_kind kind, struct ns_id *ret_id)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/self/ns/%s", ns_kinds[kind].file);
	if (stat(path, &st) < 0)
		return -errno;
	*ret_id = (struct ns_id){ st.st_dev, st.st_ino };
	return 0;
}

int
ns_is_own(enum ns_kind kind, const char *path)
{
	struct ns_id own;
	struct stat st;
	int r = ns_own_id(kind, &own);

	if (r < 0)
		return r;
	return stat(path, &st) < 0 ? -errno : own.device == st.st_dev && own.inode == st.st_ino;
}
