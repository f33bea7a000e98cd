#!/usr/bin/env bats
# Each system call that knarr makes with the systemd driver fails once: tests/inject/faults.sh, below
# a running systemd. Not one of those that run.sh runs by itself: it takes long.
#
#   tests/vm/run.sh --systemd tests/vm/systemd_faults.bats
#
# FAULTS_COMMANDS and FAULTS_OPTIONS (--all, --error 'EIO KILL') say what is tried.
load ../bats/helpers

setup() {
	container_setup
	requires_root
	requires_command "${CC:-cc}" jq
	[ -d /run/systemd/system ] || skip 'systemd does not run here'
	requires_cgroup2
}

teardown() {
	container_teardown
}

@test "a system call that fails with the systemd driver is an error that says so, and leaves nothing" {
	# shellcheck disable=SC2086 # words
	run "$BATS_TEST_DIRNAME/../inject/faults.sh" --who systemd ${FAULTS_OPTIONS:-} ${FAULTS_COMMANDS:-run create start exec delete force update}
	echo "$output"
	[ "$status" = 0 ]
	[[ "$output" == *" 0 defects"* ]]
	# No unit of these is left either.
	run systemctl list-units --all --plain --no-legend 'knarr-f*'
	[ "$output" = '' ]
}
