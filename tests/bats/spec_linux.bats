#!/usr/bin/env bats
# config-linux.md: devices, masked and read-only paths, sysctl, cgroupsPath,
# rootfsPropagation, as the container and the host see them.
load helpers

setup() {
	container_setup
	make_bundle '.root.readonly = false | .linux.namespaces |= map(select(.type != "network"))'
}

teardown() {
	container_teardown
}

# ---- devices --------------------------------------------------------------------

@test "the default devices and links" {
	bundle_runs_sh 'cd /dev; stat -c "%n %F %t:%T %a" null zero full random urandom tty; for l in fd stdin stdout stderr ptmx; do readlink $l; done'
	run -0 knarr run -b "$BUNDLE" "$ID"
	[ "$output" = 'null character special file 1:3 666
zero character special file 1:5 666
full character special file 1:7 666
random character special file 1:8 666
urandom character special file 1:9 666
tty character special file 5:0 666
/proc/self/fd
/proc/self/fd/0
/proc/self/fd/1
/proc/self/fd/2
pts/ptmx' ]
	bundle_runs_sh 'echo x >/dev/null; head -c 3 /dev/zero | wc -c; : </dev/ptmx; echo via >>/dev/stdout; ls -d /dev/pts /dev/shm /proc/1 /sys/kernel'
	run -0 knarr run -b "$BUNDLE" "$ID"
	[ "$output" = $'3\nvia\n/dev/pts\n/dev/shm\n/proc/1\n/sys/kernel' ]
}

@test "default devices without a mount on /dev, twice" {
	requires_root
	edit_bundle_to_run '.mounts |= map(select(.destination | startswith("/dev") | not))' stat -c '%t:%T' /dev/null
	run -0 knarr run -b "$BUNDLE" "$ID"
	run -0 knarr run -b "$BUNDLE" "$ID"
	[ "$output" = 1:3 ]
}

@test "devices: type, number, mode and owner, whatever the umask" {
	requires_root
	requires_cap 27 CAP_MKNOD
	umask 077
	run -0 sees '.linux.devices = [
		{path: "/dev/b", type: "b", major: 1, minor: 5, uid: 10, gid: 11, fileMode: 111},
		{path: "/dev/p", type: "p", fileMode: 432, uid: 1, gid: 2},
		{path: "/dev/u", type: "u", major: 1, minor: 3},
		{path: "/dev/deep/er/c", type: "c", major: 251, minor: 300, fileMode: 384},
		{path: "/outside", type: "c", major: 1, minor: 3},
		{path: "/slash/", type: "b", major: 10, minor: 229}]' \
		'stat -c "%n %F %t:%T %a %u:%g" /dev/b /dev/p /dev/u /dev/deep/er/c /outside /slash'
	[ "$output" = '/dev/b block special file 1:5 157 10:11
/dev/p fifo 0:0 660 1:2
/dev/u character special file 1:3 666 0:0
/dev/deep/er/c character special file fb:12c 600 0:0
/outside character special file 1:3 666 0:0
/slash block special file a:e5 666 0:0' ]
	run -0 knarr run -b "$BUNDLE" "$ID" # those outside of /dev are there now, and match
}

@test "devices in a user namespace are made with owner, mode and number" {
	requires_root
	requires_cap 27 CAP_MKNOD
	chown 200000:200000 "$BUNDLE/rootfs"
	run -0 sees '.linux.namespaces += [{type: "user"}]
		| .linux.uidMappings = [{containerID: 0, hostID: 200000, size: 1000}] | .linux.gidMappings = .linux.uidMappings
		| .linux.devices = [{path: "/dev/a", type: "c", major: 1, minor: 3, uid: 7, gid: 8, fileMode: 418},
			{path: "/dev/sub/b", type: "b", major: 240, minor: 5}]' \
		'stat -c "%F %t:%T %a %u:%g" /dev/a /dev/sub/b; echo x >/dev/a && echo written'
	echo "$output"
	[ "$output" = "character special file 1:3 642 7:8
block special file f0:5 666 0:0
written" ]
	refuses '.linux.devices = [{path: "/dev/a", type: "c", major: 1, minor: 3, uid: 1000}]' \
		'linux.devices[0].uid' 'not mapped'
}

@test "devices that repeat a default one" {
	requires_root
	run -0 sees '.linux.devices = [{path: "/dev/tty", type: "c", major: 5, minor: 0},
		{path: "/dev/null", type: "c", major: 1, minor: 3, fileMode: 384, uid: 4}]' 'stat -c "%t:%T %a %u" /dev/tty /dev/null'
	[ "$output" = $'5:0 666 0\n1:3 600 4' ]
	# Another device at that path is not in the way of the default one, which is not made.
	run -0 sees '.linux.devices = [{path: "/dev/full", type: "c", major: 1, minor: 5}]' 'stat -c "%t:%T" /dev/full'
	[ "$output" = 1:5 ]
	run -0 sees '.linux.devices = [{path: "/dev/ptmx", type: "c", major: 5, minor: 2}]' 'stat -L -c "%t:%T %a" /dev/ptmx'
	[ "$output" = "5:2 666" ]
}

@test "devices: what a bind mount shows is the host's, and stays as it is" {
	requires_root
	requires_cap 27 CAP_MKNOD
	mkdir "$T/nodes"
	mknod -m 640 "$T/tty" c 5 0
	mknod -m 600 "$T/nodes/zero" c 1 5
	chown 7:8 "$T/tty" "$T/nodes/zero"
	run -0 sees '.mounts += [{destination: "/dev/tty", source: "'"$T"'/tty", options: ["bind"]},
			{destination: "/dev/nodes", source: "'"$T"'/nodes", options: ["rbind"]}]
		| .linux.devices = [{path: "/dev/nodes/zero", type: "c", major: 1, minor: 5},
			{path: "/dev/nodes/null", type: "c", major: 1, minor: 3, fileMode: 384, uid: 4}]' \
		'stat -c "%n %t:%T %a %u:%g" /dev/tty /dev/nodes/*'
	[ "$output" = '/dev/tty 5:0 640 7:8
/dev/nodes/null 1:3 600 4:0
/dev/nodes/zero 1:5 600 7:8' ]
	[ "$(stat -c '%a %u:%g' "$T/tty" "$T/nodes/zero")" = $'640 7:8\n600 7:8' ]
}

@test "a mount at the path of a default device takes its place" {
	echo from-host >"$T/file"
	run -0 sees '.mounts += [{destination: "/dev/random", source: "/dev/urandom", options: ["bind"]},
		{destination: "/dev//full", source: "'"$T"'/file", options: ["bind"]}]' 'stat -c %t:%T /dev/random /dev/urandom; cat /dev/full'
	[ "$output" = $'1:9\n1:9\nfrom-host' ]
}

@test "a file in the way of a device is an error" {
	refuses '.linux.devices = [{path: "/etc/passwd", type: "c", major: 1, minor: 3}]' 'linux.devices[0]' /etc/passwd
	echo x >"$BUNDLE/rootfs/dev/null"
	refuses '.mounts |= map(select(.destination | startswith("/dev") | not))' /dev/null
	[ "$(cat "$BUNDLE/rootfs/dev/null")" = x ]
}

@test "invalid devices are errors of the config" {
	refuses '.linux.devices = [{path: "/dev/x", type: "q", major: 1, minor: 3}]' 'linux.devices[0].type'
	refuses '.linux.devices = [{path: "dev/x", type: "c", major: 1, minor: 3}]' 'linux.devices[0].path'
	refuses '.linux.devices = [{path: "/dev/x", type: "c", minor: 3}]' 'linux.devices[0].major'
	refuses '.linux.devices = [{path: "/dev/x", type: "c", major: -1, minor: 3}]' 'linux.devices[0].major'
	refuses '.linux.devices = [{type: "c", major: 1, minor: 3}]' 'linux.devices[0].path'
}

# ---- masked and read-only paths -------------------------------------------------

@test "maskedPaths: nothing to read, nothing to undo, missing ones are passed over" {
	mkdir "$BUNDLE/rootfs/directory"
	echo secret | tee "$BUNDLE/rootfs/file" >"$BUNDLE/rootfs/directory/file"
	ln -s directory "$BUNDLE/rootfs/link"
	run -0 sees '.linux.maskedPaths += ["/file", "/link", "/missing", "/missing/too", "/proc/nothing"]' \
		'cat /file; ls -A /directory; touch /directory/x; umount /directory; umount /file; rm /file; echo end'
	[ "$(grep -c secret <<<"$output")" = 0 ]
	[[ "$output" == *"touch: /directory/x: Read-only file system"* ]]
	[ "${lines[-1]}" = end ]
	[ "$(cat "$BUNDLE/rootfs/file" "$BUNDLE/rootfs/directory/file")" = $'secret\nsecret' ]
	refuses '.linux.maskedPaths = ["relative"]' 'linux.maskedPaths[0]'
}

@test "readonlyPaths: readable, not writable, missing ones are passed over" {
	mkdir "$BUNDLE/rootfs/directory"
	echo text | tee "$BUNDLE/rootfs/file" >"$BUNDLE/rootfs/directory/file"
	run -0 sees '.linux.readonlyPaths += ["/file", "/directory", "/missing"]' \
		'cat /file /directory/file; for f in /file /directory/file /directory/new; do echo x 2>/dev/null >$f || echo no $f; done'
	[ "$(sed 's/.*: //' <<<"$output" | grep -c text)" = 2 ]
	[[ "$output" == *"Read-only file system"* || "$output" == *"no /file"* ]]
	[ "$(cat "$BUNDLE/rootfs/file")" = text ]
	[ ! -e "$BUNDLE/rootfs/directory/new" ]
	refuses '.linux.readonlyPaths = ["relative"]' 'linux.readonlyPaths[0]'
}

@test "a read-only path keeps the other flags of its mount" {
	run -0 sees '.linux.readonlyPaths = ["/t/a", "/proc/bus"] | .linux.maskedPaths = []
		| .mounts |= map(if .destination == "/proc" then .options = ["nosuid", "noexec", "nodev"] else . end)
		| .mounts += [{destination: "/t", type: "tmpfs", source: "tmpfs", options: ["nosuid", "noexec", "nodev"]},
			{destination: "/t/a", type: "tmpfs", source: "tmpfs", options: ["nosuid"]}]' \
		'grep -E " (/t/a|/proc/bus) " /proc/mounts | tail -n 2 | cut -d" " -f2,4 | sort'
	[[ "${lines[0]}" == "/proc/bus ro,nosuid,nodev,noexec"* ]]
	[[ "${lines[1]}" == "/t/a ro,nosuid,relatime"* ]]
}

# ---- sysctl ---------------------------------------------------------------------

@test "sysctl in both notations" {
	requires_root
	run -0 sees '.linux.namespaces += [{type: "network"}] | .linux.sysctl = {"kernel.msgmax": "8000", "fs.mqueue.queues_max": "99",
		"kernel/shm_rmid_forced": "1", "kernel.domainname": "dom", "net.ipv4.ping_group_range": "0 7",
		"net.ipv4.conf.lo.forwarding": "1", "net/ipv6/conf/lo/forwarding": "1"}' \
		'cd /proc/sys; cat kernel/msgmax fs/mqueue/queues_max kernel/shm_rmid_forced kernel/domainname net/ipv4/ping_group_range net/ipv4/conf/lo/forwarding'
	[ "$output" = $'8000\n99\n1\ndom\n0\t7\n1' ]
	[ "$(cat /proc/sys/kernel/msgmax)" != 8000 ]
}

@test "a dot in a component of a sysctl" {
	requires_root
	edit_bundle '.linux.namespaces += [{type: "network"}]'
	refuses '.linux.sysctl = {"net.ipv4.conf.no/such.forwarding": "1"}' '/proc/sys/net/ipv4/conf/no.such/forwarding'
	refuses '.linux.sysctl = {"net/ipv4/conf/no.such/forwarding": "1"}' '/proc/sys/net/ipv4/conf/no.such/forwarding'
}

@test "a sysctl that is not the container's own is refused" {
	for name in kernel.foo vm.swappiness fs.file-max kernel.hostname net..x /net/x net.ipv4/../../../vm/swappiness; do
		refuses ".linux.sysctl = {\"$name\": \"1\"}" "linux.sysctl[\"$name\"]"
	done
	refuses '.linux.sysctl = {"net.ipv4.ip_forward": "1"}' network
	refuses '.linux.namespaces |= map(select(.type != "ipc")) | .linux.sysctl = {"kernel.msgmax": "1"}' ipc
	refuses 'del(.hostname) | .linux.namespaces |= map(select(.type != "uts")) | .linux.sysctl = {"kernel.domainname": "x"}' uts
	refuses '.linux.sysctl = {"kernel.msgmax": "many"}' kernel.msgmax many
}

# ---- cgroupsPath ----------------------------------------------------------------

cgroup_inside() { # the path as the host sees it
	requires_root
	requires_cgroup2
	bundle_runs sleep 1000
	knarr run --detach -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
	sed -n 's/^0:://p' "/proc/$(knarr state "$ID" | jq .pid)/cgroup"
	knarr delete --force "$ID"
}

@test "cgroupsPath: absolute below the mount, relative where the runtime likes, absent with the id" {
	edit_bundle ".linux.cgroupsPath = \"/knarr-$ID/a/b\""
	[ "$(cgroup_inside)" = "/knarr-$ID/a/b" ]
	[ ! -e "$(cgroup_mount)/knarr-$ID" ]
	edit_bundle ".linux.cgroupsPath = \"rel-$ID/x\""
	local first
	first=$(cgroup_inside)
	[[ "$first" == *"/rel-$ID/x" ]]
	[ "$(cgroup_inside)" = "$first" ]
	edit_bundle 'del(.linux.cgroupsPath)'
	[[ "$(cgroup_inside)" == *"$ID" ]]
}

@test "cgroupsPath that climbs out is refused" {
	for path in "/../$ID" "a/../../$ID" /a/./../..; do
		refuses ".linux.cgroupsPath = \"$path\"" cgroupsPath
	done
}

@test "two containers with one cgroupsPath: what the other holds is left alone" {
	requires_root
	requires_cgroup2
	edit_bundle_to_run ".linux.cgroupsPath = \"/knarr-$ID/both\"" sleep 1000
	knarr run --detach -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
	run knarr run --detach -b "$BUNDLE" "$ID.2" </dev/null
	if [ "$status" = 0 ]; then
		knarr delete --force "$ID.2"
	else
		[[ "$output" == *"/knarr-$ID/both"* ]]
	fi
	[ "$(knarr state "$ID" | jq -r .status)" = running ]
	knarr delete --force "$ID"
}

# ---- rootfsPropagation ----------------------------------------------------------

@test "rootfsPropagation as seen from inside" {
	requires_root
	export KNARR ROOT BUNDLE ID
	# A host whose mounts are shared, as systemd makes them; the optional fields of
	# the line of "/" in mountinfo(5) tell the propagation.
	for want in 'shared shared:' 'rshared shared:' 'slave master:' 'rslave master:' 'private ' 'rprivate ' 'unbindable unbindable'; do
		edit_bundle ".linux.rootfsPropagation = \"${want%% *}\""
		# shellcheck disable=SC2016
		bundle_runs_sh 'sed -n "s/^[^ ]* [^ ]* [^ ]* [^ ]* \/ [^ ]* \([^-]*\)- .*/\1/p" /proc/self/mountinfo'
		run -0 unshare --mount --propagation private sh -c 'mount --bind "$BUNDLE/rootfs" "$BUNDLE/rootfs" &&
			mount --make-shared "$BUNDLE/rootfs" && exec "$KNARR" --root "$ROOT" run -b "$BUNDLE" "$ID"'
		echo "$want: [$output]"
		record_properties run
		[[ "$output" == "${want#* }"* ]]
		[ -n "${want#* }" ] || [ -z "$output" ]
	done
	refuses '.linux.rootfsPropagation = "bogus"' linux.rootfsPropagation
}
