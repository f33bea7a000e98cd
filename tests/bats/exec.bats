#!/usr/bin/env bats
# exec: another process in a running container.
load helpers

setup() {
	container_setup
	make_bundle '.root.readonly = false' sleep 1000
}

teardown() {
	"$KNARR" --root "$ROOT" delete --force "$ID"
	container_teardown
}

start_container() {
	knarr run -d -b "$BUNDLE" "$@" "$ID" </dev/null >/dev/null 2>&1
}

@test "exec passes input, output and exit status through" {
	start_container
	run --separate-stderr -42 knarr exec "$ID" sh -c 'cat; echo err >&2; exit 42' <<<'in'
	[ "$output" = in ]
	[ "$stderr" = err ]
	run -137 knarr exec "$ID" sh -c 'kill -KILL $$'
}

@test "exec joins every namespace, the root and the cgroup of the init" {
	start_container
	local pid name
	pid=$(knarr state "$ID" | jq -r .pid)
	for name in mnt pid net ipc uts cgroup user time; do
		[ "$(knarr exec "$ID" readlink /proc/self/ns/$name)" = "$(knarr exec "$ID" readlink /proc/1/ns/$name)" ]
	done
	[ "$(knarr exec "$ID" ls /)" = "$(ls "$BUNDLE/rootfs")" ]
	[ "$(knarr exec "$ID" pwd)" = / ]
	knarr exec -d --pid-file "$T/pid" "$ID" sleep 100 </dev/null >/dev/null 2>&1
	grep -E '^0:' "/proc/$(cat "$T/pid")/cgroup" | grep -qxF "$(grep -E '^0:' "/proc/$pid/cgroup")"
	[ "$(readlink "/proc/$(cat "$T/pid")/ns/pid")" = "$(readlink "/proc/$pid/ns/pid")" ]
}

@test "exec takes environment, user, groups, capabilities and no_new_privs from the config" {
	edit_bundle '.process.env += ["FROM=config"] | .process.user = {uid: 1000, gid: 1001, additionalGids: [7]}
		| .process.cwd = "/home" | .process.rlimits = [{type: "RLIMIT_NOFILE", soft: 77, hard: 88}]'
	start_container
	[ "$(knarr exec "$ID" sh -c 'echo $FROM; id; pwd; ulimit -n')" = $'config\nuid=1000(user) gid=1001 groups=7\n/home\n77' ]
	[ "$(knarr exec "$ID" grep -c 'NoNewPrivs:	1' /proc/self/status)" = 1 ]
	[ "$(knarr exec "$ID" grep Cap /proc/self/status | sort)" = "$(knarr exec "$ID" grep Cap /proc/1/status | sort)" ]
}

@test "exec options change them" {
	edit_bundle '.process.env += ["FROM=config"]'
	start_container
	run -0 knarr exec -u 1000:1001 -g 7 --additional-gids 8 --cwd /tmp -e FROM=option --env NEW=1 "$ID" \
		sh -c 'id; pwd; echo $FROM $NEW; env | grep -c ^FROM'
	[ "$output" = $'uid=1000(user) gid=1001 groups=7,8\n/tmp\noption 1\n1' ]
	[ "$(knarr exec -c CAP_SYS_CHROOT "$ID" grep CapInh /proc/self/status)" = 'CapInh:	0000000000000000' ]
	[ "$((0x$(knarr exec -c CAP_SYS_CHROOT "$ID" sed -n 's/CapEff:\t//p' /proc/self/status) >> 18 & 1))" = 1 ]
	[ "$((0x$(knarr exec "$ID" sed -n 's/CapEff:\t//p' /proc/self/status) >> 18 & 1))" = 0 ]
}

@test "exec finds HOME for the user" {
	edit_bundle '.process.env |= map(select(startswith("HOME=") | not))'
	start_container
	[ "$(knarr exec -u 0 "$ID" sh -c 'echo $HOME')" = /root ]
	[ "$(knarr exec -u 1000 "$ID" sh -c 'echo $HOME')" = /home ]
}

@test "exec refuses ids that are none, instead of becoming root" {
	start_container
	local id
	for id in 4294967295 4294967296 18446744073709551616 1x x1 -1 +1 0x1 '' ' 1' : 1: :1 1:-1 1:4294967295 1:2:3; do
		run -255 knarr exec --user "$id" "$ID" touch /ran
		[[ "$output" == *"option '--user': expected UID or UID:GID"* ]]
		[ ! -e "$BUNDLE/rootfs/ran" ]
	done
	run -255 knarr exec -g 4294967295 "$ID" touch /ran
	run -255 knarr exec -g x "$ID" touch /ran
	run -255 knarr exec -e NOVALUE "$ID" touch /ran
	run -255 knarr exec --cwd relative "$ID" touch /ran
	[ ! -e "$BUNDLE/rootfs/ran" ]
}

# A program of another user than root has no capability that is not ambient.
@test "exec --cap: ambient where the container has it as inheritable" {
	local show='s/^CapAmb:[[:space:]]*0*//p'
	edit_bundle '.process.user = {uid: 1000, gid: 1000} |
		.process.capabilities = {bounding: ["CAP_KILL", "CAP_CHOWN"], permitted: [], effective: [], inheritable: ["CAP_KILL"], ambient: []}'
	start_container
	run -0 knarr exec "$ID" sed -n "$show" /proc/self/status
	[ -z "$output" ]
	run -0 knarr exec --cap CAP_KILL --cap CAP_CHOWN "$ID" sed -n "$show" /proc/self/status
	[ "$output" = 20 ]
	run -0 knarr exec --cap CAP_CHOWN "$ID" sed -n "$show" /proc/self/status
	[ -z "$output" ]
}

@test "exec --cap: what cannot be granted is warned of" {
	knarr run -d -b "$BUNDLE" "$ID"
	run -0 knarr exec -c CAP_NOSUCH "$ID" true
	[ "$output" = "knarr: warning: option '--cap': unknown capability 'CAP_NOSUCH' is left out" ]
}

@test "exec with a process file" {
	start_container
	cat >"$T/process" <<-'END'
		{"args": ["sh", "-c", "id -u; echo $A; pwd"], "env": ["A=file", "PATH=/bin"], "cwd": "/tmp",
		 "user": {"uid": 5, "gid": 6}, "noNewPrivileges": true}
	END
	[ "$(knarr exec --process "$T/process" "$ID")" = $'5\nfile\n/tmp' ]
	[ "$(knarr exec -p - "$ID" <"$T/process")" = $'5\nfile\n/tmp' ]
	run -255 knarr exec -p "$T/process" "$ID" sh
	[[ "$output" == *'not both'* ]]
	run -255 knarr exec "$ID"
	[[ "$output" == *'missing command'* ]]
	run -255 knarr exec -p "$T/nowhere" "$ID"
	[[ "$output" == *"read '$T/nowhere': no such file or directory"* ]]
	echo '{"args": ["sh"], "cwd": "x", "user": {"uid": "0", "gid": 0}}' >"$T/process"
	run -255 knarr exec -p "$T/process" "$ID"
	[[ "$output" == *"$T/process:1:"*'error: cwd: '*"$T/process:1:"*'error: user.uid: '* ]]
}

@test "a missing program, one that is none, a missing directory: texts and exit status 255" {
	start_container
	run -255 knarr exec "$ID" nosuch
	[[ "$output" == *'executable file not found in $PATH: no such file or directory'* ]]
	run -255 knarr exec -d "$ID" /no/such
	[[ "$output" == *'no such file or directory'* ]]
	run -255 knarr exec "$ID" /etc
	[[ "$output" == *'permission denied'* ]]
	echo bad >"$BUNDLE/rootfs/bad" && chmod 755 "$BUNDLE/rootfs/bad"
	run -255 knarr exec "$ID" /bad
	[[ "$output" == *'exec format error'* ]]
	run -255 knarr exec --cwd /no/such "$ID" true
	[[ "$output" == *"chdir to cwd '/no/such': no such file or directory"* ]]
	run -255 knarr exec --pid-file /no/such/file -d "$ID" sleep 100
	[[ "$output" == *'/no/such/file'* ]]
	[ "$(knarr exec "$ID" ps | grep -c 'sleep 100$')" = 0 ]
}

@test "exec in containers that cannot have it" {
	run -255 knarr exec "$ID" true
	[[ "$output" == *"container \"$ID\" does not exist"* ]]
	knarr create -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
	[ "$(knarr exec "$ID" echo created)" = created ]
	knarr kill "$ID" KILL
	wait_status "$ID" stopped
	run -255 knarr exec "$ID" true
	[[ "$output" == *'cannot exec in a stopped container'* ]]
	[[ "$output" == *'container not running'* ]]
}

@test "exec ends with the container, and says so when that dies first" {
	edit_bundle '.linux.namespaces |= map(select(.type != "pid"))'
	start_container
	knarr exec -d "$ID" sleep 1000 </dev/null >/dev/null 2>&1
	knarr kill "$ID" KILL
	wait_status "$ID" stopped
	knarr delete "$ID"
	local i
	edit_bundle '.linux.namespaces += [{type: "pid"}]'
	for i in 1 2 3 4 5; do
		start_container
		( sleep 0.0$i; knarr kill "$ID" KILL ) &
		while knarr exec "$ID" true 2>"$T/err"; do :; done
		# Killed with the container, or refused.
		[ ! -s "$T/err" ] || grep -q 'container not running' "$T/err"
		wait
		wait_status "$ID" stopped
		knarr delete "$ID"
	done
	start_container
}

@test "descriptors: 0, 1 and 2 and those that are asked for" {
	start_container
	# The last one is that of ls itself.
	run -0 knarr_with_fds 'exec 3<"$T" 4<"$T" 9<"$T"' exec "$ID" ls /proc/self/fd
	[ "$output" = $'0\n1\n2\n3' ]
	# shellcheck disable=SC2012
	[ "$(knarr_with_fds 'exec 3<"$T" 4<"$T" 9<"$T"' exec --preserve-fds 2 "$ID" ls /proc/self/fd | tr '\n' ' ')" = '0 1 2 3 4 5 ' ]
	# Those that are not open are warned of, and none of the runtime's gets their number.
	run -0 knarr_with_fds 'exec 3<"$T" 4>&- 5>&-' exec --preserve-fds 3 "$ID" ls /proc/self/fd
	[ "$output" = $'knarr: warning: 2 of 3 preserved descriptors are not open, the first is 4\n0\n1\n2\n3\n4' ]
	run -255 knarr_with_fds 'ulimit -n 100; exec 3>&-' exec --preserve-fds 200 "$ID" true
	[[ "$output" == *'preserved descriptor '*': too many open files'* ]]
}

@test "a cwd that leads out of the container is refused" {
	start_container
	local n
	for n in 3 4 5 6 7 8 9 10; do
		run knarr_with_fds 'exec 9</' exec --cwd "/proc/self/fd/$n" "$ID" pwd
		[ "$status" = 255 ] || { echo "$n: $output"; return 1; }
	done
}

@test "exec with a terminal" {
	requires_command script
	start_container
	run -0 script -qec "stty cols 91 rows 17; '$KNARR' --root '$ROOT' exec -t $ID sh -c 'tty; stty size'" /dev/null </dev/null
	[[ "$output" == *'/dev/pts/0'*'17 91'* ]]
	run -5 script -qec "'$KNARR' --root '$ROOT' exec -t $ID sh -c 'exit 5'" /dev/null </dev/null
	run -255 knarr exec -t -d "$ID" sh
	[[ "$output" == *'needs --console-socket'* ]]
	run -255 knarr exec -d --console-socket "$T/s" "$ID" sh
	[[ "$output" == *'--console-socket: only with a terminal'* ]]
}

@test "exec --cgroup takes a cgroup below the container's, and none above" {
	requires_cgroup2
	requires_root
	start_container
	local path own sub
	path=$(cgroup_mount)$(jq -r .cgroupPath "$ROOT/$ID/state.json")
	mkdir "$path/sub"
	knarr exec -d --cgroup sub --pid-file "$T/pid" "$ID" sleep 100 </dev/null >/dev/null 2>&1
	sub=$(sed -n 's/^0:://p' "/proc/$(cat "$T/pid")/cgroup")
	own=$(sed -n 's/^0:://p' "/proc/$(knarr state "$ID" | jq .pid)/cgroup")
	[ "$sub" = "$own/sub" ]
	for sub in .. sub/.. ../x /.. sub/../.. . nowhere $'a\nb'; do
		run -255 knarr exec --cgroup "$sub" "$ID" true
		[[ "$output" == *'--cgroup'* ]]
	done
	knarr kill --all "$ID" KILL
	wait_status "$ID" stopped
}

@test "exec follows an init that made a tree of its cgroup, and moved below" {
	requires_cgroup2
	requires_root
	# At the root of the hierarchy there may be a controller to pass on.
	edit_bundle '.linux.cgroupsPath = $p' --arg p "/knarr-test-$ID"
	start_container
	local path pid own
	path=$(cgroup_mount)$(jq -r .cgroupPath "$ROOT/$ID/state.json")
	pid=$(knarr state "$ID" | jq .pid)
	own=$(sed -n 's/^0:://p' "/proc/$pid/cgroup")
	mkdir "$path/init.scope"
	echo "$pid" >"$path/init.scope/cgroup.procs"
	# As long as it takes processes, the container's own cgroup is the place.
	knarr exec -d --pid-file "$T/pid" "$ID" sleep 100 </dev/null >/dev/null 2>&1
	[ "$(sed -n 's/^0:://p' "/proc/$(cat "$T/pid")/cgroup")" = "$own" ]
	kill -KILL "$(cat "$T/pid")"
	for _ in $(seq 50); do [ -z "$(cat "$path/cgroup.procs")" ] && break; sleep 0.1; done
	[ -n "$(cat "$path/cgroup.controllers")" ] || skip 'cgroup2 has no controller here'
	sed 's/ .*//; s/^/+/' "$path/cgroup.controllers" >"$path/cgroup.subtree_control"
	knarr exec -d --pid-file "$T/pid" "$ID" sleep 100 </dev/null >/dev/null 2>&1
	[ "$(sed -n 's/^0:://p' "/proc/$(cat "$T/pid")/cgroup")" = "$own/init.scope" ]
}

@test "exec goes to the init's cgroup when it was moved and the container's own is gone" {
	requires_cgroup2
	requires_root
	edit_bundle '.linux.cgroupsPath = $p' --arg p "/knarr-test-$ID"
	start_container
	local path pid other
	path=$(cgroup_mount)/knarr-test-$ID
	other=$(cgroup_mount)/knarr-other-$ID
	pid=$(knarr state "$ID" | jq .pid)
	own_cgroups "$other"
	echo "$pid" >"$other/cgroup.procs"
	rmdir "$path"
	knarr exec -d --pid-file "$T/pid" "$ID" sleep 100 </dev/null >/dev/null 2>&1
	[ "$(sed -n 's/^0:://p' "/proc/$(cat "$T/pid")/cgroup")" = "$(sed -n 's/^0:://p' "/proc/$pid/cgroup")" ]
	[ "$(sed -n 's/^0:://p' "/proc/$pid/cgroup")" = "/knarr-other-$ID" ]
	# Of the other cgroup's processes only the init is known to be the container's.
	[ "$(knarr ps --format json "$ID")" = "[$pid]" ]
	knarr delete --force "$ID"
	for _ in $(seq 50); do rmdir "$other" 2>/dev/null && break; sleep 0.1; done
	[ ! -d "$other" ]
}

@test "exec gets the container's seccomp profile" {
	edit_bundle '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW",
		syscalls: [{names: ["chroot"], action: "SCMP_ACT_ERRNO", errnoRet: 95}]}'
	start_container
	[ "$(knarr exec "$ID" sed -n 's/^Seccomp:\t//p' /proc/self/status)" = 2 ]
	run -1 knarr exec -c CAP_SYS_CHROOT "$ID" chroot / true
	[[ "$output" == *'not supported'* ]]
}

@test "exec in a user namespace, with the ids of that" {
	requires_root
	chmod -R a+rX "$BUNDLE"
	edit_bundle '.linux.namespaces += [{type: "user"}] | .process.oomScoreAdj = 500
		| .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}]
		| .linux.gidMappings = [{containerID: 0, hostID: 200000, size: 65536}]'
	chown -R 100000:200000 "$BUNDLE/rootfs"
	start_container
	[ "$(knarr exec -u 3:4 -g 5 "$ID" id)" = 'uid=3 gid=4 groups=5' ]
	[ "$(knarr exec "$ID" cat /proc/self/uid_map | tr -s ' ')" = ' 0 100000 65536' ]
	[ "$(knarr exec "$ID" cat /proc/self/oom_score_adj)" = 500 ]
	knarr exec -d --pid-file "$T/pid" "$ID" sleep 100 </dev/null >/dev/null 2>&1
	[ "$(stat -c %u "/proc/$(cat "$T/pid")")" = 100000 ]
	run -255 knarr exec -u 70000 "$ID" id
	[[ "$output" == *'not mapped in the user namespace'* ]]
}

@test "exec in a container without a mount namespace of its own" {
	requires_root
	edit_bundle '.linux.namespaces |= map(select(.type != "mount")) | .mounts = [] | .linux.maskedPaths = []
		| .linux.readonlyPaths = []'
	start_container
	[ "$(knarr exec "$ID" ls /)" = "$(ls "$BUNDLE/rootfs")" ]
}

@test "exec in a container that was made with --no-pivot" {
	start_container --no-pivot
	[ "$(knarr exec "$ID" ls /)" = "$(ls "$BUNDLE/rootfs")" ]
}

@test "exec joins the container's session keyring" {
	grep -q . /proc/keys || skip 'no keyrings here'
	start_container
	knarr exec -d --pid-file "$T/pid" "$ID" sleep 100 </dev/null >/dev/null 2>&1
	[ "$(grep -c "_ses.$ID" /proc/keys)" -le 1 ]
}

@test "nothing of the runtime can be seen from the container while exec enters" {
	# Looks at every new process for the links that lead to the host.
	cat >"$BUNDLE/rootfs/look" <<-'END'
		#!/bin/sh
		while :; do
			for p in /proc/[0-9]*; do
				case $p in /proc/1 | /proc/$$) continue ;; esac
				exe=$(readlink $p/exe) || continue
				case $exe in
				/bin/busybox | /memfd:*) ;;
				*) echo "exe $exe" >>/seen ;;
				esac
				for fd in $p/fd/*; do
					to=$(readlink $fd) || continue
					case $to in
					/dev/null | pipe:* | socket:* | /proc/* | /dev/pts/*) ;;
					*) echo "fd $to" >>/seen ;;
					esac
				done
			done
		done
	END
	chmod 755 "$BUNDLE/rootfs/look"
	bundle_runs /look
	edit_bundle '.process.capabilities |= map_values(. + ["CAP_SYS_PTRACE"])'
	start_container
	local i
	for i in $(seq 60); do
		knarr exec "$ID" true </dev/null >/dev/null 2>&1
	done
	[ ! -e "$BUNDLE/rootfs/seen" ] || { sort "$BUNDLE/rootfs/seen" | uniq -c; return 1; }
}

@test "many at a time leave nothing" {
	start_container
	local i
	for i in $(seq 40); do
		knarr exec "$ID" sh -c "exit $((i % 2))" </dev/null >/dev/null 2>&1 &
	done
	wait
	[ "$(knarr exec "$ID" sh -c 'ls -d /proc/[0-9]* | wc -l')" -le 4 ]
}

# It is there a moment longer than the program needs to begin; a tracer makes it a long one.
@test "exec waits for the program, not for the process that made it" {
	requires_no_sanitizer 'a leak checker cannot work in a traced program'
	requires_command "${CC:-cc}"
	"${CC:-cc}" -O1 -D_GNU_SOURCE -o "$T/inject" "$BATS_TEST_DIRNAME/../inject/inject.c" -lseccomp
	start_container
	local i
	for i in $(seq 40); do
		run -7 "$T/inject" -w uname 1000000 EIO "$KNARR" --root "$ROOT" exec "$ID" sh -c 'sleep 0.02; exit 7' </dev/null
	done
}

@test "exec in the container of an unprivileged user" {
	requires_unprivileged_user
	requires_user_ns
	knarr_for_user
	rm -rf "$BUNDLE"
	ROOTLESS=1 make_bundle '.root.readonly = false' sleep 1000
	edit_bundle ".linux.uidMappings[0].hostID = $(id -u "$(unprivileged_user)") | .linux.gidMappings[0].hostID = $(id -g "$(unprivileged_user)")"
	chown -R --no-dereference "$(unprivileged_user):" "$BUNDLE"
	as_user mkdir -p "$T/user/state"
	as_user "$KNARR" --root "$T/user/state" run -d -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
	run -7 as_user "$KNARR" --root "$T/user/state" exec "$ID" sh -c 'id -u; pwd; hostname; exit 7'
	[ "${lines[0]}" = 0 ]
	[ "${lines[1]}" = / ]
	run -255 as_user "$KNARR" --root "$T/user/state" exec "$ID" nosuch
	[[ "$output" == *'executable file not found'* ]]
	as_user "$KNARR" --root "$T/user/state" delete --force "$ID"
}
