#!/usr/bin/env bats
# Cgroups in which the kernel lets no new process live: one that once had cgroup.kill
# written, or that is beside one (Linux 6.14), and one that is at its limit of tasks. The
# container's first process, and that of exec, is made outside and moved there.
load helpers

setup() {
	container_setup
	requires_root
	requires_cgroup2
	# Without a cgroup namespace a program sees where it is.
	make_bundle ".linux.cgroupsPath = \"/knarr-test-$ID\" | .linux.namespaces |= map(select(.type != \"cgroup\"))" \
		sh -c 'grep ^0:: /proc/self/cgroup'
	CG=$(cgroup_mount)/knarr-test-$ID
	CALLER=$(cgroup_mount)/knarr-caller-$ID
	WHERE=0::/knarr-test-$ID
}

teardown() {
	"$KNARR" --root "$ROOT" delete --force "$ID"
	container_teardown
}

# once_killed DIRECTORY: a cgroup to which cgroup.kill was written.
once_killed() {
	own_cgroups "$1"
	[ -e "$1/cgroup.kill" ] || skip 'needs Linux 5.14'
	echo 1 >"$1/cgroup.kill"
}

# from_cgroup DIRECTORY COMMAND…: by a process in it.
from_cgroup() {
	local directory=$1
	shift
	(
		echo "$BASHPID" >"$directory/cgroup.procs"
		"$@"
	)
}

from_caller() {
	from_cgroup "$CALLER" "$KNARR" --root "$ROOT" "$@"
}

caller_once_killed() {
	once_killed "$CALLER"
}

# Without a program that ends by itself, and where it is.
start_from_caller() {
	bundle_runs sleep 1000
	from_caller run -d -b "$BUNDLE" "$ID" </dev/null >"$T/out" 2>&1
	[ "$(grep ^0:: "/proc/$(knarr state "$ID" | jq .pid)/cgroup")" = "$WHERE" ]
}

# ---- killed once ----------------------------------------------------------------

@test "cgroup.kill was written to the caller's cgroup: run, create and start" {
	caller_once_killed
	run -0 from_caller run -b "$BUNDLE" "$ID"
	[ "$output" = "$WHERE" ]
	from_caller create -b "$BUNDLE" "$ID" </dev/null >"$T/out" 2>&1
	[ "$(grep ^0:: "/proc/$(knarr state "$ID" | jq .pid)/cgroup")" = "$WHERE" ]
	knarr start "$ID"
	wait_status "$ID" stopped
	[ "$(<"$T/out")" = "$WHERE" ]
	knarr delete "$ID"
	rmdir "$CALLER"
}

@test "cgroup.kill was written to the caller's cgroup: a user namespace, hooks, oom score" {
	caller_once_killed
	edit_bundle '.linux.namespaces += [{type: "user"}] | .linux.uidMappings = [{containerID: 0, hostID: 0, size: 2000}] |
		.linux.gidMappings = .linux.uidMappings | .process.oomScoreAdj = 50 |
		.hooks = {createContainer: [{path: "/bin/sh", args: ["sh", "-c", "grep ^0:: /proc/self/cgroup >&2"]}]}'
	run -0 from_caller run -b "$BUNDLE" "$ID"
	[ "$output" = "$WHERE"$'\n'"$WHERE" ]
	rmdir "$CALLER"
}

@test "cgroup.kill was written to the caller's cgroup: a namespace by path" {
	local pid
	caller_once_killed
	unshare --net sleep 1000 &
	pid=$!
	for _ in {1..100}; do
		[ "$(readlink "/proc/$pid/ns/net")" = "$(readlink /proc/self/ns/net)" ] || break
		sleep 0.05
	done
	edit_bundle '.linux.namespaces |= map(select(.type != "network")) + [{type: "network", path: $p}]' --arg p "/proc/$pid/ns/net"
	run -0 from_caller run -b "$BUNDLE" "$ID"
	[ "$output" = "$WHERE" ]
	kill $pid
	wait $pid || true
	rmdir "$CALLER"
}

@test "cgroup.kill was written to the caller's cgroup: exec" {
	caller_once_killed
	start_from_caller
	run -0 from_caller exec "$ID" sh -c 'grep ^0:: /proc/self/cgroup; exit 0'
	[ "$output" = "$WHERE" ]
	run -7 from_caller exec "$ID" sh -c 'exit 7'
	from_caller exec -d --pid-file "$T/pid" "$ID" sleep 1000 </dev/null >"$T/out" 2>&1
	[ "$(grep ^0:: "/proc/$(<"$T/pid")/cgroup")" = "$WHERE" ]
	knarr delete --force "$ID"
	rmdir "$CALLER"
}

@test "cgroup.kill was written to the caller's cgroup: exec --tty" {
	requires_command python3
	caller_once_killed
	start_from_caller
	receive_console "$T/sock" typed >"$T/console" &
	wait_for_file "$T/sock"
	from_caller exec -d -t --console-socket "$T/sock" "$ID" \
		sh -c 'test -t 0 && read x && grep ^0:: /proc/self/cgroup' </dev/null >"$T/out" 2>&1
	wait $!
	grep -qx "$WHERE" "$T/console"
	knarr delete --force "$ID"
	rmdir "$CALLER"
}

@test "cgroup.kill was written to the container's cgroup, before there was a container, or below it" {
	once_killed "$CG"
	run -0 knarr run -b "$BUNDLE" "$ID"
	[ "$output" = "$WHERE" ]
	bundle_runs sleep 1000
	knarr run -d -b "$BUNDLE" "$ID" </dev/null >"$T/out" 2>&1
	mkdir "$CG/below"
	echo 1 >"$CG/below/cgroup.kill"
	[ "$(knarr exec "$ID" sh -c 'grep ^0:: /proc/self/cgroup; exit 0')" = "$WHERE" ]
	[ "$(knarr exec --cgroup below "$ID" sh -c 'grep ^0:: /proc/self/cgroup; exit 0')" = "$WHERE/below" ]
	knarr delete --force "$ID"
	rmdir "$CG"
}

@test "cgroup.kill was written to the caller's cgroup: an unprivileged user to whom it is delegated" {
	local file user
	requires_unprivileged_user
	requires_user_ns
	user=$(unprivileged_user)
	own_cgroups "$CALLER"
	own_cgroups "$CALLER/own"
	echo 1 >"$CALLER/own/cgroup.kill"
	for file in . cgroup.procs cgroup.subtree_control cgroup.threads own own/cgroup.procs; do chown "$user" "$CALLER/$file"; done
	knarr_for_user
	ROOTLESS=1 make_bundle 'del(.linux.uidMappings, .linux.gidMappings, .linux.cgroupsPath) |
		.linux.namespaces |= map(select(.type != "cgroup"))' sh -c 'grep ^0:: /proc/self/cgroup'
	chown -R "$user:" "$BUNDLE"
	run -0 from_cgroup "$CALLER/own" exec_as_user "$KNARR" --root "$T/user/state" run -b "$BUNDLE" "$ID"
	[ "$output" = "0::/knarr-caller-$ID/knarr-$ID" ]
	rmdir "$CALLER/own" "$CALLER"
}

@test "an init that is killed from outside is an error all the same, and nothing is tried again" {
	caller_once_killed
	# It ends before the state says more than its pid.
	edit_bundle '.hooks = {createRuntime: [{path: "/bin/sh",
		args: ["sh", "-c", "echo once >>'"$T"'/ran; kill -KILL $(jq .pid); sleep 1"], env: ["PATH=/bin:/usr/bin"]}]}'
	run -1 from_caller run -b "$BUNDLE" "$ID"
	[[ "$output" == *'init ended'* || "$output" == *'was killed'* ]]
	[ "$(<"$T/ran")" = once ]
	run -1 knarr run -b "$BUNDLE" "$ID"
	[[ "$output" == *'init ended'* || "$output" == *'was killed'* ]]
	[ ! -e "$CG" ]
	rmdir "$CALLER"
}

# ---- the limit of tasks ---------------------------------------------------------

# With the library of tests/inject, which refuses what the kernel refuses there, and
# makes the moment long in which the process is outside.
refusing() {
	KNARR_REFUSED=$T/refused LD_PRELOAD=$T/refuse.so "$KNARR" --root "$ROOT" "$@"
}

build_refusing() {
	requires_preload
	requires_no_sanitizer 'the allocator must be the first library'
	"${CC:-cc}" -shared -fPIC -O1 -D_GNU_SOURCE -o "$T/refuse.so" "$BATS_TEST_DIRNAME/../inject/refuse_clone.c"
}

@test "no more tasks in the cgroup: what is made outside does nothing before it is moved" {
	build_refusing
	edit_bundle '.hooks = {createContainer: [{path: "/bin/sh", args: ["sh", "-c", "grep ^0:: /proc/self/cgroup >&2"]}]}'
	run -0 refusing run -b "$BUNDLE" "$ID"
	[ "$output" = "$WHERE"$'\n'"$WHERE" ]
	[ "$(<"$T/refused")" = rm ]
	edit_bundle 'del(.hooks)'
	bundle_runs sleep 1000
	knarr run -d -b "$BUNDLE" "$ID" </dev/null >"$T/out" 2>&1
	rm "$T/refused"
	run -0 refusing exec "$ID" sh -c 'grep ^0:: /proc/self/cgroup; exit 0'
	[ "$output" = "$WHERE" ]
	[ "$(<"$T/refused")" = rm ]
	knarr delete --force "$ID"
}

@test "a process that is outside while the container is killed does not outlive it" {
	local exec status=0
	build_refusing
	# Else the end of the pid namespace would be its end.
	edit_bundle '.linux.namespaces |= map(select(.type != "pid"))'
	bundle_runs sleep 1000
	knarr run -d -b "$BUNDLE" "$ID" </dev/null >"$T/out" 2>&1
	refusing exec "$ID" sleep 1000 </dev/null >"$T/out" 2>&1 &
	exec=$!
	for _ in {1..200}; do
		[ "$(cat "$T/refused" 2>/dev/null)" != rm ] || break
		sleep 0.01
	done
	knarr kill "$ID" KILL
	wait $exec || status=$?
	cat "$T/out"
	[ $status = 255 ]
	grep -q 'container not running' "$T/out"
	[ "$(<"$T/refused")" = rm ]
	[ "$(cat "$CG/cgroup.procs")" = '' ]
	knarr delete "$ID"
}
