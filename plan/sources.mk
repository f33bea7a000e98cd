# One file per line: lists that many hands grow.
libknarr_a_SOURCES += plan/plan.c
libknarr_a_SOURCES += plan/plan.h
libknarr_a_SOURCES += plan/plan_print.c
libknarr_a_SOURCES += plan/plan_print_step.c
libknarr_a_SOURCES += plan/plan_put.c
libknarr_a_SOURCES += plan/plan_put.h
libknarr_a_SOURCES += plan/plan_step.h
libknarr_a_SOURCES += plan/bit_names.c
libknarr_a_SOURCES += plan/bit_names.h
