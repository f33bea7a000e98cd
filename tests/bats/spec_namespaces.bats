#!/usr/bin/env bats
# config-linux.md#namespaces: new, joined by path, inherited.
load helpers

setup() {
	container_setup
	make_bundle '.root.readonly = false | del(.hostname)' sleep 1000
}

teardown() {
	[ -z "${HOLDER:-}" ] || kill -KILL "$HOLDER" 2>/dev/null || true
	container_teardown
}

types='pid:pid network:net mount:mnt ipc:ipc uts:uts cgroup:cgroup'

namespace_of() { # namespace_of FILE: that of the container's init
	readlink "/proc/$(knarr state "$ID" | jq .pid)/ns/$1"
}

create() {
	knarr create -b "$BUNDLE" "$ID" </dev/null >"$T/out" 2>&1
}

@test "listed without a path: new" {
	requires_root
	create
	for type in $types; do
		[ "$(namespace_of "${type#*:}")" != "$(readlink "/proc/self/ns/${type#*:}")" ]
	done
	knarr delete "$ID"
}

@test "not listed: that of the runtime" {
	requires_root
	for type in $types; do
		[ "$type" != mount:mnt ] || continue
		make_bundle "del(.hostname) | .linux.namespaces |= map(select(.type != \"${type%:*}\"))"
		create
		[ "$(namespace_of "${type#*:}")" = "$(readlink "/proc/self/ns/${type#*:}")" ]
		# No config here lists these two.
		[ "$(namespace_of user)" = "$(readlink /proc/self/ns/user)" ]
		[ "$(namespace_of time)" = "$(readlink /proc/self/ns/time)" ]
		knarr delete "$ID"
	done
}

@test "listed with a path: joined" {
	requires_root
	unshare --ipc --mount --net --uts --cgroup --pid --fork --kill-child sleep 1000 &
	HOLDER=$!
	local first=/proc/$HOLDER/ns file
	for _ in {1..100}; do
		[ "$(readlink "$first/cgroup")" = "$(readlink /proc/self/ns/cgroup)" ] || [ -z "$(pgrep -P "$HOLDER")" ] || break
		sleep 0.05
	done
	for type in $types; do
		file=$first/${type#*:}
		[ "$type" != pid:pid ] || file=${file}_for_children
		make_bundle "del(.hostname) | .linux.namespaces |= map(if .type == \"${type%:*}\" then .path = \"$file\" else . end)"
		create
		[ "$(namespace_of "${type#*:}")" = "$(readlink "$file")" ]
		knarr delete --force "$ID"
	done
}

@test "a path of another type, that is none, or is not there is an error" {
	local good path
	good=$(cat "$BUNDLE/config.json")
	for type in $types; do
		for path in /proc/self/ns/user /etc/passwd /nowhere relative; do
			echo "$good" >"$BUNDLE/config.json"
			edit_bundle ".linux.namespaces |= map(if .type == \"${type%:*}\" then .path = \"$path\" else . end)"
			run -1 knarr create -b "$BUNDLE" "$ID"
			[[ "$output" == *"$path"* ]]
		done
	done
}

@test "duplicate and unknown types are errors" {
	local good
	good=$(cat "$BUNDLE/config.json")
	for type in $types; do
		echo "$good" >"$BUNDLE/config.json"
		edit_bundle ".linux.namespaces += [{type: \"${type%:*}\"}, {type: \"${type%:*}\"}]"
		run -1 knarr create -b "$BUNDLE" "$ID"
		[[ "$output" == *duplicate*"\"${type%:*}\""* ]]
	done
	echo "$good" >"$BUNDLE/config.json"
	edit_bundle '.linux.namespaces += [{type: "mnt"}]'
	run -1 knarr create -b "$BUNDLE" "$ID"
	[[ "$output" == *'"mnt"'* ]]
}

@test "what would change the host without its namespace is refused" {
	edit_bundle '.hostname = "x" | .linux.namespaces |= map(select(.type != "uts"))'
	run -1 knarr create -b "$BUNDLE" "$ID"
	[[ "$output" == *hostname*uts* ]]
	make_bundle 'del(.hostname) | .linux.namespaces |= map(select(.type != "mount"))'
	run -1 knarr create -b "$BUNDLE" "$ID"
	[[ "$output" == *"mount namespace"* ]]
}

@test "in a new user namespace the message queues belong to its root, not to nobody" {
	requires_root
	make_bundle '.linux.namespaces += [{type: "user"}] | .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 1000}]
		| .linux.gidMappings = .linux.uidMappings' sh -c 'stat -c %u:%g /dev/mqueue && touch /dev/mqueue/queue && echo made'
	chown -R --no-dereference 100000:100000 "$BUNDLE/rootfs"
	run -0 knarr run -b "$BUNDLE" "$ID"
	echo "$output"
	[ "$output" = $'0:0\nmade' ]
	# And in one that is joined.
	unshare --user sleep 1000 &
	local holder=$!
	for _ in {1..100}; do
		[ "$(readlink "/proc/$holder/ns/user")" = "$(readlink /proc/self/ns/user)" ] || break
		sleep 0.05
	done
	echo 0 100000 1000 >"/proc/$holder/uid_map"
	echo 0 100000 1000 >"/proc/$holder/gid_map"
	edit_bundle '(.linux.namespaces[] | select(.type == "user")) += {path: $p} | del(.linux.uidMappings, .linux.gidMappings)' \
		--arg p "/proc/$holder/ns/user"
	run knarr run -b "$BUNDLE" "$ID"
	kill $holder
	wait $holder || true
	echo "$output"
	[ "$output" = $'0:0\nmade' ]
}

# A path of the runtime's own namespaces does not count as one of the container's: what would be set
# there is the host's. In namespaces of the test's own, which play the host.
in_own_namespaces() { # in_own_namespaces COMMAND…
	unshare --net --ipc --uts --mount --propagation private sh -c 'hostname host; "$@"; status=$?; hostname
		cat /proc/sys/net/ipv4/ip_default_ttl /proc/sys/kernel/msgmax; exit $status' sh "$@"
}

@test "the runtime's own, by path: nothing of the host is changed" {
	requires_root
	local row command property
	for row in 'network:net:.linux.sysctl = {"net.ipv4.ip_default_ttl": "99"}' 'ipc:ipc:.linux.sysctl = {"kernel.msgmax": "9999"}' \
		'uts:uts:.hostname = "changed"' 'uts:uts:.domainname = "changed"' 'uts:uts:.linux.sysctl = {"kernel.domainname": "changed"}' \
		'network:net:.linux.netDevices = {lo: {}}'; do
		make_bundle "del(.hostname)" true
		IFS=: read -r type file edit <<<"$row"
		edit_bundle "$edit"' | .linux.namespaces |= map(if .type == $type then .path = "/proc/self/ns/" + $file else . end)' \
			--arg type "$type" --arg file "$file"
		property="needs a namespace of type \"$type\""
		for command in "run -b $BUNDLE $ID" "check $BUNDLE"; do
			# shellcheck disable=SC2086
			run -1 in_own_namespaces "$KNARR" --root "$ROOT" $command
			echo "$output"
			[[ "$output" == *"$property"*"(that of linux.namespaces is the runtime's own)"* ]]
			[[ "$output" == *$'\nhost\n64\n8192' ]]
		done
		# By another name of the same.
		edit_bundle '.linux.namespaces |= map(if .type == $type then .path = $path else . end)' \
			--arg type "$type" --arg path "$T/link"
		# shellcheck disable=SC2016
		run -1 in_own_namespaces sh -c 'ln -sfn /proc/$$/ns/'"$file"' "$1"; shift; "$@"' sh "$T/link" \
			"$KNARR" --root "$ROOT" run -b "$BUNDLE" "$ID"
		[[ "$output" == *"$property"* ]]
	done
	for type in mount:mnt user:user; do
		make_bundle 'del(.hostname, .linux.uidMappings, .linux.gidMappings)' true
		edit_bundle '.linux.namespaces |= map(select(.type != $type)) + [{type: $type, path: $path}]' \
			--arg type "${type%:*}" --arg path "/proc/self/ns/${type#*:}"
		run -1 in_own_namespaces "$KNARR" --root "$ROOT" run -b "$BUNDLE" "$ID"
		echo "$output"
		[[ "$output" == *"path: is the ${type%:*} namespace of the runtime itself"* ]]
	done
}

# Each of the paths is an error that is allowed. strace holds the runtime, which looks whether the
# process that joins has failed, until the init is at them.
@test "a namespace by path, and thousands of paths that the rootfs lacks: no error is told" {
	requires_command strace
	make_bundle 'del(.hostname)' true
	edit_bundle '.linux.namespaces |= map(if .type == "uts" then .path = "/proc/self/ns/uts" else . end) |
		.linux.readonlyPaths += [range(10000) | "/lacks/\("x" * 200)\(.)"]'
	for delay in {4..10} {4..10} {4..10} {4..10} {4..10} {4..10} {4..10}; do
		ASAN_OPTIONS=detect_leaks=0 run -0 strace -qq -e trace=wait4 -e signal=none -o /dev/null \
			-e inject=wait4:delay_exit=${delay}000:when=1 "$KNARR" --root "$ROOT" run -b "$BUNDLE" "$ID"
	done
}

# The members of a pod on the host's network join it by the path of the first one.
@test "the runtime's own, by path: joined, where nothing is set" {
	requires_root
	for type in network:net ipc:ipc uts:uts pid:pid cgroup:cgroup; do
		make_bundle 'del(.hostname)' true
		edit_bundle '.linux.namespaces |= map(if .type == $type then .path = $path else . end)' \
			--arg type "${type%:*}" --arg path "/proc/self/ns/${type#*:}"
		run -0 knarr run -b "$BUNDLE" "$ID"
	done
}
