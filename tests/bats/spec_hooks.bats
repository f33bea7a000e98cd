#!/usr/bin/env bats
# config.md#posix-platform-hooks: where each kind of hook runs and what it is
# given. What their failure does is in hooks.bats.
load helpers

setup() {
	container_setup
	make_bundle '.root.readonly = false | .linux.namespaces |= map(select(.type != "network"))' true
	KINDS="prestart createRuntime createContainer startContainer poststart poststop"
}

teardown() {
	container_teardown
}

# hooks_do LINE: every kind of hook runs the line with its kind as $1 and writes to
# /out in the root file system, which runtime and container name differently.
hooks_do() {
	local kind out
	for kind in $KINDS; do
		out=$BUNDLE/rootfs/out
		[ $kind != startContainer ] || out=/out
		edit_bundle '.hooks[$k] = [{path: "/bin/sh", args: ["sh", "-c", "{ " + $line + "; } >>" + $out, $k]}]' \
			--arg k $kind --arg line "$1" --arg out "$out"
	done
}

outputs() {
	cat "$BUNDLE/rootfs/out"
}

@test "the six kinds run in the order of the lifecycle" {
	hooks_do 'echo $0'
	bundle_runs_sh 'echo program >>/out'
	knarr create -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
	[ "$(outputs | tr '\n' ' ')" = "prestart createRuntime createContainer " ]
	knarr start "$ID"
	wait_status "$ID" stopped
	[ "$(outputs | tr '\n' ' ' | sed 's/program poststart/poststart program/')" = \
		"prestart createRuntime createContainer startContainer poststart program " ]
	knarr delete "$ID"
	[ "$(outputs | tail -n 1)" = poststop ]
}

@test "hooks of the runtime start in the bundle, createContainer in the rootfs, startContainer in cwd" {
	edit_bundle '.process.cwd = "/tmp"'
	hooks_do 'echo $0 $(pwd -P)'
	(cd / && knarr run -b "$BUNDLE" "$ID")
	[ "$(outputs | sort)" = "createContainer $BUNDLE/rootfs
createRuntime $BUNDLE
poststart $BUNDLE
poststop $BUNDLE
prestart $BUNDLE
startContainer /tmp" ]
}

@test "poststop hooks run though the bundle is gone" {
	edit_bundle '.hooks.poststop = [{path: "/bin/sh", args: ["sh", "-c", "pwd >'"$T"'/out"]}]'
	knarr run --keep -b "$BUNDLE" "$ID"
	rm -rf "$BUNDLE"
	knarr delete "$ID"
	[ "$(cat "$T/out")" = / ]
}

@test "the namespaces of each kind" {
	hooks_do 'echo $0 $(readlink /proc/self/ns/mnt) $(readlink /proc/self/ns/uts)'
	bundle_runs_sh 'echo program $(readlink /proc/self/ns/mnt) $(readlink /proc/self/ns/uts) >>/out'
	knarr run -b "$BUNDLE" "$ID"
	local host inside
	host="$(readlink /proc/self/ns/mnt) $(readlink /proc/self/ns/uts)"
	inside=$(outputs | sed -n 's/^program //p')
	[ "$inside" != "$host" ]
	for kind in prestart createRuntime poststart poststop; do
		[ "$(outputs | sed -n "s/^$kind //p")" = "$host" ]
	done
	for kind in createContainer startContainer; do
		[ "$(outputs | sed -n "s/^$kind //p")" = "$inside" ]
	done
}

@test "the state on stdin: id, status, bundle, annotations, and the pid as the hook sees it" {
	edit_bundle '.annotations = {"a.b/c": "ünï \"x\"", empty: ""}'
	hooks_do 'echo "$0 $(cat)"'
	knarr create -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
	local pid
	pid=$(knarr state "$ID" | jq .pid)
	knarr start "$ID"
	wait_status "$ID" stopped
	knarr delete "$ID"
	for kind in $KINDS; do
		outputs | sed -n "s/^$kind //p" >"$T/state.json"
		jq -e --arg id "$ID" --arg b "$BUNDLE" '.id == $id and .bundle == $b and (.ociVersion | length > 0) and
			.annotations == {"a.b/c": "ünï \"x\"", empty: ""}' "$T/state.json"
		case $kind in
		prestart | createRuntime) expected="creating $pid" ;;
		createContainer) expected="creating 1" ;;
		startContainer) expected="created 1" ;;
		poststart) expected="running $pid" ;;
		poststop) expected="stopped 0" ;;
		esac
		[ "$(jq -r '"\(.status) \(.pid // 0)"' "$T/state.json")" = "$expected" ]
	done
}

@test "args and env: as given; without args the path, without env that of the caller" {
	edit_bundle '.hooks.createRuntime = [
		{path: "/usr/bin/env"},
		{path: "/usr/bin/env", env: []},
		{path: "/usr/bin/env", env: ["A=b", "C="]},
		{path: "/bin/sh", args: ["my name", "-c", "echo $0 $*", "zero", "one"]}]'
	KNARR_TEST_CALLER=here run -0 knarr run -b "$BUNDLE" "$ID"
	[[ "$output" == *KNARR_TEST_CALLER=here* ]]
	[[ "$output" == *$'A=b\nC=\nzero one' ]]
	[ "$(grep -c KNARR_TEST_CALLER <<<"$output")" = 1 ]
}

@test "a hook has the standard descriptors only, and no ignored signal" {
	trap '' PIPE USR1
	edit_bundle '.hooks.createRuntime = [{path: "/bin/ls", args: ["ls", "/proc/self/fd"]}, {path: "/bin/grep", args: ["grep", "^Sig[BI]", "/proc/self/status"]}]'
	run -0 knarr_with_fds 'exec 5</dev/null 6</dev/null' run --preserve-fds 0 -b "$BUNDLE" "$ID"
	[ "$output" = $'0\n1\n2\n3\nSigBlk:\t0000000000000000\nSigIgn:\t0000000000000000' ]
}

@test "invalid hooks are errors of the config" {
	local good
	good=$(cat "$BUNDLE/config.json")
	for kind in $KINDS; do
		for hook in '{path: "bin/true"}' '{path: ""}' '{}' '{path: "/bin/true", timeout: 0}' '{path: "/bin/true", timeout: -1}'; do
			echo "$good" >"$BUNDLE/config.json"
			edit_bundle ".hooks.$kind = [$hook]"
			run -1 knarr run -b "$BUNDLE" "$ID"
			[[ "$output" == *"hooks.${kind}[0]"* ]]
		done
	done
}

@test "a hook that cannot be started is an error" {
	for path in /nowhere/hook /etc/passwd /etc; do
		edit_bundle ".hooks.createRuntime = [{path: \"$path\"}]"
		run -1 knarr run -b "$BUNDLE" "$ID"
		[[ "$output" == *"hooks.createRuntime[0]"*"$path"* ]]
	done
}

@test "a startContainer hook that fails stops the container before its program" {
	edit_bundle_to_run '.hooks.startContainer = [{path: "/bin/true"}, {path: "/bin/false"}]' touch /ran
	run -1 knarr run -b "$BUNDLE" "$ID"
	[[ "$output" == *"hooks.startContainer[1]"* ]]
	knarr create -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
	run -1 knarr start "$ID"
	[[ "$output" == *"hooks.startContainer[1]"* ]]
	run -1 knarr state "$ID"
	[ ! -e "$BUNDLE/rootfs/ran" ]
}
