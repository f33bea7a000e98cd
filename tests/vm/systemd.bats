#!/usr/bin/env bats
# Containers by cgroupfs below a running systemd: as root in a unit to which its
# cgroup was delegated, and as an unprivileged user in a scope of their own manager.
load ../bats/helpers

# Once, since it mounts the user's XDG_RUNTIME_DIR; one that lost its bus moves no processes.
setup_file() {
	[ ! -d /run/systemd/system ] || systemctl restart "user@$(id -u "$(unprivileged_user)").service"
}

setup() {
	container_setup
	requires_root
	[ -d /run/systemd/system ] || skip 'systemd does not run here'
	[ -n "$(cgroup_mount)" ] || skip 'cgroup2 is not mounted'
}

teardown() {
	container_teardown
}

user_manager() {
	requires_unprivileged_user
	USER_ID=$(id -u "$(unprivileged_user)")
	systemctl is-active --quiet "user@$USER_ID.service" || skip "there is no manager for uid $USER_ID"
}

in_scope() { # in_scope [PROPERTY…] -- COMMAND…
	setpriv --reuid "$USER_ID" --regid "$(id -g "$(unprivileged_user)")" --init-groups --inh-caps=-all \
		env HOME="$T/user" XDG_RUNTIME_DIR="/run/user/$USER_ID" systemd-run --user --scope --quiet "$@"
}

rootless_bundle() {
	as_user true # makes the directory
	knarr_for_user
	ROOTLESS=1 make_bundle '.root.readonly = false | del(.linux.uidMappings, .linux.gidMappings) | .linux.resources = {memory: {limit: 33554432, swap: 33554432}, pids: {limit: 9}, cpu: {shares: 512}}'
	chown -R "$(unprivileged_user):" "$BUNDLE"
}

@test "as root: a container beside the unit's own cgroup, with limits" {
	make_bundle '.linux.resources = {memory: {limit: 67108864}, pids: {limit: 17}}' \
		sh -c 'cat /proc/self/cgroup /sys/fs/cgroup/memory.max /sys/fs/cgroup/pids.max'
	run -0 knarr run -b "$BUNDLE" "$ID"
	[ "${lines[0]}" = 0::/ ]
	[ "${lines[1]}" = 67108864 ]
	[ "${lines[2]}" = 17 ]
}

@test "rootless in a delegated scope: limits are there and hold" {
	user_manager
	rootless_bundle
	bundle_runs sh -c 'cat /proc/self/cgroup /sys/fs/cgroup/memory.max /sys/fs/cgroup/pids.max; exec dd if=/dev/zero of=/dev/null bs=100M count=1'
	run -137 in_scope -p Delegate=yes "$KNARR" --root "$T/user/state" run -b "$BUNDLE" "$ID"
	echo "$output"
	[ "${lines[0]}" = 0::/ ]
	[ "${lines[1]}" = 33554432 ]
	[ "${lines[2]}" = 9 ]
}

@test "rootless: limits stay while the user's manager starts other units" {
	user_manager
	rootless_bundle
	bundle_runs sleep 1000
	in_scope -p Delegate=yes "$KNARR" --root "$T/user/state" run -d -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
	local cgroup
	cgroup=$(find "$(cgroup_mount)/user.slice" -type d -name "knarr-$ID")
	[ "$(cat "$cgroup/memory.max")" = 33554432 ]
	in_scope -p MemoryMax=100M -p CPUWeight=50 true
	in_scope true
	[ "$(cat "$cgroup/memory.max")" = 33554432 ]
	[ "$(cat "$cgroup/pids.max")" = 9 ]
	as_user "$KNARR" --root "$T/user/state" delete -f "$ID"
	[ ! -e "$cgroup" ]
}

@test "rootless without delegation: a limit is one error that says what to do" {
	user_manager
	rootless_bundle
	bundle_runs true
	run -1 as_user "$KNARR" --root "$T/user/state" run -b "$BUNDLE" "$ID"
	echo "$output"
	[ "${#lines[@]}" = 1 ]
	[[ "$output" == *linux.resources.memory.limit*Delegate=yes* ]]
	edit_bundle 'del(.linux.resources)'
	run -0 as_user "$KNARR" --root "$T/user/state" run -b "$BUNDLE" "$ID"
}
