libknarr_a_SOURCES += \
	namespaces/net.c namespaces/net.h \
	namespaces/uts.c namespaces/uts.h
libknarr_a_SOURCES += \
	namespaces/idmap.c namespaces/idmap.h \
	namespaces/idmap_subid.c namespaces/idmap_subid.h \
	namespaces/idmap_write.c
