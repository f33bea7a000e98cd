#!/usr/bin/env bats
# What the runtime inherits of its caller, and the program of the runtime: standard
# descriptors and whose they are, signals, umask.
load helpers

setup() {
	container_setup
	make_bundle
}

teardown() {
	container_teardown
}

# ---- standard descriptors ---------------------------------------------------------

# Every way to open the three anew; stdin is given too.
REOPEN='read line </dev/stdin && echo "in $line" >/dev/stdout && echo error >/proc/self/fd/2'
AS_USER='.process.user = {uid: 1007, gid: 1008}'
MAPPED='.linux.namespaces += [{type: "user"}] | .linux.uidMappings = [{containerID: 0, hostID: 200000, size: 2000}] |
	.linux.gidMappings = .linux.uidMappings'

# fifo NAME: with a reader that copies it to $T/NAME.out. Of root's, and closed to all others.
fifo() {
	mkfifo -m 0600 "$T/$1"
	cat "$T/$1" >"$T/$1.out" 3>&- &
	FIFO_READER=$!
}

# reopens FILTER OWNER COMMAND...: the command runs the bundle, changed by FILTER, with pipes, with a
# FIFO, and with files. The program opens them anew, and afterwards they are of OWNER.
reopens() {
	local filter=$1 owner=$2 FIFO_READER
	shift 2
	edit_bundle_to_run "$filter" sh -c "$REOPEN"
	[ "$(echo word | "$@" 2>"$T/err" | cat)" = 'in word' ]
	[ "$(cat "$T/err")" = error ]
	[ "$(stat -c %u "$T/err")" = "$owner" ]
	fifo out
	echo word | "$@" >"$T/out" 2>"$T/err"
	wait "$FIFO_READER"
	[ "$(cat "$T/out.out")" = 'in word' ]
	[ "$(stat -c %u:%a "$T/out")" = "$owner:600" ]
	(umask 077 && echo word >"$T/in" && : >"$T/file")
	"$@" <"$T/in" >>"$T/file" 2>"$T/err"
	[ "$(cat "$T/file")" = 'in word' ]
	[ "$(stat -c %u:%g:%a "$T/file")" = "$owner:$(id -g):600" ]
	rm "$T/out" "$T/in" "$T/file" "$T/err"
}

@test "run: the standard descriptors can be opened anew by a program that is not root" {
	requires_root
	reopens "$AS_USER" 1007 "$KNARR" --root "$ROOT" run -b "$BUNDLE" "$ID"
}

@test "run: the same in a user namespace, for root and for others in it" {
	requires_root
	reopens "$MAPPED" 200000 "$KNARR" --root "$ROOT" run -b "$BUNDLE" "$ID"
	reopens "$AS_USER" 201007 "$KNARR" --root "$ROOT" run -b "$BUNDLE" "$ID"
}

@test "run: the same in a user namespace that is joined" {
	requires_root
	local pid
	edit_bundle_to_run "$MAPPED" sleep 1000
	knarr run -d -b "$BUNDLE" "$ID" </dev/null >"$T/log" 2>&1
	pid=$(knarr state "$ID" | jq .pid)
	reopens "$AS_USER"' | .linux.namespaces |= map(if .type == "user" then .path = "/proc/'"$pid"'/ns/user" else . end) |
		del(.linux.uidMappings, .linux.gidMappings)' 201007 "$KNARR" --root "$ROOT" run -b "$BUNDLE" "$ID-2"
	knarr delete --force "$ID"
}

@test "create: the same" {
	requires_root
	create_start() {
		knarr create -b "$BUNDLE" "$ID" && knarr start "$ID" </dev/null >"$T/start" 2>&1 && wait_status "$ID" stopped &&
			knarr delete "$ID"
	}
	reopens "$AS_USER" 1007 create_start
}

@test "exec: the same, also into a user namespace" {
	requires_root
	local filter owner
	for filter in . "$MAPPED"; do
		edit_bundle_to_run "$filter" sleep 1000
		knarr run -d -b "$BUNDLE" "$ID" </dev/null >"$T/log" 2>&1
		[ "$filter" = . ] && owner=1007 || owner=201007
		reopens . $owner "$KNARR" --root "$ROOT" exec --user 1007 "$ID" sh -c "$REOPEN"
		[ "$filter" = . ] || reopens . 200000 "$KNARR" --root "$ROOT" exec "$ID" sh -c "$REOPEN"
		knarr delete --force "$ID"
	done
}

@test "the null device and a terminal stay whose they are, a program of the host's root is given nothing" {
	requires_root
	requires_command script
	local before
	before=$(stat -c %u:%g /dev/null)
	edit_bundle_to_run '.process.user = {uid: 1009, gid: 1009}' true
	knarr run -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
	[ "$(stat -c %u:%g /dev/null)" = "$before" ]
	# shellcheck disable=SC2016
	run -0 script -qec 'before=$(stat -Lc %u /dev/stdin); "$KNARR" --root "$ROOT" run -b "$BUNDLE" "$ID"; echo "$before $(stat -Lc %u /dev/stdin)"' /dev/null </dev/null
	[[ "$output" == '0 0'* ]]
	edit_bundle '.process.user = {uid: 0, gid: 0}'
	: >"$T/file"
	chown 1009 "$T/file"
	knarr run -b "$BUNDLE" "$ID" </dev/null >>"$T/file" 2>&1
	[ "$(stat -c %u "$T/file")" = 1009 ]
}

@test "a descriptor that cannot be given away is not an error: read-only file system, unmapped uid" {
	requires_root
	requires_command unshare
	edit_bundle_to_run "$AS_USER" cat
	# shellcheck disable=SC2016
	run -0 unshare -m sh -ec 'mount -t tmpfs -o size=64k tmpfs "$T/bundle/rootfs/tmp"; echo word >"$T/bundle/rootfs/tmp/in"
		mount -o remount,ro "$T/bundle/rootfs/tmp"; exec "$KNARR" --root "$ROOT" run -b "$BUNDLE" "$ID" <"$T/bundle/rootfs/tmp/in"'
	[ "$output" = word ]
}

@test "closed standard descriptors are the null device, to read and to write" {
	bundle_runs sh -c 'read x; [ $? = 1 ] && echo out && echo error >&2 && exit 5'
	run -5 bash -c 'exec "$KNARR" --root "$ROOT" run -b "$BUNDLE" "$ID" <&- >&- 2>&-'
	bundle_runs sh -c 'for fd in 0 1 2; do cp /proc/$$/fdinfo/$fd /tmp/info$fd; done'
	edit_bundle '.root.readonly = false | .mounts |= map(select(.destination != "/tmp"))'
	bash -c 'exec "$KNARR" --root "$ROOT" run -b "$BUNDLE" "$ID" <&- >&- 2>&-'
	run -0 sed -n 's/^flags:.*\(.\)$/\1/p' "$BUNDLE"/rootfs/tmp/info{0,1,2}
	[ "$output" = $'2\n2\n2' ]
}

# ---- signals ----------------------------------------------------------------------

# ignoring SIGNAL... -- COMMAND...
ignoring() {
	python3 -c 'import os, signal, sys
i = sys.argv.index("--")
for s in sys.argv[1:i]: signal.signal(getattr(signal, s), signal.SIG_IGN)
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCHLD, signal.SIGUSR1])
os.execvp(sys.argv[i + 1], sys.argv[i + 1:])' "$@"
}

@test "a caller that ignores SIGCHLD gets the right status of every command" {
	requires_command python3
	local command pid
	edit_bundle_to_run '.hooks = {createRuntime: [{path: "/bin/true"}], poststop: [{path: "/bin/true"}]}' sh -c 'exit 5'
	run -5 ignoring SIGCHLD -- "$KNARR" --root "$ROOT" run -b "$BUNDLE" "$ID"
	[ -z "$output" ]
	bundle_runs sleep 1000
	ignoring SIGCHLD -- "$KNARR" --root "$ROOT" run -d -b "$BUNDLE" "$ID" </dev/null >"$T/log" 2>&1
	run -7 ignoring SIGCHLD -- "$KNARR" --root "$ROOT" exec "$ID" sh -c 'exit 7'
	run -137 ignoring SIGCHLD -- "$KNARR" --root "$ROOT" exec "$ID" sh -c 'kill -KILL $$'
	run -0 ignoring SIGCHLD -- "$KNARR" --root "$ROOT" ps "$ID"
	[[ "${lines[1]}" == *sleep* ]]
	# Namespaces that are joined, for which a process more is made.
	pid=$(knarr state "$ID" | jq .pid)
	edit_bundle_to_run '.linux.namespaces |= map(if .type == "ipc" then .path = "/proc/'"$pid"'/ns/ipc" else . end)' sh -c 'exit 6'
	run -6 ignoring SIGCHLD -- "$KNARR" --root "$ROOT" run -b "$BUNDLE" "$ID-2"
	run -0 ignoring SIGCHLD -- "$KNARR" --root "$ROOT" delete --force "$ID"
	# A hook that fails is still one.
	edit_bundle_to_run '.hooks = {createRuntime: [{path: "/bin/false"}]} | .linux.namespaces |= map(del(.path))' true
	run -1 ignoring SIGCHLD -- "$KNARR" --root "$ROOT" run -b "$BUNDLE" "$ID"
	[[ "$output" == *'exited with status 1'* ]]
}

@test "run, create and exec: signals that the caller ignores or blocks are the program's no more" {
	requires_command python3
	local ignored='SIGCHLD SIGPIPE SIGHUP SIGUSR2 SIGTERM SIGINT SIGQUIT'
	SHOW='grep -E "^Sig(Blk|Ign):" /proc/self/status | tr -d "\n[:space:]"'
	none=SigBlk:0000000000000000SigIgn:0000000000000000
	bundle_runs sh -c "$SHOW"
	# shellcheck disable=SC2086
	run -0 ignoring $ignored -- "$KNARR" --root "$ROOT" run -b "$BUNDLE" "$ID"
	[ "$output" = $none ]
	bundle_runs sh -c "$SHOW; exec sleep 1000"
	# shellcheck disable=SC2086
	ignoring $ignored -- "$KNARR" --root "$ROOT" create -b "$BUNDLE" "$ID" </dev/null >"$T/out" 2>&1
	# shellcheck disable=SC2086
	ignoring $ignored -- "$KNARR" --root "$ROOT" start "$ID"
	# shellcheck disable=SC2086
	run -0 ignoring $ignored -- "$KNARR" --root "$ROOT" exec "$ID" sh -c "$SHOW"
	[ "$output" = $none ]
	[ "$(cat "$T/out")" = $none ]
	knarr delete --force "$ID"
}

# ---- umask ------------------------------------------------------------------------

@test "the umask of the caller is not the program's: 0022, or what the config says" {
	umask 077
	bundle_runs sh -c umask
	run -0 knarr run -b "$BUNDLE" "$ID"
	[ "$output" = 0022 ]
	edit_bundle '.process.user.umask = 7'
	run -0 knarr run -b "$BUNDLE" "$ID"
	[ "$output" = 0007 ]
	edit_bundle_to_run 'del(.process.user.umask)' sleep 1000
	knarr run -d -b "$BUNDLE" "$ID" </dev/null >"$T/log" 2>&1
	run -0 knarr exec "$ID" sh -c umask
	[ "$output" = 0022 ]
	knarr delete --force "$ID"
}

@test "the umask of a hook in the container is 0022, or of one at the start the program's" {
	umask 077
	edit_bundle_to_run ".hooks = {createContainer: [{path: \"/bin/sh\", args: [\"sh\", \"-c\", \"umask >$T/create\"]}],
		startContainer: [{path: \"/bin/sh\", args: [\"sh\", \"-c\", \"umask >&2\"]}]} | .process.user.umask = 7" sh -c umask
	run -0 --separate-stderr knarr run -b "$BUNDLE" "$ID"
	[ "$output" = 0007 ] && [ "$stderr" = 0007 ] && [ "$(cat "$T/create")" = 0022 ]
	edit_bundle 'del(.process.user.umask)'
	run -0 --separate-stderr knarr run -b "$BUNDLE" "$ID"
	[ "$output" = 0022 ] && [ "$stderr" = 0022 ] && [ "$(cat "$T/create")" = 0022 ]
}

@test "what is made in the root and the cgroup has its usual modes whatever the caller's umask" {
	requires_root
	edit_bundle_to_run '.root.readonly = false | .mounts += [{destination: "/made/dir", type: "tmpfs", source: "tmpfs"},
		{destination: "/made/file", type: "bind", source: "/etc/hosts", options: ["bind"]}] |
		.linux.devices = [{path: "/dev/extra/null", type: "c", major: 1, minor: 3, fileMode: 438, uid: 0, gid: 0}]' \
		sh -c 'umount /made/dir; stat -c "%a %n" /made /dev/extra /dev/extra/null; [ ! -e /sys/fs/cgroup/cgroup.procs ] || stat -c "%a cgroup" /sys/fs/cgroup'
	chmod 0755 "$BUNDLE/rootfs"
	run -0 bash -c 'umask 022; exec "$KNARR" --root "$ROOT" run -b "$BUNDLE" "$ID"'
	expected=$output
	rm -rf "$BUNDLE/rootfs/made"
	run -0 bash -c 'umask 077; exec "$KNARR" --root "$ROOT" run -b "$BUNDLE" "$ID"'
	[ "$output" = "$expected" ]
	[[ "$output" == *'755 /made'*'666 /dev/extra/null'* ]]
	[ "$(stat -c %a "$BUNDLE/rootfs/made/dir")" = 755 ]
	[ "$(stat -c %a "$BUNDLE/rootfs/made/file")" = 644 ]
}
