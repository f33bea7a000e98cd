#!/usr/bin/env bats
# Many containers one after the other and at once, with a full config: nothing of
# them may be left on the host. KNARR_LEAKS_RUNS changes the number of runs.
load helpers

setup() {
	container_setup
	RUNS=${KNARR_LEAKS_RUNS:-1000}
	full_bundle
}

teardown() {
	[ -z "${HOLDER:-}" ] || kill "$HOLDER"
	container_teardown
}

# Namespaces, seccomp, a cgroup below parents of its own, a session keyring, a
# mount on a directory that the rootfs lacks, and one hook of each kind; each hook
# that runs in the runtime or in its init notes the descriptors that it finds.
full_bundle() {
	make_bundle '.root.readonly = false | .mounts += [{destination: "/made/by/mount", type: "tmpfs", source: "tmpfs"}]'
	cat >"$T/hook" <<'X'
#!/bin/sh
for fd in /proc/self/fd/*; do list="$list ${fd##*/}"; done
echo "$1$list" >>"$2"
X
	chmod 755 "$T/hook"
	cp "$T/hook" "$BUNDLE/rootfs/hook"
	local kind
	for kind in createRuntime createContainer poststart poststop; do
		edit_bundle '.hooks[$k] = [{path: $p, args: ["hook", $k, $log]}]' \
			--arg k $kind --arg p "$T/hook" --arg log "$T/fds"
	done
	edit_bundle '.hooks.startContainer = [{path: "/hook", args: ["hook", "startContainer", "/dev/null"]}] |
		.linux.cgroupsPath = "/\($id)-parent/all/own"' --arg id "$ID"
	edit_bundle '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [
		{names: ["reboot", "swapon", "swapoff"], action: "SCMP_ACT_ERRNO"}]}'
	bundle_runs /bin/true
}

# One cgroup for all would let one container at a time run.
without_cgroups_path() {
	edit_bundle 'del(.linux.cgroupsPath)'
}

# ---- what the host has ----------------------------------------------------------

# Names of a rootfs, with kind and size. The log of the hooks is elsewhere.
rootfs_files() {
	find "$BUNDLE/rootfs" -printf '%P %y %s\n' | sort
}

# The tests run in IPC and network namespaces of their own, so that what shows there is
# theirs: a process that only stands in them keeps them for all.
own_namespaces() {
	unshare --ipc --net sleep 10000 3>&- &
	HOLDER=$!
	while [ "$(readlink "/proc/$HOLDER/ns/net")" = "$(readlink /proc/self/ns/net)" ]; do sleep 0.01; done
	BATS_LEAK_IGNORE=$HOLDER
	printf '#!/bin/sh\nexec nsenter --ipc --net --target %s %s "$@"\n' "$HOLDER" "$KNARR" >"$T/knarr-inside"
	chmod 755 "$T/knarr-inside"
	KNARR=$T/knarr-inside
}

# SysV objects and network interfaces (veth peers and bridges show here).
host_objects() {
	nsenter --ipc --net --target "$HOLDER" sh -c '
		tail -qn +2 /proc/sysvipc/shm /proc/sysvipc/sem /proc/sysvipc/msg
		sed -n "s/:.*/ interface/p" /proc/net/dev' | awk '{ print $1, $2, $3 }'
}

# Keys that root has in all sessions of the host.
key_count() {
	awk '$1 == "0:" { split($3, n, "/"); print n[1] }' /proc/key-users
}

# Of this shell: asked without a pipe, whose other end it may not have closed yet.
own_fds() {
	local fds=("/proc/$$/fd"/*)
	OWN_FDS_NOW=${fds[*]}
}

before() {
	own_namespaces
	FILES=$(rootfs_files)
	OBJECTS=$(host_objects)
	KEYS=$(key_count)
	own_fds
	OWN_FDS=$OWN_FDS_NOW
	mkdir -p "$T/tmp"
	export TMPDIR=$T/tmp
}

# after: asserts that all is as before; processes, mounts, cgroups, keyrings and
# state directories are looked for by the teardown.
after() {
	local left
	own_fds
	[ "$OWN_FDS_NOW" = "$OWN_FDS" ]
	[ "$(ls -A "$T/tmp")" = '' ]
	# Directories that only serve as mount points stay, with every runtime.
	left=$(diff <(echo "$FILES") <(rootfs_files) | grep '^[<>]' | grep -vE '^[<>] (made d|made/by d|made/by/mount d| d) ' || true)
	[ "$left" = '' ] || { echo "changes of the rootfs: $left"; return 1; }
	for _ in {1..50}; do
		left=$(diff <(echo "$OBJECTS") <(host_objects) || true)
		[ -n "$left" ] || break
		sleep 0.2
	done
	[ "$left" = '' ] || { echo "objects of the host: $left"; return 1; }
	[ -z "$(ls -A "$ROOT")" ]
	keys_settled
}

# Other users of the machine have keys too; some dozens of them are not a leak of
# more than a thousand containers. The kernel collects dead keys later.
keys_settled() {
	local now
	for _ in $(seq 50); do
		now=$(key_count)
		[ "$now" -gt $((KEYS + 50)) ] || return 0
		sleep 0.2
	done
	echo "keys: $KEYS before, $now after"
	return 1
}

# Every hook of a kind found the same descriptors: the standard ones, and the
# directory /proc/self/fd itself or the shell's script.
check_hook_fds() {
	local kind
	for kind in createRuntime createContainer poststart poststop; do
		run -0 awk -v k=$kind '$1 == k' "$T/fds"
		[ "$(sort -u <<<"$output" | wc -l)" = 1 ] || { sort <<<"$output" | uniq -c; return 1; }
	done
	# A file and a directory that the shell itself has open.
	run -0 awk '{ if (NF > 6) print }' "$T/fds"
	[ "$output" = '' ]
	! grep -E ' ([2-9][0-9]|1[1-9]|[4-9])( |$)' "$T/fds"
}

# ---- tests ----------------------------------------------------------------------

@test "containers one after the other leave nothing" {
	requires_root
	before
	for ((i = 0; i < RUNS; i++)); do
		"$KNARR" --root "$ROOT" run -b "$BUNDLE" "$ID" </dev/null >>"$T/out" 2>&1 3>&- || { cat "$T/out"; return 1; }
		# The hooks' turn is taken now and then: they cost more than all the rest.
		[ $i != 20 ] || without_hooks
	done
	[ ! -s "$T/out" ]
	after
	check_hook_fds
}

without_hooks() {
	edit_bundle '.hooks |= {createRuntime: [{path: "/bin/true"}], poststop: [{path: "/bin/true"}]}'
}

@test "containers at the same time leave nothing" {
	requires_root
	without_hooks
	edit_bundle '.linux.cgroupsPath = "/\($id)-parent/all/own"' --arg id "$ID"
	before
	local i runs=()
	# Several share parents that knarr makes and removes, each has a cgroup of its own.
	for i in 0 1 2 3 4 5 6 7 8 9 10 11; do
		mkdir "$T/b$i"
		ln -s "$BUNDLE/rootfs" "$T/b$i/rootfs"
		jq --arg p "/$ID-parent/all/own$i" '.linux.cgroupsPath = $p' "$BUNDLE/config.json" >"$T/b$i/config.json"
		(
			for ((n = 0; n < RUNS / 55; n++)); do
				"$KNARR" --root "$ROOT" run -b "$T/b$i" "$ID-$i" </dev/null || echo "failed: $?"
			done
		) >>"$T/out" 2>&1 &
		runs+=($!)
	done
	wait "${runs[@]}"
	[ ! -s "$T/out" ] || { cat "$T/out"; return 1; }
	after
}

@test "create, start, kill, delete over and over leave nothing" {
	requires_root
	without_hooks
	bundle_runs sleep 1000
	before
	for ((i = 0; i < RUNS / 10; i++)); do
		knarr create -b "$BUNDLE" "$ID"
		knarr start "$ID"
		knarr kill "$ID" KILL
		case $((i % 3)) in
		0) knarr delete --force "$ID" ;;
		1) wait_status "$ID" stopped && knarr delete "$ID" ;;
		2) knarr delete --force "$ID" ;;
		esac
	done </dev/null >>"$T/out" 2>&1
	[ ! -s "$T/out" ] || { cat "$T/out"; return 1; }
	after
}

@test "containers of an unprivileged user leave nothing" {
	requires_user_ns
	requires_unprivileged_user
	knarr_for_user
	as_user true
	rm -rf "$BUNDLE"
	ROOTLESS=1 make_bundle '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["reboot"], action: "SCMP_ACT_ERRNO"}]}'
	edit_bundle '.linux.uidMappings[0].hostID = ($u | tonumber) | .linux.gidMappings[0].hostID = ($g | tonumber)' \
		--arg u "$(id -u "$(unprivileged_user)")" --arg g "$(id -g "$(unprivileged_user)")"
	bundle_runs /bin/true
	chown -R --no-dereference "$(unprivileged_user):" "$BUNDLE"
	# 200 keys are all that an unprivileged user may have.
	as_user bash -c 'for ((i = 0; i < $1 / 3; i++)); do "$2" --root "$3" run -b "$4" "$5" </dev/null || exit 1; done' \
		bash "$RUNS" "$KNARR" "$T/user/state" "$BUNDLE" "$ID" >"$T/out" 2>&1 || { tail "$T/out"; return 1; }
	[ ! -s "$T/out" ] || { cat "$T/out"; return 1; }
	[ -z "$(ls -A "$T/user/state")" ]
}
