#!/usr/bin/env bats
# The boundary between what the runtime makes and the containers that can see it: they
# share a pid namespace with it, have the capabilities that the title names, and attack it
# until it executes its program. A few rounds of each; tests/attack/run.sh does
# thousands, tests/attack/README.md says what counts as lost. ATTACK_ROUNDS makes it longer.
load helpers

setup_file() {
	export ATTACK_PROGRAMS=$BATS_FILE_TMPDIR/programs
}

setup() {
	container_setup
	requires_root
	requires_command gcc jq flock findmnt
	requires_no_sanitizer 'its libraries are files of the host that stay mapped'
	mkdir "$T/attack"
}

teardown() {
	container_teardown
}

# holds ATTACK…: none of them reaches anything in any round.
holds() {
	local attack
	for attack; do
		run "$BATS_TEST_DIRNAME/../attack/run.sh" --quick --verbose --rounds "${ATTACK_ROUNDS:-6}" \
			--directory "$T/attack" --id "$ID" --programs "$ATTACK_PROGRAMS" "$attack"
		echo "$output"
		[ "$status" != 77 ] || skip "${lines[1]##*skipped: }"
		[ "$status" = 0 ] || return 1
	done
}

@test "a new user namespace, in the pid namespace of a root without capabilities" {
	holds userns-run userns-create
}

@test "a pod of one user and one pid namespace, SYS_PTRACE" {
	holds pod-run pod-create pod-exec
}

@test "the same without capabilities" {
	holds pod-plain
}

@test "exec, SYS_PTRACE" {
	holds ptrace-exec ptrace-tty
}

@test "run and create in the pid namespace of a container, SYS_PTRACE" {
	holds ptrace-run ptrace-create ptrace-filter
}

@test "a startContainer hook, SYS_PTRACE" {
	holds ptrace-hook
}

@test "mapped files, SYS_PTRACE and SYS_ADMIN" {
	holds map-admin map-run
}

@test "mapped files, SYS_PTRACE and CHECKPOINT_RESTORE" {
	holds map-restore
}

@test "the listener of a profile that notifies, the same uid and no_new_privs" {
	holds notify-exec notify-root
}

@test "an unprivileged user's create and exec in a pod" {
	requires_unprivileged_user
	requires_user_ns
	holds rootless-create rootless-exec
}

@test "arguments and environment of the runtime, the same uid without capabilities" {
	holds plain-exec plain-run
}

@test "arguments and environment of the runtime, another uid without capabilities" {
	holds cmdline-exec cmdline-run
}

@test "a program that names itself as an init of the runtime" {
	holds name-init name-wait
}

@test "SIGKILL before the program is executed: an error, and nothing is left" {
	holds kill-exec kill-run
}

@test "SIGSTOP before the program is executed: an error, and nothing is left" {
	holds stop-exec stop-run
}

@test "what the program itself would give is not counted" {
	holds control
}

@test "another user of the host" {
	requires_unprivileged_user
	holds host-user
}
