/* Theory of operation: see mount_data.h. The lists are those of the kernel's own
 * parsers (fs_parameter_spec); a name that is missing here costs a question to libmount
 * and nothing else. */
#include "namespaces/mount_data.h"

#include <string.h>

/* Data keys that need no question to libmount. "*": any file system (the
 * security labels). */
static const struct {
	const char *type;
	const char *const *keys;
} data_keys[] = {
	{ "*", (const char *const[]){ "context", "fscontext", "defcontext", "rootcontext", "seclabel", NULL } },
	{ "tmpfs", (const char *const[]){ "size", "nr_blocks", "nr_inodes", "mode", "uid", "gid", "huge", "mpol",
					  "inode32", "inode64", "noswap", NULL } },
	{ "devpts", (const char *const[]){ "newinstance", "gid", "uid", "mode", "ptmxmode", "max", NULL } },
	{ "proc", (const char *const[]){ "hidepid", "gid", "subset", NULL } },
	{ "cgroup", (const char *const[]){ "nsdelegate", "memory_localevents", "memory_recursiveprot", NULL } },
	{ "cgroup2", (const char *const[]){ "nsdelegate", "memory_localevents", "memory_recursiveprot", NULL } },
	{ "hugetlbfs",
	  (const char *const[]){ "pagesize", "size", "min_size", "nr_inodes", "mode", "uid", "gid", NULL } },
	{ "overlay", (const char *const[]){ "lowerdir", "lowerdir+", "datadir+", "upperdir", "workdir", "volatile",
					    "userxattr", "redirect_dir", "index", "uuid", "nfs_export", "xino",
					    "metacopy", "verity", "default_permissions", NULL } },
};
#define N_DATA_KEYS (sizeof(data_keys) / sizeof(data_keys[0]))

static bool
key_is_listed(const char *option, size_t len, const char *const *keys)
{
	for (; *keys; keys++)
		if (strncmp(option, *keys, len) == 0 && (*keys)[len] == '\0')
			return true;
	return false;
}

bool
mount_data_is_known(const char *type, const char *option)
{
	size_t len = strcspn(option, "=");

	for (size_t i = 0; i < N_DATA_KEYS; i++)
		if (!strcmp(data_keys[i].type, "*") || (type && !strcmp(data_keys[i].type, type)))
			if (key_is_listed(option, len, data_keys[i].keys))
				return true;
	return false;
}

/* mount(2) wants a label with commas in quotes; fsconfig(2) takes the value as
 * it is, so the quotes go. */
const char *
mount_data_without_quotes(struct arena *a, const char *option)
{
	size_t key = strcspn(option, "=");
	size_t len = strlen(option);

	if (option[key] != '=' || len < key + 3 || option[key + 1] != '"' || option[len - 1] != '"')
		return option;
	if (!key_is_listed(option, key, data_keys[0].keys))
		return option;
	return arena_printf(a, "%.*s=%.*s", (int)key, option, (int)(len - key - 3), option + key + 2);
}
