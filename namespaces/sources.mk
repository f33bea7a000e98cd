libknarr_a_SOURCES += \
	namespaces/net.c namespaces/net.h \
	namespaces/uts.c namespaces/uts.h
