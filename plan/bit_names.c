/* Tables alone, each ending with an empty row. */
#include "plan/bit_names.h"

#include <linux/mount.h>
#include <stddef.h>

#include "base/ns.h"
#include "plan/plan.h"

const struct bit_name mount_attr_names[] = {
	{ MOUNT_ATTR_RDONLY, "ro" },
	{ MOUNT_ATTR_NOSUID, "nosuid" },
	{ MOUNT_ATTR_NODEV, "nodev" },
	{ MOUNT_ATTR_NOEXEC, "noexec" },
	{ MOUNT_ATTR_NODIRATIME, "nodiratime" },
	{ MOUNT_ATTR_NOSYMFOLLOW, "nosymfollow" },
	{ 0, NULL },
};

const struct bit_name propagation_names[] = {
	{ MS_SHARED, "shared" },	 { MS_SLAVE, "slave" },	  { MS_PRIVATE, "private" },
	{ MS_UNBINDABLE, "unbindable" }, { MS_REC, "recursive" }, { 0, NULL },
};

#define NS_NAME(kind, word, file, flag) { flag, word },
const struct bit_name namespace_names[] = { NS_KINDS(NS_NAME){ 0, NULL } };

const struct bit_name plan_errno_names[] = {
	{ PLAN_EPERM, "EPERM" },	   { PLAN_EACCES, "EACCES" }, { PLAN_ENOENT, "ENOENT" },
	{ PLAN_EINVAL, "EINVAL" },	   { PLAN_ENOSYS, "ENOSYS" }, { PLAN_EROFS, "EROFS" },
	{ PLAN_EOPNOTSUPP, "EOPNOTSUPP" }, { PLAN_EBUSY, "EBUSY" },   { PLAN_ENODEV, "ENODEV" },
	{ PLAN_ENOTDIR, "ENOTDIR" },	   { PLAN_ELOOP, "ELOOP" },   { 0, NULL },
};
