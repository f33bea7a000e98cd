# A container that counts, and what is left of it after checkpoint and restore. GLOBAL:
# options for knarr itself.
# shellcheck shell=bash disable=SC2154
GLOBAL=()

# The container counts to a file in its root: line N of it is N, as long as nobody
# counts anew.
# shellcheck disable=SC2016
COUNTER='n=0; while :; do n=$((n + 1)); echo $n >>/count; sleep 0.1; done'

counter_runs() {
	bundle_runs_sh "$COUNTER"
	knarr "${GLOBAL[@]}" run -d -b "$BUNDLE" "$ID" </dev/null >"$T/log" 2>&1
	counter_goes_on 0
}

# The container listens on a port; back when it does.
listener_runs() {
	bundle_runs nc -ll -p 5000 -e echo answer
	knarr "${GLOBAL[@]}" run -d -b "$BUNDLE" "$ID" </dev/null >"$T/log" 2>&1
	for _ in $(seq 100); do
		! knarr exec "$ID" grep -qs ' 0A ' /proc/net/tcp /proc/net/tcp6 || return 0
	done
	return 1
}

listener_answers() {
	[ "$(knarr exec "$ID" nc 127.0.0.1 5000 </dev/null)" = answer ]
}

count() {
	wc -l <"$BUNDLE/rootfs/count" 2>/dev/null || echo 0
}

# counter_goes_on N: it comes beyond N, in order.
counter_goes_on() {
	for _ in $(seq 200); do
		[ "$(count)" -le $(($1 + 2)) ] || break
		sleep 0.1
	done
	[ "$(count)" -gt $(($1 + 2)) ]
	head -n -1 "$BUNDLE/rootfs/count" | awk '$1 != NR { print "line " NR " is " $1; exit 1 }'
}

checkpoint() {
	knarr checkpoint --image-path "$IMAGE" "$@"
}

restore_detached() { # [OPTION…] ID
	knarr "${GLOBAL[@]}" restore -d --image-path "$IMAGE" -b "$BUNDLE" "$@" </dev/null >>"$T/log" 2>&1 || {
		cat "$T/log"
		return 1
	}
}

nothing_left_of() {
	run -1 knarr state "$1"
	[ -z "$(find "$(cgroup_mount)" -name "*$1*")" ]
	[ -z "$(ls "$ROOT")" ]
	run -1 pgrep -x criu
}
