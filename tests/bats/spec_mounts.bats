#!/usr/bin/env bats
# config.md#mounts: destinations, sources, order, tmpfs modes.
load helpers

setup() {
	container_setup
	make_bundle '.root.readonly = false | .linux.namespaces |= map(select(.type != "network"))'
}

teardown() {
	container_teardown
}

@test "a relative destination is taken from /" {
	run -0 sees '.mounts += [{destination: "some/where", type: "tmpfs", source: "tmpfs"}]' 'grep -c " /some/where tmpfs" /proc/mounts'
	[ "$output" = 1 ]
}

@test "a bind source is taken from the bundle" {
	mkdir "$BUNDLE/data"
	echo text >"$BUNDLE/data/file"
	run -0 sees '.mounts += [{destination: "/a", source: "data", options: ["bind"]}, {destination: "/b//file", source: "./data/file", options: ["bind", "ro"]},
		{destination: "/c", source: ".", type: "none", options: ["rbind"]}]' 'cat /a/file /b/file; ls /c/config.json'
	[ "$output" = $'text\ntext\n/c/config.json' ]
}

@test "mounts are made in the order of the list" {
	run -0 sees '.mounts += [{destination: "/m", type: "tmpfs", source: "first"}, {destination: "/m/n", type: "tmpfs", source: "second"},
		{destination: "/m", type: "tmpfs", source: "third"}]' 'grep " /m" /proc/mounts | cut -d" " -f1,2; ls /m'
	[ "$output" = $'first /m\nsecond /m/n\nthird /m' ]
}

@test "a destination through links stays in the container" {
	mkdir -p "$BUNDLE/rootfs/real"
	ln -s /real "$BUNDLE/rootfs/link"
	ln -s ../../../../../../real "$BUNDLE/rootfs/climb"
	run -0 sees '.mounts += [{destination: "/link/a", type: "tmpfs", source: "x"}, {destination: "/climb/b", type: "tmpfs", source: "y"}]' \
		'grep " /real" /proc/mounts | cut -d" " -f2'
	[ "$output" = $'/real/a\n/real/b' ]
}

@test "files, pipes and sockets can be bound, also read-only" {
	requires_command python3
	mkfifo "$T/pipe"
	python3 -c 'import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])' "$T/socket"
	for options in '["bind"]' '["bind", "ro"]' '["bind", "rro"]'; do
		run -0 sees ".mounts += [{destination: \"/pipe\", source: \"$T/pipe\", options: $options}, {destination: \"/socket\", source: \"$T/socket\", options: $options}]" \
			'stat -c %F /pipe /socket'
		[ "$output" = $'fifo\nsocket' ]
	done
}

@test "tmpfs: mode as given, else that of the directory, else 1777" {
	mkdir "$BUNDLE/rootfs/there"
	chmod 7712 "$BUNDLE/rootfs/there"
	run -0 sees '.mounts += [{destination: "/there", type: "tmpfs", source: "tmpfs", options: ["ro"]},
		{destination: "/given", type: "tmpfs", source: "tmpfs", options: ["mode=0410"]},
		{destination: "/new", type: "tmpfs", source: "tmpfs"}]' 'stat -c "%a %n" /there /given /new'
	[ "$output" = $'7712 /there\n410 /given\n1777 /new' ]
}

@test "a read-only /dev has its devices" {
	run -0 sees '.mounts |= map(if .destination == "/dev" then .options += ["ro"] else . end)' 'echo x >/dev/null; touch /dev/x; ls /dev/zero'
	[[ "$output" == *"Read-only file system"*/dev/zero ]]
}

@test "a bind and a tmpfs with a copy on the root" {
	cp -a "$BUNDLE/rootfs" "$T/other"
	touch "$T/other/marker"
	local good
	good=$(cat "$BUNDLE/config.json")
	run -0 sees ".mounts = [{destination: \"/\", type: \"bind\", source: \"$T/other\", options: [\"bind\"]}] + .mounts" 'ls /marker'
	echo "$good" >"$BUNDLE/config.json"
	run -0 sees '.mounts = [{destination: "/", type: "tmpfs", source: "tmpfs", options: ["tmpcopyup"]}] + .mounts' 'touch /written; head -n 1 /proc/mounts'
	[[ "$output" == "tmpfs / tmpfs"* ]]
	[ ! -e "$BUNDLE/rootfs/written" ]
}

@test "/proc and /sys must be ordinary directories" {
	rmdir "$BUNDLE/rootfs/proc"
	ln -s /tmp "$BUNDLE/rootfs/proc"
	bundle_runs true
	run -1 knarr run -b "$BUNDLE" "$ID"
	[[ "$output" == *"must be mounted on ordinary directory"* ]]
}
