#!/usr/bin/env bats
# What an error says beyond the errno, where the reason is known.
load helpers

setup()
{
	container_setup
}

teardown()
{
	container_teardown
}

@test 'ENOSPC of a mount: the limit of mounts is named, at every mount' {
	requires_root
	requires_command strace
	make_bundle '.mounts += [{destination: "/v", type: "bind", source: ".", options: ["bind"]}]
		| .linux.maskedPaths = ["/root", "/etc/passwd"] | .linux.readonlyPaths = ["/proc/sys"]' true
	local n status hints=0
	for n in $(seq 1 40); do
		status=0
		ASAN_OPTIONS=detect_leaks=0 strace -f -qq -o /dev/null -e trace=move_mount -e inject=move_mount:error=ENOSPC:when="$n" \
			"$KNARR" --root "$ROOT" run -b "$BUNDLE" "$ID" >"$T/out" 2>&1 </dev/null || status=$?
		[ $status != 0 ] || break
		cat "$T/out"
		grep -qF '(the number of mounts in /proc/sys/fs/mount-max is reached): no space left on device' "$T/out"
		hints=$((hints + 1))
	done
	[ $status = 0 ]
	# The root, each of mounts[], two masks and a read-only path, at the least.
	[ $hints -ge $(($(jq '.mounts | length' "$BUNDLE/config.json") + 4)) ]
}

@test 'a program on a file system that is mounted noexec' {
	requires_root
	make_bundle '.process.args = ["/bin/busybox", "true"]'
	export KNARR ROOT BUNDLE ID
	# shellcheck disable=SC2016
	run -1 unshare --mount --propagation private sh -ec 'mount --bind "$BUNDLE/rootfs" "$BUNDLE/rootfs"
		mount -o remount,bind,noexec "$BUNDLE/rootfs"; exec "$KNARR" --root "$ROOT" run -b "$BUNDLE" "$ID"'
	[ "$output" = 'knarr: process.args[0]: exec: "/bin/busybox" (its file system is mounted noexec): permission denied' ]
}

@test 'a program that is not executable, or is not a file, found by path or along PATH' {
	requires_root
	make_bundle '.process.args = ["/bin/data"]'
	echo data >"$BUNDLE/rootfs/bin/data"
	mkfifo -m 755 "$BUNDLE/rootfs/bin/fifo"
	run -1 knarr run -b "$BUNDLE" "$ID"
	[ "$output" = 'knarr: process.args[0]: exec: "/bin/data" (the file is not executable): permission denied' ]
	bundle_runs data
	run -1 knarr run -b "$BUNDLE" "$ID"
	[ "$output" = 'knarr: process.args[0]: exec: "data" (the file is not executable): permission denied' ]
	bundle_runs /bin/fifo
	run -1 knarr run -b "$BUNDLE" "$ID"
	[ "$output" = 'knarr: process.args[0]: exec: "/bin/fifo" (it is not a regular file): permission denied' ]
	# For this user alone: nothing to add.
	install -m 0700 "$BUNDLE/rootfs/bin/busybox" "$BUNDLE/rootfs/bin/private"
	edit_bundle '.process.user = {uid: 1000, gid: 1000} | .process.args = ["/bin/private"]'
	run -1 knarr run -b "$BUNDLE" "$ID"
	[ "$output" = 'knarr: process.args[0]: exec: "/bin/private": permission denied' ]
}

@test 'a program that may only be executed runs; one whose interpreter may not be is explained' {
	requires_root
	make_bundle '.process.user = {uid: 1000, gid: 1000}'
	mkdir "$BUNDLE/rootfs/only"
	# busybox goes by the name that it is called by.
	edit_bundle '.process.args = ["/only/echo", "runs"]'
	install -m 0111 "$BUNDLE/rootfs/bin/busybox" "$BUNDLE/rootfs/only/echo"
	run -0 knarr run -b "$BUNDLE" "$ID"
	[ "$output" = runs ]
	printf '#!/bin/data\n' >"$BUNDLE/rootfs/bin/script"
	chmod 755 "$BUNDLE/rootfs/bin/script"
	echo data >"$BUNDLE/rootfs/bin/data"
	bundle_runs /bin/script
	run -1 knarr run -b "$BUNDLE" "$ID"
	[ "$output" = 'knarr: process.args: exec: "/bin/script" (its interpreter (#!) or dynamic loader may not be executed): permission denied' ]
}

@test 'exec says the same' {
	requires_root
	make_bundle . sleep 60
	echo data >"$BUNDLE/rootfs/bin/data"
	knarr run -d -b "$BUNDLE" "$ID" </dev/null >/dev/null
	run ! knarr exec "$ID" /bin/data
	[[ "$output" == *'exec: "/bin/data" (the file is not executable): permission denied' ]]
	knarr delete --force "$ID"
}
