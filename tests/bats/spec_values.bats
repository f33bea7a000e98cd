#!/usr/bin/env bats
# Properties that the other files leave out, and every value of the enumerations of
# linux.seccomp. tests/spec/properties.sh counts.
load helpers

setup() {
	container_setup
	make_bundle '.root.readonly = false | .linux.namespaces |= map(select(.type != "network"))'
}

teardown() {
	container_teardown
}

# ---- hooks ------------------------------------------------------------------------

@test "every kind of hook has its arguments, environment and time limit" {
	local kind
	cat >"$T/hook" <<-'X'
		#!/bin/sh
		cat >/dev/null
		echo "$0 $1 $VALUE" >>"$2"
	X
	chmod 755 "$T/hook"
	cp "$T/hook" "$BUNDLE/rootfs/hook"
	for kind in prestart createRuntime createContainer poststart poststop; do
		edit_bundle '.hooks[$k] = [{path: ($t + "/hook"), args: ["hook", $k, ($t + "/log")], env: ["VALUE=of-" + $k, "PATH=/bin:/usr/bin"], timeout: 60}]' \
			--arg k $kind --arg t "$T"
	done
	edit_bundle_to_run '.hooks.startContainer = [{path: "/hook", args: ["hook", "startContainer", "/log"], env: ["VALUE=of-startContainer", "PATH=/bin"], timeout: 60}]' \
		cat /log
	run -0 knarr run -b "$BUNDLE" "$ID"
	[ "$output" = '/hook startContainer of-startContainer' ]
	sed -i "s|^$T||" "$T/log"
	[ "$(cat "$T/log")" = '/hook prestart of-prestart
/hook createRuntime of-createRuntime
/hook createContainer of-createContainer
/hook poststart of-poststart
/hook poststop of-poststop' ]
}

@test "a hook in the container is ended by its time limit" {
	local kind
	printf '#!/bin/sh\nexec sleep 60\n' >"$T/slow"
	chmod 755 "$T/slow"
	cp "$T/slow" "$BUNDLE/rootfs/slow"
	bundle_runs true
	for kind in createContainer startContainer; do
		edit_bundle '.hooks = {($k): [{path: $p, timeout: 1}]}' --arg k $kind --arg p "$([ $kind = startContainer ] && echo /slow || echo "$T/slow")"
		run -1 knarr run -b "$BUNDLE" "$ID"
		echo "$output"
		[[ "$output" == *"hooks.${kind}[0]"* ]]
	done
}

# ---- names, clocks ----------------------------------------------------------------

@test "hostname and domainname" {
	edit_bundle_to_run '.hostname = "knarr-host" | .domainname = "example.org"' \
		cat /proc/sys/kernel/hostname /proc/sys/kernel/domainname
	run -0 knarr run -b "$BUNDLE" "$ID"
	[ "$output" = $'knarr-host\nexample.org' ]
}

@test "timeOffsets: both clocks, with nanoseconds" {
	[ -e /proc/self/ns/time ] || skip 'the kernel has no time namespaces'
	edit_bundle '.linux.namespaces += [{type: "time"}]
		| .linux.timeOffsets = {monotonic: {secs: 5, nanosecs: 7}, boottime: {secs: 86400, nanosecs: 999999999}}'
	bundle_runs cat /proc/self/timens_offsets
	run -0 knarr run -b "$BUNDLE" "$ID"
	[ "$(echo $output)" = 'monotonic 5 7 boottime 86400 999999999' ]
}

# ---- limits that cgroup v2 does not have --------------------------------------------

@test "limits that cgroup v2 does not have: errors, of controllers that it does not have warnings" {
	requires_root
	requires_cgroup2
	local property
	bundle_runs true
	while read -r property resources; do
		edit_bundle '.linux.resources = $r' --argjson r "$resources"
		run -1 knarr run -b "$BUNDLE" "$ID"
		[[ "$output" == *"linux.resources.$property: "* ]]
	done <<-'END'
		memory.kernel {"memory": {"kernel": 1000000}}
		memory.kernelTCP {"memory": {"kernelTCP": 1000000}}
		memory.swappiness {"memory": {"swappiness": 60}}
		memory.disableOOMKiller {"memory": {"disableOOMKiller": true}}
		cpu.realtimePeriod {"cpu": {"realtimePeriod": 1000}}
		cpu.realtimeRuntime {"cpu": {"realtimeRuntime": 1000}}
		blockIO.leafWeight {"blockIO": {"leafWeight": 500}}
		blockIO.weightDevice[0].leafWeight {"blockIO": {"weightDevice": [{"major": 1, "minor": 0, "leafWeight": 500}]}}
	END
	# What asks for nothing is none of them.
	edit_bundle '.linux.resources = {memory: {kernel: -1, kernelTCP: -1, swappiness: 0, disableOOMKiller: false, useHierarchy: true},
		cpu: {realtimePeriod: 0, realtimeRuntime: 0}, blockIO: {leafWeight: 0, weightDevice: [{major: 1, minor: 0, leafWeight: 0}]},
		network: {classID: 1048577, priorities: [{name: "eth0", priority: 500}]}}'
	run -0 knarr run -b "$BUNDLE" "$ID"
	echo "$output"
	[ "${#lines[@]}" = 2 ]
	for property in network.classID network.priorities; do
		[[ "$output" == *"linux.resources.$property is ignored"* ]]
	done
}

# ---- seccomp ------------------------------------------------------------------------

seccomp() { # seccomp JQ-OBJECT
	edit_bundle ".linux.seccomp = $1"
}

@test "seccomp: every action on a call" {
	local action
	for action in KILL KILL_THREAD KILL_PROCESS TRAP; do
		seccomp '{defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["mkdir", "mkdirat"], action: "SCMP_ACT_'$action'"}]}'
		# The shell tells how the child ended, so that the container's own status is good.
		bundle_runs_sh '/bin/mkdir /x; echo $?'
		run -0 knarr run -b "$BUNDLE" "$ID"
		[[ "$output" == *159 ]]
	done
	bundle_runs_sh 'mkdir /x; ls -d /x'
	seccomp '{defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["mkdir", "mkdirat"], action: "SCMP_ACT_LOG"}]}'
	run -0 knarr run -b "$BUNDLE" "$ID"
	[ "$output" = /x ]
	rmdir "$BUNDLE/rootfs/x"
	bundle_runs_sh 'mkdir /x || mkfifo /x || echo no'
	seccomp '{defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["mkdir", "mkdirat"], action: "SCMP_ACT_TRACE", errnoRet: 3},
		{names: ["mknod", "mknodat"], action: "SCMP_ACT_ERRNO", errnoRet: 28}]}'
	run -0 knarr run -b "$BUNDLE" "$ID"
	[[ "$output" == *'Function not implemented'*'No space left'*no ]]
}

@test "seccomp: every operator on an argument" {
	local op value allowed
	touch "$BUNDLE/rootfs/file"
	bundle_runs_sh 'for m in 500 600 700; do chmod $m /file 2>/dev/null && echo $m; done; true'
	# 384 is 0600, 256 is 0400.
	while read -r op value allowed; do
		seccomp '{defaultAction: "SCMP_ACT_ALLOW", syscalls: [
			{names: ["chmod"], action: "SCMP_ACT_ERRNO", args: [{index: 1, op: "SCMP_CMP_'$op'"} + '"$value"']},
			{names: ["fchmodat"], action: "SCMP_ACT_ERRNO", args: [{index: 2, op: "SCMP_CMP_'$op'"} + '"$value"']}]}'
		run -0 knarr run -b "$BUNDLE" "$ID"
		echo "$op: $output"
		[ "$(echo $output)" = "$allowed" ]
	done <<-'END'
		NE {value:384} 600
		LT {value:384} 600 700
		LE {value:384} 700
		EQ {value:384} 500 700
		GE {value:384} 500
		GT {value:384} 500 600
		MASKED_EQ {value:384,valueTwo:256} 600 700
	END
}

# All that busybox needs to start.
STARTS='["execve", "brk", "arch_prctl", "set_tid_address", "set_robust_list", "rseq", "prlimit64", "readlink", "readlinkat", "getrandom",
	"mprotect", "exit_group", "exit", "getuid", "setuid", "setgid", "getgid", "prctl", "uname", "write", "umask"]'

@test "seccomp: every default action" {
	local action
	for action in KILL KILL_THREAD KILL_PROCESS TRAP TRACE LOG; do
		seccomp '{defaultAction: "SCMP_ACT_'$action'", syscalls: [{names: '"$STARTS"', action: "SCMP_ACT_ALLOW"}]}'
		bundle_runs /bin/busybox true
		run -0 knarr run -b "$BUNDLE" "$ID"
		bundle_runs /bin/busybox mkdir /x
		case $action in
		TRACE)
			run -1 knarr run -b "$BUNDLE" "$ID"
			[[ "$output" == *'Function not implemented'* ]]
			;;
		LOG) run -0 knarr run -b "$BUNDLE" "$ID" ;;
		*) run -159 knarr run -b "$BUNDLE" "$ID" ;;
		esac
	done
	edit_bundle '.linux.seccomp.defaultAction = "SCMP_ACT_ERRNO" | .linux.seccomp.defaultErrnoRet = 28'
	run -1 knarr run -b "$BUNDLE" "$ID"
	[[ "$output" == *'No space left'* ]]
	bundle_runs /bin/busybox true
	run -0 knarr run -b "$BUNDLE" "$ID"
}

@test "seccomp: the default action NOTIFY, with a listener that waits killably" {
	requires_command python3
	requires_kernel 5 19
	seccomp '{defaultAction: "SCMP_ACT_NOTIFY", listenerPath: "'"$T"'/agent", flags: ["SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"],
		syscalls: [{names: '"$STARTS"', action: "SCMP_ACT_ALLOW"}]}'
	python3 - "$T/agent" 3>&- <<-'END' &
		import os, socket, sys
		s = socket.socket(socket.AF_UNIX)
		s.bind(sys.argv[1] + '.new')
		s.listen(1)
		os.rename(sys.argv[1] + '.new', sys.argv[1])
		c, _ = s.accept()
		listener = c.recvmsg(65536, 4096)
		while c.recv(65536): pass
	END
	for _ in $(seq 100); do [ -S "$T/agent" ] && break; sleep 0.05; done
	bundle_runs /bin/busybox true
	run -0 knarr run -b "$BUNDLE" "$ID"
	wait $!
}

@test "seccomp: flags" {
	local flag traced=()
	# The kernel does not tell which flags it was given; who traces the call sees them.
	! command -v strace >/dev/null || traced=(strace -f -qq -e trace=seccomp -e signal=none -o "$T/trace")
	bundle_runs grep Seccomp: /proc/self/status
	for flag in TSYNC LOG SPEC_ALLOW; do
		seccomp '{defaultAction: "SCMP_ACT_ALLOW", flags: ["SECCOMP_FILTER_FLAG_'$flag'"], syscalls: [{names: ["mkdir"], action: "SCMP_ACT_ERRNO"}]}'
		run -0 env ASAN_OPTIONS=detect_leaks=0 "${traced[@]}" "$KNARR" --root "$ROOT" run -b "$BUNDLE" "$ID"
		record_properties run
		[ "$output" = $'Seccomp:\t2' ]
		[ ${#traced[@]} = 0 ] || grep -q "SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_$flag, {len=.*= 0" "$T/trace"
	done
}
