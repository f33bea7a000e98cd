#!/usr/bin/env bats
# What knarr asks the host before it makes a container: an error is told as itself, and
# not taken for "there is none".
load helpers

setup() {
	container_setup
	requires_root
	requires_cgroup2
	requires_command "${CC:-cc}"
	requires_no_sanitizer 'a leak checker cannot work in a traced program'
	"${CC:-cc}" -O1 -D_GNU_SOURCE -o "$T/inject" "$BATS_TEST_DIRNAME/../inject/inject.c" -lseccomp
	make_bundle 'del(.linux.cgroupsPath)' true
}

teardown() {
	container_teardown
}

# each CALL ERROR WORD…: runs a container with each call of that name failing once, as long as
# a run has that many. Sets said to what the runs said that failed; the others made a cgroup
# all the same.
each() {
	local call=$1 error=$2 n
	said=
	for n in {1..20}; do
		run "$T/inject" "$call" "$n" "$error" "$KNARR" --root "$ROOT" run -b "$BUNDLE" "$ID"
		[ "$status" != 125 ] || break
		[ "$status" = 0 ] || said+=$output$'\n'
	done
	echo "$said"
}

# each_status STATUS: `state` with each of its opens and reads failing says that, or fails.
each_status() {
	local call n last=0
	for call in openat read pread64; do
		for n in {1..40}; do
			run --separate-stderr "$T/inject" $call "$n" EIO "$KNARR" --root "$ROOT" state "$ID"
			[ "$status" = 0 ] || { last=$n; continue; }
			[ "$(jq -r .status <<<"$output")" = "$1" ] || { echo "$call $n: $output"; return 1; }
		done
	done
	[ $last -lt 40 ]
}

@test "an error of statfs is not a host without cgroup2 or SELinux" {
	bundle_runs_sh 'grep -q "^0::.*/knarr-" /proc/self/cgroup || { echo outside; exit 3; }'
	edit_bundle '.linux.namespaces |= map(select(.type != "cgroup"))'
	each statfs EIO
	[[ "$said" == *"look at the cgroup2 file system on '$(cgroup_mount)': input/output error"* ]]
	[[ "$said" == *"look whether there is a '/sys/fs/selinux': input/output error"* ]]
	[[ "$said" != *outside* ]]
}

@test "a cgroup2 that nobody may write to, or this user may not reach, is said to be that" {
	local mount hidden
	mount=$(cgroup_mount)
	edit_bundle '.linux.resources = {unified: {"cgroup.max.depth": "5"}}'
	run -1 unshare --mount --propagation private sh -c 'mount -o remount,bind,ro "$1" && shift && exec "$@"' sh "$mount" \
		"$KNARR" --root "$ROOT" run -b "$BUNDLE" "$ID"
	echo "$output"
	[[ "$output" == *"linux.resources.unified[\"cgroup.max.depth\"]: the container has no cgroup of its own: "*"'$mount' is read-only" ]]
	edit_bundle '.linux.resources = {devices: [{allow: false, access: "rwm"}]}'
	run -1 unshare --mount --propagation private sh -c 'mount -o remount,bind,ro "$1" && shift && exec "$@"' sh "$mount" \
		"$KNARR" --root "$ROOT" run -b "$BUNDLE" "$ID"
	echo "$output"
	[[ "$output" == *"linux.resources.devices: "*"the cgroup2 file system on '$mount' is read-only"*--cgroup-manager=disabled* ]]
	edit_bundle '.linux.cgroupsPath = $p' --arg p "/knarr-test-$ID"
	run -1 unshare --mount --propagation private sh -c 'mount -o remount,bind,ro "$1" && shift && exec "$@"' sh "$mount" \
		"$KNARR" --root "$ROOT" run -b "$BUNDLE" "$ID"
	echo "$output"
	[[ "$output" == *"make cgroup '/knarr-test-$ID'"*'(hint: --cgroup-manager=disabled makes none): read-only file system' ]]
	run -0 unshare --mount --propagation private sh -c 'mount -o remount,bind,ro "$1" && shift && exec "$@"' sh "$mount" \
		"$KNARR" --root "$ROOT" --cgroup-manager=disabled run -b "$BUNDLE" "$ID"
}

@test "a cgroup2 below a directory that is closed to the user is said to be that" {
	requires_unprivileged_user
	requires_user_ns
	knarr_for_user
	ROOTLESS=1 make_bundle 'del(.linux.uidMappings, .linux.gidMappings, .linux.cgroupsPath) |
		.linux.resources = {memory: {limit: 100000000}}' true
	chown -R "$(unprivileged_user):" "$BUNDLE"
	mkdir -p "$T/closed/cgroup" "$T/user"
	chown "$(unprivileged_user):" "$T/user"
	# Over /sys nothing else is seen of cgroups.
	export -f as_user exec_as_user unprivileged_user
	run -1 unshare --mount --propagation private bash -c 'mount --bind "$1" "$T/closed/cgroup" && chmod 0700 "$T/closed" &&
		mount -t tmpfs tmpfs /sys/fs/cgroup && as_user "$KNARR" --root "$T/user/state" run -b "$BUNDLE" "$ID"' bash "$(cgroup_mount)"
	echo "$output"
	[ "${#lines[@]}" = 1 ]
	[[ "$output" == *"permission to reach the cgroup2 file system on '$T/closed/cgroup' is denied"* ]]
}

@test "hints: device rules that root may not load, a cgroup that holds processes" {
	local pid parent
	run -1 "$T/inject" bpf 1 EPERM "$KNARR" --root "$ROOT" run -b "$BUNDLE" "$ID"
	echo "$output"
	[ "${#lines[@]}" = 1 ]
	[[ "$output" == *'linux.resources.devices: load '*'(hint: --cgroup-manager=disabled runs it without device rules): operation not permitted' ]]
	requires_controller hugetlb
	parent=$(cgroup_mount)/knarr-parent-$ID
	own_cgroups "$parent"
	sleep 1000 &
	pid=$!
	echo $pid >"$parent/cgroup.procs"
	edit_bundle '.linux.cgroupsPath = $p | .linux.resources = {hugepageLimits: [{pageSize: "2MB", limit: 0}]}' --arg p "/knarr-parent-$ID/c"
	run -1 knarr run -b "$BUNDLE" "$ID"
	echo "$output"
	[ "${#lines[@]}" = 1 ]
	[[ "$output" == *'which holds processes itself'*'or start knarr by systemd-run --scope -p Delegate=yes)' ]]
	kill $pid
	wait $pid || true
	rmdir "$parent"
}

# What cannot be read of a container's process or cgroup is an error of the command, and not
# a status.
@test "an error while the status is asked for is not another status" {
	local pid
	bundle_runs sleep 1000
	knarr run -d -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
	knarr pause "$ID"
	each_status paused
	knarr delete --force "$ID"
	# One that is being created, by somebody else: its init is there already.
	printf '#!/bin/sh\nwhile [ ! -e "%s/go" ]; do sleep 0.05; done\n' "$T" >"$T/hook"
	chmod 755 "$T/hook"
	edit_bundle '.hooks = {createRuntime: [{path: $h}]}' --arg h "$T/hook"
	knarr create -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1 3>&- &
	pid=$!
	for _ in {1..200}; do
		[ "$(jq '.pid // 0' "$ROOT/$ID/state.json" 2>/dev/null || echo 0)" = 0 ] || break
		sleep 0.02
	done
	each_status creating
	touch "$T/go"
	wait $pid
	[ "$(knarr state "$ID" | jq -r .status)" = created ]
	knarr delete --force "$ID"
}

# strace holds the init before its first step; its number is in the state already.
@test "a container whose init has not run yet is being created" {
	requires_root
	requires_command strace
	requires_no_sanitizer 'a traced program cannot look for leaks'
	local pid
	bundle_runs sleep 1000
	strace -f -qq -e trace=prctl -e signal=none -o "$T/trace" -e inject=prctl:delay_enter=1500000:when=1 \
		"$KNARR" --root "$ROOT" create -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1 3>&- &
	pid=$!
	for _ in {1..500}; do
		[ "$(jq '.pid // 0' "$ROOT/$ID/state.json" 2>/dev/null || echo 0)" = 0 ] || break
		sleep 0.02
	done
	[ "$(knarr state "$ID" | jq -r .status)" = creating ]
	wait_status "$ID" created
	# strace ends with the init.
	knarr delete --force "$ID"
	wait $pid
}

# The program was started without the capabilities of its config.
@test "an error of prctl is not a kernel without capabilities" {
	requires_root
	requires_command strace
	requires_no_sanitizer 'a traced program cannot look for leaks'
	local error
	bundle_runs true
	for error in EPERM EINVAL ENOSYS; do
		run -1 strace -qq -e trace=prctl -e signal=none -o /dev/null -e inject=prctl:error=$error \
			"$KNARR" --root "$ROOT" run -b "$BUNDLE" "$ID"
		[[ "$output" == "knarr: ask for the kernel's last capability: "* ]]
	done
}

@test "ps that cannot be run: the reason, and not another one" {
	edit_bundle '.process.args = ["sleep", "1000"]'
	knarr run -d -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
	run -1 "$T/inject" dup2 1 EIO "$KNARR" --root "$ROOT" ps "$ID"
	[[ "$output" == *'run ps: input/output error' ]]
	mkdir "$T/bin"
	printf '#!/nothing/here\n' >"$T/bin/ps"
	chmod 755 "$T/bin/ps"
	PATH=$T/bin:$PATH run -1 knarr ps "$ID"
	[[ "$output" == *'run ps: no such file or directory' ]]
	knarr delete --force "$ID"
}
