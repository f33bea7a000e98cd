libknarr_a_SOURCES += \
	namespaces/net.c namespaces/net.h \
	namespaces/uts.c namespaces/uts.h
libknarr_a_SOURCES += \
	namespaces/idmap.c namespaces/idmap.h \
	namespaces/idmap_subid.c namespaces/idmap_subid.h \
	namespaces/idmap_write.c
libknarr_a_SOURCES += \
	namespaces/device_plan.c \
	namespaces/mount_options.c namespaces/mount_options.h \
	namespaces/mount_plan.c \
	namespaces/mount_userspace.c namespaces/mount_userspace.h \
	namespaces/overlay_plan.c \
	namespaces/path_text.c namespaces/path_text.h \
	namespaces/rootfs_plan.c namespaces/rootfs_planner.h
