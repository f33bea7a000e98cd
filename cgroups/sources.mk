libknarr_a_SOURCES += \
	cgroups/cgroup.h \
	cgroups/cgroup_destroy.c \
	cgroups/cgroup_devices.c cgroups/devices.h \
	cgroups/cgroup_path.c \
	cgroups/cgroup_procs.c \
	cgroups/cgroup_resources.c \
	cgroups/cgroup_tree.c \
	cgroups/controllers.c cgroups/controllers.h \
	cgroups/cpu_weight.c cgroups/cpu_weight.h \
	cgroups/device_bpf.c cgroups/device_bpf.h \
	cgroups/events.c cgroups/events.h \
	cgroups/settings.c cgroups/settings.h \
	cgroups/walk.c cgroups/walk.h
