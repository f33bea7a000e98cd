/* Which options mount(8) keeps for itself: the table inside libmount knows.
 *
 * Only a config with an option that is in none of knarr's own tables comes
 * here, so the library (and the four that it pulls in, some 2 ms) is opened
 * when asked and closed again; neither it nor its header is needed to build. What
 * is declared here is its stable interface (libmount.so.1, util-linux 2.20). */
#include "namespaces/mount_userspace.h"

#include <dlfcn.h>
#include <linux/mount.h>
#include <stdbool.h>
#include <string.h>

#include "base/log.h"

/* struct libmnt_optmap of libmount.so.1 */
struct optmap {
	const char *name;
	int id;	  /* bit of the option */
	int mask; /* ENTRY_* */
};
#define ENTRY_INVERT (1 << 1) /* "nouser": takes the bit away */
#define ENTRY_PREFIX (1 << 3) /* the name is a prefix */

/* const struct libmnt_optmap *mnt_get_builtin_optmap(int id); */
typedef const struct optmap *get_optmap_fn(int id);
#define USERSPACE_MAP 2

/* Bits of options that do something. */
#define OPT_USER	 (1 << 3)
#define OPT_USERS	 (1 << 4)
#define OPT_OWNER	 (1 << 5)
#define OPT_GROUP	 (1 << 6)
#define OPT_LOOP	 (1 << 9)
#define OPT_UHELPER	 (1 << 11)
#define OPT_HELPER	 (1 << 12)
#define OPT_OFFSET	 (1 << 14)
#define OPT_SIZELIMIT	 (1 << 15)
#define OPT_ENCRYPTION	 (1 << 16)
#define OPT_VERITY_FIRST (1 << 18) /* verity.hashdevice … */
#define OPT_VERITY_LAST	 (1 << 26) /* … verity.oncorruption */
#define OPT_VERITY	 (2 * OPT_VERITY_LAST - OPT_VERITY_FIRST)

/* What mount(8) does for an option. All others are dropped. */
static const struct {
	int bits;
	enum mount_userspace kind;
	uint64_t implied;
} effects[] = {
	{ OPT_USER | OPT_USERS, MOUNT_USERSPACE_DROP, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC },
	{ OPT_OWNER | OPT_GROUP, MOUNT_USERSPACE_DROP, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV },
	{ OPT_LOOP | OPT_OFFSET | OPT_SIZELIMIT | OPT_ENCRYPTION, MOUNT_USERSPACE_REFUSE, 0 },
	{ OPT_HELPER | OPT_UHELPER, MOUNT_USERSPACE_REFUSE, 0 },
	{ OPT_VERITY, MOUNT_USERSPACE_REFUSE, 0 },
};

/* Names in the table: "auto", "comment=" (value needed), "loop[=]" (value
 * optional), "x-" with MNT_PREFIX. */
static bool
name_matches(const struct optmap *entry, const char *option)
{
	size_t len = strcspn(entry->name, "[=");
	bool may_have_value = entry->name[len] != '\0';
	bool must_have_value = entry->name[len] == '=';

	if (strncmp(option, entry->name, len) != 0)
		return false;
	if (entry->mask & ENTRY_PREFIX)
		return true;
	if (option[len] == '\0')
		return !must_have_value;
	return option[len] == '=' && may_have_value;
}

static enum mount_userspace
look_up(const struct optmap *map, const char *option, uint64_t *implied)
{
	for (; map && map->name; map++) {
		if (!name_matches(map, option))
			continue;
		for (size_t i = 0; i < sizeof(effects) / sizeof(effects[0]); i++) {
			if (!(effects[i].bits & map->id) || (map->mask & ENTRY_INVERT))
				continue;
			*implied = effects[i].implied;
			return effects[i].kind;
		}
		return MOUNT_USERSPACE_DROP;
	}
	return MOUNT_USERSPACE_NONE;
}

static void *
open_libmount(void)
{
#ifdef KNARR_STATIC_BINARY
	/* A program without shared libraries would have to bring its own libc. */
	return NULL;
#else
	return dlopen("libmount.so.1", RTLD_NOW | RTLD_LOCAL);
#endif
}

enum mount_userspace
mount_userspace_kind(const char *option, uint64_t *implied)
{
	enum mount_userspace kind = MOUNT_USERSPACE_NONE;
	get_optmap_fn *get_optmap;
	void *lib;

	*implied = 0;
	lib = open_libmount();
	if (!lib) {
		log_debug("mount option '%s' is passed to the file system (libmount.so.1 is not at hand)", option);
		return kind;
	}
	/* POSIX: a function pointer through a data pointer. */
	*(void **)&get_optmap = dlsym(lib, "mnt_get_builtin_optmap");
	if (get_optmap)
		kind = look_up(get_optmap(USERSPACE_MAP), option, implied);
	dlclose(lib);
	return kind;
}
