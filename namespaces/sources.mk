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
libknarr_a_SOURCES += \
	namespaces/copy_up_run.c \
	namespaces/device_run.c \
	namespaces/fs_context.c namespaces/fs_context.h \
	namespaces/mask_run.c \
	namespaces/mount_api.c namespaces/mount_api.h \
	namespaces/mount_attach.c namespaces/mount_attach.h \
	namespaces/mount_bind_run.c \
	namespaces/mount_classic_run.c \
	namespaces/mount_fs_run.c \
	namespaces/overlay_run.c \
	namespaces/path_in_root.c namespaces/path_in_root.h \
	namespaces/proc_run.c \
	namespaces/root_move_run.c \
	namespaces/root_run.c \
	namespaces/rootfs.h namespaces/rootfs_run.h
