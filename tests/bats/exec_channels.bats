#!/usr/bin/env bats
# exec where more than the program's own descriptors passes between runtime and
# process: console sockets, seccomp listeners, clocks.
load helpers

setup() {
	container_setup
	requires_root
	make_bundle . sleep 1000
}

teardown() {
	"$KNARR" --root "$ROOT" delete --force "$ID"
	container_teardown
}

start() {
	knarr run -d -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
}

@test "exec --console-socket sends the terminal of the process" {
	requires_command python3
	start
	receive_console "$T/sock" typed >"$T/out" &
	wait_for_file "$T/sock"
	knarr exec -d -t --pid-file "$T/pid" --console-socket "$T/sock" "$ID" \
		sh -c 'test -t 0 && test -t 2 && read x && echo "read $x"; tty' </dev/null >/dev/null 2>&1
	wait $!
	grep -qx 'read typed' "$T/out"
	grep -q '^/dev/pts/' "$T/out"
	# From a process file, as containerd and conmon give it.
	rm "$T/sock"
	jq '.process | .terminal = true | .args = ["tty"] | .consoleSize = {height: 5, width: 50}' "$BUNDLE/config.json" >"$T/process"
	run -255 knarr exec -d --process "$T/process" --console-socket "$T/sock" "$ID"
	[[ "$output" == *"--console-socket: connect to '$T/sock'"* ]]
	[ "$(knarr ps --format json "$ID" | jq length)" = 1 ]
}

@test "exec with a seccomp profile that notifies: the agent gets a listener of the process" {
	requires_command python3
	edit_bundle '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", listenerPath: "'"$T"'/agent", listenerMetadata: "meta data",
		syscalls: [{names: ["mkdir", "mkdirat"], action: "SCMP_ACT_NOTIFY"}]}'
	seccomp_agent "$T/agent" "$T/states" 2 &
	local agent=$!
	wait_for_file "$T/agent"
	start
	run -1 knarr exec --pid-file "$T/pid" "$ID" mkdir /x
	[[ "$output" == *'not supported'* ]]
	wait $agent
	[ "$(jq -rs '.[1].metadata' "$T/states")" = 'meta data' ]
	[ "$(jq -rs '.[1].fds[0]' "$T/states")" = seccompFd ]
	[ "$(jq -rs '.[1].pid' "$T/states")" = "$(cat "$T/pid")" ]
	[ "$(jq -rs '.[1].state.pid' "$T/states")" = "$(knarr state "$ID" | jq .pid)" ]
	[ "$(jq -rs '.[1].state.status' "$T/states")" = running ]
	# Nobody listens any more: one error, no process.
	run -255 knarr exec "$ID" mkdir /x
	[[ "$output" == *'listenerPath: failed to connect with seccomp agent'*"$T/agent"* ]]
	[ "$(knarr ps --format json "$ID" | jq length)" = 1 ]
}

@test "exec with a seccomp profile that notifies: the agent is told the process, however long the one before it lives" {
	requires_command python3
	requires_no_sanitizer 'a leak checker cannot work in a traced program'
	edit_bundle '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", listenerPath: "'"$T"'/agent",
		syscalls: [{names: ["mkdir", "mkdirat"], action: "SCMP_ACT_NOTIFY"}]}'
	seccomp_agent "$T/agent" "$T/states" 2 &
	local agent=$!
	wait_for_file "$T/agent"
	start
	# knarr:[join] makes the process and ends, which takes half a second here.
	run -1 strace -f -qq -o "$T/trace" -e trace=exit_group -e signal=none -e inject=exit_group:delay_enter=500000:when=1 \
		"$KNARR" --root "$ROOT" exec --pid-file "$T/pid" "$ID" mkdir /x
	[[ "$output" == *'not supported'* ]]
	wait $agent
	[ "$(jq -rs '.[1].pid' "$T/states")" = "$(cat "$T/pid")" ]
}

@test "exec has the clocks of the container's time namespace" {
	[ -e /proc/self/ns/time ] || skip 'the kernel has no time namespaces'
	edit_bundle '.linux.namespaces += [{type: "time"}] | .linux.timeOffsets = {boottime: {secs: 604800}}'
	start
	local before uptime
	before=$(cut -d. -f1 /proc/uptime)
	run -0 knarr exec "$ID" sh -c 'cut -d. -f1 /proc/uptime; readlink /proc/self/ns/time; readlink /proc/1/ns/time'
	uptime=${lines[0]}
	[ $((uptime - before)) -ge 604800 ]
	[ $((uptime - before)) -le 604830 ]
	[ "${lines[1]}" = "${lines[2]}" ]
	[ "${lines[1]}" != "$(readlink /proc/self/ns/time)" ]
}
