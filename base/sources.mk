libknarr_a_SOURCES += \
	base/arena.c base/arena.h \
	base/bit_names.c base/bit_names.h \
	base/err.c base/err.h \
	base/fd.c base/fd.h \
	base/host.c base/host.h \
	base/plan.c base/plan.h base/plan_print.c
