#!/usr/bin/env bats
# checkpoint and restore of containers whose network others make.
load ../bats/helpers
load criu_helpers

setup() {
	container_setup
	requires_root
	requires_command criu ip
	IMAGE=$T/image
	make_bundle '.root.readonly = false'
}

teardown() {
	container_teardown
}

@test "a network that hooks make: its devices are left out and made again, lo is up" {
	local hook="ip link add knarr-v type veth peer name eth0 netns \$(jq .pid) && ip addr add 10.9.9.1/24 dev knarr-v && ip link set knarr-v up"
	edit_bundle '.hooks = {createRuntime: [{path: "/bin/sh", args: ["sh", "-c", "'"$hook"'"], env: ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"]}]}'
	listener_runs
	checkpoint "$ID"
	ip link delete knarr-v 2>/dev/null || true
	restore_detached "$ID"
	listener_answers
	knarr exec "$ID" grep eth0 /proc/net/dev
	knarr delete -f "$ID"
}
