#!/usr/bin/env bats
# Containers of an ordinary user: no helper with root's rights but newuidmap and
# newgidmap.
load helpers

setup() {
	container_setup
	requires_ordinary_user
	requires_user_ns
	knarr_for_user
	ROOTLESS=1 make_bundle
	chown -R --no-dereference "$(ordinary_user):" "$BUNDLE"
	ROOT=$T/state-user
	as_user mkdir -p "$T/user/bundle"
	UID_=$(id -u "$(ordinary_user)")
	edit_bundle ".linux.uidMappings[0].hostID = $UID_ | .linux.gidMappings[0].hostID = $(id -g "$(ordinary_user)") | .root.readonly = false"
	as_user mkdir -p "$T/user/upper"
}

teardown() {
	container_teardown
}

uknarr() {
	as_user "$KNARR" --root "$T/user/state" "$@"
}

# The user's ranges as the config's maps: his own id is root, the rest follows.
with_subids() {
	local uids gids
	uids=$(grep "^$(ordinary_user):" /etc/subuid | head -n 1 | cut -d: -f2)
	gids=$(grep "^$(ordinary_user):" /etc/subgid | head -n 1 | cut -d: -f2)
	edit_bundle ".linux.uidMappings = [{containerID: 0, hostID: $UID_, size: 1}, {containerID: 1, hostID: $uids, size: 60000}]
		| .linux.gidMappings = [{containerID: 0, hostID: $(id -g "$(ordinary_user)"), size: 1}, {containerID: 1, hostID: $gids, size: 60000}]"
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

@test "create, start, kill and delete" {
	bundle_runs sh -c 'trap "exit 0" TERM; while :; do sleep 0.05; done'
	uknarr create -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
	[ "$(uknarr state "$ID" | jq -r .status)" = created ]
	uknarr start "$ID"
	sleep 0.2
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
	chown -R "$(ordinary_user):" "$T/user/layers"
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

@test "writes and whiteouts of an upper folder last" {
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

@test "without a user namespace an ordinary user is told so" {
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
