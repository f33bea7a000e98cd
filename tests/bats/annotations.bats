#!/usr/bin/env bats
# Annotations that change what the runtime does.
load helpers

setup() {
	container_setup
	requires_root
	make_bundle '.root.readonly = false' true
	PLAIN=$KNARR
	allow_annotations
}

teardown() {
	"$KNARR" --root "$ROOT" delete --force "$ID"
	container_teardown
}

annotate() {
	edit_bundle '.annotations[$k] = $v' --arg k "$1" --arg v "$2"
}

@test "features lists them, docs/annotations.md describes them" {
	local name doc
	doc=$BATS_TEST_DIRNAME/../../docs/annotations.md
	"$KNARR" features | jq -e '.potentiallyUnsafeConfigAnnotations | length >= 11 and . == sort'
	for name in $("$KNARR" features | jq -r '.potentiallyUnsafeConfigAnnotations[]'); do
		grep -qF "\`$name" "$doc" || {
			echo "$name is not described"
			return 1
		}
	done
}

@test "run.oci.hooks.stdout and stderr: the output of every kind of hook" {
	local kind
	printf '#!/bin/sh\necho "out $1"\necho "err $1" >&2\n' >"$T/hook"
	chmod 755 "$T/hook"
	cp "$T/hook" "$BUNDLE/rootfs/hook"
	for kind in prestart createRuntime createContainer poststart poststop; do
		edit_bundle '.hooks[$k] = [{path: $p, args: ["hook", $k]}]' --arg k $kind --arg p "$T/hook"
	done
	edit_bundle '.hooks.startContainer = [{path: "/hook", args: ["hook", "startContainer"]}]'
	annotate run.oci.hooks.stdout "$T/out"
	annotate run.oci.hooks.stderr "$T/err"
	echo kept >"$T/out"
	bundle_runs echo program
	run -0 knarr run -b "$BUNDLE" "$ID"
	[ "$output" = program ]
	[ "$(head -n 1 "$T/out")" = kept ]
	for kind in prestart createRuntime createContainer startContainer poststart poststop; do
		grep -qx "out $kind" "$T/out"
		grep -qx "err $kind" "$T/err"
	done
	: >"$T/out"
	knarr create -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
	knarr start "$ID"
	grep -qx 'out poststart' "$T/out"
	wait_status "$ID" stopped
	knarr delete "$ID"
	grep -qx 'out poststop' "$T/out"
	annotate run.oci.hooks.stdout /no/such/directory/out
	run -1 knarr run -b "$BUNDLE" "$ID"
	[[ "$output" == *"annotation run.oci.hooks.stdout: open '/no/such/directory/out'"* ]]
	edit_bundle 'del(.hooks)' # nothing to write
	run -0 knarr run -b "$BUNDLE" "$ID"
	[ "$output" = program ]
}

@test "run.oci.keep_original_groups: no setgroups" {
	requires_command setpriv
	bundle_runs id -G
	run -0 setpriv --groups 1234,5678 "$KNARR" --root "$ROOT" run -b "$BUNDLE" "$ID"
	[ "$output" = 0 ]
	for no in 0 false ''; do
		annotate run.oci.keep_original_groups "$no"
		run -0 setpriv --groups 1234,5678 "$KNARR" --root "$ROOT" run -b "$BUNDLE" "$ID"
		[ "$output" = 0 ]
	done
	annotate run.oci.keep_original_groups 1
	run -0 setpriv --groups 1234,5678 "$KNARR" --root "$ROOT" run -b "$BUNDLE" "$ID"
	[ "$output" = '0 1234 5678' ]
	edit_bundle '.process.user.additionalGids = [7]'
	run -0 setpriv --groups 1234 "$KNARR" --root "$ROOT" run -b "$BUNDLE" "$ID"
	[[ "$output" == *"keeps the caller's groups"* ]]
	[[ "$output" == *'0 1234' ]]
}

@test "run.oci.pidfd_receiver and run.oci.seccomp.receiver: sockets" {
	requires_command python3
	annotate run.oci.pidfd_receiver "$T/pidfd"
	annotate run.oci.seccomp.receiver "$T/agent"
	edit_bundle '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["reboot"], action: "SCMP_ACT_NOTIFY"}]}'
	python3 - "$T" >"$T/out" <<'X' &
import array, os, select, socket, sys
sockets = {}
for name in 'pidfd', 'agent':
    s = socket.socket(socket.AF_UNIX)
    s.bind(sys.argv[1] + '/' + name)
    s.listen(1)
    s.settimeout(20)
    sockets[name] = s
open(sys.argv[1] + '/ready', 'w').close()
for name in 'pidfd', 'agent':
    c, _ = sockets[name].accept()
    msg, anc, _, _ = c.recvmsg(4096, 4096)
    fd = array.array('i', anc[0][2])[0]
    print(name, os.readlink('/proc/self/fd/%d' % fd))
X
	wait_for_file "$T/ready"
	knarr run -b "$BUNDLE" "$ID"
	wait $!
	grep -q '^pidfd .*pidfd' "$T/out"
	grep -q '^agent .*seccomp notify' "$T/out"
	# It is the socket of a listener as any other one: nobody there is an error.
	annotate run.oci.pidfd_receiver "$T/nobody"
	run -1 knarr run -b "$BUNDLE" "$ID"
	[[ "$output" == *"annotation run.oci.pidfd_receiver: connect to '$T/nobody'"* ]]
}

@test "run.oci.delegate-cgroup: the processes are below, limits and namespace above" {
	requires_cgroup2
	annotate run.oci.delegate-cgroup payload
	bundle_runs sh -c 'grep ^0:: /proc/self/cgroup; sleep 1000'
	edit_bundle 'if any(.linux.namespaces[]; .type == "cgroup") then . else .linux.namespaces += [{type: "cgroup"}] end'
	knarr run -d -b "$BUNDLE" "$ID" </dev/null >"$T/out" 2>&1
	local cgroup
	cgroup=$(cgroup_mount)$(jq -r .cgroupPath "$ROOT/$ID/state.json")
	[ "$(cat "$cgroup/payload/cgroup.procs")" = "$(knarr state "$ID" | jq .pid)" ]
	[ -z "$(cat "$cgroup/cgroup.procs")" ]
	until [ -s "$T/out" ]; do sleep 0.05; done
	grep -qx '0::/payload' "$T/out"
	# exec follows, and all of it goes.
	[ "$(knarr exec "$ID" grep ^0:: /proc/self/cgroup </dev/null)" = 0::/payload ]
	knarr delete --force "$ID"
	[ ! -e "$cgroup" ]
	annotate run.oci.delegate-cgroup ../x
	run -1 knarr run -b "$BUNDLE" "$ID"
	[[ "$output" == *"'../x' is not the name of a cgroup"* ]]
}

# ---- who may have them ------------------------------------------------------------

@test "those that reach the host are refused to root, unless the caller allows them" {
	local name command n=0
	echo kept >"$T/file"
	for name in org.criu.config run.oci.hooks.stdout run.oci.hooks.stderr run.oci.keep_original_groups run.oci.pidfd_receiver \
		run.oci.seccomp.receiver org.systemd.property.Conflicts org.systemd.property.; do
		edit_bundle '.annotations = {"of.somebody": "else", ($k): $v} | .hooks = {createRuntime: [{path: "/bin/echo", args: ["echo", "written"]}]}' \
			--arg k "$name" --arg v "$T/file"
		for command in "run -b $BUNDLE $ID" "create -b $BUNDLE $ID" "plan $BUNDLE"; do
			# shellcheck disable=SC2086
			run -1 "$PLAIN" --root "$ROOT" $command
			echo "$output"
			[ "$output" = "knarr: annotations[\"$name\"]: it reaches the host; for a container of root it takes --allow-annotations=all" ]
		done
		# shellcheck disable=SC2086
		run -1 "$PLAIN" --allow-annotations=safe --root "$ROOT" run -b "$BUNDLE" "$ID"
		[ ! -e "$ROOT/$ID" ]
		run -1 "$PLAIN" check "$BUNDLE"
		echo "$output"
		[[ "$output" =~ config.json:[0-9]+:[0-9]+:\ error:\ annotations\[\"$name\"\]:\ it\ reaches ]]
		run -0 "$PLAIN" --allow-annotations=all check "$BUNDLE"
		n=$((n + 1))
	done
	[ $n = 8 ]
	[ "$(cat "$T/file")" = kept ]
}

@test "those that Podman, containerd and CRI-O set need no option" {
	local name
	for name in org.opencontainers.image.stopSignal:TERM run.oci.systemd.subgroup:inner run.oci.mount_context_type:context \
		org.systemd.property.TimeoutStopUSec:'uint64 7' org.systemd.property.KillSignal:15 "org.systemd.property.CollectMode:'inactive'" \
		"org.systemd.property.After:['a.service']" org.systemd.property.DefaultDependencies:true run.oci.keep_original_groups:0 \
		io.kubernetes.cri.container-type:container io.podman.annotations.autoremove:FALSE org.opencontainers.image.title:x; do
		edit_bundle '.annotations = {($k): $v}' --arg k "${name%%:*}" --arg v "${name#*:}"
		run -0 "$PLAIN" --root "$ROOT" run -b "$BUNDLE" "$ID"
	done
}

@test "an unprivileged user and root of a user namespace need no option" {
	requires_unprivileged_user
	requires_user_ns
	KNARR=$PLAIN
	knarr_for_user
	ROOTLESS=1 make_bundle '.annotations = {"run.oci.hooks.stderr": "/dev/null"}' true
	chown -R --no-dereference "$(unprivileged_user):" "$BUNDLE"
	edit_bundle ".linux.uidMappings[0].hostID = $(id -u "$(unprivileged_user)") | .linux.gidMappings[0].hostID = $(id -g "$(unprivileged_user)")"
	as_user mkdir -p "$T/user"
	run -0 as_user "$KNARR" --root "$T/user/state" run -b "$BUNDLE" "$ID"
}
