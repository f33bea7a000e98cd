#!/usr/bin/env bats
# Containers of an unprivileged user: no helper with root's privileges but newuidmap and
# newgidmap.
load helpers

setup() {
	container_setup
	requires_unprivileged_user
	requires_user_ns
	knarr_for_user
	ROOTLESS=1 make_bundle
	chown -R --no-dereference "$(unprivileged_user):" "$BUNDLE"
	ROOT=$T/state-user
	as_user mkdir -p "$T/user/bundle"
	UID_=$(id -u "$(unprivileged_user)")
	edit_bundle ".linux.uidMappings[0].hostID = $UID_ | .linux.gidMappings[0].hostID = $(id -g "$(unprivileged_user)") | .root.readonly = false"
	as_user mkdir -p "$T/user/upper"
}

teardown() {
	container_teardown
}

uknarr() {
	as_user "$KNARR" --root "$T/user/state" "$@"
}

# The user's ranges as the config's maps: their own id is root, the rest follows.
with_subids() {
	local uids gids
	uids=$(grep "^$(unprivileged_user):" /etc/subuid | head -n 1 | cut -d: -f2)
	gids=$(grep "^$(unprivileged_user):" /etc/subgid | head -n 1 | cut -d: -f2)
	edit_bundle ".linux.uidMappings = [{containerID: 0, hostID: $UID_, size: 1}, {containerID: 1, hostID: $uids, size: 60000}]
		| .linux.gidMappings = [{containerID: 0, hostID: $(id -g "$(unprivileged_user)"), size: 1}, {containerID: 1, hostID: $gids, size: 60000}]"
}

@test "the config of spec --rootless runs, with one id" {
	bundle_runs sh -c 'id -u; cat /proc/self/uid_map; cat /proc/self/setgroups'
	run -0 uknarr run -b "$BUNDLE" "$ID"
	[ "${lines[0]}" = 0 ]
	[[ "${lines[1]}" =~ ^\ *0\ +$UID_\ +1$ ]]
	[ "${lines[2]}" = deny ]
}

@test "ranges from /etc/subuid are mapped by newuidmap and newgidmap" {
	requires_command newuidmap newgidmap
	with_subids
	edit_bundle_to_run '.process.user = {uid: 5, gid: 6, additionalGids: [7, 8]}' \
		sh -c 'id -u; id -g; id -G; wc -l </proc/self/uid_map'
	run -0 uknarr run -b "$BUNDLE" "$ID"
	[ "$output" = "5
6
6 7 8
2" ]
}

@test "programs of the image with the names of helpers are not executed" {
	requires_command newuidmap newgidmap
	local name
	with_subids
	mkdir -p "$BUNDLE/rootfs/usr/bin" "$BUNDLE/rootfs/marks"
	chmod 0777 "$BUNDLE/rootfs/marks"
	for name in newuidmap newgidmap criu ps sh; do
		printf '#!/bin/busybox sh\n/bin/busybox touch /marks/%s\n' $name >"$BUNDLE/rootfs/usr/bin/$name"
		chmod 0755 "$BUNDLE/rootfs/usr/bin/$name"
	done
	edit_bundle_to_run '.process.env = ["PATH=/usr/bin:/bin"]' /bin/busybox sleep 1000
	as_user env PATH=/usr/bin:/bin "$KNARR" --root "$T/user/state" run -d -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
	run -0 uknarr exec "$ID" /bin/busybox wc -l /proc/self/uid_map
	[ "$output" = '2 /proc/self/uid_map' ]
	uknarr ps "$ID" >/dev/null
	[ -z "$(ls "$BUNDLE/rootfs/marks")" ]
	uknarr exec "$ID" ps
	[ "$(ls "$BUNDLE/rootfs/marks")" = ps ]
	uknarr delete --force "$ID"
}

@test "a program of another id can open its standard descriptors anew" {
	requires_command newuidmap newgidmap
	with_subids
	edit_bundle_to_run '.process.user = {uid: 1007, gid: 1007}' \
		sh -c 'read line </dev/stdin && echo "in $line" >/dev/stdout && echo error >/proc/self/fd/2'
	# shellcheck disable=SC2016
	as_user sh -c 'umask 077; cd "$1"; echo word >in; "$2" --root state run -b "$3" "$4" <in >out 2>err' sh \
		"$T/user" "$KNARR" "$BUNDLE" "$ID"
	[ "$(cat "$T/user/out")" = 'in word' ]
	[ "$(cat "$T/user/err")" = error ]
}

@test "an /etc/passwd that cannot be read is an error, and HOME=/ is not made up" {
	requires_root # to make a file that the user does not own
	edit_bundle_to_run '.process.env |= map(select(startswith("HOME=") | not))' sh -c 'echo "$HOME"'
	chown 0:0 "$BUNDLE/rootfs/etc/passwd"
	chmod 0600 "$BUNDLE/rootfs/etc/passwd"
	run -1 uknarr run -b "$BUNDLE" "$ID"
	[ "$output" = "knarr: process.env: look up HOME in '/etc/passwd' (hint: HOME in process.env makes this unnecessary): permission denied" ]
	edit_bundle '.process.env += ["HOME=/mine"]'
	run -0 uknarr run -b "$BUNDLE" "$ID"
	[ "$output" = /mine ]
}

@test "create, start, kill and delete" {
	bundle_runs sh -c 'trap "exit 0" TERM; echo ready; while :; do sleep 0.05; done'
	uknarr create -b "$BUNDLE" "$ID" </dev/null >"$T/out" 2>&1
	[ "$(uknarr state "$ID" | jq -r .status)" = created ]
	uknarr start "$ID"
	until grep -q ready "$T/out"; do sleep 0.05; done
	uknarr kill "$ID" TERM
	for _ in $(seq 100); do [ "$(uknarr state "$ID" | jq -r .status)" = stopped ] && break; sleep 0.05; done
	uknarr delete "$ID"
	run ! uknarr state "$ID"
}

@test "delete --force ends a running container" {
	bundle_runs sleep 1000
	uknarr run -d -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
	uknarr delete --force "$ID"
	run ! uknarr state "$ID"
}

@test "100 layers with a tmpfs upper are the root" {
	requires_kernel 6 6
	local opts=() i
	as_user mkdir -p "$T/user/layers"
	as_user cp -a "$BUNDLE/rootfs" "$T/user/layers/0"
	for i in $(seq 99); do
		mkdir "$T/user/layers/$i"
		echo "$i" >"$T/user/layers/$i/top"
		echo "$i" >"$T/user/layers/$i/layer-$i"
	done
	chown -R "$(unprivileged_user):" "$T/user/layers"
	for i in $(seq 0 99); do opts+=(--layer "$T/user/layers/$i"); done
	bundle_runs sh -c 'cat /top; echo new >/written; rm /top; ls -d /layer-* | wc -l; cat /written'
	run -0 uknarr run "${opts[@]}" --upper tmpfs -b "$BUNDLE" "$ID"
	[ "${lines[0]}" = 99 ]
	[ "${lines[1]}" = 99 ]
	[ "${lines[2]}" = new ]
	bundle_runs cat /top
	run -0 uknarr run "${opts[@]}" --upper "$T/user/upper" -b "$BUNDLE" "$ID"
	[ "$output" = 99 ]
}

@test "writes and whiteouts of an upper directory last" {
	as_user mkdir -p "$T/user/layer"
	as_user cp -a "$BUNDLE/rootfs/." "$T/user/layer"
	bundle_runs sh -c 'echo kept >/written; rm /etc/group'
	uknarr run --layer "$T/user/layer" --upper "$T/user/upper" -b "$BUNDLE" "$ID"
	[ -e "$T/user/layer/etc/group" ]
	bundle_runs sh -c 'cat /written; test ! -e /etc/group'
	run -0 uknarr run --layer "$T/user/layer" --upper "$T/user/upper" -b "$BUNDLE" "$ID"
	[ "$output" = kept ]
}

@test "a mapping that is not the user's is refused with a hint" {
	edit_bundle '.linux.uidMappings = [{containerID: 0, hostID: 0, size: 1}]'
	run -1 uknarr run -b "$BUNDLE" "$ID"
	[[ "$output" == *subuid* || "$output" == *uidMappings* ]]
}

@test "newuidmap that cannot be started: the reason is said" {
	requires_root
	requires_no_sanitizer 'a leak checker cannot work in a traced program'
	with_subids
	"${CC:-cc}" -O1 -D_GNU_SOURCE -o "$T/inject" "$BATS_TEST_DIRNAME/../inject/inject.c" -lseccomp || skip 'libseccomp is not installed'
	run -1 "$T/inject" dup3 1 EIO setpriv --reuid "$UID_" --regid "$(id -g "$(unprivileged_user)")" --init-groups --inh-caps=-all \
		env "XDG_RUNTIME_DIR=$T/user" "$KNARR" --root "$T/user/state" run -b "$BUNDLE" "$ID"
	[[ "$output" =~ ^'knarr: linux.'[ug]'idMappings: cannot run new'[ug]'idmap: its standard error: input/output error'$ ]]
}

@test "without a user namespace an unprivileged user is told so" {
	edit_bundle '.linux.namespaces |= map(select(.type != "user")) | del(.linux.uidMappings, .linux.gidMappings)'
	run -1 uknarr run -b "$BUNDLE" "$ID"
	[[ "$output" == *"user namespace"* ]]
}

@test "limits without a delegated cgroup are an error" {
	edit_bundle '.linux.resources.memory.limit = 100000000'
	run -1 uknarr run -b "$BUNDLE" "$ID"
	[[ "$output" == *memory* ]]
}

@test "as root: a container in a user namespace of its own" {
	requires_root
	edit_bundle '.linux.uidMappings = [{containerID: 0, hostID: 300000, size: 65536}] | .linux.gidMappings = .linux.uidMappings | .process.user = {uid: 3, gid: 4, additionalGids: [9]}'
	chown -R --no-dereference 300000:300000 "$BUNDLE"
	bundle_runs sh -c 'id -u; id -G; stat -c %u /etc/passwd; touch /dev/shm/x && echo ok'
	ROOT=$T/state
	run -0 knarr run -b "$BUNDLE" "$ID"
	[ "${lines[0]}" = 3 ]
	[ "${lines[1]}" = "4 9" ]
	[ "${lines[2]}" = 0 ]
	[ "${lines[3]}" = ok ]
}

@test "wait: the status of a container in the background" {
	requires_kernel 6 15
	bundle_runs sh -c 'sleep 0.3; exit 9'
	uknarr run -d -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
	run -0 uknarr wait "$ID"
	[ "$output" = 9 ]
	uknarr delete "$ID"
}
