#!/usr/bin/env bats
# Each system call that knarr makes fails once: tests/fault/faults.sh, in short.
load helpers

setup() {
	container_setup
	requires_root
	requires_command "${CC:-cc}" jq
	requires_cgroup2
}

teardown() {
	container_teardown
}

@test "a system call that fails is an error that says so, and leaves nothing" {
	requires_no_sanitizer 'a leak checker cannot work in a traced program'
	run -0 "$BATS_TEST_DIRNAME/../fault/faults.sh" run create start kill delete state list
	[[ "$output" == *" 0 defects"* ]]
}

@test "create killed before it saved its state: delete --force is silent" {
	requires_no_sanitizer 'a leak checker cannot work in a traced program'
	run -0 "$BATS_TEST_DIRNAME/../fault/faults.sh" --error KILL --call renameat create
	[[ "$output" == *" 0 defects"* ]]
}
