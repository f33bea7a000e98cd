#!/usr/bin/env bats
# checkpoint and restore of containers whose cgroup systemd makes.
load ../bats/helpers
load criu_helpers

setup() {
	container_setup
	requires_root
	requires_command criu
	[ -d /run/systemd/system ] || skip 'systemd does not run here'
	GLOBAL=(--systemd-cgroup)
	IMAGE=$T/image
	# The scope has its limits before CRIU's own helpers in it are gone.
	make_bundle '.root.readonly = false | .linux.resources = {pids: {limit: 8}, memory: {limit: 67108864}}'
}

teardown() {
	systemctl stop "knarr-$ID.scope" "knarr-$ID-b.scope" 2>/dev/null
	container_teardown
}

# in_scope ID: its scope has all of it, with its limits, and nothing else.
in_scope() {
	local dir pid
	dir=$(cgroup_mount)/system.slice/knarr-$1.scope
	pid=$(knarr state "$1" | jq .pid)
	[ "$(cat "/proc/$pid/cgroup")" = "0::/system.slice/knarr-$1.scope/container" ]
	[ -z "$(cat "$dir/cgroup.procs")" ]
	[ "$(cat "$dir/container/pids.max" "$dir/pids.max" | uniq)" = 8 ]
	[ "$(cat "$dir/container/memory.max")" = 67108864 ]
	[ "$(systemctl show -P TasksMax "knarr-$1.scope")" = 8 ]
	run -1 pgrep -x 'knarr:\[scope\]'
}

scope_vanishes() { # scope_vanishes ID
	for _ in $(seq 100); do
		[ "$(systemctl show -P LoadState "knarr-$1.scope")" != not-found ] || return 0
		sleep 0.1
	done
	return 1
}

@test "systemd: a counter goes on counting in a new scope, with the same id and with another" {
	counter_runs
	in_scope "$ID"
	checkpoint "$ID"
	scope_vanishes "$ID"
	nothing_left_of "$ID"
	local n
	n=$(count)
	restore_detached "$ID"
	counter_goes_on "$n"
	in_scope "$ID"
	systemctl daemon-reload
	in_scope "$ID"

	rm -rf "$IMAGE"
	knarr pause "$ID"
	checkpoint "$ID"
	n=$(count)
	restore_detached --manage-cgroups-mode ignore "$ID-b"
	counter_goes_on "$n"
	in_scope "$ID-b"
	# As its manual page says.
	[ "$(readlink "/proc/$(knarr state "$ID-b" | jq .pid)/ns/cgroup")" = "$(readlink /proc/self/ns/cgroup)" ]
	knarr delete -f "$ID-b"
	scope_vanishes "$ID-b"
	nothing_left_of "$ID"
}

@test "systemd: from a cgroup of knarr's own into a scope, and back" {
	GLOBAL=()
	counter_runs
	checkpoint "$ID"
	local n
	n=$(count)
	GLOBAL=(--systemd-cgroup)
	restore_detached "$ID"
	counter_goes_on "$n"
	in_scope "$ID"
	rm -rf "$IMAGE"
	checkpoint "$ID"
	n=$(count)
	GLOBAL=()
	restore_detached "$ID"
	counter_goes_on "$n"
	grep -q "knarr-$ID\$" "/proc/$(knarr state "$ID" | jq .pid)/cgroup"
	knarr delete -f "$ID"
}

@test "systemd: a restore that fails leaves no scope" {
	counter_runs
	checkpoint "$ID"
	rm "$IMAGE"/core-1.img
	run -1 restore_detached "$ID"
	scope_vanishes "$ID"
	nothing_left_of "$ID"
	systemd-run --scope --unit="knarr-$ID" sleep 1000 &
	for _ in $(seq 100); do systemctl is-active -q "knarr-$ID.scope" && break; sleep 0.1; done
	run -1 knarr --systemd-cgroup restore -d --image-path "$IMAGE" -b "$BUNDLE" "$ID" </dev/null
	echo "$output"
	[[ "$output" == *"knarr-$ID.scope"* ]]
	systemctl is-active -q "knarr-$ID.scope"
}
