libknarr_a_SOURCES += \
	libcontainer/seccomp.c libcontainer/seccomp.h \
	libcontainer/seccomp_cache.c libcontainer/seccomp_cache.h \
	libcontainer/seccomp_tables.c libcontainer/seccomp_tables.h
