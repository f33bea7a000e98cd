#!/usr/bin/env bats
# Many processes in one container: they leave nothing behind, and none hangs when
# the container ends under it.
load helpers

setup() {
	container_setup
	requires_root
	make_bundle '.root.readonly = false' sleep 1000
	MANY=500 TTYS=200 ROUNDS=6
	if is_sanitized; then
		MANY=60 TTYS=20 ROUNDS=3
	fi
}

teardown() {
	"$KNARR" --root "$ROOT" delete --force "$ID"
	container_teardown
}

start() {
	knarr run -d -b "$BUNDLE" --pid-file "$T/pid" "$ID" </dev/null >/dev/null 2>&1
	PID=$(cat "$T/pid")
}

# All of the host and of the container that an exec could leave something in.
picture() {
	echo "processes $(knarr ps --format json "$ID")"
	echo "children of the init $(cat "/proc/$PID/task/$PID/children")"
	echo "its descriptors $(ls "/proc/$PID/fd")"
	echo "its mounts $(wc -l <"/proc/$PID/mountinfo")"
	echo "terminals $(ls "/proc/$PID/root/dev/pts")"
	echo "state $(ls "$ROOT" "$ROOT/$ID")"
	[ -z "$(cgroup_mount)" ] || echo "cgroups $(test_cgroups)"
	echo "temporary files $(ls "$T")"
}

# many N OPTION...: N times exec, twenty at once; each prints its number, and whether it
# has a terminal.
many() {
	local n=$1
	shift
	seq "$n" | xargs -P 20 -n 1 "$KNARR" --root "$ROOT" exec "$@" "$ID" \
		sh -c 'if [ -t 1 ]; then echo "$0 terminal"; else echo "$0"; fi' >"$T/out"
	diff <(sed 's/ terminal$//' "$T/out" | sort -n) <(seq "$n")
}

@test "hundreds of exec leave nothing" {
	start
	knarr exec "$ID" true </dev/null
	touch "$T/before" "$T/after" "$T/out"
	picture >"$T/before"
	many $MANY
	picture >"$T/after"
	diff "$T/before" "$T/after"
}

@test "hundreds of exec with a terminal leave nothing" {
	start
	knarr exec -t "$ID" true </dev/null
	touch "$T/before" "$T/after" "$T/out"
	picture >"$T/before"
	many $TTYS -t
	[ "$(grep -c ' terminal$' "$T/out")" = $TTYS ]
	picture >"$T/after"
	diff "$T/before" "$T/after"
}

# What containerd looks for when an exec comes too late, or the program's own end.
@test "exec against the end of the container: a known answer, never a hang" {
	local round i pid delay
	one() {
		local status=0
		timeout -s KILL 30 "$KNARR" --root "$ROOT" exec "$ID" sleep 1000 </dev/null 2>"$T/err.$1" || status=$?
		echo "$status" >"$T/status.$1"
	}
	for ((round = 0; round < ROUNDS; round++)); do
		start
		local pids=()
		for i in 1 2 3 4 5 6 7 8; do
			one $i &
			pids+=($!)
		done
		# From the very beginning of an exec to its running program.
		delay=0.0$(printf %02d $((round * 8)))
		sleep "$delay"
		knarr kill "$ID" KILL
		for pid in "${pids[@]}"; do
			wait "$pid"
		done
		for i in 1 2 3 4 5 6 7 8; do
			case $(cat "$T/status.$i") in
			137) [ ! -s "$T/err.$i" ] ;;
			255) grep -q 'container not running' "$T/err.$i" ;;
			*) false ;;
			esac || {
				echo "round $round: status $(cat "$T/status.$i"): $(cat "$T/err.$i")"
				return 1
			}
		done
		knarr delete --force "$ID"
	done
}

# The pid of a process that never ran must not be left in the file, nor the process.
@test "exec --detach against delete --force" {
	local round i status
	for ((round = 0; round < ROUNDS; round++)); do
		start
		knarr delete --force "$ID" &
		local killer=$!
		for i in 1 2 3 4; do
			status=0
			timeout -s KILL 30 "$KNARR" --root "$ROOT" exec -d "$ID" sleep 1000 </dev/null >/dev/null 2>"$T/err" || status=$?
			[ $status = 0 ] || grep -qE 'container not running|does not exist' "$T/err" || {
				cat "$T/err"
				return 1
			}
		done
		wait $killer
		[ ! -e "$ROOT/$ID" ]
	done
}
