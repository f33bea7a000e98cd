#!/usr/bin/env bats
# The state directory on a disk that becomes full: what was created can be started, and a
# command that fails has changed nothing. The disk is a small tmpfs in a mount namespace of
# the test's own, in which every command runs.
load helpers

setup() {
	container_setup
	requires_root
	make_bundle '.root.readonly = false' sleep 1000
	DISK=$T/disk
	mkdir "$DISK"
	env -u KNARR_TEST_MARK unshare -m sleep 1000 3>&- &
	HOLDER=$!
	for _ in $(seq 100); do
		[ "$(readlink "/proc/$HOLDER/ns/mnt")" = "$(readlink /proc/self/ns/mnt)" ] || break
		sleep 0.02
	done
	inside mount -t tmpfs -o size=256k tmpfs "$DISK"
	ROOT=$DISK/state
}

teardown() {
	[ -z "${HOLDER:-}" ] || { on_disk delete --force "$ID" || true; kill "$HOLDER"; }
	container_teardown
}

inside() {
	nsenter --mount="/proc/$HOLDER/ns/mnt" "$@"
}

on_disk() {
	inside timeout -k 1 30 "$KNARR" --root "$ROOT" "$@" </dev/null
}

# Until not a byte is free.
fill() {
	inside sh -c '! cat /dev/zero >"$1/filler"' sh "$DISK" 2>/dev/null
	inside sh -c '! echo x >"$1/more"' sh "$DISK" 2>/dev/null
}

status_of() {
	on_disk state "$ID" | jq -r .status
}

cgroup_file() {
	cat "$(cgroup_mount)$(on_disk state "$ID" >/dev/null && inside jq -r .cgroupPath "$ROOT/$ID/state.json")/$1"
}

@test "start of a created container works on a full disk, and the rest of its life too" {
	requires_cgroup2
	bundle_runs sh -c 'echo started >/ran; exec sleep 1000'
	on_disk create -b "$BUNDLE" "$ID" >/dev/null 2>&1
	fill
	run -0 on_disk start "$ID"
	wait_for_file "$BUNDLE/rootfs/ran"
	[ "$(status_of)" = running ]
	run -0 on_disk exec "$ID" true
	on_disk pause "$ID"
	[ "$(status_of)" = paused ]
	on_disk resume "$ID"
	on_disk kill "$ID" KILL
	for _ in $(seq 100); do [ "$(status_of)" != stopped ] || break; sleep 0.02; done
	run -0 on_disk delete "$ID"
	run ! on_disk state "$ID"
}

@test "a start that cannot save the state leaves the container created, and the next one starts it" {
	bundle_runs sh -c 'echo started >/ran; exec sleep 1000'
	on_disk create -b "$BUNDLE" "$ID" >/dev/null 2>&1
	# As knarr 0.1.0 left them: without the space for a change.
	inside rm -f "$ROOT/$ID/state.copy"
	fill
	run -1 on_disk start "$ID"
	[[ "$output" == *"state.json': no space left on device"* ]]
	[ "$(status_of)" = created ]
	[ ! -e "$BUNDLE/rootfs/ran" ]
	inside rm "$DISK/filler"
	run -0 on_disk start "$ID"
	wait_for_file "$BUNDLE/rootfs/ran"
	[ "$(status_of)" = running ]
	run -0 on_disk delete --force "$ID"
}

@test "a start that may not write the state leaves the container created" {
	on_disk create -b "$BUNDLE" "$ID" >/dev/null 2>&1
	inside mount -o remount,ro "$DISK"
	run -1 on_disk start "$ID"
	[[ "$output" == *"read-only file system"* ]]
	[ "$(status_of)" = created ]
	inside mount -o remount,rw "$DISK"
	on_disk start "$ID"
	[ "$(status_of)" = running ]
}

@test "an update that fails on a full disk has not changed the limit" {
	requires_controller hugetlb
	[ -d /sys/kernel/mm/hugepages/hugepages-2048kB ] || skip 'no huge pages of 2 MB here'
	local -r limit='.linux.resources.hugepageLimits[0].limit'
	edit_bundle '.linux.resources.hugepageLimits = [{pageSize: "2MB", limit: 4194304}]'
	echo '{"hugepageLimits": [{"pageSize": "2MB", "limit": 2097152}]}' >"$T/limits.json"
	on_disk run -d -b "$BUNDLE" "$ID" >/dev/null 2>&1
	fill
	run -1 on_disk update --resources "$T/limits.json" "$ID"
	[[ "$output" == *"no space left on device"* ]]
	[ "$(cgroup_file hugetlb.2MB.max)" = 4194304 ]
	[ "$(inside jq "$limit" "$ROOT/$ID/config.json")" = 4194304 ]
	[ "$(inside ls -A "$ROOT/$ID" | grep -c '^\.config')" = 0 ]
	inside rm "$DISK/filler"
	on_disk update --resources "$T/limits.json" "$ID"
	[ "$(cgroup_file hugetlb.2MB.max)" = 2097152 ]
	[ "$(inside jq "$limit" "$ROOT/$ID/config.json")" = 2097152 ]
}

@test "mounts add that fails on a full disk has mounted nothing" {
	echo '[{"destination": "/tmp", "type": "tmpfs", "source": "tmpfs"}]' >"$T/mounts.json"
	on_disk run -d -b "$BUNDLE" "$ID" >/dev/null 2>&1
	fill
	run -1 on_disk mounts add "$ID" "$T/mounts.json"
	[[ "$output" == *"no space left on device"* ]]
	[ "$(on_disk exec "$ID" grep -c ' /tmp ' /proc/mounts)" = 0 ]
	inside rm "$DISK/filler"
	on_disk mounts add "$ID" "$T/mounts.json"
	[ "$(on_disk exec "$ID" grep -c ' /tmp ' /proc/mounts)" = 1 ]
	fill
	run -1 on_disk mounts remove "$ID" "$T/mounts.json"
	[ "$(on_disk exec "$ID" grep -c ' /tmp ' /proc/mounts)" = 1 ]
}
