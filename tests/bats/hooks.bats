#!/usr/bin/env bats
# config.md#posix-platform-hooks and the lifecycle of runtime.md.
load helpers

setup() {
	container_setup
	make_bundle '.root.readonly = false'
	cat >"$T/hook" <<'X'
#!/bin/sh
# hook NAME: notes its name, the status and the pid of the state on stdin
state=$(cat)
echo "$1 $(echo "$state" | jq -r '"\(.status) \(.id)"') pid=$(echo "$state" | jq -r '.pid // 0') $HOOK_ENV" >>"$2"
X
	chmod 755 "$T/hook"
}

teardown() {
	container_teardown
}

hook() { # hook KIND -> JSON of one hook of that name
	jq -nc --arg n "$1" --arg h "$T/hook" --arg log "$T/log" \
		'{path: $h, args: ["hook", $n, $log], env: ["PATH=/usr/bin:/bin:/usr/local/bin", "HOOK_ENV=\($n)-env"]}'
}

@test "all hooks run, in order, with the state on stdin" {
	edit_bundle ".hooks = {prestart: [$(hook prestart)], createRuntime: [$(hook createRuntime), $(hook createRuntime2)],
		createContainer: [$(hook createContainer)], poststart: [$(hook poststart)], poststop: [$(hook poststop)]}"
	bundle_runs true
	knarr run -b "$BUNDLE" "$ID"
	run -0 awk '{print $1, $2, $3}' "$T/log"
	[ "$output" = "prestart creating $ID
createRuntime creating $ID
createRuntime2 creating $ID
createContainer creating $ID
poststart running $ID
poststop stopped $ID" ]
	grep -q 'createContainer-env' "$T/log"
	grep 'createContainer ' "$T/log" | grep -q ' pid=1 '
	! grep 'createRuntime ' "$T/log" | grep -q ' pid=0 '
}

@test "startContainer runs in the container after start, before the program" {
	cat >"$BUNDLE/rootfs/hook" <<'X'
#!/bin/sh
cat >/state
echo hook >>/order
X
	chmod 755 "$BUNDLE/rootfs/hook"
	edit_bundle_to_run '.hooks.startContainer = [{path: "/hook"}]' sh -c 'echo program >>/order'
	knarr create -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
	[ ! -e "$BUNDLE/rootfs/order" ]
	knarr start "$ID"
	wait_status "$ID" stopped
	[ "$(tr '\n' ' ' <"$BUNDLE/rootfs/order")" = "hook program " ]
	[ "$(jq -r .pid "$BUNDLE/rootfs/state")" = 1 ]
	[ "$(jq -r .status "$BUNDLE/rootfs/state")" = created ]
	knarr delete "$ID"
}

@test "a container is being created until its create hooks have run" {
	edit_bundle_to_run '.hooks.createRuntime = [{path: "/bin/sh", args: ["sh", "-c", "exec \($ENV.KNARR) --root \($ENV.ROOT) state \($ENV.ID) >\($ENV.T)/seen"]}]' \
		true
	knarr run -b "$BUNDLE" "$ID"
	[ "$(jq -r '.status, .pid > 0' "$T/seen")" = $'creating\ntrue' ]
	knarr create -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
	[ "$(jq -r .status "$T/seen")" = creating ]
	[ "$(knarr state "$ID" | jq -r .status)" = created ]
	knarr delete "$ID"
}

@test "a container whose create hook hangs can be killed" {
	edit_bundle '.hooks.createRuntime = [{path: "/bin/sh", args: ["sh", "-c", ": >\($ENV.T)/hangs; exec sleep 1000"]}]'
	knarr create -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1 &
	local creator=$!
	wait_for_file "$T/hangs"
	knarr kill "$ID" KILL
	done_with_error $creator
	run ! knarr state "$ID"
}

@test "createContainer runs in the container's mount namespace with the runtime's files" {
	edit_bundle '.hooks.createContainer = [{path: "/bin/sh", args: ["sh", "-c", "mount -t tmpfs hooked '"$BUNDLE"'/rootfs/mnt"], env: ["PATH=/usr/bin:/bin:/usr/sbin:/sbin"]}]'
	mkdir -p "$BUNDLE/rootfs/mnt"
	bundle_runs grep hooked /proc/mounts
	run -0 knarr run -b "$BUNDLE" "$ID"
	[[ "$output" == hooked* ]]
	run ! grep hooked /proc/self/mountinfo
}

@test "a hook that fails ends create with an error and leaves nothing; poststop runs" {
	for kind in prestart createRuntime createContainer; do
		: >"$T/log"
		edit_bundle ".hooks = {$kind: [{path: \"/bin/sh\", args: [\"sh\", \"-c\", \"exit 3\"]}], poststop: [$(hook poststop)]}"
		run -1 knarr create -b "$BUNDLE" "$ID"
		[[ "$output" == *"hooks.$kind[0]"*"3"* ]]
		run ! knarr state "$ID"
	done
}

@test "a hook that takes too long is killed" {
	edit_bundle '.hooks.createRuntime = [{path: "/bin/sleep", args: ["sleep", "1000"], timeout: 1}]'
	run -1 knarr run -b "$BUNDLE" "$ID"
	[[ "$output" == *"hooks.createRuntime[0]"* ]]
	edit_bundle '.hooks = {createContainer: [{path: "/bin/sleep", args: ["sleep", "1000"], timeout: 1}]}'
	run -1 knarr run -b "$BUNDLE" "$ID"
	[[ "$output" == *"hooks.createContainer[0]"* ]]
}

@test "a failing poststart hook ends the container" {
	edit_bundle_to_run '.hooks.poststart = [{path: "/bin/false"}]' sleep 1000
	run -1 knarr run -d -b "$BUNDLE" "$ID"
	[[ "$output" == *"hooks.poststart[0]"* ]]
	run ! knarr state "$ID"
	knarr create -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
	run -1 knarr start "$ID"
	run ! knarr state "$ID"
}

@test "a failing poststop hook is a warning, and the next one runs" {
	edit_bundle_to_run ".hooks.poststop = [{path: \"/bin/false\"}, $(hook poststop)]" true
	run -0 knarr run -b "$BUNDLE" "$ID"
	[[ "$output" == *"hooks.poststop[0]"* ]]
	grep -q '^poststop ' "$T/log"
}

# The program of a startContainer hook is the image's: the runtime's environment, in which callers
# have their secrets, is for programs of the host. Those never get the container's, whose
# LD_PRELOAD would be a library of the image (CVE-2025-23266).
@test "hooks without env: startContainer has that of the program, all others the runtime's" {
	local kind
	mkdir -m 0777 "$BUNDLE/rootfs/results"
	printf '#!/bin/sh\nenv >/results/env\n' >"$BUNDLE/rootfs/hook"
	printf '#!/bin/sh\nenv >"$0.env"\n' >"$T/hook"
	chmod 0755 "$BUNDLE/rootfs/hook" "$T/hook"
	for kind in prestart createRuntime createContainer poststart poststop; do cp "$T/hook" "$T/$kind"; done
	edit_bundle_to_run '.process.env |= map(select(startswith("HOME=") | not)) + ["OF_CONTAINER=1", "LD_PRELOAD=/evil.so"]
		| .hooks = (reduce ("prestart", "createRuntime", "createContainer", "poststart", "poststop") as $kind
			({}; .[$kind] = [{path: ("'"$T"'/" + $kind)}]) + {startContainer: [{path: "/hook"}]})' env
	OF_RUNTIME=1 run -0 --separate-stderr knarr run -b "$BUNDLE" "$ID"
	run -0 diff <(grep -v '^\(_\|PWD\|SHLVL\|OLDPWD\)=' <<<"$output" | sort) \
		<(grep -v '^\(_\|PWD\|SHLVL\|OLDPWD\)=' "$BUNDLE/rootfs/results/env" | sort)
	grep -qx 'HOME=/.*' "$BUNDLE/rootfs/results/env"
	run ! grep -q OF_RUNTIME "$BUNDLE/rootfs/results/env"
	for kind in prestart createRuntime createContainer poststart poststop; do
		grep -qx OF_RUNTIME=1 "$T/$kind.env"
		run ! grep -q 'OF_CONTAINER\|LD_PRELOAD' "$T/$kind.env"
	done
	# An environment that is given is what the hook has, also an empty one.
	edit_bundle '.hooks = {startContainer: [{path: "/hook", env: ["ONE=1"]}]}'
	run -0 knarr run -b "$BUNDLE" "$ID"
	grep -qx ONE=1 "$BUNDLE/rootfs/results/env"
	run ! grep -q 'OF_\|HOME' "$BUNDLE/rootfs/results/env"
}

@test "what hooks print is not the container's output" {
	local kind
	for kind in prestart createRuntime createContainer startContainer poststart poststop; do
		edit_bundle ".hooks.$kind = [{path: \"/bin/sh\", args: [\"sh\", \"-c\", \"echo by-$kind\"]}]"
	done
	bundle_runs echo by-the-program
	run -0 --separate-stderr knarr run -b "$BUNDLE" "$ID"
	[ "$output" = by-the-program ]
	# shellcheck disable=SC2154
	[ "$(sort <<<"$stderr")" = $'by-createContainer\nby-createRuntime\nby-poststart\nby-poststop\nby-prestart\nby-startContainer' ]
}

@test "a hook that does not read its stdin is not an error" {
	edit_bundle_to_run '.hooks = {createRuntime: [{path: "/bin/true"}], createContainer: [{path: "/bin/true"}]} | .annotations = {a: ("x" * 70000)}' \
		true
	knarr run -b "$BUNDLE" "$ID"
}

@test "a pid file does not outlive a container that a poststart hook ended" {
	edit_bundle_to_run '.hooks.poststart = [{path: "/bin/false"}]' sleep 1000
	run -1 knarr run -d --pid-file "$T/pid" -b "$BUNDLE" "$ID"
	[ ! -e "$T/pid" ]
}
