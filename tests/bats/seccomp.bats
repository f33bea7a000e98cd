#!/usr/bin/env bats
# linux.seccomp on real processes.
load helpers

setup() {
	container_setup
	make_bundle '.process.noNewPrivileges = false | .root.readonly = false'
}

teardown() {
	container_teardown
}

@test "a denied call fails with the profile's errno, with and without noNewPrivileges" {
	bundle_runs sh -c 'mkdir /x; grep Seccomp: /proc/self/status'
	for nnp in true false; do
		edit_bundle ".process.noNewPrivileges = $nnp | .linux.seccomp = {defaultAction: \"SCMP_ACT_ALLOW\", architectures: [\"SCMP_ARCH_X86_64\"],
			syscalls: [{names: [\"mkdir\", \"mkdirat\"], action: \"SCMP_ACT_ERRNO\", errnoRet: 28}]}"
		run -0 knarr run -b "$BUNDLE" "$ID"
		[[ "$output" == *"No space left"* ]]
		[[ "$output" == *"Seccomp:	2"* ]]
	done
}

@test "SCMP_ACT_KILL_PROCESS ends the program with SIGSYS" {
	bundle_runs mkdir /x
	edit_bundle '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["mkdir", "mkdirat"], action: "SCMP_ACT_KILL_PROCESS"}]}'
	run -159 knarr run -b "$BUNDLE" "$ID"
}

@test "a profile that denies everything is an error, not a crash" {
	for action in SCMP_ACT_ERRNO SCMP_ACT_KILL_PROCESS SCMP_ACT_KILL SCMP_ACT_TRAP; do
		edit_bundle ".linux.seccomp = {defaultAction: \"$action\", syscalls: []}"
		run -1 knarr run -b "$BUNDLE" "$ID"
		[[ "$output" == *seccomp*execve* ]]
		run -1 knarr create -b "$BUNDLE" "$ID"
		[[ "$output" == *seccomp*execve* ]]
	done
}

@test "the filter need allow none of the runtime's own calls but execve" {
	bundle_runs /bin/busybox true
	edit_bundle '.linux.seccomp = {defaultAction: "SCMP_ACT_ERRNO", syscalls: [{names: ["execve", "brk", "arch_prctl", "set_tid_address",
		"set_robust_list", "rseq", "prlimit64", "readlink", "readlinkat", "getrandom", "mprotect", "exit_group", "getuid", "setuid", "setgid", "getgid", "prctl", "uname"], action: "SCMP_ACT_ALLOW"}]}'
	run -0 knarr run -b "$BUNDLE" "$ID"
}

@test "execve denied after the look-up: the error still arrives" {
	bundle_runs true
	edit_bundle '.linux.seccomp = {defaultAction: "SCMP_ACT_ERRNO", syscalls: [
		{names: ["execve"], action: "SCMP_ACT_ALLOW", args: [{index: 0, value: 1, op: "SCMP_CMP_EQ"}]}]}'
	run -1 knarr run -b "$BUNDLE" "$ID"
	[[ "$output" == *"operation not permitted"* ]]
	knarr create -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
	run -1 knarr start "$ID"
	[[ "$output" == *"operation not permitted"* ]]
	knarr delete -f "$ID"
}

@test "a listener is handed over with the state and the metadata" {
	requires_command python3
	bundle_runs sh -c 'mkdir /x'
	edit_bundle '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", listenerPath: "'"$T"'/agent", listenerMetadata: "meta data",
		syscalls: [{names: ["mkdir", "mkdirat"], action: "SCMP_ACT_NOTIFY"}]}'
	for how in run create; do
		rm -f "$T/agent"
		seccomp_agent "$T/agent" "$T/state.json" 2>"$T/agent.err" &
		local agent=$!
		for _ in $(seq 100); do [ -S "$T/agent" ] && break; sleep 0.05; done
		if [ $how = run ]; then
			run knarr run -b "$BUNDLE" "$ID"
			[[ "$output" == *"not supported"* ]]
		else
			knarr create -b "$BUNDLE" "$ID" </dev/null >"$T/out" 2>&1
			knarr start "$ID"
			wait_status "$ID" stopped
			grep -q "not supported" "$T/out"
			knarr delete "$ID"
		fi
		wait $agent
		[ "$(jq -r .metadata "$T/state.json")" = "meta data" ]
		[ "$(jq -r '.fds[0]' "$T/state.json")" = seccompFd ]
		[ "$(jq -r .state.id "$T/state.json")" = "$ID" ]
		[ "$(jq -r .pid "$T/state.json")" -gt 1 ]
	done
}

@test "a listener path that nobody listens on is one error, nothing is left" {
	bundle_runs true
	edit_bundle '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", listenerPath: "'"$T"'/none",
		syscalls: [{names: ["mkdir"], action: "SCMP_ACT_NOTIFY"}]}'
	run -1 knarr run -b "$BUNDLE" "$ID"
	[[ "$output" == *"$T/none"* ]]
	run ! knarr state "$ID"
}

# make_calls: /calls in the root file system makes the calls with these numbers, and prints their errnos.
make_calls() {
	requires_command "${CC:-cc}"
	cat >"$T/calls.c" <<-'END'
		#include <errno.h>
		#include <stdio.h>
		#include <stdlib.h>
		#include <unistd.h>
		int main(int argc, char **argv)
		{
			for (int i = 1; i < argc; i++)
				printf("%d ", syscall(atol(argv[i]), -1, 0, 0, 0, 0, 0) < 0 ? errno : 0);
			return argc < 2;
		}
	END
	"${CC:-cc}" -static -D_GNU_SOURCE -o "$BUNDLE/rootfs/calls" "$T/calls.c" || skip 'no static C library'
}

@test "a call that is newer than the profile fails with ENOSYS, an older one with the default" {
	make_calls
	# close_range (436 everywhere) is the highest that is named; openat2 is 437, clone3 435.
	bundle_runs /calls 435 436 437 1000
	local deny="{names: [\"close_range\"], action: \"SCMP_ACT_ERRNO\", errnoRet: 33}, {names: [\"clone3\"], action: \"SCMP_ACT_ERRNO\"}" names
	names=$(jq -c '[.linux.seccomp.syscalls[] | select(.action == "SCMP_ACT_ALLOW" and (.args // []) == []) | .names[]] - ["clone3", "close_range",
		"openat2", "pidfd_getfd", "faccessat2", "process_madvise", "epoll_pwait2", "mount_setattr", "quotactl_fd", "landlock_create_ruleset",
		"landlock_add_rule", "landlock_restrict_self", "memfd_secret", "process_mrelease", "futex_waitv", "set_mempolicy_home_node"]' \
		"$BATS_TEST_DIRNAME/../data/bundles/podman/config.json")
	for default in '"SCMP_ACT_ERRNO"' '"SCMP_ACT_ERRNO", defaultErrnoRet: 1'; do
		edit_bundle ".linux.seccomp = {defaultAction: $default, syscalls: [{names: $names, action: \"SCMP_ACT_ALLOW\"}, $deny]}"
		run -0 knarr run -b "$BUNDLE" "$ID"
		[ "$output" = "1 33 38 38 " ]
	done
	edit_bundle ".linux.seccomp.defaultErrnoRet = 95"
	run -0 knarr run -b "$BUNDLE" "$ID"
	[ "$output" = "1 33 38 38 " ]
	# A permissive default is not touched: 437 is let through and finds its arguments wrong.
	edit_bundle '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["close_range"], action: "SCMP_ACT_ERRNO", errnoRet: 33}]}'
	run -0 knarr run -b "$BUNDLE" "$ID"
	[ "$output" = "22 33 22 38 " ]
}

@test "calls that libseccomp need not know can be denied" {
	make_calls
	# The first is left to the kernel, which finds the arguments wrong or has no such call.
	bundle_runs /calls 456 457 458 459 460 461 462 463 464 465 466 467 468 469 470
	edit_bundle '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["statmount", "listmount", "lsm_get_self_attr",
		"lsm_set_self_attr", "lsm_list_modules", "mseal", "setxattrat", "getxattrat", "listxattrat", "removexattrat", "open_tree_attr",
		"file_getattr", "file_setattr", "listns"], action: "SCMP_ACT_ERRNO", errnoRet: 33}]}'
	run -0 knarr run -b "$BUNDLE" "$ID"
	[[ "$output" =~ ^(14|22|38)\ (33\ ){14}$ ]]
}

@test "a rule that names an unknown call: a warning if it is stricter than the default" {
	bundle_runs true
	edit_bundle '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["read"], action: "SCMP_ACT_LOG"},
		{names: ["getpid", "no_such_call"], action: "SCMP_ACT_ERRNO"}]}'
	run -0 knarr run -b "$BUNDLE" "$ID"
	[ "$(grep -c "warning: linux.seccomp.syscalls\[1\]: .*'no_such_call'" <<<"$output")" = 1 ]
	edit_bundle '.linux.seccomp = {defaultAction: "SCMP_ACT_ERRNO", syscalls: [{names: ["no_such_call"], action: "SCMP_ACT_ALLOW"},
		{names: ["execve"], action: "SCMP_ACT_ALLOW"}]}'
	run knarr run -b "$BUNDLE" "$ID"
	[[ "$output" != *no_such_call* ]]
}

@test "two actions for calls with the same arguments are an error that names both rules" {
	bundle_runs true
	edit_bundle '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [
		{names: ["personality"], action: "SCMP_ACT_LOG", args: [{index: 0, value: 7, op: "SCMP_CMP_EQ"}]}, {names: ["read"], action: "SCMP_ACT_LOG"},
		{names: ["personality"], action: "SCMP_ACT_ERRNO", args: [{index: 0, value: 7, op: "SCMP_CMP_EQ"}]}]}'
	run -1 knarr run -b "$BUNDLE" "$ID"
	[ "${#lines[@]}" = 1 ]
	[[ "$output" == *"linux.seccomp.syscalls[2]"*"'personality'"*"syscalls[0]"* ]]
	run ! knarr state "$ID"
}

@test "rules that no program can hold are an error" {
	bundle_runs true
	edit_bundle '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [range(5000) | {names: ["personality"], action: "SCMP_ACT_ERRNO",
		args: [{index: 0, value: (. + 1), op: "SCMP_CMP_EQ"}]}]}'
	run -1 knarr run -b "$BUNDLE" "$ID"
	[ "${#lines[@]}" = 1 ]
	[[ "$output" == *"linux.seccomp.syscalls["*"'personality'"*4096* ]]
	run ! knarr state "$ID"
}

@test "the state root holds nothing but containers" {
	bundle_runs true
	edit_bundle '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["mkdir", "mkdirat"], action: "SCMP_ACT_ERRNO", errnoRet: 28}]}'
	run -0 knarr run -b "$BUNDLE" "$ID"
	run -0 knarr run -b "$BUNDLE" "$ID" # the first one made the directory
	[ -z "$(ls -A "$ROOT")" ]
}
