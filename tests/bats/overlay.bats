#!/usr/bin/env bats
# The root as an overlay of layers: a mount of type overlay on "/", and
# run --layer … --upper ….
load helpers

setup() {
	container_setup
	make_bundle '.root.readonly = false'
	LAYERS=$T/layers
	make_layers 3
	mkdir "$T/up"
	cp /proc/self/mountinfo "$T/mountinfo.before"
}

teardown() {
	cmp /proc/self/mountinfo "$T/mountinfo.before"
	container_teardown
}

# Layer 0 is the busybox root; layer N adds /layer-N and overwrites /top.
make_layers() {
	mkdir -p "$LAYERS"
	cp -a "$BUNDLE/rootfs" "$LAYERS/0"
	for i in $(seq "$1"); do
		mkdir -p "$LAYERS/$i"
		echo "$i" >"$LAYERS/$i/layer-$i"
		echo "$i" >"$LAYERS/$i/top"
	done
}

layer_options() { # layer_options N -> --layer … for layers 0..N
	for i in $(seq 0 "$1"); do printf -- '--layer\n%s\n' "$LAYERS/$i"; done
}

# topmost first, as lowerdir wants it
lowerdir() {
	seq "$1" -1 0 | sed "s|^|$LAYERS/|" | paste -sd:
}

@test "--layer and --upper: layers below, writes above, nothing in the layers" {
	mapfile -t opts < <(layer_options 3)
	bundle_runs sh -c 'cat /top /layer-1; echo new >/written; rm /layer-2; ls /'
	run -0 knarr run "${opts[@]}" --upper "$T/up" -b "$BUNDLE" "$ID"
	[ "${lines[0]}" = 3 ]
	[ "${lines[1]}" = 1 ]
	[[ "$output" != *layer-2* ]]
	[ ! -e "$LAYERS/3/written" ]
	[ -e "$LAYERS/2/layer-2" ]
	# The next container on the same upper sees the writes and the whiteout.
	bundle_runs sh -c 'cat /written; test ! -e /layer-2'
	run -0 knarr run "${opts[@]}" --upper "$T/up" -b "$BUNDLE" "$ID"
	[ "$output" = new ]
}

@test "--upper tmpfs is thrown away" {
	mapfile -t opts < <(layer_options 3)
	bundle_runs sh -c 'test ! -e /written; echo x >/written; cat /written'
	for _ in 1 2; do
		run -0 knarr run "${opts[@]}" --upper tmpfs -b "$BUNDLE" "$ID"
		[ "$output" = x ]
	done
}

@test "layers without an upper are a read-only root" {
	mapfile -t opts < <(layer_options 2)
	bundle_runs sh -c 'cat /top; echo x >/written'
	run ! knarr run "${opts[@]}" -b "$BUNDLE" "$ID"
	[ "${lines[0]}" = 2 ]
	[[ "$output" == *"ead-only"* ]]
}

@test "100 layers are the root" {
	make_layers 99
	mapfile -t opts < <(layer_options 99)
	bundle_runs sh -c 'cat /top; ls -d /layer-* | wc -l; echo x >/written'
	run -0 knarr run "${opts[@]}" --upper tmpfs -b "$BUNDLE" "$ID"
	[ "${lines[0]}" = 99 ]
	[ "${lines[1]}" = 99 ]
}

@test "128 layers with long names pass the page-size limit" {
	LAYERS=$T/$(printf 'n%.0s' $(seq 100))
	make_layers 127
	mapfile -t opts < <(layer_options 127)
	bundle_runs sh -c 'cat /top'
	run -0 knarr run "${opts[@]}" --upper tmpfs -b "$BUNDLE" "$ID"
	[ "$output" = 127 ]
}

@test "a mount of type overlay on / in config.json" {
	mkdir -p "$T/upper" "$T/work"
	edit_bundle '.mounts = [{destination: "/", type: "overlay", source: "overlay", options:
		["lowerdir='"$(lowerdir 3)"'", "upperdir='"$T"'/upper", "workdir='"$T"'/work"]}] + .mounts'
	bundle_runs sh -c 'cat /top; echo x >/written; grep " / / " /proc/self/mountinfo | grep -o overlay | head -n 1'
	run -0 knarr run -b "$BUNDLE" "$ID"
	[ "${lines[0]}" = 3 ]
	[ "${lines[1]}" = overlay ]
	[ "$(cat "$T/upper/written")" = x ]
}

@test "overlay with root.readonly, and bind mounts on top" {
	echo bound >"$T/file"
	edit_bundle '.root.readonly = true | .mounts = [{destination: "/", type: "overlay", source: "overlay", options:
		["lowerdir='"$(lowerdir 3)"'"]}] + .mounts + [{destination: "/top", type: "bind", source: "'"$T"'/file", options: ["bind", "ro"]}]'
	bundle_runs sh -c 'cat /top; touch /x || echo refused'
	run -0 knarr run -b "$BUNDLE" "$ID"
	[ "${lines[0]}" = bound ]
	[[ "$output" == *refused* ]]
}

@test "names of layers with colons and backslashes" {
	cp -a "$LAYERS/1" "$LAYERS/a:b"; cp -a "$LAYERS/2" "$LAYERS/c\\d"
	edit_bundle '.mounts = [{destination: "/", type: "overlay", source: "overlay", options:
		["lowerdir='"$LAYERS"'/a\\:b:'"$LAYERS"'/c\\\\d:'"$LAYERS"'/0"]}] + .mounts'
	bundle_runs sh -c 'cat /top /layer-2'
	run -0 knarr run -b "$BUNDLE" "$ID"
	[ "${lines[0]}" = 1 ]
	[ "${lines[1]}" = 2 ]
	edit_bundle "del(.mounts[0])"
	run -0 knarr run --layer "$LAYERS/0" --layer "$LAYERS/c\\d" --layer "$LAYERS/a:b" --upper tmpfs -b "$BUNDLE" "$ID"
}

@test "whiteouts and opaque directories of a lower layer hide what is below" {
	mkdir -p "$LAYERS/1/dir" "$LAYERS/2/dir"
	touch "$LAYERS/1/dir/old" "$LAYERS/2/dir/new"
	mknod "$LAYERS/2/layer-1" c 0 0
	setfattr -n trusted.overlay.opaque -v y "$LAYERS/2/dir"
	mapfile -t opts < <(layer_options 2)
	bundle_runs sh -c 'ls /dir; test ! -e /layer-1'
	run -0 knarr run "${opts[@]}" --upper tmpfs -b "$BUNDLE" "$ID"
	[ "$output" = new ]
}

@test "the host's mount table never shows the container's, also while it runs" {
	mapfile -t opts < <(layer_options 3)
	bundle_runs sleep 1000
	knarr run -d "${opts[@]}" --upper tmpfs -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
	cmp /proc/self/mountinfo "$T/mountinfo.before"
	knarr delete -f "$ID"
}

@test "a layer that does not exist is one clear error, and nothing is left" {
	run -1 knarr run --layer "$LAYERS/0" --layer "$T/nowhere" --upper tmpfs -b "$BUNDLE" "$ID"
	[[ "$output" == *"$T/nowhere"*"no such file or directory"* ]]
}
