/* Sorted by name, to be searched. */
#include "namespaces/mount/mount_option_table.h"

#include <linux/mount.h>
#include <stdlib.h>
#include <string.h>

#include "namespaces/mount/mount_options.h"

static const struct mount_option options[] = {
	{ "async", MOUNT_OPTION_SB_CLEAR, MOUNT_SB_SYNC, false },
	{ "atime", MOUNT_OPTION_NO_ATIME, MOUNT_ATTR_NOATIME, false },
	{ "bind", MOUNT_OPTION_BIND, 0, false },
	{ "defaults", MOUNT_OPTION_NOTHING, 0, false },
	{ "dest-nofollow", MOUNT_OPTION_DEST_NOFOLLOW, 0, false },
	{ "dev", MOUNT_OPTION_CLEAR, MOUNT_ATTR_NODEV, false },
	{ "diratime", MOUNT_OPTION_CLEAR, MOUNT_ATTR_NODIRATIME, false },
	{ "dirsync", MOUNT_OPTION_SB_SET, MOUNT_SB_DIRSYNC, false },
	{ "exec", MOUNT_OPTION_CLEAR, MOUNT_ATTR_NOEXEC, false },
	{ "idmap", MOUNT_OPTION_IDMAP, 0, false },
	/* The kernel counts changes wherever the file system can (ext4, xfs,
	 * btrfs, tmpfs); fsconfig(2) has no flag to ask for it or not. */
	{ "iversion", MOUNT_OPTION_NO_EFFECT, 0, false },
	{ "lazytime", MOUNT_OPTION_SB_SET, MOUNT_SB_LAZYTIME, false },
	/* silent and loud choose what a failing mount writes to the kernel's
	 * log; fsconfig(2) hands such messages to the caller instead. */
	{ "loud", MOUNT_OPTION_NO_EFFECT, 0, false },
	{ "mand", MOUNT_OPTION_SB_SET, MOUNT_SB_MANDLOCK, false },
	{ "noatime", MOUNT_OPTION_ATIME, MOUNT_ATTR_NOATIME, false },
	{ "nodev", MOUNT_OPTION_SET, MOUNT_ATTR_NODEV, false },
	{ "nodiratime", MOUNT_OPTION_SET, MOUNT_ATTR_NODIRATIME, false },
	{ "noexec", MOUNT_OPTION_SET, MOUNT_ATTR_NOEXEC, false },
	{ "noiversion", MOUNT_OPTION_NO_EFFECT, 0, false },
	{ "nolazytime", MOUNT_OPTION_SB_CLEAR, MOUNT_SB_LAZYTIME, false },
	{ "nomand", MOUNT_OPTION_SB_CLEAR, MOUNT_SB_MANDLOCK, false },
	{ "norelatime", MOUNT_OPTION_NO_ATIME, MOUNT_ATTR_RELATIME, false },
	{ "nostrictatime", MOUNT_OPTION_NO_ATIME, MOUNT_ATTR_STRICTATIME, false },
	{ "nosuid", MOUNT_OPTION_SET, MOUNT_ATTR_NOSUID, false },
	{ "nosymfollow", MOUNT_OPTION_SET, MOUNT_ATTR_NOSYMFOLLOW, false },
	{ "private", MOUNT_OPTION_PROPAGATION, MS_PRIVATE, false },
	{ "ratime", MOUNT_OPTION_NO_ATIME, MOUNT_ATTR_NOATIME, true },
	{ "rbind", MOUNT_OPTION_RBIND, 0, false },
	{ "rdev", MOUNT_OPTION_CLEAR, MOUNT_ATTR_NODEV, true },
	{ "rdiratime", MOUNT_OPTION_CLEAR, MOUNT_ATTR_NODIRATIME, true },
	{ "relatime", MOUNT_OPTION_ATIME, MOUNT_ATTR_RELATIME, false },
	{ "remount", MOUNT_OPTION_REMOUNT, 0, false },
	{ "rexec", MOUNT_OPTION_CLEAR, MOUNT_ATTR_NOEXEC, true },
	{ "ridmap", MOUNT_OPTION_IDMAP, 1, false },
	{ "rnoatime", MOUNT_OPTION_ATIME, MOUNT_ATTR_NOATIME, true },
	{ "rnodev", MOUNT_OPTION_SET, MOUNT_ATTR_NODEV, true },
	{ "rnodiratime", MOUNT_OPTION_SET, MOUNT_ATTR_NODIRATIME, true },
	{ "rnoexec", MOUNT_OPTION_SET, MOUNT_ATTR_NOEXEC, true },
	{ "rnorelatime", MOUNT_OPTION_NO_ATIME, MOUNT_ATTR_RELATIME, true },
	{ "rnostrictatime", MOUNT_OPTION_NO_ATIME, MOUNT_ATTR_STRICTATIME, true },
	{ "rnosuid", MOUNT_OPTION_SET, MOUNT_ATTR_NOSUID, true },
	{ "rnosymfollow", MOUNT_OPTION_SET, MOUNT_ATTR_NOSYMFOLLOW, true },
	{ "ro", MOUNT_OPTION_READ_ONLY, MOUNT_ATTR_RDONLY, false },
	{ "rprivate", MOUNT_OPTION_PROPAGATION, MS_PRIVATE | MS_REC, false },
	{ "rrelatime", MOUNT_OPTION_ATIME, MOUNT_ATTR_RELATIME, true },
	{ "rro", MOUNT_OPTION_SET, MOUNT_ATTR_RDONLY, true },
	{ "rrw", MOUNT_OPTION_CLEAR, MOUNT_ATTR_RDONLY, true },
	{ "rshared", MOUNT_OPTION_PROPAGATION, MS_SHARED | MS_REC, false },
	{ "rslave", MOUNT_OPTION_PROPAGATION, MS_SLAVE | MS_REC, false },
	{ "rstrictatime", MOUNT_OPTION_ATIME, MOUNT_ATTR_STRICTATIME, true },
	{ "rsuid", MOUNT_OPTION_CLEAR, MOUNT_ATTR_NOSUID, true },
	{ "rsymfollow", MOUNT_OPTION_CLEAR, MOUNT_ATTR_NOSYMFOLLOW, true },
	{ "runbindable", MOUNT_OPTION_PROPAGATION, MS_UNBINDABLE | MS_REC, false },
	{ "rw", MOUNT_OPTION_READ_WRITE, MOUNT_ATTR_RDONLY, false },
	{ "shared", MOUNT_OPTION_PROPAGATION, MS_SHARED, false },
	{ "silent", MOUNT_OPTION_NO_EFFECT, 0, false },
	{ "slave", MOUNT_OPTION_PROPAGATION, MS_SLAVE, false },
	{ "src-nofollow", MOUNT_OPTION_SOURCE_NOFOLLOW, 0, false },
	{ "strictatime", MOUNT_OPTION_ATIME, MOUNT_ATTR_STRICTATIME, false },
	{ "suid", MOUNT_OPTION_CLEAR, MOUNT_ATTR_NOSUID, false },
	{ "symfollow", MOUNT_OPTION_CLEAR, MOUNT_ATTR_NOSYMFOLLOW, false },
	{ "sync", MOUNT_OPTION_SB_SET, MOUNT_SB_SYNC, false },
	{ "tmpcopyup", MOUNT_OPTION_COPY_UP, 0, false },
	{ "unbindable", MOUNT_OPTION_PROPAGATION, MS_UNBINDABLE, false },
};
#define N_OPTIONS (sizeof(options) / sizeof(options[0]))

static int
compare_name(const void *name, const void *entry)
{
	return strcmp(name, ((const struct mount_option *)entry)->name);
}

const struct mount_option *
mount_option_find(const char *name)
{
	return bsearch(name, options, N_OPTIONS, sizeof(options[0]), compare_name);
}

const char *
mount_options_known(size_t i)
{
	return i < N_OPTIONS ? options[i].name : NULL;
}
