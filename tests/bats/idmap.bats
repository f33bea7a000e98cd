# Id-mapped mounts: who owns a file of a volume is what the maps say.

load helpers

setup()
{
	container_setup
	requires_root
	mkdir "$T/volume"
	echo text >"$T/volume/file"
	chown 1000:2000 "$T/volume/file"
	echo single >"$T/single"
}

teardown()
{
	container_teardown
}

MAPS='[{"containerID": 0, "hostID": 100000, "size": 65536}]'

# A bundle with the root user of a new user namespace being 100000 on the host.
userns_bundle()
{
	make_bundle ".linux.namespaces += [{\"type\": \"user\"}] | .linux.uidMappings = $MAPS | .linux.gidMappings = $MAPS
		| .root.readonly = false"
	chown -R --no-dereference 100000:100000 "$BUNDLE/rootfs"
	chmod 0755 "$BUNDLE"
}

# volume OPTIONS [SOURCE] [MORE-JSON]: one more mount, on /volume.
volume()
{
	edit_bundle '.mounts += [{"destination": "/volume", "type": "bind", "source": $source, "options": $options} + $more]' \
		--arg source "${2:-$T/volume}" --argjson options "$1" --argjson more "${3:-{\}}"
}

# runs: the container, successfully; a file system that has no mapped ids skips.
runs()
{
	run --separate-stderr knarr run --bundle "$BUNDLE" "$ID"
	# shellcheck disable=SC2154 # set by bats
	echo "$stderr"
	[[ $stderr != *'cannot have mapped ids on this kernel'* ]] || skip "the file system of $T has no id-mapped mounts"
	[ "$status" = 0 ]
}

@test 'idmap takes the maps of the container: ids in it are ids on disk' {
	userns_bundle
	volume '["bind", "idmap"]'
	bundle_runs_sh 'stat -c %u:%g /volume/file && touch /volume/new && stat -c %u:%g /volume/new'
	runs
	[ "$output" = $'1000:2000\n0:0' ]
	[ "$(stat -c %u:%g "$T/volume/new")" = 0:0 ]
}

@test 'without idmap they belong to nobody' {
	userns_bundle
	volume '["bind"]'
	bundle_runs_sh 'stat -c %u:%g /volume/file'
	runs
	[ "$output" = 65534:65534 ]
}

@test 'uidMappings and gidMappings of the mount come first' {
	userns_bundle
	volume '["bind", "idmap"]' '' '{"uidMappings": [{"containerID": 1000, "hostID": 100007, "size": 1}],
		"gidMappings": [{"containerID": 2000, "hostID": 100008, "size": 1}]}'
	bundle_runs_sh 'stat -c %u:%g /volume/file'
	runs
	[ "$output" = 7:8 ]
}

@test 'maps without the option idmap apply too, and without a user namespace' {
	make_bundle
	volume '["bind", "ro"]' '' '{"uidMappings": [{"containerID": 1000, "hostID": 5, "size": 1}],
		"gidMappings": [{"containerID": 2000, "hostID": 6, "size": 1}]}'
	bundle_runs_sh 'stat -c %u:%g /volume/file; touch /volume/new 2>/dev/null || echo read-only'
	runs
	[ "$output" = $'5:6\nread-only' ]
}

@test 'a file is id-mapped as well' {
	userns_bundle
	volume '["bind", "idmap"]' "$T/single"
	bundle_runs_sh 'stat -c %u:%g /volume; cat /volume'
	runs
	[ "$output" = $'0:0\nsingle' ]
}

@test 'several mounts with different maps' {
	make_bundle
	local n
	for n in 1 2 3; do
		edit_bundle '.mounts += [{"destination": "/v\($n)", "source": $source, "options": ["bind", "idmap"],
			"uidMappings": [{"containerID": 1000, "hostID": ($n % 2 + 10), "size": 1}],
			"gidMappings": [{"containerID": 2000, "hostID": 20, "size": 1}]}]' --arg source "$T/volume" --argjson n $n
	done
	bundle_runs_sh 'stat -c %u:%g /v1/file /v2/file /v3/file'
	runs
	[ "$output" = $'11:20\n10:20\n11:20' ]
}

# in_mounts COMMAND...: where a tmpfs is mounted below the volume.
in_mounts()
{
	# shellcheck disable=SC2016
	unshare --mount sh -ec 'mkdir -p "$1/below"; mount -t tmpfs -o mode=0755 t "$1/below"; echo x >"$1/below/file"
		chown 3:4 "$1/below/file"; shift; exec "$@"' sh "$T/volume" "$@"
}

@test 'idmap with rbind leaves mounts below alone, ridmap does not' {
	userns_bundle
	volume '["rbind", "idmap"]'
	bundle_runs_sh 'stat -c %u:%g /volume/file /volume/below/file'
	run -0 --separate-stderr in_mounts "$KNARR" --root "$ROOT" run --bundle "$BUNDLE" "$ID"
	[ "$output" = $'1000:2000\n65534:65534' ]
	edit_bundle '.mounts[-1].options = ["rbind", "ridmap"]'
	run --separate-stderr in_mounts "$KNARR" --root "$ROOT" run --bundle "$BUNDLE" "$ID"
	# A tmpfs can have mapped ids since Linux 6.3.
	[[ $stderr != *'cannot have mapped ids on this kernel'* ]] || return 0
	[ "$output" = $'1000:2000\n3:4' ]
}

# overlay_root OPTIONS [MORE-JSON]: the root is an overlay of the rootfs and of a layer with
# files of several ids on top, with an upper folder of the container's root.
overlay_root()
{
	mkdir "$T/layer" "$T/upper" "$T/work"
	cp "$T/volume/file" "$T/layer/file"
	chown 1000:2000 "$T/layer/file"
	echo root >"$T/layer/roots"
	chown 100000:100000 "$T/upper" "$T/work"
	edit_bundle '.mounts = [{"destination": "/", "type": "overlay", "options": ($options +
		["lowerdir=\($t)/layer:\($t)/bundle/rootfs", "upperdir=\($t)/upper", "workdir=\($t)/work"])} + $more] + .mounts' \
		--arg t "$T" --argjson options "$1" --argjson more "${2:-{\}}"
}

@test 'an overlay as the root: each layer is mapped, the upper folder is not' {
	userns_bundle
	chown -R --no-dereference 0:0 "$BUNDLE/rootfs"
	overlay_root '["idmap"]'
	edit_bundle_to_run '.process.capabilities[] += ["CAP_CHOWN", "CAP_DAC_OVERRIDE"]' \
		sh -c 'stat -c %u:%g /file /roots /bin/busybox && echo more >>/file && chown 5:6 /roots && stat -c %u:%g /file /roots'
	runs
	[ "$output" = $'1000:2000\n0:0\n0:0\n1000:2000\n5:6' ]
	[ "$(stat -c %u:%g "$T/upper/file" "$T/upper/roots" "$T/layer/file" "$T/layer/roots" | paste -sd ' ')" = \
		'101000:102000 100005:100006 1000:2000 0:0' ]
	[ "$(cat "$T/layer/file")" = text ]
	# Without the option the layers' files are nobody's.
	edit_bundle_to_run '.mounts[0].options -= ["idmap"]' sh -c 'stat -c %u:%g /bin/busybox'
	runs
	[ "$output" = 65534:65534 ]
}

@test 'an overlay as the root: read-only, with maps of its own and no user namespace' {
	make_bundle
	overlay_root '[]' '{"uidMappings": [{"containerID": 1000, "hostID": 7, "size": 1}, {"containerID": 0, "hostID": 0, "size": 1}],
		"gidMappings": [{"containerID": 2000, "hostID": 8, "size": 1}, {"containerID": 0, "hostID": 0, "size": 1}]}'
	edit_bundle_to_run '.mounts[0].options |= map(select(startswith("lowerdir")))' \
		sh -c 'stat -c %u:%g /file /roots; touch /x 2>/dev/null || echo read-only'
	runs
	[ "$output" = $'7:8\n0:0\nread-only' ]
	# The bundle may lack a folder for the root: the overlay lies on top of "/" then.
	mv "$BUNDLE/rootfs" "$BUNDLE/other"
	edit_bundle '.mounts[0].options |= map(sub("/rootfs$"; "/other"))'
	runs
	[ "$output" = $'7:8\n0:0\nread-only' ]
}

@test 'a joined user namespace gives its maps' {
	local holder
	userns_bundle
	unshare --user sleep 20 3>&- &
	holder=$!
	while [ "$(readlink /proc/$holder/ns/user)" = "$(readlink /proc/self/ns/user)" ]; do sleep 0.02; done
	echo '0 100000 65536' >/proc/$holder/uid_map
	echo '0 100000 65536' >/proc/$holder/gid_map
	edit_bundle 'del(.linux.uidMappings, .linux.gidMappings)
		| .linux.namespaces |= map(if .type == "user" then .path = $path else . end)' --arg path "/proc/$holder/ns/user"
	volume '["bind", "idmap"]'
	bundle_runs_sh 'stat -c %u:%g /volume/file'
	runs
	kill $holder
	[ "$output" = 1000:2000 ]
}

@test 'a file system that cannot have mapped ids is an error that says so' {
	userns_bundle
	volume '["bind", "idmap"]' /proc/sys/kernel
	edit_bundle '.mounts[-1].destination = "/volume"'
	run ! knarr run --bundle "$BUNDLE" "$ID"
	[[ $output == *"map the ids of '/proc/sys/kernel' (this file system, or one mounted below it, cannot have mapped ids"* ]]
}

@test 'an ordinary user cannot map the ids of a mount' {
	requires_ordinary_user
	requires_user_ns
	knarr_for_user
	ROOTLESS=1 make_bundle
	volume '["bind", "idmap"]'
	edit_bundle ".linux.uidMappings[0].hostID = $(as_user id -u) | .linux.gidMappings[0].hostID = $(as_user id -g)"
	run ! as_user "$KNARR" --root "$T/user/state" run --bundle "$BUNDLE" "$ID"
	echo "$output"
	[[ $output == *'.options: an ordinary user cannot map the ids of a mount'* ]]
}
