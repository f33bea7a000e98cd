#!/usr/bin/env bats
# What the runtime gives up while it waits, and that it can still do all that it has to.
load helpers

setup() {
	container_setup
	requires_command python3 jq
	make_bundle .
}

teardown() {
	container_teardown
}

NONE=0000000000000000
KILL=0000000000000020           # CAP_KILL
KILL_AND_FILES=0000000000000022 # and CAP_DAC_OVERRIDE

# Some tests look at what a build for finding faults leaves out.
requires_restraint() {
	requires_no_sanitizer 'the sanitizers need files and ptrace at the exit'
	! grep -q '^#define KNARR_COVERAGE' "${KNARR%/*}/config.h" 2>/dev/null || skip 'lines are counted: the counters are written at the exit'
}

# has PID LINE…: these lines are in /proc/PID/status, in 5 s at most.
has() {
	local pid=$1 line
	shift
	for line; do
		for _ in {1..100}; do
			grep -qxF "$line" "/proc/$pid/status" && continue 2
			sleep 0.05
		done
		echo "not in the status of process $pid: $line"
		cat "/proc/$pid/status"
		return 1
	done
}

# restrained PID CAPABILITIES
restrained() {
	has "$1" "Seccomp:	2" "NoNewPrivs:	1" "CapEff:	$2" "CapPrm:	$2" "CapInh:	$NONE"
}

# in_background COMMAND…: its pid is in $!.
in_background() {
	"$@" </dev/null >"$T/out" 2>"$T/err" 3>&- &
}

# ends PID STATUS
ends() {
	local status=0
	wait "$1" || status=$?
	[ "$status" = "$2" ] || {
		echo "status $status, not $2"
		cat "$T/out" "$T/err"
		return 1
	}
}

# program_says WORD: in $T/out.
program_says() {
	for _ in {1..100}; do
		! grep -q "$1" "$T/out" || return 0
		sleep 0.05
	done
	cat "$T/out" "$T/err"
	return 1
}

@test "run in the foreground keeps two capabilities, no way back, and a filter" {
	requires_root
	requires_restraint
	bundle_runs_sh 'echo ready; exec sleep 1000'
	in_background "$KNARR" --root "$ROOT" run -b "$BUNDLE" "$ID"
	restrained $! $KILL_AND_FILES
	program_says ready
	knarr kill "$ID" TERM || true
	knarr kill "$ID" KILL
	ends $! 137
	[ ! -s "$T/err" ]
	[ ! -e "$ROOT/$ID" ]
}

@test "run in the foreground, an unprivileged user: no way back, and a filter" {
	requires_unprivileged_user
	requires_user_ns
	requires_restraint
	bundle_runs_sh 'exec sleep 1000'
	knarr_for_user
	as_user true
	ROOT=$T/user/state
	mv "$BUNDLE" "$T/user/bundle"
	BUNDLE=$T/user/bundle
	edit_bundle '.linux.namespaces += [{type: "user"}] | del(.linux.uidMappings, .linux.gidMappings)'
	[ "$(id -u)" != 0 ] || chown -R --no-dereference "$(unprivileged_user):" "$BUNDLE"
	exec_as_user "$KNARR" --root "$ROOT" run -b "$BUNDLE" "$ID" </dev/null >"$T/out" 2>"$T/err" 3>&- &
	restrained $! $NONE
	for _ in {1..100}; do
		! as_user "$KNARR" --root "$ROOT" kill "$ID" KILL 2>/dev/null || break
		sleep 0.05
	done
	ends $! 137
	[ ! -e "$ROOT/$ID" ]
}

@test "exec in the foreground keeps one capability, also with a terminal" {
	requires_root
	requires_restraint
	requires_command script
	bundle_runs sleep 1000
	knarr run -d -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
	in_background "$KNARR" --root "$ROOT" exec "$ID" sleep 1000
	restrained $! $KILL
	kill -KILL "$(knarr exec "$ID" true; pgrep -P $!)"
	ends $! 137
	in_background script -qec "exec '$KNARR' --root '$ROOT' exec -t '$ID' sleep 1000" /dev/null
	local script=$! pid
	for _ in {1..100}; do
		pid=$(pgrep -P $script -f 'exec -t' || true)
		[ -z "$pid" ] || break
		sleep 0.05
	done
	restrained "$pid" $KILL
	knarr delete --force "$ID"
	wait $script || true
}

@test "wait and events keep what they look with" {
	requires_root
	requires_restraint
	bundle_runs sleep 1000
	knarr run -d -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
	in_background "$KNARR" --root "$ROOT" events --interval 100ms "$ID"
	restrained $! 0000000000280004 # CAP_DAC_READ_SEARCH, CAP_SYS_PTRACE, CAP_SYS_ADMIN
	program_says '"type":"stats"'
	local events=$!
	"$KNARR" --root "$ROOT" wait "$ID" </dev/null >"$T/status" 2>"$T/wait-err" 3>&- &
	restrained $! 0000000000080004
	knarr kill "$ID" KILL
	# Before Linux 6.15 the status may be lost: whoever reaped the process has it.
	wait $! || grep -q 'is lost' "$T/wait-err"
	[ ! -s "$T/status" ] || [ "$(cat "$T/status")" = 137 ]
	wait $events
	knarr delete "$ID"
}

@test "signals reach a program with another user" {
	requires_root
	edit_bundle '.process.user = {uid: 1234, gid: 1234} | .process.capabilities = {}'
	bundle_runs_sh 'trap "echo usr1" USR1; trap "echo term; exit 7" TERM; echo ready; while :; do sleep 0.05; done'
	in_background "$KNARR" --root "$ROOT" run -b "$BUNDLE" "$ID"
	program_says ready
	kill -USR1 $!
	program_says usr1
	in_background_exec() { "$KNARR" --root "$ROOT" exec -u 4321 "$ID" sh -c 'trap "echo hup; exit 9" HUP; echo in; while :; do sleep 0.05; done' </dev/null >"$T/exec" 2>&1 3>&- & }
	local run=$!
	in_background_exec
	local exec=$!
	for _ in {1..100}; do ! grep -q in "$T/exec" || break; sleep 0.05; done
	kill -HUP $exec
	ends $exec 9
	grep -qx hup "$T/exec"
	kill -TERM $run
	ends $run 7
	[ ! -e "$ROOT/$ID" ]
}

@test "what a program leaves is removed: sub-cgroups, closed to everybody, with processes in them" {
	requires_root
	requires_cgroup2
	edit_bundle '.linux.cgroupsPath = "/knarr-test-'"$ID"'/a/b"'
	bundle_runs_sh 'echo ready; exec sleep 1000'
	in_background "$KNARR" --root "$ROOT" run -b "$BUNDLE" "$ID"
	program_says ready
	local cgroup=$(cgroup_mount)/knarr-test-$ID/a/b
	mkdir -p "$cgroup/deep/deeper"
	chmod 0 "$cgroup/deep/deeper" "$cgroup/deep" "$cgroup"
	knarr exec -d "$ID" sleep 1000 </dev/null >/dev/null 2>&1
	knarr kill "$ID" KILL
	ends $! 137
	[ ! -s "$T/err" ] || { cat "$T/err"; false; }
	[ ! -e "$(cgroup_mount)/knarr-test-$ID" ]
	[ ! -e "$ROOT/$ID" ]
}

@test "a cgroup that was there stays, without the mark" {
	requires_root
	requires_cgroup2
	requires_restraint
	local cgroup
	cgroup=$(cgroup_mount)/knarr-test-$ID
	own_cgroups "$cgroup"
	edit_bundle '.linux.cgroupsPath = "/knarr-test-'"$ID"'"'
	bundle_runs sh -c 'exit 3'
	run -3 knarr run -b "$BUNDLE" "$ID"
	[ -z "$output" ]
	[ -d "$cgroup" ]
	[ "$(python3 -c 'import os, sys; print(len(os.listxattr(sys.argv[1])))' "$cgroup")" = 0 ]
	rmdir "$cgroup"
}

# The state is not there any more, which names the cgroup; the runtime has it open.
@test "a state that is lost meanwhile does not keep run from removing the cgroup" {
	requires_root
	requires_cgroup2
	bundle_runs_sh 'echo ready; exec sleep 1000'
	in_background "$KNARR" --root "$ROOT" run -b "$BUNDLE" "$ID"
	program_says ready
	rm "$ROOT/$ID/state.json" "$ROOT/$ID/state.copy"
	kill -KILL "$(pgrep -P $!)"
	ends $! 137
	[ ! -e "$ROOT/$ID" ]
	[ -z "$(test_cgroups)" ]
}

# A second container of the same name has its cgroup, too.
@test "another container's cgroup of the same name is not touched" {
	requires_root
	requires_cgroup2
	bundle_runs_sh 'echo ready; exec sleep 1000'
	edit_bundle '.linux.cgroupsPath = "/knarr-test-'"$ID"'"'
	in_background "$KNARR" --root "$ROOT" run -b "$BUNDLE" "$ID"
	program_says ready
	# The program may be quicker than the runtime, which must not be stopped with the lock.
	flock "$ROOT/$ID" true
	kill -STOP $!
	knarr delete --force "$ID"
	knarr run -d -b "$BUNDLE" "$ID-2" </dev/null >/dev/null 2>&1
	kill -CONT $!
	ends $! 137
	[ "$(knarr state "$ID-2" | jq -r .status)" = running ]
	knarr delete --force "$ID-2"
}

@test "run --keep: status and reason are in the state" {
	bundle_runs sh -c 'exit 42'
	run -42 knarr run --keep -b "$BUNDLE" "$ID"
	[ -z "$output" ]
	[ "$(knarr wait "$ID")" = 42 ]
	knarr delete "$ID"
}

@test "the reason of an end is still found: PID limit" {
	requires_root
	requires_controller pids
	edit_bundle '.linux.resources.pids.limit = 3'
	bundle_runs_sh 'for i in 1 2 3 4 5 6; do sleep 1 & done; wait; exit 4'
	run knarr run -b "$BUNDLE" "$ID"
	[[ "$output" == *'PID limit reached'* ]]
	[ ! -e "$ROOT/$ID" ]
}

@test "the reason of an end is still found: out of memory" {
	requires_root
	requires_controller memory
	edit_bundle '.linux.resources = {memory: {limit: 33554432, swap: 33554432}}'
	bundle_runs dd if=/dev/zero of=/dev/null bs=100M count=1
	run -137 knarr run -b "$BUNDLE" "$ID"
	[[ "$output" == *'was killed: out of memory (memory.max 32 MiB)'* ]]
	[ ! -e "$ROOT/$ID" ]
	[ -z "$(test_cgroups)" ]
}

@test "the notify socket is served, by run and by start in front of it" {
	local command
	bundle_runs_sh 'echo ready; sleep 0.2; exec sleep 1000'
	python3 - "$T/host.sock" >"$T/messages" 3>&- <<-'X' &
		import socket, sys
		s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
		s.bind(sys.argv[1])
		s.settimeout(20)
		text = ''
		while text.count('READY=1') < 2 or 'MAINPID' not in text:
		    message = s.recvmsg(4096, 4096)[0].decode()
		    print(message, end='', flush=True)
		    text += message
	X
	local systemd=$!
	for _ in {1..100}; do [ ! -S "$T/host.sock" ] || break; sleep 0.05; done
	for command in run 'run -d'; do
		# shellcheck disable=SC2086
		NOTIFY_SOCKET=$T/host.sock in_background "$KNARR" --root "$ROOT" $command -b "$BUNDLE" "$ID"
		local pid=$!
		program_says ready
		is_sanitized || has $pid "Seccomp:	2" "NoNewPrivs:	1"
		python3 -c 'import socket, sys
socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b"READY=1\n", sys.argv[1])' "$ROOT/$ID/notify/notify.sock"
		[ "$command" != 'run -d' ] || ends $pid 0
		knarr delete --force "$ID"
		[ "$command" = 'run -d' ] || wait $pid || true
	done
	wait $systemd
	[ "$(grep -c READY=1 "$T/messages")" = 2 ]
	[ "$(grep -c MAINPID= "$T/messages")" = 1 ]
}

@test "a terminal: a new size, stopping and going on" {
	edit_bundle '.process.terminal = true'
	bundle_runs_sh 'trap "stty size" WINCH; echo ready; while :; do read -t 1 line && { echo "got $line"; [ "$line" != end ] || exit 6; }; done'
	run -0 python3 - "$KNARR" "$ROOT" "$BUNDLE" "$ID" <<-'X'
		import fcntl, os, pty, signal, struct, sys, termios, time
		knarr, root, bundle, name = sys.argv[1:]
		pid, master = pty.fork()
		if pid == 0:
		    os.execv(knarr, [knarr, '--root', root, 'run', '-b', bundle, name])
		seen = b''
		def until(word):
		    global seen
		    end = time.time() + 20
		    while word not in seen:
		        assert time.time() < end, seen
		        seen += os.read(master, 4096)
		until(b'ready')
		fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack('HHHH', 33, 99, 0, 0))
		until(b'33 99')
		os.kill(pid, signal.SIGTSTP)
		while not os.WIFSTOPPED(os.waitpid(pid, os.WUNTRACED)[1]):
		    pass
		os.kill(pid, signal.SIGCONT)
		time.sleep(0.3)
		os.write(master, b'end\n')
		until(b'got end')
		status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
		assert status == 6, status
	X
	[ ! -e "$ROOT/$ID" ]
}

# Programs of the host, with all that the caller may do.
@test "with poststop hooks nothing is given up, and they have their privileges" {
	requires_root
	cat >"$T/hook" <<-X
		#!/bin/sh
		grep -E '^(NoNewPrivs|Seccomp|CapEff):' /proc/self/status >$T/hook-status
	X
	chmod 755 "$T/hook"
	edit_bundle '.hooks.poststop = [{path: "'"$T"'/hook"}]'
	bundle_runs true
	run -0 knarr run -b "$BUNDLE" "$ID"
	[ "$(grep -E '^(NoNewPrivs|Seccomp|CapEff):' /proc/self/status)" = "$(cat "$T/hook-status")" ]
}

@test "who takes the process over can do nothing with it" {
	requires_restraint
	requires_root
	requires_command "${CC:-cc}"
	requires_preload
	"${CC:-cc}" -O1 -D_GNU_SOURCE -shared -fPIC -o "$T/attack.so" "$BATS_TEST_DIRNAME/../inject/restrained.c"
	cp "$KNARR" "$T/knarr"
	mkdir -p "$ROOT/other"
	echo other >"$ROOT/other/file"
	bundle_runs_sh 'sleep 0.3'
	export KNARR_OTHER=$ROOT/other/file
	LD_PRELOAD=$T/attack.so run -0 --separate-stderr "$T/knarr" --root "$ROOT" run -b "$BUNDLE" "$ID"
	[ "$(wc -l <<<"$stderr")" = 18 ]
	run -1 grep -Ev ' (EPERM|EACCES)$' <<<"$stderr"
	knarr run -d -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1 || true
	knarr delete --force "$ID"
	bundle_runs sleep 1000
	knarr run -d -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
	LD_PRELOAD=$T/attack.so run -0 --separate-stderr "$T/knarr" --root "$ROOT" exec "$ID" sleep 0.3
	[ "$(grep -c ' EPERM$' <<<"$stderr")" = 18 ]
	[ "$(cat "$ROOT/other/file")" = other ]
	rm -r "$ROOT/other"
	knarr delete --force "$ID"
}

@test "a kernel without Landlock, one without seccomp: the rest is given up" {
	requires_root
	requires_restraint
	requires_command strace
	bundle_runs true
	local call
	for call in landlock_create_ruleset:ENOSYS landlock_create_ruleset:EOPNOTSUPP landlock_create_ruleset:EPERM; do
		run -0 strace -o "$T/trace" -e trace=landlock_create_ruleset,seccomp -e "inject=${call%:*}:error=${call#*:}" \
			"$KNARR" --root "$ROOT" run -b "$BUNDLE" "$ID"
		grep -q 'SECCOMP_SET_MODE_FILTER.*= 0' "$T/trace"
	done
	run -0 strace -o "$T/trace" -e trace=seccomp -e inject=seccomp:error=ENOSYS "$KNARR" --root "$ROOT" run -b "$BUNDLE" "$ID"
	for call in prctl:EPERM capset:EPERM landlock_create_ruleset:ENOMEM landlock_add_rule:ENOMEM landlock_restrict_self:E2BIG seccomp:ENOMEM; do
		run -1 strace -o /dev/null -e "trace=${call%:*}" -e "inject=${call%:*}:error=${call#*:}" \
			"$KNARR" --root "$ROOT" run -b "$BUNDLE" "$ID"
		[ -n "$output" ]
		[ ! -e "$ROOT/$ID" ]
	done
}

# The caller's PATH decides which program is meant, its owner whether root executes it.
@test "root executes no helper that others may change" {
	requires_root
	requires_command ps
	mkdir -p "$T/bin"
	printf '#!/bin/sh\ntouch %s\n' "$T/ran" >"$T/bin/criu"
	cp "$T/bin/criu" "$T/bin/ps"
	chmod 0755 "$T/bin"/*
	chown 1 "$T/bin/criu"
	chmod 0775 "$T/bin/ps"
	bundle_runs sleep 1000
	knarr run -d -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
	PATH=$T/bin:$PATH run -1 knarr ps "$ID"
	[[ "$output" == *"'$T/bin/ps' for ps, or its directory, belongs to another user than root or may be written to by others"* ]]
	PATH=$T/bin:$PATH run -1 knarr checkpoint "$ID"
	[[ "$output" == *"'$T/bin/criu' for criu, or its directory, belongs to another user"* ]]
	[ ! -e "$T/ran" ]
	chmod 0755 "$T/bin/ps"
	PATH=$T/bin:$PATH run knarr ps "$ID"
	[ -e "$T/ran" ]
	knarr delete --force "$ID"
}
