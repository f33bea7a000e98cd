#!/usr/bin/env bats
# mounts add, mounts remove: on a container that runs.
load helpers

setup() {
	container_setup
	requires_root
	make_bundle '.root.readonly = false' sleep 1000
	mkdir -p "$T/data/sub"
	echo hello >"$T/data/file"
}

teardown() {
	"$KNARR" --root "$ROOT" delete --force "$ID"
	container_teardown
}

start() {
	knarr run -d -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
}

# mounts VERB JSON
mounts() {
	echo "$2" >"$T/mounts.json"
	knarr mounts "$1" "$ID" "$T/mounts.json"
}

in_container() {
	knarr exec "$ID" "$@" </dev/null
}

BINDS='[{"destination": "/new/place", "type": "bind", "source": "DATA", "options": ["rbind", "ro"]},
	{"destination": "/etc/one-file", "source": "DATA/file", "options": ["bind", "nosuid"]},
	{"destination": "/scratch", "type": "tmpfs", "source": "tmpfs", "options": ["size=1m", "mode=0700"]}]'

@test "binds of directories and files, and a tmpfs, come and go" {
	start
	local before
	before=$(in_container cat /proc/self/mountinfo)
	mounts add "${BINDS//DATA/$T/data}"
	run -0 in_container cat /new/place/file /etc/one-file
	[ "$output" = $'hello\nhello' ]
	run -1 in_container touch /new/place/x
	[[ "$output" == *'Read-only'* ]]
	in_container sh -c 'echo x >/scratch/x && stat -c %a /scratch' | grep -qx 700
	# Only in the container.
	run ! grep -q scratch /proc/self/mountinfo
	mounts remove "${BINDS//DATA/$T/data}"
	[ "$(in_container cat /proc/self/mountinfo)" = "$before" ]
	run -1 mounts remove '[{"destination": "/scratch"}]'
	[[ "$output" == *"mounts[0]: unmount '/scratch'"*'it is not a mount point'* ]]
	# The saved config has them as long as they are there.
	diff <(jq -S . "$BUNDLE/config.json") <(jq -S . "$ROOT/$ID/config.json")
	# An object as it stands in a config, from standard input.
	echo '{"mounts": [{"destination": "/scratch", "type": "tmpfs"}]}' | knarr mounts add "$ID" -
	in_container grep -q ' /scratch ' /proc/self/mountinfo
	[ "$(jq -c '.mounts[-1]' "$ROOT/$ID/config.json")" = '{"destination":"/scratch","type":"tmpfs"}' ]
}

@test "what cannot be added is one error, and nothing is added" {
	start
	local before
	before=$(in_container cat /proc/self/mountinfo)
	run -1 mounts add '[{"destination": "/scratch", "type": "tmpfs"}, {"destination": "/x", "type": "proc", "source": "proc"}]'
	[[ "$output" == *"mounts[1].type: only bind mounts and tmpfs can be added to a running container, not 'proc'"* ]]
	run -1 mounts add '[{"destination": "/scratch", "type": "tmpfs"}, {"destination": "/x", "source": "/no/such", "options": ["bind"]}]'
	[[ "$output" == *"mounts[1].source: '/no/such'"* ]]
	run -1 mounts add "[{\"destination\": \"/scratch\", \"type\": \"tmpfs\"}, {\"destination\": \"/etc/passwd\", \"source\": \"$T/data\", \"options\": [\"bind\"]}]"
	[[ "$output" == *"mounts[1]: bind '$T/data' to '/etc/passwd'"* ]]
	run -1 mounts add '[{"destination": "/", "type": "tmpfs"}]'
	run -1 mounts add '[{"destination": "/proc/sys", "type": "tmpfs"}]'
	[[ "$output" == *'inside /proc'* ]]
	run -1 mounts add '[{"destination": 1}]'
	[[ "$output" == *mounts.json:1:*destination* ]]
	run -1 mounts add '[{"destination": "/x", "source": "'"$T/data"'", "options": ["bind", "idmap"],
		"uidMappings": [{"containerID": 0, "hostID": 1, "size": 1}]}]'
	[[ "$output" == *'[0].uidMappings: uidMappings and gidMappings go together'* ]]
	run -1 mounts remove '[{"destination": "/proc"}]'
	[[ "$output" == *'cannot be removed while the container runs'* ]]
	run -1 knarr mounts change "$ID" "$T/mounts.json"
	[ "$(in_container cat /proc/self/mountinfo)" = "$before" ]
	cmp "$BUNDLE/config.json" "$ROOT/$ID/config.json"
	knarr kill "$ID" KILL
	wait_status "$ID" stopped
	run -1 mounts add '[{"destination": "/scratch", "type": "tmpfs"}]'
	[[ "$output" == *'container not running'* ]]
}

# The container's own links must not lead the mount out of it.
@test "links of the container do not lead out" {
	mkdir "$T/outside"
	ln -s "$T/outside" "$BUNDLE/rootfs/link"
	ln -s ../../../../../../.."$T/outside" "$BUNDLE/rootfs/up"
	ln -s /proc/1/root "$BUNDLE/rootfs/magic"
	start
	mounts add '[{"destination": "/link/a", "type": "tmpfs"}, {"destination": "/up/b", "type": "tmpfs"}]'
	[ -z "$(ls -A "$T/outside")" ]
	in_container grep -q " $T/outside/a " /proc/self/mountinfo
	in_container grep -q " $T/outside/b " /proc/self/mountinfo
	run -1 mounts add '[{"destination": "/magic/c", "type": "tmpfs"}]'
	[ ! -e "$T/outside/c" ]
	mounts remove '[{"destination": "/link/a"}, {"destination": "/up/b"}]'
}

@test "a user namespace: what is added belongs to its root, ids can be mapped" {
	edit_bundle '.linux.namespaces += [{type: "user"}] | .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}] |
		.linux.gidMappings = .linux.uidMappings'
	chown -R 100000:100000 "$BUNDLE/rootfs"
	chmod 755 "$BUNDLE"
	start
	mounts add "${BINDS//DATA/$T/data}"
	run -0 in_container stat -c %u /scratch /new/place/file
	[ "$output" = $'0\n65534' ]
	mounts remove "${BINDS//DATA/$T/data}"
	requires_kernel 5 19
	run mounts add "[{\"destination\": \"/new/mapped\", \"source\": \"$T/data\", \"options\": [\"rbind\", \"idmap\"]}]"
	[ "$status" = 0 ] || [[ "$output" == *'cannot have mapped ids'* ]] || false
	[ "$status" != 0 ] || [ "$(in_container stat -c %u /new/mapped/file)" = 0 ]
}

@test "an unprivileged user can add a tmpfs" {
	requires_unprivileged_user
	requires_user_ns
	knarr_for_user
	ROOTLESS=1 make_bundle
	local user
	user=$(unprivileged_user)
	chown -R --no-dereference "$user:" "$BUNDLE"
	edit_bundle ".linux.uidMappings[0].hostID = $(id -u "$user") | .linux.gidMappings[0].hostID = $(id -g "$user") | .root.readonly = false"
	bundle_runs sleep 1000
	as_user "$KNARR" --root "$T/user/state" run -d -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
	echo '[{"destination": "/scratch", "type": "tmpfs"}]' | as_user "$KNARR" --root "$T/user/state" mounts add "$ID" -
	as_user "$KNARR" --root "$T/user/state" exec "$ID" grep -q ' /scratch ' /proc/self/mountinfo </dev/null
	echo '[{"destination": "/x", "source": "/etc", "options": ["rbind"]}]' >"$T/mounts.json"
	run -1 as_user "$KNARR" --root "$T/user/state" mounts add "$ID" "$T/mounts.json"
	[[ "$output" == *'an unprivileged user can add only tmpfs'* ]]
	as_user "$KNARR" --root "$T/user/state" delete --force "$ID"
}

# More than fsconfig(2) takes: it is made in a private place of the container's mount namespace,
# of which nothing is left, and the container's /proc has no part in it.
@test "a tmpfs with an option of more than 255 bytes" {
	start
	local before
	before=$(in_container cut -d' ' -f5 /proc/self/mountinfo)
	mounts add "[{\"destination\": \"/long\", \"type\": \"tmpfs\", \"options\": [\"size=$(printf '%0300d' 4)m\", \"nosuid\", \"nodev\", \"ro\"]}]"
	[ "$(in_container cut -d' ' -f5 /proc/self/mountinfo)" = "$before"$'\n/long' ]
	[[ "$(in_container grep ' /long ' /proc/self/mountinfo)" == *' ro,nosuid,nodev'*size=4096k* ]]
}
