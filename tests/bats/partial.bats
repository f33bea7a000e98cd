#!/usr/bin/env bats
# Containers in partial states, killed commands, commands on the same id at once,
# and a host that refuses: right errors, no hang, and `delete --force` clears all.
load helpers

setup() {
	container_setup
	make_bundle '.root.readonly = false' sleep 1000
	LIMIT="timeout -k 1 30"
}

teardown() {
	container_teardown
}

# limited ARGUMENTS...: knarr that must not hang.
limited() {
	$LIMIT "$KNARR" --root "$ROOT" "$@" </dev/null
}

@test "a damaged state file: list goes on, delete refuses, delete --force removes" {
	local text
	for text in '' '{' 'garbage' '[]' '{"id": 7}' '{"id": "other"}' '{"pid": -1}' '{"annotations": []}' "$(head -c 100000 /dev/zero | tr '\0' '[')"; do
		own_state
		printf '%s' "$text" >"$ROOT/$ID/state.json"
		run -0 limited list
		run -1 limited state "$ID"
		[[ "$output" == *damaged* ]]
		run -1 limited kill "$ID" KILL
		run -1 limited start "$ID"
		run -1 limited delete "$ID"
		[[ "$output" == *damaged* ]]
		run -0 limited delete --force "$ID"
		[ ! -e "$ROOT/$ID" ]
	done
}

@test "members of other versions in the state file are skipped" {
	limited create -b "$BUNDLE" "$ID" >/dev/null 2>&1
	jq '.future = {a: [1, 2]} | .version = "9"' "$ROOT/$ID/state.json" >"$T/state.json"
	cp "$T/state.json" "$ROOT/$ID/state.json"
	[ "$(knarr state "$ID" | jq -r .status)" = created ]
	limited start "$ID"
	limited delete --force "$ID"
}

@test "an empty state directory is a stopped container" {
	own_state
	[ "$(knarr state "$ID" | jq -r .status)" = stopped ]
	[[ "$(knarr list)" == *"$ID"*stopped* ]]
	run -1 limited start "$ID"
	run -1 limited kill "$ID"
	limited delete "$ID"
}

@test "a pid that belongs to somebody else by now gets no signal" {
	limited create -b "$BUNDLE" "$ID" >/dev/null 2>&1
	local init
	init=$(jq .pid "$ROOT/$ID/state.json")
	sleep 0.1 # start times count in ticks of 10 ms
	env -u KNARR_TEST_MARK sleep 1000 3>&- &
	local other=$!
	jq --argjson p $other '.pid = $p' "$ROOT/$ID/state.json" >"$T/state.json"
	cp "$T/state.json" "$ROOT/$ID/state.json"
	[ "$(knarr state "$ID" | jq -r .status)" = stopped ]
	run -1 limited kill "$ID" TERM
	limited delete "$ID"
	kill -0 $other
	kill $other
	kill -KILL "$init" 2>/dev/null || true # without a cgroup it could not be found
}

@test "the bundle and the state root may vanish" {
	limited create -b "$BUNDLE" "$ID" >/dev/null 2>&1
	mv "$BUNDLE" "$T/moved"
	limited start "$ID"
	[ "$(knarr state "$ID" | jq -r .status)" = running ]
	limited delete --force "$ID"
	mv "$T/moved" "$BUNDLE"
	limited create -b "$BUNDLE" "$ID" >/dev/null 2>&1
	local init
	init=$(jq .pid "$ROOT/$ID/state.json")
	rm -rf "$ROOT"
	run -1 limited state "$ID"
	[[ "$output" == *"does not exist"* ]]
	run -1 limited start "$ID"
	limited delete --force "$ID"
	[ "$(limited list -q)" = '' ]
	kill -KILL "$init"
	remove_leftovers # nobody else knows the cgroup now
}

@test "a state root that is full or read-only is an error and leaves nothing" {
	requires_root
	mkdir "$T/full"
	# shellcheck disable=SC2016
	run -0 unshare -m bash -c '
		mount -t tmpfs -o size=4k tmpfs "$1" && head -c 4096 /dev/zero >"$1/filler"
		"$2" --root "$1/state" run -b "$3" "$4" && exit 1
		[ ! -e "$1/state/$4" ] || exit 2
		mount -o remount,ro "$1" || exit 3
		"$2" --root "$1/state" run -b "$3" "$4" && exit 4
		"$2" --root "$1/state" list && "$2" --root "$1/state" delete --force "$4"' \
		bash "$T/full" "$KNARR" "$BUNDLE" "$ID"
	[[ "$output" == *"no space left on device"* ]]
	[[ "$output" == *"read-only file system"* ]]
}

@test "few descriptors: an error that says so, and delete never takes a running container for a stopped one" {
	bundle_runs true
	local n
	for n in 4 5 6 7 8 9 10 11 12 14 16; do
		run knarr_with_fds "ulimit -Sn $n" run -b "$BUNDLE" "$ID"
		echo "$n: $output"
		[ "$status" = 0 ] || [[ "$output" == *"oo many open files"* ]] || [[ "$output" == *"shared libraries"* ]]
		run ! knarr state "$ID"
	done
	bundle_runs sleep 1000
	limited run -d -b "$BUNDLE" "$ID" >/dev/null 2>&1
	for n in 4 5 6 7 8; do
		run ! knarr_with_fds "ulimit -Sn $n" delete "$ID"
		[ "$(knarr state "$ID" | jq -r .status)" = running ]
	done
	limited delete --force "$ID"
}

@test "closed standard descriptors" {
	bundle_runs sh -c 'for fd in 0 1 2; do [ -e /proc/self/fd/$fd ] || exit 9; done; exit 5'
	run -5 bash -c 'exec "$KNARR" --root "$ROOT" run -b "$BUNDLE" "$ID" <&- >&- 2>&-'
	run -1 bash -c 'exec "$KNARR" --root "$ROOT" list >&-'
	[[ "$output" == *"standard output"* ]]
	run -1 bash -c 'exec "$KNARR" --root "$ROOT" list >/dev/full'
	[[ "$output" == *"no space left"* ]]
}

@test "of many creates of one id one wins" {
	local i
	for i in 1 2 3 4 5 6 7 8; do
		(limited create -b "$BUNDLE" "$ID" >/dev/null 2>"$T/err$i" && echo won >>"$T/won") &
	done
	wait
	[ "$(cat "$T/won")" = won ]
	[ "$(grep -l 'already exists' "$T"/err* | wc -l)" = 7 ]
	limited delete --force "$ID"
}

@test "of many starts of one container one wins" {
	limited create -b "$BUNDLE" "$ID" >/dev/null 2>&1
	local i
	for i in 1 2 3 4 5 6; do
		(limited start "$ID" >/dev/null 2>"$T/err$i" && echo won >>"$T/won") &
	done
	wait
	[ "$(cat "$T/won")" = won ]
	[ "$(knarr state "$ID" | jq -r .status)" = running ]
	limited delete --force "$ID"
}

@test "all commands at once on one id: no hang, no crash, nothing left" {
	local i
	for i in 1 2 3 4 5 6; do
		(
			for ((n = 0; n < 10; n++)); do
				limited create -b "$BUNDLE" "$ID" >/dev/null 2>&1 || echo "create $?"
				limited start "$ID" || echo "start $?"
				limited state "$ID" >/dev/null || echo "state $?"
				limited list >/dev/null || echo "list $?"
				limited kill "$ID" KILL || echo "kill $?"
				limited delete --force "$ID" || echo "force $?"
			done
		) >>"$T/out" 2>>"$T/err" &
	done
	wait
	limited delete --force "$ID"
	# 1 is an error that was told; 124 a hang; more, a signal.
	run ! grep -vE ' 1$' "$T/out"
	run ! grep -E '^(list|force)' "$T/out"
	run ! grep -ivE 'exist|not running|cannot start|killed while|meanwhile|exited while|connect to the container|is still being|receive from' "$T/err"
}

# strace stops the first create between mkdirat(2) and the lock.
@test "create whose directory is removed, and made anew by another create: it already exists" {
	requires_command strace
	requires_no_sanitizer 'a traced program cannot look for leaks'
	mkdir -p "$ROOT"
	stop_after -e trace=mkdirat -e inject=mkdirat:signal=STOP:when=1 -- create -b "$BUNDLE" "$ID" </dev/null >"$T/out" 2>&1
	[ -e "$ROOT/$ID" ]
	run -0 limited delete --force "$ID"
	[ "$output" = '' ]
	limited create -b "$BUNDLE" "$ID" >/dev/null 2>&1
	kill -CONT "$STOPPED"
	done_with_error "$STOPPED"
	[ "$(<"$T/out")" = "knarr: container \"$ID\" already exists" ]
	limited start "$ID"
	[ "$(limited state "$ID" | jq -r .status)" = running ]
	limited delete --force "$ID"
}

# killed SECONDS COMMAND...: knarr gets SIGKILL after that time.
killed() {
	local after=$1
	shift
	{ timeout -s KILL "$after" "$KNARR" --root "$ROOT" "$@" </dev/null || true; } >/dev/null 2>&1
}

@test "a runtime that is killed at any moment: delete --force clears all" {
	local round
	edit_bundle '.hooks = {createRuntime: [{path: "/bin/true"}], createContainer: [{path: "/bin/true"}]}'
	for ((round = 1; round <= 10; round++)); do # run() of bats uses i
		killed "0.00$((round * 7 % 10))$round" create -b "$BUNDLE" "$ID"
		run -0 limited delete --force "$ID"
		[ "$output" = '' ]
		[ "$(leaks_soon)" = '' ]
		limited create -b "$BUNDLE" "$ID" >/dev/null 2>&1
		killed "0.00$((round % 5))$round" start "$ID"
		run -0 limited delete --force "$ID"
		limited run -d -b "$BUNDLE" "$ID" >/dev/null 2>&1
		killed "0.00$((round % 3))$round" delete --force "$ID"
		run -0 limited delete --force "$ID"
		[ "$(leaks_soon)" = '' ]
	done
}

# What is left, but for what goes within a moment.
leaks_soon() {
	local found
	for _ in {1..100}; do
		found=$(test_processes; test_cgroups; test_state_dirs)
		[ -n "$found" ] || return 0
		sleep 0.05
	done
	echo "$found"
}

@test "delete --force ends a create that hangs in a hook" {
	edit_bundle '.hooks.createRuntime = [{path: "/bin/sleep", args: ["sleep", "1000"]}]'
	limited create -b "$BUNDLE" "$ID" >/dev/null 2>"$T/err" &
	for _ in $(seq 100); do
		[ "$(jq '.pid // 0' "$ROOT/$ID/state.json" 2>/dev/null || echo 0)" = 0 ] || break
		sleep 0.05
	done
	[ "$(knarr state "$ID" | jq -r .status)" != stopped ]
	run -0 timeout -k 1 10 "$KNARR" --root "$ROOT" delete --force "$ID"
	wait
	grep -q 'createRuntime' "$T/err"
}

@test "a poststart hook that hangs keeps nobody from delete --force" {
	local command
	edit_bundle '.hooks.poststart = [{path: "/bin/sh", args: ["sh", "-c", "until [ -e \($ENV.T)/go ]; do sleep 0.05; done; exit 1"]}]'
	for command in start run; do
		if [ $command = start ]; then
			limited create -b "$BUNDLE" "$ID" >/dev/null 2>&1
			limited start "$ID" 2>"$T/err" &
		else
			limited run -d -b "$BUNDLE" "$ID" >/dev/null 2>"$T/err" &
		fi
		for _ in $(seq 100); do
			[ "$(knarr state "$ID" 2>/dev/null | jq -r .status)" != running ] || break
			sleep 0.05
		done
		run -0 limited delete --force "$ID"
		kill -0 $! # the hook still hangs
		touch "$T/go"
		wait
		rm "$T/go"
		grep -q 'poststart' "$T/err"
	done
}

@test "a start that ends before it saved the state starts nothing" {
	bundle_runs sh -c 'touch /ran; sleep 1000'
	limited create -b "$BUNDLE" "$ID" >/dev/null 2>&1
	# Connects as start does, and goes.
	(cd "$ROOT/$ID" && python3 -c 'import socket
s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
s.connect("start.sock")
s.recvmsg(8192, 4096)')
	for _ in $(seq 100); do
		[ "$(knarr state "$ID" | jq -r .status)" != stopped ] || break
		sleep 0.05
	done
	[ "$(knarr state "$ID" | jq -r .status)" = stopped ]
	[ ! -e "$BUNDLE/rootfs/ran" ]
	limited delete "$ID"
}
