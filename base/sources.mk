libknarr_a_SOURCES += \
	base/arena.c base/arena.h \
	base/err.c base/err.h \
	base/fd.c base/fd.h \
	base/plan.c base/plan.h
