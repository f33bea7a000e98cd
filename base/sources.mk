libknarr_a_SOURCES += \
	base/arena.c base/arena.h \
	base/bit_names.c base/bit_names.h \
	base/err.c base/err.h \
	base/fd.c base/fd.h \
	base/host.c base/host.h \
	base/json_out.c base/json_out.h \
	base/log.c base/log.h \
	base/plan.c base/plan.h base/plan_print.c \
	base/utf8.c base/utf8.h
