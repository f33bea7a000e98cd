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
# files of several ids on top, with an upper directory of the container's root.
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

@test 'an overlay as the root: each layer is mapped, the upper directory is not' {
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
	# The bundle may lack a directory for the root: the overlay lies on top of "/" then.
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

@test 'an unprivileged user cannot map the ids of a mount' {
	requires_unprivileged_user
	requires_user_ns
	knarr_for_user
	ROOTLESS=1 make_bundle
	volume '["bind", "idmap"]'
	edit_bundle ".linux.uidMappings[0].hostID = $(as_user id -u) | .linux.gidMappings[0].hostID = $(as_user id -g)"
	run ! as_user "$KNARR" --root "$T/user/state" run --bundle "$BUNDLE" "$ID"
	echo "$output"
	[[ $output == *'.options: an unprivileged user cannot map the ids of a mount'* ]]
}

# ---- maps in the option, as crun has them ----------------------------------------------

# owners OPTION [FILTER]: who the files of the volume belong to in a container that has it with
# this option; "NAME UID:GID" with spaces between them. The ids on disk are the names.
owners()
{
	local id
	for id in 0 5 10 15 20; do
		touch "$T/volume/$id"
		chown "$id:$id" "$T/volume/$id"
	done
	rm -f "$T/volume/file"
	make_bundle "${2:-.}"
	[ $# = 1 ] || {
		chown -R --no-dereference 1000:1000 "$BUNDLE/rootfs"
		chmod 0755 "$BUNDLE"
	}
	volume "[\"rbind\", \"$1\"]"
	bundle_runs_sh 'cd /volume && stat -c "%n=%u:%g" 0 5 10 15 20'
	runs
	output=${output//$'\n'/ }
}

TWO_RANGES='.linux.namespaces += [{type: "user"}] | .linux.uidMappings = [{containerID: 0, hostID: 1000, size: 10},
	{containerID: 10, hostID: 5000, size: 1000}] | .linux.gidMappings = .linux.uidMappings'

# Each value was measured with crun 1.8.1; ridmap with knarr alone, crun 1.8.1 does not know it.
@test 'idmap=uids=…;gids=…: ids on disk are those of the system' {
	owners 'idmap=uids=0-1000-100;gids=0-2000-100'
	[ "$output" = '0=1000:2000 5=1005:2005 10=1010:2010 15=1015:2015 20=1020:2020' ]
	owners 'idmap=gids=0-2000-100;uids=0-1000-6#10-3000-20'
	[ "$output" = '0=1000:2000 5=1005:2005 10=3000:2010 15=3005:2015 20=3010:2020' ]
	owners 'ridmap=uids=0-1000-100;gids=0-2000-100'
	[ "$output" = '0=1000:2000 5=1005:2005 10=1010:2010 15=1015:2015 20=1020:2020' ]
}

@test 'idmap=uids=…;gids=… in a user namespace, and relative to it' {
	local none=65534:65534
	owners 'idmap=uids=0-1000-6#10-5003-20;gids=0-2000-100' "$TWO_RANGES"
	[ "$output" = '0=0:65534 5=5:65534 10=13:65534 15=18:65534 20=23:65534' ]
	owners 'idmap=uids=@0-2-5;gids=@0-3-5' "$TWO_RANGES"
	[ "$output" = "0=2:3 5=$none 10=$none 15=$none 20=$none" ]
	owners 'idmap=uids=@0-0-10#@10-10-500;gids=@0-0-10' "$TWO_RANGES"
	[ "$output" = '0=0:0 5=5:5 10=10:65534 15=15:65534 20=20:65534' ]
	# Which range of the namespace counts tells the id on disk.
	owners 'idmap=uids=@0-15-5;gids=@0-15-5' "$TWO_RANGES"
	[ "$output" = "0=$none 5=$none 10=$none 15=$none 20=$none" ]
	owners 'idmap=uids=@5-2-5;gids=@5-3-5' "$TWO_RANGES"
	[ "$output" = "0=$none 5=2:3 10=$none 15=$none 20=$none" ]
	owners 'idmap=' "$TWO_RANGES"
	[ "$output" = '0=0:0 5=5:5 10=10:10 15=15:15 20=20:20' ]
}

@test 'idmap=: what is not a map is refused, and check says so' {
	local option why n
	while IFS=' ' read -r option why; do
		make_bundle .
		volume "[\"rbind\", \"$option\"]"
		n=$(($(jq '.mounts | length' "$BUNDLE/config.json") - 1))
		run -1 knarr run -b "$BUNDLE" "$ID"
		[ "$output" = "knarr: mounts[$n].options: idmap: $why" ]
		run -1 knarr check "$BUNDLE"
		[[ "$output" == *": error: mounts[$n].options: idmap: $why"* ]]
	done <<-'END'
		idmap=uids=0-0-1 uids and gids go together
		idmap=gids=0-0-1 uids and gids go together
		idmap=uids=0-0-1;gids=0-0 the range '0-0' is not of the form FILE-SYSTEM-ID-HOST-ID-SIZE
		idmap=uids=0-0-1;gids=0-0-1-1 the range '0-0-1-1' is not of the form FILE-SYSTEM-ID-HOST-ID-SIZE
		idmap=uids=a-0-1;gids=0-0-1 the range 'a-0-1' is not of the form FILE-SYSTEM-ID-HOST-ID-SIZE
		idmap=uids=-1-0-1;gids=0-0-1 the range '-1-0-1' is not of the form FILE-SYSTEM-ID-HOST-ID-SIZE
		idmap=uids=;gids=0-0-1 the range '' is not of the form FILE-SYSTEM-ID-HOST-ID-SIZE
		idmap=uids=0-0-0;gids=0-0-1 the range '0-0-0' is empty
		idmap=uids=0-0-4294967295;gids=0-0-1 the range '0-0-4294967295' is not of the form FILE-SYSTEM-ID-HOST-ID-SIZE
		idmap=uids=1-0-4294967294#1-0-2;gids=0-0-1 the range '1-0-2' overlaps one before it
		idmap=uids=0-1000-2#1-2000-2;gids=0-1-1 the range '1-2000-2' overlaps one before it
		idmap=uids=2-0-4294967294;gids=0-0-1 the range '2-0-4294967294' goes beyond the largest id
		idmap=uids=0-0-1;gids=0-0-1;foo=1 'foo=1' is neither 'uids=…' nor 'gids=…'
		idmap=uids=0-0-1;uids=0-0-1;gids=0-0-1 uids or gids is given twice
		idmap=uids=@0-0-1;gids=0-0-1 the range '@0-0-1' is relative to a user namespace, for which the config has no mappings
	END
	make_bundle .
	volume '["rbind", "idmap=uids=0-0-1;gids=0-0-1"]' "$T/volume" '{"uidMappings": [{"containerID": 0, "hostID": 0, "size": 1}], "gidMappings": [{"containerID": 0, "hostID": 0, "size": 1}]}'
	run -1 knarr run -b "$BUNDLE" "$ID"
	[[ "$output" == *'both idmap=… and uidMappings say how ids are mapped' ]]
}
