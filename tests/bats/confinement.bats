#!/usr/bin/env bats
# A program never starts with less confinement than its config asks for, whatever the
# kernel, or a filter around knarr, answers: tests/inject/confinement.sh, in short.
load helpers

setup() {
	container_setup
	requires_root
	requires_command "${CC:-cc}" jq setpriv
	requires_cgroup2
	requires_no_sanitizer 'a leak checker cannot work in a traced program'
}

teardown() {
	container_teardown
}

# Errors at calls, in modes: none of them makes a program start that is confined otherwise.
confines() {
	[[ "$*" != *user-* ]] || requires_unprivileged_user
	run -0 env KNARR_TEST_USER="$(unprivileged_user)" "$BATS_TEST_DIRNAME/../inject/confinement.sh" "$@"
	[[ "$output" == *"all: "*" runs, 0 wrong successes, 0 leaks" ]]
	[[ "$output" != *"all: 0 runs"* ]]
}

@test "no error of the bounding set is taken for its end" {
	confines --call prctl --error EPERM root-exec
}

@test "exec enters each namespace of the container, or fails" {
	confines --call newfstatat --error 'EIO EPERM' pod-exec
}

@test "umask, session, signal mask and groups are what the config says, or nothing starts" {
	confines --call 'umask setsid rt_sigprocmask setgroups' --error 'EPERM EIO' root-run user-run
}

@test "a mask that cannot be put is an error, also where the errno is that of a path that is not there" {
	confines --call 'open_tree move_mount fstat fstatfs' --error 'ENOENT ENOTDIR' root-run
}

@test "errors at calls of run, create, exec and exec --tty, of root and of unprivileged users: a sample" {
	confines --sample root-run user-create pod-exec userns-terminal
}
