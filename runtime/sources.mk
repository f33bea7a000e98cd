knarr_SOURCES += \
	runtime/cmd_check.c \
	runtime/cmd_checkpoint.c \
	runtime/cmd_completion.c \
	runtime/cmd_create.c \
	runtime/cmd_delete.c \
	runtime/cmd_exec.c \
	runtime/cmd_features.c \
	runtime/cmd_help.c \
	runtime/cmd_kill.c \
	runtime/cmd_list.c \
	runtime/cmd_pause.c \
	runtime/cmd_plan.c \
	runtime/cmd_ps.c \
	runtime/cmd_restore.c \
	runtime/cmd_resume.c \
	runtime/cmd_run.c \
	runtime/cmd_spec.c \
	runtime/cmd_start.c \
	runtime/cmd_state.c \
	runtime/cmd_update.c \
	runtime/cmd_version.c \
	runtime/command.h runtime/commands.c \
	runtime/completion.c runtime/completion.h runtime/completion_bash.c runtime/completion_fish.c runtime/completion_zsh.c \
	runtime/config_report.c runtime/config_report.h \
	runtime/container_json.c runtime/container_json.h \
	runtime/create_options.c runtime/create_options.h \
	runtime/criu_options.c runtime/criu_options.h \
	runtime/help.c runtime/help.h \
	runtime/main.c \
	runtime/options.c runtime/options.h \
	runtime/signal_name.c runtime/signal_name.h \
	runtime/text.c runtime/text.h
knarr_SOURCES += runtime/id_operands.c
knarr_SOURCES += runtime/id_operands.h
knarr_SOURCES += runtime/cmd_wait.c
knarr_SOURCES += runtime/cmd_mounts.c
knarr_SOURCES += runtime/cmd_events.c
knarr_SOURCES += runtime/cmd_stats.c
knarr_SOURCES += runtime/duration.h
knarr_SOURCES += runtime/duration.c
knarr_SOURCES += runtime/number.h
knarr_SOURCES += runtime/number.c
knarr_SOURCES += runtime/stats_json.h
knarr_SOURCES += runtime/stats_json.c
knarr_SOURCES += runtime/stats_table.h
knarr_SOURCES += runtime/stats_table.c
knarr_SOURCES += runtime/stats_prometheus.h
knarr_SOURCES += runtime/stats_prometheus.c
