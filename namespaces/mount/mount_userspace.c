/* The options are those of mount(8), "filesystem-independent mount options" and fstab(5); the
 * unit test compares them with the table inside libmount, where that is installed. */
#include "namespaces/mount/mount_userspace.h"

#include <linux/mount.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

enum form {
	PLAIN,	    /* "nofail" */
	ANY_VALUE,  /* "loop", "loop=/dev/loop0" */
	WITH_VALUE, /* "offset=4096" */
	PREFIX,	    /* "x-systemd.automount" */
};

#define OF_USER	 (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)
#define OF_OWNER (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV)

static const struct {
	const char *name;
	enum form form;
	enum mount_userspace kind;
	uint64_t implied;
} options[] = {
	{ "auto", PLAIN, MOUNT_USERSPACE_DROP, 0 },
	{ "noauto", PLAIN, MOUNT_USERSPACE_DROP, 0 },
	{ "defaults", PLAIN, MOUNT_USERSPACE_DROP, 0 },
	{ "nofail", PLAIN, MOUNT_USERSPACE_DROP, 0 },
	{ "_netdev", PLAIN, MOUNT_USERSPACE_DROP, 0 },
	{ "comment", WITH_VALUE, MOUNT_USERSPACE_DROP, 0 },
	{ "x-", PREFIX, MOUNT_USERSPACE_DROP, 0 },
	{ "X-", PREFIX, MOUNT_USERSPACE_DROP, 0 },
	/* Who may mount it. */
	{ "user", ANY_VALUE, MOUNT_USERSPACE_DROP, OF_USER },
	{ "users", PLAIN, MOUNT_USERSPACE_DROP, OF_USER },
	{ "owner", PLAIN, MOUNT_USERSPACE_DROP, OF_OWNER },
	{ "group", PLAIN, MOUNT_USERSPACE_DROP, OF_OWNER },
	{ "nouser", PLAIN, MOUNT_USERSPACE_DROP, 0 },
	{ "nousers", PLAIN, MOUNT_USERSPACE_DROP, 0 },
	{ "noowner", PLAIN, MOUNT_USERSPACE_DROP, 0 },
	{ "nogroup", PLAIN, MOUNT_USERSPACE_DROP, 0 },
	/* Loop devices. */
	{ "loop", ANY_VALUE, MOUNT_USERSPACE_REFUSE, 0 },
	{ "offset", WITH_VALUE, MOUNT_USERSPACE_REFUSE, 0 },
	{ "sizelimit", WITH_VALUE, MOUNT_USERSPACE_REFUSE, 0 },
	{ "encryption", WITH_VALUE, MOUNT_USERSPACE_REFUSE, 0 },
	/* Programs that mount and unmount. */
	{ "helper", WITH_VALUE, MOUNT_USERSPACE_REFUSE, 0 },
	{ "uhelper", WITH_VALUE, MOUNT_USERSPACE_REFUSE, 0 },
	{ "verity.hashdevice", WITH_VALUE, MOUNT_USERSPACE_REFUSE, 0 },
	{ "verity.roothash", WITH_VALUE, MOUNT_USERSPACE_REFUSE, 0 },
	{ "verity.hashoffset", WITH_VALUE, MOUNT_USERSPACE_REFUSE, 0 },
	{ "verity.roothashfile", WITH_VALUE, MOUNT_USERSPACE_REFUSE, 0 },
	{ "verity.fecdevice", WITH_VALUE, MOUNT_USERSPACE_REFUSE, 0 },
	{ "verity.fecoffset", WITH_VALUE, MOUNT_USERSPACE_REFUSE, 0 },
	{ "verity.fecroots", WITH_VALUE, MOUNT_USERSPACE_REFUSE, 0 },
	{ "verity.roothashsig", WITH_VALUE, MOUNT_USERSPACE_REFUSE, 0 },
	{ "verity.oncorruption", WITH_VALUE, MOUNT_USERSPACE_REFUSE, 0 },
};

static bool
matches(const char *name, enum form form, const char *option)
{
	size_t len = strlen(name);

	if (strncmp(option, name, len) != 0)
		return false;
	switch (form) {
	case PLAIN:
		return option[len] == '\0';
	case ANY_VALUE:
		return option[len] == '\0' || option[len] == '=';
	case WITH_VALUE:
		return option[len] == '=';
	case PREFIX:
		break;
	}
	return true;
}

enum mount_userspace
mount_userspace_kind(const char *option, uint64_t *ret_implied)
{
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		if (matches(options[i].name, options[i].form, option)) {
			*ret_implied = options[i].implied;
			return options[i].kind;
		}
	*ret_implied = 0;
	return MOUNT_USERSPACE_NONE;
}
