#!/usr/bin/env bats
# Attacks that were found on container runtimes, each against knarr: a hostile
# image, config or caller's environment. Each test names the CVE that it repeats.
# What needs two processes that race is in races.bats; docs/security.md has the
# table of attacks, defences and tests.
load helpers

setup() {
	container_setup
	requires_root
	make_bundle '.root.readonly = false'
	# A directory and a file of the host that no container may reach.
	CANARY=$T/canary
	mkdir "$CANARY"
	echo treasure >"$T/treasure"
	chmod 600 "$T/treasure"
}

teardown() {
	container_teardown
}

canary_is_untouched() {
	[ -z "$(ls -A "$CANARY")" ]
	[ "$(cat "$T/treasure")" = treasure ]
	[ "$(stat -c %a "$T/treasure")" = 600 ]
	[ "$(grep -c " $T/" /proc/self/mountinfo)" = 0 ]
}

# ---- descriptors that lead out ----------------------------------------------------

# CVE-2024-21626: whatever number a directory of the host has in the runtime, its own
# ones (the state root is on the host's file system here) and one of the caller's.
@test "a cwd of /proc/self/fd/N does not lead out" {
	local n
	for n in $(seq 3 15); do
		edit_bundle ".process.cwd = \"/proc/self/fd/$n\""
		run -1 knarr_with_fds 'exec 9</' run -b "$BUNDLE" "$ID"
		edit_bundle ".process.cwd = \"/proc/self/fd/$n/..\""
		run -1 knarr_with_fds 'exec 9</' run -b "$BUNDLE" "$ID"
	done
}

# CVE-2024-21626, its other half: the program is opened before the kernel closes
# what is close-on-exec.
@test "a program at /proc/self/fd/N/.. is not one of the host" {
	local n link
	ln -s /proc/self/fd "$BUNDLE/rootfs/links"
	for n in $(seq 3 15); do
		for link in /proc/self/fd /links /proc/thread-self/fd; do
			bundle_runs "$link/$n/../../../../../../../../../bin/true"
			run -1 knarr_with_fds 'exec 9</' run -b "$BUNDLE" "$ID"
			[[ "$output" == *"no such file"* ]]
		done
	done
}

@test "an interpreter at /proc/self/fd/N/.. is not one of the host" {
	local n
	for n in $(seq 3 15); do
		printf '#!/proc/self/fd/%d/../../../../../../../../bin/true\n' "$n" >"$BUNDLE/rootfs/script"
		chmod +x "$BUNDLE/rootfs/script"
		bundle_runs /script
		run -1 knarr_with_fds 'exec 9</' run -b "$BUNDLE" "$ID"
	done
}

@test "a dynamic loader at /proc/self/fd/N/.. is not one of the host" {
	requires_command gcc
	local n loader
	loader=$(LC_ALL=C readelf -l /bin/true | sed -n 's/.*interpreter: \(.*\)]/\1/p')
	[ -n "$loader" ] || skip "/bin/true has no dynamic loader"
	loader=$(realpath "$loader") # a link would be followed in the container
	for n in 4 5 6 9; do
		echo 'int main(void) { return 0; }' |
			gcc -x c - -o "$BUNDLE/rootfs/loads" -Wl,--dynamic-linker="/proc/self/fd/$n/../../../../../../../..$loader"
		bundle_runs /loads
		run -1 knarr_with_fds 'exec 9</' run -b "$BUNDLE" "$ID"
	done
}

# With no descriptor of its own that would show, for the same reason.
@test "the program finds no descriptor but 0, 1 and 2" {
	bundle_runs sh -c 'ls /proc/self/fd'
	run -0 knarr_with_fds 'exec 9</ 17</etc' run -b "$BUNDLE" "$ID"
	# ls itself opens 3.
	[ "$output" = "0
1
2
3" ]
	knarr_with_fds 'exec 9</ 17</etc' create -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
	# The init that waits for start holds nothing that has a path: no directory, no
	# procfs, no root. Sockets and memory do not lead anywhere.
	local pid fd
	pid=$(knarr state "$ID" | jq .pid)
	for fd in "/proc/$pid/fd"/*; do
		[[ "$(readlink "$fd")" =~ ^(/dev/null|socket:.*|/memfd:.*)$ ]] || {
			echo "the waiting init has $fd: $(readlink "$fd")"
			return 1
		}
	done
	knarr delete --force "$ID"
}

# The program of a startContainer hook comes from the image. (It leaves a file:
# its output is the runtime's.)
@test "a startContainer hook finds no descriptor of the runtime in the init" {
	cat >"$BUNDLE/rootfs/hook" <<-'END'
		#!/bin/sh
		for fd in /proc/1/fd/*; do readlink $fd; done >/seen 2>/dev/null
		for fd in /proc/1/fd/*; do ls -d $fd/sys $fd/bin; done >/found 2>/dev/null
		exit 0
	END
	chmod +x "$BUNDLE/rootfs/hook"
	edit_bundle_to_run '.hooks.startContainer = [{path: "/hook"}] | .process.capabilities |= map_values([])' true
	run -0 knarr run -b "$BUNDLE" "$ID"
	[ -e "$BUNDLE/rootfs/seen" ]
	[ -z "$(cat "$BUNDLE/rootfs/found")" ]
	run ! grep -vE '^(/dev/null|socket:.*|pipe:.*|/memfd:.*|/.*knarr-test.*/out|/tmp/bats.*)$' "$BUNDLE/rootfs/seen"
}

# ---- the runtime's processes, seen from a container ---------------------------------

# CVE-2016-9962, CVE-2019-5736: a second container in the pid namespace of the
# first, which is root there as well.
@test "an init that waits for start is closed to the containers of its pid namespace" {
	local pid
	cat >"$BUNDLE/rootfs/look" <<-'END'
		#!/bin/sh
		until [ -s /go ]; do sleep 0.05; done
		cd /proc/$(cat /go) || exit
		cat comm >/seen
		{
			readlink exe root cwd
			ls -d fd/* root/bin map_files/*
			cat environ maps
			: <mem
			: >mem && echo writable
		} >/found 2>/dev/null
		: >/done
		sleep 1000
	END
	chmod +x "$BUNDLE/rootfs/look"
	bundle_runs /look
	knarr run -d -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
	pid=$(knarr state "$ID" | jq .pid)
	edit_bundle ".linux.namespaces |= map(if .type == \"pid\" then .path = \"/proc/$pid/ns/pid\" else . end)"
	knarr create -b "$BUNDLE" "$ID-2" </dev/null >/dev/null 2>&1
	pid=$(knarr state "$ID-2" | jq .pid)
	awk '/^NSpid/ { print $NF }' "/proc/$pid/status" >"$BUNDLE/rootfs/go"
	for _ in $(seq 100); do [ -e "$BUNDLE/rootfs/done" ] && break; sleep 0.05; done
	[ "$(cat "$BUNDLE/rootfs/seen")" = 'knarr:[wait]' ]
	[ -z "$(cat "$BUNDLE/rootfs/found")" ]
	knarr delete --force "$ID-2"
	knarr delete --force "$ID"
}

# CVE-2019-5736.
@test "the runtime is not to be had as /proc/self/exe" {
	local before line
	cp "$KNARR" "$T/knarr"
	KNARR=$T/knarr
	before=$(sha256sum <"$KNARR")
	printf '#!/proc/self/exe\n' >"$BUNDLE/rootfs/script"
	printf '#!/proc/self/exe run\n' >"$BUNDLE/rootfs/script2"
	ln -s /proc/self/exe "$BUNDLE/rootfs/link"
	chmod +x "$BUNDLE/rootfs"/script*
	for line in /script /script2 /link /proc/self/exe /proc/1/exe /proc/thread-self/exe; do
		bundle_runs "$line" --version
		run -1 knarr run -b "$BUNDLE" "$ID"
		[[ "$output" != *"knarr version"* ]]
	done
	[ "$(sha256sum <"$KNARR")" = "$before" ]
}

@test "the runtime cannot be used as a dynamic loader" {
	requires_command gcc
	echo 'int main(void) { return 0; }' | gcc -x c - -o "$BUNDLE/rootfs/loads" -Wl,--dynamic-linker=/proc/self/exe
	bundle_runs /loads --version
	run ! knarr run -b "$BUNDLE" "$ID"
	[[ "$output" != *"knarr version"* ]]
}

# CVE-2020-15257: a container in the host's network namespace sees abstract sockets.
@test "no abstract socket belongs to the runtime" {
	edit_bundle '.linux.namespaces |= map(select(.type != "network"))'
	knarr create -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
	run ! grep -E "@.*(knarr|$ID)" /proc/net/unix
	knarr delete --force "$ID"
}

# ---- links in the root file system ----------------------------------------------------

# CVE-2019-18837, CVE-2024-45310: the directories, files and mounts of destinations.
@test "a destination that is a link to the host stays inside" {
	local target
	mkdir "$T/source"
	edit_bundle '.mounts += [
		{destination: "/vol/a/b", type: "tmpfs", source: "tmpfs"},
		{destination: "/vol/c", type: "bind", source: $source, options: ["rbind"]},
		{destination: "/vol/f", type: "bind", source: "/etc/hostname", options: ["bind"]}]' --arg source "$T/source"
	bundle_runs true
	for target in "$CANARY" "../../../../../../../..$CANARY" "/proc/1/root$CANARY" "/proc/self/cwd/../canary"; do
		rm -rf "$BUNDLE/rootfs/vol"
		ln -s "$target" "$BUNDLE/rootfs/vol"
		run knarr run -b "$BUNDLE" "$ID"
		[ "$status" -le 1 ]
		canary_is_untouched
	done
}

# CVE-2019-19921, CVE-2023-27561, CVE-2023-28642, CVE-2025-54867.
@test "proc and sysfs are only mounted on ordinary directories" {
	local name target
	bundle_runs true
	for name in proc sys; do
		for target in /tmp "$CANARY" "../../../../..$CANARY" /proc/1 /dev/../tmp; do
			rm -rf "$BUNDLE/rootfs/$name"
			ln -s "$target" "$BUNDLE/rootfs/$name"
			run -1 knarr run -b "$BUNDLE" "$ID"
			[[ "$output" == *"ordinary directory"* ]]
		done
		rm "$BUNDLE/rootfs/$name"
		echo file >"$BUNDLE/rootfs/$name"
		run -1 knarr run -b "$BUNDLE" "$ID"
		rm "$BUNDLE/rootfs/$name"
		mkdir "$BUNDLE/rootfs/$name"
	done
	canary_is_untouched
}

# CVE-2026-41579, CVE-2026-47766: with the mounts below /dev and without them.
@test "a /dev that is a link to the host gets nothing there" {
	local target filter
	bundle_runs true
	for filter in . '.mounts |= map(select(.destination | startswith("/dev") | not))'; do
		edit_bundle "$filter"
		for target in "$CANARY" "../../../../../../..$CANARY" /proc/self/fd; do
			rm -rf "$BUNDLE/rootfs/dev"
			ln -s "$target" "$BUNDLE/rootfs/dev"
			run knarr run -b "$BUNDLE" "$ID"
			[ "$status" -le 1 ]
			canary_is_untouched
		done
	done
}

# CVE-2025-52565.
@test "a fake console or pty in the image is neither opened nor mounted on" {
	local fake
	edit_bundle_to_run '.process.terminal = true | .mounts |= map(select(.destination | startswith("/dev") | not))' \
		true
	for fake in \
		"ln -s $T/treasure console" \
		'ln -s /proc/sysrq-trigger console' \
		'mkdir console' \
		'ln -s /proc/1/fd pts' \
		"ln -s $CANARY pts" \
		"mkdir pts; ln -s $T/treasure pts/ptmx" \
		'mkdir pts; mkfifo pts/ptmx' \
		'mkdir pts; mknod pts/ptmx c 1 5' \
		'mkdir pts; echo fake >pts/ptmx'; do
		rm -rf "$BUNDLE/rootfs/dev"
		mkdir "$BUNDLE/rootfs/dev"
		(cd "$BUNDLE/rootfs/dev" && eval "$fake")
		run timeout 10 "$KNARR" --root "$ROOT" run -b "$BUNDLE" "$ID" </dev/null
		[ "$status" -le 1 ]
		case $fake in *console) [ "$status" = 1 ] ;; esac
		canary_is_untouched
	done
}

# The same in a container that runs: its /dev/ptmx is no more the host's. Who reads
# a FIFO waits until somebody opens it.
@test "exec does not open a fake ptmx of the container's" {
	edit_bundle '.mounts |= map(select(.destination | startswith("/dev/") | not)) | .process.args = ["sleep", "1000"]'
	knarr run -d -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
	knarr exec "$ID" sh -c 'rm -rf /dev/ptmx /dev/pts; mkfifo /dev/ptmx; (cat /dev/ptmx; touch /tmp/opened) >/dev/null 2>&1 &'
	run -255 timeout 10 "$KNARR" --root "$ROOT" exec --tty "$ID" true </dev/null
	[[ "$output" == *'process.terminal: the container has no devpts on /dev/pts' ]]
	run -1 knarr exec "$ID" test -e /tmp/opened
	knarr delete --force "$ID"
}

@test "thousands of links are one error" {
	local i
	mkdir "$BUNDLE/rootfs/links"
	ln -s /tmp "$BUNDLE/rootfs/links/0"
	for i in $(seq 3000); do
		ln -s "$((i - 1))" "$BUNDLE/rootfs/links/$i"
	done
	ln -s loop "$BUNDLE/rootfs/loop"
	bundle_runs true
	edit_bundle '.mounts += [{destination: "/links/3000/x", type: "tmpfs", source: "tmpfs"}]'
	run -1 timeout 20 "$KNARR" --root "$ROOT" run -b "$BUNDLE" "$ID"
	[[ "$output" == *"too many levels of symbolic links"* ]]
	edit_bundle '.mounts[-1].destination = "/loop/x"'
	run -1 timeout 20 "$KNARR" --root "$ROOT" run -b "$BUNDLE" "$ID"
	[[ "$output" == *"too many levels of symbolic links"* ]]
}

@test "a bind to / or to ..// stays inside" {
	local dest
	mkdir -p "$T/source/bin" "$T/source/proc" "$T/source/dev" "$T/source/sys"
	cp "$BUNDLE/rootfs/bin/busybox" "$T/source/bin/"
	bundle_runs /bin/busybox true
	for dest in / // /../ /..// /../../.. /tmp/../../..; do
		edit_bundle '.mounts = [{destination: $dest, type: "bind", source: $source, options: ["rbind"]}]' \
			--arg dest "$dest" --arg source "$T/source"
		run knarr run -b "$BUNDLE" "$ID"
		[ "$status" -le 1 ]
		canary_is_untouched
	done
}

# ---- what is written to /proc ------------------------------------------------------

# CVE-2019-16884, CVE-2025-52881: a fake /proc on top of the real one. What the
# config asks for is applied to the kernel, or the container does not start.
@test "sysctl and oom score reach the kernel through a fake /proc" {
	mkdir -p "$T/fake/sys/net/ipv4" "$T/fake/self/attr" "$T/fake/thread-self/attr" "$BUNDLE/rootfs/real"
	echo fake >"$T/fake/sys/net/ipv4/ip_unprivileged_port_start"
	echo fake | tee "$T/fake/self/oom_score_adj" "$T/fake/self/attr/exec" >/dev/null
	edit_bundle '.mounts += [
			{destination: "/real", type: "proc", source: "proc"},
			{destination: "/proc", type: "bind", source: $fake, options: ["rbind"]}]
		| .linux.sysctl = {"net.ipv4.ip_unprivileged_port_start": "77"}
		| .process.oomScoreAdj = 345
		| .linux.maskedPaths = [] | .linux.readonlyPaths = []' --arg fake "$T/fake"
	bundle_runs cat /real/sys/net/ipv4/ip_unprivileged_port_start /real/self/oom_score_adj
	run knarr run -b "$BUNDLE" "$ID"
	[ "$status" = 1 ] || [ "$output" = "77
345" ]
	[ "$(cat "$T/fake/sys/net/ipv4/ip_unprivileged_port_start")" = fake ]
	[ "$(cat "$T/fake/self/oom_score_adj")" = fake ]
}

@test "names of sysctls do not climb" {
	local name
	bundle_runs true
	for name in net.ipv4../../../x net/../../self/comm ../sysrq-trigger net.../x kernel/../../sysrq-trigger /kernel/domainname net//../../x; do
		edit_bundle '.linux.sysctl = {($name): "x"}' --arg name "$name"
		run -1 knarr run -b "$BUNDLE" "$ID"
	done
}

# ---- masks --------------------------------------------------------------------------

# CVE-2025-31133, CVE-2025-62161.
@test "a mask is the host's /dev/null, whatever the image has" {
	local fake
	bundle_runs sh -c 'stat -c %t:%T /proc/keys; wc -c </proc/keys; ls /proc/fs | wc -l'
	for fake in 'echo fake >null' "ln -s $T/treasure null" 'ln -s /proc/sys/kernel/core_pattern null' 'mkdir null' 'mknod null c 1 5'; do
		rm -rf "$T/dev"
		mkdir "$T/dev"
		(cd "$T/dev" && eval "$fake")
		edit_bundle '.mounts = [{destination: "/proc", type: "proc", source: "proc"},
			{destination: "/dev", type: "bind", source: $dev, options: ["rbind"]}]
			| .linux.maskedPaths = ["/proc/keys", "/proc/fs"]' --arg dev "$T/dev"
		run knarr run -b "$BUNDLE" "$ID"
		echo "$fake: $output"
		[ "$status" = 1 ] || [ "$output" = "1:3
0
0" ]
		canary_is_untouched
	done
}

@test "a masked link to a directory of the host hides it in the container only" {
	echo seen >"$CANARY/file"
	mkdir "$BUNDLE/rootfs/host"
	ln -s /host "$BUNDLE/rootfs/secret"
	ln -s /host/file "$BUNDLE/rootfs/secret-file"
	edit_bundle '.mounts += [{destination: "/host", type: "bind", source: $source, options: ["rbind"]}]
		| .linux.maskedPaths = ["/secret-file", "/secret"]' --arg source "$CANARY"
	bundle_runs sh -c 'ls /host'
	run -0 knarr run -b "$BUNDLE" "$ID"
	[ -z "$output" ]
	[ "$(cat "$CANARY/file")" = seen ]
	rm "$CANARY/file"
	canary_is_untouched
}

# ---- privileges ----------------------------------------------------------------------

# CVE-2022-29162, CVE-2022-27650, CVE-2025-27612.
@test "no capability is inheritable" {
	bundle_runs sed -n 's/^Cap\(Inh\|Amb\):\t//p' /proc/self/status
	run -0 knarr run -b "$BUNDLE" "$ID"
	[ "$output" = "0000000000000000
0000000000000000" ]
	knarr create -b "$BUNDLE" "$ID" </dev/null >"$T/out" 2>&1
	knarr start "$ID"
	wait_status "$ID" stopped
	[ "$(sort -u "$T/out")" = 0000000000000000 ]
	knarr delete "$ID"
}

# CVE-2024-40635, CVE-2026-30892: an id that wraps around is root.
@test "ids beyond 32 bits, negative and broken ones are refused" {
	local id
	bundle_runs id -u
	for id in 4294967296 4294967295 -1 18446744073709551616 1.5 1e3 '"0"' '"1x"' null; do
		sed "s/\"uid\": *0/\"uid\": $id/" "$BUNDLE/config.json" >"$T/config.json"
		grep -qF "\"uid\": $id" "$T/config.json"
		run knarr run -b "$BUNDLE" --config "$T/config.json" "$ID"
		[ "$status" = 1 ] || { [ "$id" = 1e3 ] && [ "$output" = 1000 ]; }
	done
	for id in 4294967296 4294967295 -1; do
		edit_bundle ".linux.uidMappings = [{containerID: 0, hostID: $id, size: 1}] | .linux.gidMappings = .linux.uidMappings
			| .linux.namespaces += [{type: \"user\"}] | .linux.namespaces |= unique"
		run -1 knarr run -b "$BUNDLE" "$ID"
		edit_bundle ".linux.uidMappings = [{containerID: 0, hostID: 5, size: $id}]"
		run -1 knarr run -b "$BUNDLE" "$ID"
	done
}

# CVE-2023-25809.
@test "without a cgroup namespace /sys/fs/cgroup is not writable for an unprivileged user's container" {
	requires_unprivileged_user
	requires_user_ns
	knarr_for_user
	ROOTLESS=1 make_bundle '.linux.namespaces |= map(select(.type != "cgroup"))'
	local uid gid
	uid=$(id -u "$(unprivileged_user)") gid=$(id -g "$(unprivileged_user)")
	edit_bundle ".linux.uidMappings[0].hostID = $uid | .linux.gidMappings[0].hostID = $gid"
	chown -R --no-dereference "$uid:$gid" "$BUNDLE"
	bundle_runs sh -c 'find /sys/fs/cgroup -writable 2>/dev/null | head; mkdir /sys/fs/cgroup/x 2>/dev/null && echo made; exit 0'
	run -0 as_user "$KNARR" --root "$T/user/state" run -b "$BUNDLE" "$ID"
	# The root of the container is the user outside: -writable looks at the modes
	# only where the file system is read-only.
	[[ "$output" != *made* ]]
	bundle_runs sh -c 'for f in /sys/fs/cgroup/cgroup.procs /sys/fs/cgroup/*/cgroup.procs; do echo 1 >$f; done 2>/dev/null && echo wrote; exit 0'
	run -0 as_user "$KNARR" --root "$T/user/state" run -b "$BUNDLE" "$ID"
	[[ "$output" != *wrote* ]]
}

# ---- names and sizes --------------------------------------------------------------------

@test "names with .. do not leave their directory" {
	local name
	bundle_runs true
	for name in .. . ../x x/../y x/y '' 'a b' '@seccomp' $'x\ny'; do
		run -1 knarr create -b "$BUNDLE" "$name"
		run -1 knarr delete --force "$name"
	done
	for name in ../x /x/../../y .. /.. x/..; do
		edit_bundle '.linux.cgroupsPath = $name' --arg name "$name"
		run -1 knarr run -b "$BUNDLE" "$ID"
	done
	edit_bundle 'del(.linux.cgroupsPath)'
	for name in ../bin/true bin/true ''; do
		edit_bundle '.hooks.createRuntime = [{path: $name}]' --arg name "$name"
		run -1 knarr run -b "$BUNDLE" "$ID"
	done
}

# CVE-2021-43784: lengths of 16 bits wrapped.
@test "more than 64 KiB of everything is whole, or one error" {
	bundle_runs sh -c 'echo ${#BIG} $LAST; env | wc -c'
	edit_bundle '.process.env += ["BIG=" + ("x" * 100000)] + [range(3000) | "V\(.)=" + ("y" * 60)] + ["LAST=here"]
		| .annotations = ([range(3000) | {key: "k\(.)", value: ("z" * 60)}] | from_entries)'
	run -0 knarr run -b "$BUNDLE" "$ID"
	[ "${lines[0]}" = "100000 here" ]
	[ "${lines[1]}" -gt 290000 ]

	edit_bundle_to_run '.process.env = ["PATH=/bin"] | .mounts += [range(1200) | {destination: "/tmp/\("d" * 60)\(.)", type: "tmpfs", source: "tmpfs", options: ["size=4k"]}]' \
		sh -c 'grep -c /tmp/ddd /proc/mounts; mount | grep -c d1199'
	run -0 knarr run -b "$BUNDLE" "$ID"
	[ "$output" = "1200
1" ]

	edit_bundle '.mounts |= .[0:7] | .mounts += [{destination: "/tmp", type: "tmpfs", source: "tmpfs", options: ["size=" + ("1" * 70000)]}]'
	run -1 knarr run -b "$BUNDLE" "$ID"
	edit_bundle '.mounts[-1] = {destination: ("/tmp/" + ("e" * 70000)), type: "tmpfs", source: "tmpfs"}'
	run -1 knarr run -b "$BUNDLE" "$ID"
	edit_bundle '.mounts |= .[0:7] | .linux.namespaces += [{type: "user"}]
		| .linux.uidMappings = [range(5000) | {containerID: ., hostID: (100000 + . * 2), size: 1}]
		| .linux.gidMappings = .linux.uidMappings'
	run -1 knarr run -b "$BUNDLE" "$ID"
	[[ "$output" == *uidMappings* ]]
}

# ---- files beside the container ------------------------------------------------------------

@test "the state is for its owner only" {
	knarr create --pid-file "$T/pid" -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
	[ "$(stat -c %a "$ROOT")" = 700 ]
	[ "$(stat -c %a "$ROOT/$ID")" = 700 ]
	[ "$(stat -c %a "$ROOT/$ID/config.json")" = 600 ]
	[ "$(stat -c %a "$ROOT/$ID/state.json")" = 600 ]
	knarr delete --force "$ID"
}

@test "a pid file replaces a link and takes nobody else's file" {
	bundle_runs true
	ln -s "$T/treasure" "$T/pid"
	knarr run -d --pid-file "$T/pid" -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
	[ ! -L "$T/pid" ]
	canary_is_untouched
	wait_status "$ID" stopped
	knarr delete "$ID"
}

@test "a bundle behind links is the bundle" {
	bundle_runs echo hello
	ln -s bundle "$T/link"
	mv "$BUNDLE/config.json" "$T/real.json"
	ln -s ../real.json "$BUNDLE/config.json"
	run -0 knarr run -b "$T/link" "$ID"
	[ "$output" = hello ]
}

@test "a console socket that is something else is one error" {
	requires_command python3
	edit_bundle_to_run '.process.terminal = true' true
	mkfifo "$T/fifo"
	ln -s "$T/treasure" "$T/link"
	python3 -c 'import socket, sys; s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); s.bind(sys.argv[1])' "$T/dgram"
	local fake
	for fake in "$T/treasure" "$T/fifo" "$T/link" "$T/dgram" "$CANARY" "$T/none" /dev/null ''; do
		run -1 timeout 10 "$KNARR" --root "$ROOT" create --console-socket "$fake" -b "$BUNDLE" "$ID"
		run ! knarr state "$ID"
	done
	canary_is_untouched
}

# HOME is looked up in the image's /etc/passwd.
@test "a hostile /etc/passwd costs HOME and no more" {
	local make
	edit_bundle_to_run '.process.env |= map(select(startswith("HOME=") | not)) | .process.user.uid = 12' \
		sh -c 'echo $HOME'
	for make in \
		'mkfifo passwd' \
		'mkdir passwd' \
		'mknod passwd c 1 5' \
		'ln -s /dev/zero passwd' \
		'ln -s passwd passwd' \
		"ln -s $T/treasure passwd" \
		'head -c 9000000 /dev/zero | tr "\0" x >passwd' \
		'truncate -s 5T passwd' \
		'yes "a:x:1:1::/a:/" | head -c 20000000 >passwd; echo "u:x:12:12::/late:/" >>passwd' \
		'printf "u:x:12:12::relative:/\n" >passwd' \
		'printf "u:x:4294967308:12::/wrapped:/\n" >passwd' \
		'printf "u:x:12" >passwd'; do
		rm -rf "$BUNDLE/rootfs/etc/passwd"
		(cd "$BUNDLE/rootfs/etc" && eval "$make")
		run -0 timeout 10 "$KNARR" --root "$ROOT" run -b "$BUNDLE" "$ID"
		[ "$output" = / ]
	done
}

# ---- mounts that travel --------------------------------------------------------------------

# A host whose mounts are all shared, as systemd makes them: in a mount namespace
# of its own, whose mount table must be the same afterwards.
@test "no mount of a container reaches a host with shared mounts" {
	local propagation
	mkdir "$T/source" "$T/source/below"
	edit_bundle '.mounts += [
		{destination: "/vol", type: "bind", source: $source, options: ["rbind", "rslave"]},
		{destination: "/vol/below", type: "tmpfs", source: "tmpfs"}]' --arg source "$T/source"
	bundle_runs sh -c 'mount -t tmpfs tmpfs /mnt; mount -t tmpfs tmpfs /vol; true'
	edit_bundle '.process.capabilities |= map_values(. + ["CAP_SYS_ADMIN"])'
	for propagation in private slave rprivate rslave unbindable; do
		edit_bundle '.linux.rootfsPropagation = $p' --arg p "$propagation"
		run -0 unshare -m --propagation shared bash -c '
			mount -t tmpfs tmpfs "$3" && cp /proc/self/mountinfo "$2/before" || exit 3
			"$KNARR" --root "$ROOT" run -b "$BUNDLE" "$1" || exit 4
			cmp /proc/self/mountinfo "$2/before"' bash "$ID" "$T" "$CANARY"
	done
}

# ---- keys ---------------------------------------------------------------------------

# Any user of the host may make a keyring by the name that the container's will have, open to
# all: whoever joins it puts keys where that user has them.
@test "a keyring that somebody else made by the container's name is not the container's" {
	requires_unprivileged_user
	requires_command cc
	grep -q . /proc/keys || skip 'no keyrings here'
	local permissions owner
	cat >"$T/keys.c" <<-'X'
		#include <linux/keyctl.h>
		#include <stdio.h>
		#include <stdlib.h>
		#include <sys/syscall.h>
		#include <unistd.h>
		int main(int argc, char **argv)
		{
			char text[256] = "";
			long ring;
			if (argc == 3) { /* NAME PERMISSIONS: the attacker */
				ring = syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, argv[1]);
				if (ring < 0 || syscall(SYS_add_key, "user", "bait", "x", 1, ring) < 0 ||
				    syscall(SYS_keyctl, KEYCTL_SETPERM, ring, strtoul(argv[2], NULL, 16)) < 0)
					return perror("keyring"), 1;
				puts("made");
				fflush(stdout);
				pause();
			}
			syscall(SYS_keyctl, KEYCTL_DESCRIBE, KEY_SPEC_SESSION_KEYRING, text, sizeof(text) - 1);
			puts(text);
			ring = syscall(SYS_keyctl, KEYCTL_SEARCH, KEY_SPEC_SESSION_KEYRING, "user", "bait", 0);
			puts(ring < 0 ? "no bait" : "bait");
			return 0;
		}
	X
	cc -static -o "$T/keys" "$T/keys.c" 2>/dev/null || skip 'no static C library'
	cp "$T/keys" "$BUNDLE/rootfs/keys"
	chmod 0755 "$T/keys" "$BUNDLE/rootfs/keys"
	edit_bundle 'del(.linux.seccomp)'
	# Open to all, and such that whoever joins it may not even look at it.
	for permissions in 3f3f3f3f 003f0008; do
		exec_as_user "$T/keys" "_ses.$ID" $permissions >"$T/made" 3>&- &
		owner=$!
		until grep -q made "$T/made"; do
			kill -0 $owner
			sleep 0.05
		done
		bundle_runs /keys
		run -0 knarr run -b "$BUNDLE" "$ID"
		echo "$output"
		[[ "${lines[0]}" == 'keyring;0;'* && "${lines[1]}" = 'no bait' ]]
		bundle_runs sleep 1000
		knarr run -d -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
		run -0 knarr exec "$ID" /keys
		echo "$output"
		[[ "${lines[0]}" == 'keyring;0;'* && "${lines[1]}" = 'no bait' ]]
		knarr delete --force "$ID"
		kill $owner
		wait $owner || true
	done
}

# ---- names --------------------------------------------------------------------------

# The init is known by its name until it executes the program, which may take the name, too.
@test "a program with the name of the init is not taken for it" {
	requires_command flock
	local name holder
	for name in 'knarr:[init]' 'knarr:[wait]'; do
		bundle_runs sh -c 'printf %s "$1" >/proc/self/comm && echo >/named && sleep 1000; true' sh "$name"
		rm -f "$BUNDLE/rootfs/named"
		knarr run -d -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
		until [ -e "$BUNDLE/rootfs/named" ]; do sleep 0.05; done
		[ "$(cat "/proc/$(knarr state "$ID" | jq .pid)/comm")" = "$name" ]
		# Another command is at work on it.
		(flock 9 && exec sleep 1000) 9<"$ROOT/$ID" 3>&- &
		holder=$!
		until ! flock -n "$ROOT/$ID" true; do sleep 0.05; done
		[ "$(knarr state "$ID" | jq -r .status)" = running ]
		[ "$(knarr list --format json | jq -r '.[0].status')" = running ]
		run -0 timeout 10 "$KNARR" --root "$ROOT" exec "$ID" echo executed
		[ "$output" = executed ]
		kill $holder
		wait $holder || true
		knarr delete --force "$ID"
	done
}

# ---- what people see ----------------------------------------------------------------

# Texts of configs and images are in errors, warnings and tables. A terminal acts on control
# characters in them, and a newline makes a line that looks like the runtime's.
@test "control characters of a config do not reach the terminal" {
	local evil=$'\e[2J\e]0;title\a\xc2\x9b31m\x7f\nknarr: all is well\r' filter command
	for filter in '.process.args = [$e]' '.process.cwd = "/" + $e' '.hostname = 5 | .[$e] = 1' '.linux.sysctl = {($e): "1"}' \
		'.mounts += [{destination: ("/" + $e), type: $e, source: "x"}]' '.mounts += [{destination: "/tmp", type: "tmpfs", options: [$e]}]' \
		'.process.rlimits = [{type: $e, soft: 1, hard: 1}]' '.hooks = {createRuntime: [{path: ("/" + $e)}]}' '.linux.resources = {unified: {($e): $e}}' \
		'.process.env += [$e]' '.annotations = {"org.opencontainers.image.stopSignal": $e}'; do
		make_bundle . true
		edit_bundle "$filter" --arg e "$evil"
		for command in "run -b $BUNDLE $ID" "check $BUNDLE" "plan $BUNDLE" "--debug plan $BUNDLE"; do
			# shellcheck disable=SC2086
			timeout 20 "$KNARR" --root "$ROOT" $command </dev/null >"$T/out" 2>&1 || true
			run ! env LC_ALL=C grep -q $'[\001-\010\013-\037\177]\|\xc2\x9b' "$T/out"
			echo "$filter: $command"
			cat -v "$T/out"
			run ! grep -q '^knarr: all is well' "$T/out"
		done
	done
}

@test "control characters of arguments, ids and paths do not reach the terminal" {
	local evil=$'\e[2J\nknarr: all is well' bundle
	cd "$T" || return 1 # one of the commands makes a file of that name
	for command in state 'kill --all' 'run --nonsense' nonsense 'run -b' 'exec x' 'update -r' 'ps' '--log'; do
		# shellcheck disable=SC2086
		timeout 20 "$KNARR" --root "$ROOT" $command "$evil" </dev/null >"$T/out" 2>&1 || true
		cat -v "$T/out"
		run ! grep -q $'\e\|^knarr: all is well' "$T/out"
	done
	bundle=$T/$'bundle\e[2J\nnext'
	mv "$BUNDLE" "$bundle"
	BUNDLE=$bundle
	bundle_runs sh -c 'sleep 1000; true' $'\e[2J'
	knarr run -d -b "$bundle" "$ID" </dev/null >/dev/null 2>&1
	run -0 knarr list
	[ "${#lines[@]}" = 2 ]
	[[ "$output" != *$'\e'* && "$output" == *'bundle\x1b[2J\nnext'* ]]
	# For programs it is as it is, in the escapes of JSON.
	[ "$(knarr list --format json | jq -r '.[0].bundle')" = "$bundle" ]
	run -0 knarr ps "$ID"
	[[ "$output" != *$'\e'* ]]
	knarr delete --force "$ID"
}
