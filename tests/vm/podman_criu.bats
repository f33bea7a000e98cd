#!/usr/bin/env bats
# podman container checkpoint and restore with knarr as its runtime.
load ../bats/helpers

setup() {
	container_setup
	requires_root
	requires_command criu
	requires_command podman
	make_bundle
	tar -C "$BUNDLE/rootfs" -cf "$T/root.tar" .
	MANAGER=cgroupfs
	pod import -q "$T/root.tar" bb
}

teardown() {
	pod rm -fa
	pod rmi -fa
	umount "$T/store/overlay" "$T/store/vfs" 2>/dev/null
	container_teardown
}

pod() {
	podman --root "$T/store" --runroot "$T/runroot" --tmpdir "$T/tmp" --storage-driver vfs --events-backend file \
		--cgroup-manager "$MANAGER" --runtime "$KNARR" "$@"
}

# shellcheck disable=SC2016
start() {
	pod run -d --name c --network none bb sh -c 'n=0; while :; do n=$((n + 1)); echo $n >>/count; sleep 0.1; done'
}

count() { # count [NAME]
	pod exec "${1:-c}" tail -n 1 /count
}

counter_goes_on() { # counter_goes_on N [NAME]: beyond N, in order
	for _ in $(seq 20); do
		[ "$(count "${2:-c}")" -le "$1" ] || break
	done
	[ "$(count "${2:-c}")" -gt "$1" ]
	pod exec "${2:-c}" awk '$1 != NR { exit 1 }' /count
}

checkpoint_and_restore() {
	local n
	start
	n=$(count)
	pod container checkpoint c
	[ "$(pod inspect -f '{{.State.Checkpointed}} {{.State.Running}}' c)" = 'true false' ]
	pod container restore c
	counter_goes_on "$n"
	pod rm -f -t 0 c
}

@test "podman: a counter goes on counting" {
	checkpoint_and_restore
}

@test "podman: an exported checkpoint becomes a container of another name" {
	local n
	start
	n=$(count)
	pod container checkpoint --export "$T/c.tar" c
	pod rm -f -t 0 c
	pod container restore --import "$T/c.tar" --name d
	counter_goes_on "$n" d
	pod rm -f -t 0 d
}

@test "podman: with systemd's cgroups" {
	[ -d /run/systemd/system ] || skip 'systemd does not run here'
	MANAGER=systemd
	checkpoint_and_restore
}
