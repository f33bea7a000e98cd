#!/usr/bin/env bats
# The operations of runtime.md on real containers: create, start, run, state,
# kill, delete, list; exit statuses; what is left afterwards.
load helpers

setup() {
	container_setup
	make_bundle '.root.readonly = false'
}

teardown() {
	container_teardown
}

@test "run passes the program's output and exit status through" {
	bundle_runs sh -c 'echo out; echo err >&2; exit 42'
	run --separate-stderr -42 knarr run -b "$BUNDLE" "$ID"
	[ "$output" = out ]
	[ "$stderr" = err ]
	run ! knarr state "$ID"
}

@test "run reports a fatal signal as 128 + its number" {
	bundle_runs sh -c 'kill -SEGV $$; sleep 10'
	edit_bundle '.linux.namespaces |= map(select(.type != "pid"))'
	run -139 knarr run -b "$BUNDLE" "$ID"
}

@test "create, start, kill, delete, and the status at each stage" {
	bundle_runs sh -c 'trap "exit 7" TERM; touch /ready; while :; do sleep 0.05; done'
	knarr create -b "$BUNDLE" --pid-file "$T/pid" "$ID" </dev/null >/dev/null 2>&1
	[ "$(knarr state "$ID" | jq -r .status)" = created ]
	[ "$(knarr state "$ID" | jq -r .pid)" = "$(cat "$T/pid")" ]
	run ! knarr delete "$ID.unknown"
	knarr start "$ID"
	[ "$(knarr state "$ID" | jq -r .status)" = running ]
	run ! knarr delete "$ID"
	[[ "$output" == *"not stopped"* ]]
	run ! knarr start "$ID"
	wait_for_file "$BUNDLE/rootfs/ready"
	knarr kill "$ID" TERM
	wait_status "$ID" stopped
	run ! knarr kill "$ID" TERM
	[[ "$output" == *"container not running"* ]]
	run ! knarr start "$ID"
	knarr delete "$ID"
	run ! knarr state "$ID"
	[[ "$output" == *"does not exist"* ]]
}

@test "the program does not run before start" {
	bundle_runs touch /started
	knarr create -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
	sleep 0.2
	[ ! -e "$BUNDLE/rootfs/started" ]
	knarr start "$ID"
	wait_status "$ID" stopped
	[ -e "$BUNDLE/rootfs/started" ]
	knarr delete "$ID"
}

@test "later edits of config.json have no effect" {
	bundle_runs sh -c 'echo first >/out'
	knarr create -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
	echo '{' >"$BUNDLE/config.json"
	knarr start "$ID"
	wait_status "$ID" stopped
	[ "$(cat "$BUNDLE/rootfs/out")" = first ]
	knarr delete "$ID"
}

@test "a container that was created and never started can be deleted" {
	knarr create -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
	knarr delete --force "$ID"
	run ! knarr state "$ID"
}

@test "delete --force ends a running container that ignores signals" {
	bundle_runs sh -c 'trap "" TERM INT HUP; while :; do sleep 1; done'
	knarr run -d -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
	[ "$(knarr state "$ID" | jq -r .status)" = running ]
	knarr delete --force "$ID"
	run ! knarr state "$ID"
}

@test "delete --force of an unknown container is harmless" {
	knarr delete --force "$ID"
}

@test "an id can be used again after delete, not before" {
	knarr create -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
	run ! knarr create -b "$BUNDLE" "$ID"
	[[ "$output" == *"exists"* ]]
	knarr delete --force "$ID"
	knarr create -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
	knarr delete --force "$ID"
}

@test "ids that are not names are refused" {
	for id in .. . 'a/b' 'a b' ''; do
		run ! knarr run -b "$BUNDLE" "$id"
	done
}

@test "kill takes names, names with SIG, and numbers" {
	bundle_runs sh -c 'trap "exit 3" USR1; touch /ready; while :; do sleep 0.05; done'
	for sig in USR1 SIGUSR1 10; do
		rm -f "$BUNDLE/rootfs/ready"
		knarr run -d -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
		wait_for_file "$BUNDLE/rootfs/ready"
		knarr kill "$ID" $sig
		wait_status "$ID" stopped
		knarr delete "$ID"
	done
	run ! knarr kill "$ID" NOSUCH
}

@test "kill --all reaches every process of the container" {
	bundle_runs sh -c 'sleep 1000 & sleep 1000 & wait'
	knarr run -d -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
	knarr kill --all "$ID" KILL
	wait_status "$ID" stopped
	knarr delete "$ID"
}

@test "list shows containers as table, json and ids" {
	knarr create -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
	[[ "$(knarr list)" == *"$ID"*created* ]]
	[ "$(knarr list --format json | jq -r '.[0].id')" = "$ID" ]
	[ "$(knarr list -q)" = "$ID" ]
	knarr delete -f "$ID"
}

@test "a missing program is an error of create, with the words that callers match" {
	bundle_runs no-such-program
	run -1 knarr create -b "$BUNDLE" "$ID"
	[[ "$output" == *"executable file not found in \$PATH"* ]]
	[[ "$output" == *"no such file or directory"* ]]
	bundle_runs /etc
	run -1 knarr create -b "$BUNDLE" "$ID"
	[[ "$output" == *"permission denied"* ]]
}

@test "a file that is not a program is an error of start" {
	printf 'garbage' >"$BUNDLE/rootfs/bad" && chmod 755 "$BUNDLE/rootfs/bad"
	bundle_runs /bad
	knarr create -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
	run -1 knarr start "$ID"
	[[ "$output" == *"/bad"* ]]
	knarr delete -f "$ID"
	run -1 knarr run -b "$BUNDLE" "$ID"
	[[ "$output" == *"/bad"* ]]
}

@test "a config without process can be created but not started" {
	edit_bundle 'del(.process)'
	knarr create -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
	run -1 knarr start "$ID"
	[[ "$output" == *process* ]]
	knarr delete -f "$ID"
	run -1 knarr run -b "$BUNDLE" "$ID"
	[[ "$output" == *process* ]]
}

@test "run --keep leaves the stopped container" {
	bundle_runs true
	knarr run --keep -b "$BUNDLE" "$ID"
	[ "$(knarr state "$ID" | jq -r .status)" = stopped ]
	knarr delete "$ID"
}

# What is in the state before the init is, while it is found out whether the creator still works.
@test "a container that is finished between the two looks of another command is not stopped" {
	requires_command strace
	requires_no_sanitizer 'a leak checker cannot work in a traced program'
	local creator reader
	bundle_runs true
	# The first asks what the kernel can.
	stop_after -e trace=clone3 -e inject=clone3:signal=STOP:when=2 -- create -b "$BUNDLE" "$ID" </dev/null >"$T/out" 2>&1
	creator=$STOPPED
	[ "$(knarr state "$ID" | jq -c '[.status, .pid]')" = '["creating",0]' ]
	stop_after -P "$ROOT/$ID/state.json" -e trace=close -e inject=close:signal=STOP:when=1 -- state "$ID" >"$T/seen"
	reader=$STOPPED
	kill -CONT "$creator"
	wait "$creator"
	kill -CONT "$reader"
	wait "$reader"
	[ "$(jq -r .status "$T/seen")" = created ]
	knarr delete "$ID"
}

# knarr:[join] is in the state until it has made the init.
@test "between the end of the process that joins and the state with its init, a container is not stopped" {
	requires_root
	requires_command strace
	requires_no_sanitizer 'a leak checker cannot work in a traced program'
	local holder creator
	unshare --pid --fork --kill-child sleep 1000 3>&- &
	holder=$!
	until pgrep -P "$holder" -x sleep >"$T/holder"; do sleep 0.05; done
	bundle_runs sleep 1000
	edit_bundle "(.linux.namespaces[] | select(.type == \"pid\")).path = \"/proc/$(cat "$T/holder")/ns/pid\""
	stop_after -e trace=wait4 -e inject=wait4:signal=STOP:when=1 -- create -b "$BUNDLE" "$ID" </dev/null >"$T/out" 2>&1
	creator=$STOPPED
	[ "$(knarr state "$ID" | jq -r .status)" = creating ]
	run ! knarr wait "$ID"
	[[ "$output" == *'has no process yet'* ]]
	kill -CONT "$creator"
	wait "$creator"
	[ "$(knarr state "$ID" | jq -r .status)" = created ]
	knarr delete --force "$ID"
	stop_after -e trace=wait4 -e inject=wait4:signal=STOP:when=1 -- create -b "$BUNDLE" "$ID" </dev/null >"$T/out" 2>&1
	creator=$STOPPED
	knarr kill "$ID" KILL
	kill -CONT "$creator"
	done_with_error "$creator"
	grep -q 'was killed while it was being set up' "$T/out"
	run ! knarr state "$ID"
	kill -KILL "$holder"
	wait "$holder" || true
}

# Whoever waits for the process that joins would take its end for the container's.
@test "wait while namespaces are joined: no process yet, and not the exit status of the one that joins" {
	requires_root
	local holder creator
	unshare --pid --fork --kill-child sleep 1000 3>&- &
	holder=$!
	until pgrep -P "$holder" -x sleep >"$T/holder"; do sleep 0.05; done
	bundle_runs sh -c 'exit 7'
	edit_bundle "(.linux.namespaces[] | select(.type == \"pid\")).path = \"/proc/$(cat "$T/holder")/ns/pid\" |
		.hooks.createRuntime = [{path: \"/bin/sh\", args: [\"sh\", \"-c\", \"until [ -e $T/go ]; do sleep 0.05; done\"]}]"
	knarr run -b "$BUNDLE" "$ID" </dev/null >"$T/out" 2>&1 3>&- &
	creator=$!
	wait_for_file "$ROOT/$ID/state.json"
	until [ "$(knarr state "$ID" | jq .pid)" -gt 0 ]; do sleep 0.05; done
	run -1 timeout 20 "$KNARR" --root "$ROOT" wait "$ID"
	[[ "$output" == *'has no process yet'* ]]
	touch "$T/go"
	wait "$creator" || [ $? = 7 ]
	kill -KILL "$holder"
	wait "$holder" || true
}

@test "a runtime that is killed during create leaves a container that delete --force removes" {
	edit_bundle '.hooks.createRuntime = [{path: "/bin/sleep", args: ["sleep", "1000"]}]'
	knarr create -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1 &
	local pid=$!
	for _ in $(seq 100); do [ "$(pgrep -P "$(pgrep -P $pid -n || echo $pid)" -c 2>/dev/null || true)" ] && sleep 0.02; [ -e "$ROOT/$ID/state.json" ] && break; done
	sleep 0.3
	for child in $(pgrep -P $pid); do
		for grand in $(pgrep -P "$child"); do kill -9 "$grand" 2>/dev/null || true; done
		kill -9 "$child" 2>/dev/null || true
	done
	kill -9 $pid 2>/dev/null || true
	wait $pid || true
	knarr delete --force "$ID"
	run ! knarr state "$ID"
}

@test "SIGPIPE and other ignored signals are not inherited" {
	bundle_runs grep -E '^Sig(Ign|Blk)' /proc/self/status
	run -0 sh -c "trap '' PIPE INT; exec \"$KNARR\" --root \"$ROOT\" run -b \"$BUNDLE\" $ID"
	[[ "$output" == *"SigIgn:	0000000000000000"* ]]
	[[ "$output" == *"SigBlk:	0000000000000000"* ]]
}

@test "only the standard descriptors reach the program, and the preserved ones" {
	bundle_runs sh -c 'ls /proc/self/fd | tr "\n" " "'
	run -0 knarr_with_fds 'exec 5</dev/null 7</dev/null' run -b "$BUNDLE" "$ID"
	[ "${output% }" = "0 1 2 3" ]    # 3: ls has the directory open
	run -0 knarr_with_fds 'exec 3</dev/null 4</dev/null' run --preserve-fds 2 -b "$BUNDLE" "$ID"
	[ "${output% }" = "0 1 2 3 4 5" ]
	run -0 knarr_with_fds 'exec 3>&- 4</dev/null 5>&-' run --preserve-fds 3 -b "$BUNDLE" "$ID"
	[ "${lines[0]}" = "knarr: warning: 2 of 3 preserved descriptors are not open, the first is 3" ]
	[ "${lines[1]% }" = "0 1 2 3 4" ]
	# The log, which the runtime opens itself, is not what was promised.
	run -1 knarr_with_fds 'exec 3>&- 4>&-' --log "$T/log" run --preserve-fds 1 -b "$BUNDLE" "$ID"
	[[ "$output" == *'preserved descriptor 3 is not open'* ]]
}

@test "LISTEN_FDS passes descriptors with LISTEN_PID of the program" {
	bundle_runs sh -c 'echo "$LISTEN_FDS $LISTEN_PID"; ls /proc/self/fd | tr "\n" " "'
	run -0 knarr_with_fds 'exec 3</dev/null; export LISTEN_FDS=1' run -b "$BUNDLE" "$ID"
	[ "${lines[0]}" = "1 1" ]
	[ "${lines[1]% }" = "0 1 2 3 4" ]
}

@test "a runtime's own executable cannot be reached as /proc/self/exe" {
	printf '#!/proc/self/exe\n' >"$BUNDLE/rootfs/loop" && chmod 755 "$BUNDLE/rootfs/loop"
	bundle_runs /loop
	local before; before=$(sha256sum <"$KNARR")
	run ! knarr run -b "$BUNDLE" "$ID"
	[[ "$output" != *"Usage"* ]]
	[ "$(sha256sum <"$KNARR")" = "$before" ]
}

@test "with a log file, warnings go there and not to the container's stderr" {
	edit_bundle_to_run '.process.capabilities.bounding += ["CAP_NO_SUCH"]' true
	run -0 knarr run -b "$BUNDLE" "$ID"
	[[ "$output" == *CAP_NO_SUCH* ]]
	run -0 knarr --log "$T/log" run -b "$BUNDLE" "$ID"
	[[ "$output" != *CAP_NO_SUCH* ]]
	grep -q CAP_NO_SUCH "$T/log"
}
