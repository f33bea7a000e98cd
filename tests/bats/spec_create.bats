#!/usr/bin/env bats
# runtime.md#lifecycle, the moments between its steps: what is there when, what the
# failure of each kind of hook leads to, and what delete takes away.
load helpers

setup() {
	container_setup
	make_bundle '.root.readonly = false' sleep 1000
}

teardown() {
	container_teardown
}

create() {
	knarr create -b "$BUNDLE" "$@" "$ID" </dev/null >"$T/out" 2>&1
}

# hook KIND LINE: one more hook of that kind, a shell line; "$1" is the state's pid.
hook() {
	edit_bundle '.hooks[$k] += [{path: "/bin/sh", args: ["sh", "-c", "pid=$(sed \"s/.*\\\"pid\\\":\\([0-9]*\\).*/\\1/\"); set -- $pid; " + $line]}]' \
		--arg k "$1" --arg line "$2"
}

# in_container COMMAND...: in the namespaces and the root of the init of $ID.
in_container() {
	nsenter --target "$(knarr state "$ID" | jq .pid)" --mount --uts --ipc --net --pid --root -- "$@"
}

@test "create applies everything but args" {
	requires_root
	edit_bundle '.hostname = "made" | .linux.sysctl = {"kernel.msgmax": "8111"} | .process.args = ["touch", "/ran"]
		| .process.oomScoreAdj = 321 | .process.rlimits = [{type: "RLIMIT_NOFILE", soft: 77, hard: 88}]
		| .mounts += [{destination: "/extra", type: "tmpfs", source: "extra"}]
		| .linux.devices = [{path: "/dev/more", type: "p"}] | .linux.maskedPaths = ["/etc/passwd"]
		| .linux.readonlyPaths = ["/proc/sys"]'
	create
	local pid
	pid=$(knarr state "$ID" | jq .pid)
	[ "$(in_container /bin/hostname)" = made ]
	[ "$(in_container /bin/cat /proc/sys/kernel/msgmax)" = 8111 ]
	in_container /bin/grep '^extra /extra tmpfs' /proc/mounts
	in_container /bin/grep ' /proc/sys proc ro,' /proc/mounts
	[ "$(in_container /bin/stat -c %F /dev/more)" = fifo ]
	[ -z "$(in_container /bin/cat /etc/passwd)" ]
	[ "$(cat "/proc/$pid/oom_score_adj")" = 321 ]
	grep -E '^Max open files +77 +88 ' "/proc/$pid/limits"
	[ ! -e "$BUNDLE/rootfs/ran" ]
	knarr start "$ID"
	wait_status "$ID" stopped
	[ -e "$BUNDLE/rootfs/ran" ]
	knarr delete "$ID"
}

@test "the first hooks find the namespaces and mounts, and the root where it was" {
	requires_root
	local kind
	for kind in prestart createRuntime; do
		hook $kind "{ readlink /proc/\$1/ns/net; stat -Lc %d:%i /proc/\$1/root/; grep -c ' $BUNDLE/rootfs/proc ' /proc/\$1/mountinfo; } >$T/$kind"
	done
	create
	for kind in prestart createRuntime; do
		[ "$(sed -n 1p "$T/$kind")" = "$(readlink "/proc/$(knarr state "$ID" | jq .pid)/ns/net")" ]
		[ "$(sed -n 1p "$T/$kind")" != "$(readlink /proc/self/ns/net)" ]
		[ "$(sed -n 2p "$T/$kind")" = "$(stat -Lc %d:%i /)" ]
		[ "$(sed -n 3p "$T/$kind")" = 1 ]
	done
	knarr delete "$ID"
}

@test "createContainer hooks find the mounts, and the root where it was" {
	requires_root
	hook createContainer "{ stat -Lc %d:%i /; grep -c ' $BUNDLE/rootfs/proc ' /proc/self/mountinfo; } >$T/seen"
	create
	[ "$(cat "$T/seen")" = "$(stat -Lc %d:%i /)"$'\n1' ]
	knarr delete "$ID"
}

# A program by the same name on both sides says which of them it is.
@test "paths of hooks: the runtime's, and for startContainer the container's" {
	local kind
	mkdir -p "$T/side" "$BUNDLE/rootfs$T/side"
	printf '#!/bin/sh\necho runtime >>%s/$1\n' "$BUNDLE/rootfs/tmp" >"$T/side/hook"
	printf '#!/bin/sh\necho container >>/tmp/$1\n' >"$BUNDLE/rootfs$T/side/hook"
	chmod 755 "$T/side/hook" "$BUNDLE/rootfs$T/side/hook"
	for kind in prestart createRuntime createContainer startContainer poststart poststop; do
		edit_bundle '.hooks[$k] = [{path: $p, args: ["hook", $k]}]' --arg k $kind --arg p "$T/side/hook"
	done
	bundle_runs true
	knarr run -b "$BUNDLE" "$ID"
	for kind in prestart createRuntime createContainer poststart poststop; do
		[ "$(cat "$BUNDLE/rootfs/tmp/$kind")" = runtime ]
	done
	[ "$(cat "$BUNDLE/rootfs/tmp/startContainer")" = container ]
}

@test "poststart runs when the program does, and start waits for it" {
	hook poststart "sleep 0.3; tr '\\0' ' ' </proc/\$1/cmdline >$T/seen"
	create
	[ ! -e "$T/seen" ]
	knarr start "$ID"
	[ "$(cat "$T/seen")" = "sleep 1000 " ]
	knarr delete --force "$ID"
}

@test "poststop runs when the container is gone, and delete waits for it" {
	requires_root
	requires_cgroup2
	create
	local pid cgroup
	pid=$(knarr state "$ID" | jq .pid)
	cgroup=$(cgroup_mount)$(sed -n 's/^0:://p' "/proc/$pid/cgroup")
	knarr delete "$ID"
	[ ! -e "$cgroup" ]
	hook poststop "sleep 0.3; { ls -d $cgroup || echo no cgroup; grep '^State:.[^ZX]' /proc/\$(cat $T/pid)/status || echo no process; } >$T/seen 2>/dev/null"
	create --pid-file "$T/pid"
	knarr start "$ID"
	[ -e "$cgroup" ]
	knarr delete --force "$ID"
	[ "$(cat "$T/seen")" = $'no cgroup\nno process' ]
}

# failing KIND: its second hook fails; what ran is in $T/log.
failing() {
	local other
	: >"$T/log"
	edit_bundle 'del(.hooks)'
	for other in prestart createRuntime createContainer poststart poststop; do
		hook $other "echo $other >>$T/log"
	done
	edit_bundle '.hooks[$k] += [{path: "/bin/false"}, {path: "/bin/sh", args: ["sh", "-c", "echo never >>" + $l]}]' --arg k "$1" --arg l "$T/log"
}

# ran NAME...: exactly these, in that order.
ran() {
	[ "$(paste -sd ' ' "$T/log")" = "$*" ] || {
		echo "ran: $(paste -sd ' ' "$T/log"), expected: $*"
		return 1
	}
}

@test "a failing hook of create: an error, no container, poststop follows" {
	local kind
	for kind in prestart createRuntime createContainer; do
		failing $kind
		run -1 knarr create -b "$BUNDLE" "$ID"
		[[ "$output" == *"hooks.$kind[1]"* ]]
		run -1 knarr state "$ID"
		case $kind in
		prestart) ran prestart poststop ;;
		createRuntime) ran prestart createRuntime poststop ;;
		createContainer) ran prestart createRuntime createContainer poststop ;;
		esac
	done
}

@test "a failing startContainer hook: an error, the container is destroyed, poststop follows" {
	failing startContainer
	bundle_runs touch /ran
	create
	run -1 knarr start "$ID"
	[[ "$output" == *"hooks.startContainer[0]"* ]]
	run -1 knarr state "$ID"
	[[ "$output" == *"does not exist"* ]]
	ran prestart createRuntime createContainer poststop
	[ ! -e "$BUNDLE/rootfs/ran" ]
}

@test "a failing poststart hook: an error, the container is destroyed, poststop follows" {
	failing poststart
	create
	local pid
	pid=$(knarr state "$ID" | jq .pid)
	run -1 knarr start "$ID"
	[[ "$output" == *"hooks.poststart[1]"* ]]
	run -1 knarr state "$ID"
	[ ! -e "/proc/$pid" ] || [[ "$(cat "/proc/$pid/status")" == *"State:"*"Z"* ]]
	ran prestart createRuntime createContainer poststart poststop
}

@test "a failing poststop hook: a warning, the other ones run, the container is gone" {
	failing poststop
	create
	run -0 knarr delete "$ID"
	[[ "$output" == *warning*"hooks.poststop[1]"* ]]
	run -1 knarr state "$ID"
	ran prestart createRuntime createContainer poststop never
}

@test "hooks of one kind run in the order of the list" {
	local n
	for n in 1 2 3; do
		hook createRuntime "echo r$n >>$T/log"
		hook createContainer "echo c$n >>$T/log"
		hook poststop "echo s$n >>$T/log"
	done
	create
	knarr delete "$ID"
	[ "$(paste -sd ' ' "$T/log")" = "r1 r2 r3 c1 c2 c3 s1 s2 s3" ]
}

@test "later edits of hooks, mounts and limits have no effect either" {
	hook poststart "echo first >>$T/log"
	hook poststop "echo last >>$T/log"
	bundle_runs true
	create
	edit_bundle ".hooks = {poststart: [{path: \"/bin/false\"}], poststop: [{path: \"/bin/touch\", args: [\"touch\", \"$T/wrong\"]}]}
		| .process.args = [\"false\"] | .root.path = \"nowhere\" | .annotations = {late: \"1\"}"
	knarr start "$ID"
	wait_status "$ID" stopped
	[ "$(knarr state "$ID" | jq '.annotations // {} | has("late")')" = false ]
	knarr delete "$ID"
	[ "$(paste -sd ' ' "$T/log")" = "first last" ]
	[ ! -e "$T/wrong" ]
}

@test "delete leaves what create did not make" {
	requires_root
	requires_cgroup2
	local above
	above=$(cgroup_mount)/knarr-$ID
	own_cgroups "$above"
	mkdir -p "$T/volume/sub"
	edit_bundle '.linux.cgroupsPath = $c | .mounts += [{destination: "/volume", source: $v, options: ["bind"]}]' \
		--arg c "/knarr-$ID/inner" --arg v "$T/volume"
	create
	[ -e "$above/inner" ]
	knarr delete "$ID"
	[ ! -e "$above/inner" ]
	[ -e "$above" ]
	own_cgroups "$above/inner"
	create
	knarr delete "$ID"
	[ -e "$above/inner" ]
	rmdir "$above/inner" "$above"
	[ -d "$T/volume/sub" ] && [ -d "$BUNDLE/rootfs/volume" ] && [ -e "$BUNDLE/config.json" ]
}

@test "a warning changes nothing: the same container, one line more" {
	requires_root
	bundle_runs_sh 'grep Cap /proc/self/status; id -u; pwd'
	run -0 knarr run -b "$BUNDLE" "$ID"
	local quiet=$output
	edit_bundle '.process.capabilities.bounding += ["CAP_NO_SUCH"]'
	run -0 --separate-stderr knarr run -b "$BUNDLE" "$ID"
	[ "$output" = "$quiet" ]
	# shellcheck disable=SC2154 # set by bats
	[[ "$stderr" == *warning*CAP_NO_SUCH* ]]
}

# ---- kill -------------------------------------------------------------------------

# A program that ends with the number of the signal it got.
traps_signals() {
	bundle_runs_sh 'for s in TERM QUIT USR2; do trap "echo $s >/got; exit" $s; done; echo >/ready; while :; do sleep 0.05; done'
}

# got SIGNAL ARGUMENTS...: which one `kill ID ARGUMENTS` sends.
got() {
	rm -f "$BUNDLE"/rootfs/{got,ready}
	create
	knarr start "$ID"
	until [ -e "$BUNDLE/rootfs/ready" ]; do sleep 0.05; done
	knarr kill "$ID" "${@:2}"
	wait_status "$ID" stopped
	knarr delete "$ID"
	[ "$(cat "$BUNDLE/rootfs/got")" = "$1" ]
}

@test "kill sends the signal that is given, to the container's process" {
	traps_signals
	got QUIT QUIT
	got USR2 SIGUSR2
	got TERM 15
}

@test "kill without a signal sends that of the stopSignal annotation" {
	traps_signals
	edit_bundle '.annotations["org.opencontainers.image.stopSignal"] = "SIGQUIT"'
	got QUIT
	got USR2 USR2
	edit_bundle '.annotations["org.opencontainers.image.stopSignal"] = "12"'
	got USR2
	edit_bundle '.annotations["org.opencontainers.image.stopSignal"] = ""'
	got TERM
}

@test "a stopSignal annotation that is not a signal is an error of kill, without effect" {
	edit_bundle '.annotations["org.opencontainers.image.stopSignal"] = "SIGNOPE"'
	create
	run -1 knarr kill "$ID"
	[[ "$output" == *'annotations["org.opencontainers.image.stopSignal"]'*SIGNOPE* ]]
	[ "$(knarr state "$ID" | jq -r .status)" = created ]
	knarr kill "$ID" KILL
	wait_status "$ID" stopped
	knarr delete "$ID"
}
