knarr_SOURCES += runtime/main.c
