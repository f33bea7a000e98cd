libknarr_a_SOURCES += \
	libcontainer/attributes.h libcontainer/attributes_plan.c libcontainer/attributes_run.c \
	libcontainer/compile.c libcontainer/compile.h \
	libcontainer/container.c libcontainer/container.h \
	libcontainer/credentials.h libcontainer/credentials_plan.c libcontainer/credentials_run.c \
	libcontainer/exe_guard.c libcontainer/exe_guard.h \
	libcontainer/exe_guard_copy.c libcontainer/exe_guard_copy.h \
	libcontainer/home.c libcontainer/home.h \
	libcontainer/hook_exec.c libcontainer/hook_exec.h libcontainer/hooks.c libcontainer/hooks.h \
	libcontainer/launch.c libcontainer/launch.h \
	libcontainer/lifecycle.c \
	libcontainer/listener.c libcontainer/listener.h \
	libcontainer/notify_socket.c libcontainer/notify_socket.h \
	libcontainer/pid_file.c libcontainer/pid_file.h \
	libcontainer/planrun.c libcontainer/planrun.h \
	libcontainer/program.c libcontainer/program.h \
	libcontainer/seccomp.c libcontainer/seccomp.h \
	libcontainer/seccomp_cache.c libcontainer/seccomp_cache.h \
	libcontainer/seccomp_tables.c libcontainer/seccomp_tables.h \
	libcontainer/stage.c libcontainer/stage.h libcontainer/stage_child.c libcontainer/stage_child.h \
	libcontainer/state.c libcontainer/state.h libcontainer/state_json.c libcontainer/state_process.c \
	libcontainer/tty.h libcontainer/tty_open.c libcontainer/tty_relay.c libcontainer/tty_socket.c
