#!/usr/bin/env bats
# Kernels without some system call: one cycle of commands for each, as root and as an
# unprivileged user. tests/inject/enosys.sh runs the whole suite that way.
load helpers

setup() {
	container_setup
	requires_command "${CC:-cc}" jq
	requires_root # a filter without no_new_privs, which newuidmap needs
	without=$BATS_SUITE_TMPDIR/without
	[ -x "$without" ] || {
		"${CC:-cc}" -O1 -D_GNU_SOURCE -o "$without.$$" "$BATS_TEST_DIRNAME/../inject/without.c" -lseccomp ||
			skip 'libseccomp is not installed'
		chmod 0755 "$without.$$"
		mv "$without.$$" "$without"
	}
	cp "$without" "$T/without"
}

teardown() {
	container_teardown
}

# The calls that every kernel must have, and the first Linux with them.
required=(openat2:5.6 clone3:5.7 mount_setattr:5.12 open_tree:5.2 fsopen:5.2 fsconfig:5.2 fsmount:5.2 fspick:5.2 move_mount:5.2
	pidfd_open:5.3 pidfd_getfd:5.6 pidfd_send_signal:5.1)

# A directory and files where an unprivileged user may make containers.
user_bundle() {
	requires_unprivileged_user
	requires_user_ns
	knarr_for_user
	as_user true
	BUNDLE=$T/user/bundle ROOT=$T/state-user ROOTLESS=1
	make_bundle "$1"
	chown -R --no-dereference "$(unprivileged_user):" "$BUNDLE"
	edit_bundle ".linux.uidMappings[0].hostID = $(id -u "$(unprivileged_user)") | .linux.gidMappings[0].hostID = $(id -g "$(unprivileged_user)")"
	install -d -o "$(unprivileged_user)" -m 0755 "$ROOT"
}

# cycle COMMAND…: create, start, exec, kill and delete, and a run; the words are put before knarr.
cycle() {
	"$@" "$KNARR" --root "$ROOT" create -b "$BUNDLE" "$ID" </dev/null >"$T/out" 2>&1 || { cat "$T/out"; return 1; }
	"$@" "$KNARR" --root "$ROOT" start "$ID"
	run -0 "$@" "$KNARR" --root "$ROOT" exec "$ID" /bin/sh -c 'ls /proc/self/fd | wc -l'
	[ "$output" = 4 ]
	"$@" "$KNARR" --root "$ROOT" kill "$ID" KILL
	for _ in {1..100}; do
		"$@" "$KNARR" --root "$ROOT" delete "$ID" 2>/dev/null && break
		sleep 0.05
	done
	run -1 "$@" "$KNARR" --root "$ROOT" state "$ID"
	bundle_runs_sh 'ls /proc/self/fd | wc -l'
	run -0 "$@" "$KNARR" --root "$ROOT" run -b "$BUNDLE" "$ID" </dev/null
	[ "$output" = 4 ]
}

# refused CALL VERSION COMMAND…: one line of error, which names the call and the kernel.
refused() {
	local call=$1 version=$2
	shift 2
	run -1 --separate-stderr "$@" </dev/null
	[ "$stderr" = "knarr: knarr needs Linux $version ($call), or a seccomp profile around it that lets the call pass" ] || {
		echo "$*: $stderr"
		return 1
	}
}

# refused_cycle BEFORE…: run, create and exec without each of the calls.
refused_cycle() {
	local entry
	for entry in "${required[@]}"; do
		refused "${entry%:*}" "${entry#*:}" "$@" "$T/without" "${entry%:*}" "$KNARR" --root "$ROOT" run -b "$BUNDLE" "$ID"
		refused "${entry%:*}" "${entry#*:}" "$@" "$T/without" "${entry%:*}" "$KNARR" --root "$ROOT" create -b "$BUNDLE" "$ID"
		[ ! -e "$ROOT/$ID" ]
	done
}

@test "a kernel without a call that is required: run and create say so and leave nothing" {
	make_bundle
	refused_cycle
}

@test "a kernel without a call that is required: the same for an unprivileged user" {
	user_bundle .
	# The filter is loaded by root, since no_new_privs would be another reason to fail.
	for entry in "${required[@]}"; do
		refused "${entry%:*}" "${entry#*:}" "$T/without" "${entry%:*}" setpriv --reuid "$(id -u "$(unprivileged_user)")" \
			--regid "$(id -g "$(unprivileged_user)")" --init-groups --inh-caps=-all \
			env "XDG_RUNTIME_DIR=$T/user" "$KNARR" --root "$ROOT" run -b "$BUNDLE" "$ID"
		[ ! -e "$ROOT/$ID" ]
	done
}

@test "a container that runs, seen by a knarr without pidfds or mounts" {
	make_bundle . sleep 1000
	knarr run -d -b "$BUNDLE" "$ID" </dev/null >"$T/out" 2>&1
	# Each command that there is, so that a new one cannot be forgotten.
	local command operands
	for command in $("$KNARR" help | sed -n '/ommands.*:$/,/^$/s/^  \([a-z]*\) .*/\1/p'); do
		case $command in
		help | version | spec | check | plan | features | completion) continue ;;
		list | stats) operands=() ;;
		exec) operands=("$ID" true) ;;
		checkpoint) operands=(--image-path "$T/image" "$ID") ;;
		mounts) operands=(add "$ID" /dev/null) ;;
		create | run | restore) operands=(-b "$BUNDLE" "$ID-2") ;;
		*) operands=("$ID") ;;
		esac
		refused pidfd_open 5.3 "$T/without" pidfd_open "$KNARR" --root "$ROOT" "$command" "${operands[@]}"
		case $command in
		create | run | restore | exec | mounts | checkpoint)
			refused openat2 5.6 "$T/without" openat2 "$KNARR" --root "$ROOT" "$command" "${operands[@]}"
			;;
		esac
	done
	[ "$(knarr state "$ID" | jq -r .status)" = running ]
	[ "$(knarr list -q)" = "$ID" ]
	# What makes no process in a container needs none of the others.
	none=openat2,clone3,mount_setattr,open_tree,fsopen,fsconfig,fsmount,fspick,move_mount
	run -0 "$T/without" $none "$KNARR" --root "$ROOT" state "$ID"
	run -0 "$T/without" $none "$KNARR" --root "$ROOT" list
	run -0 "$T/without" $none "$KNARR" --root "$ROOT" delete --force "$ID"
}

# What a seccomp profile says to calls that are newer than itself (Docker's before 20.10.10):
# the kernel never says so, or another way finds out.
@test "an older seccomp profile around knarr says EPERM: to calls with another way" {
	local call
	make_bundle '.process.user = {uid: 1000, gid: 1000} |
		.linux.devices = [{path: "/dev/extra", type: "c", major: 1, minor: 3, fileMode: 438}]'
	for call in faccessat2 fchmodat2 close_range execveat faccessat2,fchmodat2,close_range,execveat,statmount,listmount; do
		"$T/without" -p "${call%,statmount*}" true || continue # libseccomp does not know it
		bundle_runs sleep 1000
		cycle "$T/without" -p "${call%,statmount*}"
	done
}

@test "an older seccomp profile around knarr says EPERM: the same for an unprivileged user" {
	user_bundle '.process.args = ["/bin/sleep", "1000"]'
	cycle "$T/without" -p faccessat2,close_range,execveat setpriv --reuid "$(id -u "$(unprivileged_user)")" \
		--regid "$(id -g "$(unprivileged_user)")" --init-groups --inh-caps=-all env "XDG_RUNTIME_DIR=$T/user"
}

@test "an older seccomp profile around knarr says EPERM: to a required call, and knarr names it" {
	make_bundle
	local entry command
	for entry in "${required[@]}"; do
		for command in run create; do
			refused "${entry%:*}" "${entry#*:}" "$T/without" -p "${entry%:*}" "$KNARR" --root "$ROOT" $command -b "$BUNDLE" "$ID"
		done
		[ ! -e "$ROOT/$ID" ]
	done
}

@test "an older seccomp profile around knarr says EPERM: ps, and a program that may not be executed" {
	make_bundle . sleep 1000
	knarr run -d -b "$BUNDLE" "$ID" </dev/null >"$T/out" 2>&1
	run -0 "$T/without" -p clone3 "$KNARR" --root "$ROOT" ps "$ID"
	[[ "$output" == *sleep* ]]
	knarr delete --force "$ID"
	# The other way still tells who may not execute it.
	echo text >"$BUNDLE/rootfs/text"
	chmod 0600 "$BUNDLE/rootfs/text"
	edit_bundle_to_run '.process.user = {uid: 1000, gid: 1000}' /text
	run -1 "$T/without" -p faccessat2 "$KNARR" --root "$ROOT" run -b "$BUNDLE" "$ID"
	[[ "$output" == *'"/text"'*': permission denied'* ]]
}

@test "an older seccomp profile around knarr says EPERM: to keyctl, and the option is named that does without" {
	make_bundle . true
	run -1 "$T/without" -p keyctl "$KNARR" --root "$ROOT" run -b "$BUNDLE" "$ID"
	[[ "$output" == *'session keyring'*'operation not permitted'*'--no-new-keyring'* ]] ||
		[[ "$output" == *'session keyring'*'--no-new-keyring'*'operation not permitted'* ]]
	run -0 "$T/without" -p keyctl "$KNARR" --root "$ROOT" run --no-new-keyring -b "$BUNDLE" "$ID"
}

# The sysctl is one of the pid namespace.
@test "vm.memfd_noexec: no file in memory can be executed" {
	requires_command unshare
	local value
	make_bundle
	for value in 1 2; do
		# shellcheck disable=SC2016
		inside() {
			unshare --pid --fork --mount-proc --kill-child sh -c 'echo "$1" >/proc/sys/vm/memfd_noexec || exit 77
				shift
				"$KNARR" --root "$ROOT" run -d -b "$BUNDLE" "$ID" </dev/null >"$T/out" 2>&1 || { cat "$T/out"; exit 1; }
				"$KNARR" --root "$ROOT" exec "$ID" readlink /proc/self/exe
				"$KNARR" --root "$ROOT" delete --force "$ID"' sh $value
		}
		bundle_runs sleep 1000
		run inside
		[ "$status" != 77 ] || skip 'vm.memfd_noexec needs Linux 6.3'
		[ "$status" = 0 ]
		[ "$output" = /bin/busybox ]
	done
}

# Without CAP_SYS_ADMIN exec starts knarr anew from a copy.
@test "vm.memfd_noexec: an unprivileged user's exec, or the sysctl is named" {
	requires_command unshare
	[ -e /proc/sys/vm/memfd_noexec ] || skip 'vm.memfd_noexec needs Linux 6.3'
	user_bundle '.process.args = ["/bin/sleep", "1000"]'
	export user
	user="setpriv --reuid $(id -u "$(unprivileged_user)") --regid $(id -g "$(unprivileged_user)") --init-groups --inh-caps=-all env XDG_RUNTIME_DIR=$T/user"
	# shellcheck disable=SC2016
	run -0 unshare --pid --fork --mount-proc --kill-child sh -ec 'echo 2 >/proc/sys/vm/memfd_noexec
		$user "$KNARR" --root "$ROOT" run -d -b "$BUNDLE" "$ID" </dev/null >"$T/user/out" 2>&1 || { cat "$T/user/out"; exit 1; }
		$user "$KNARR" --root "$ROOT" exec "$ID" readlink /proc/self/exe
		ls -A "$T/user" >"$T/left"
		for dir in /run /tmp /var/tmp "$T/user"; do mount --bind "$dir" "$dir"; mount -o remount,bind,noexec "$dir"; done
		mount --bind -o exec "$T/knarr" "$T/knarr" && mount -o remount,bind,exec "$T/knarr"
		$user "$KNARR" --root "$ROOT" exec "$ID" true || echo "status $?"
		"$KNARR" --root "$ROOT" delete --force "$ID"'
	[ "${lines[0]}" = /bin/busybox ]
	[[ "${lines[1]}" == *'vm.memfd_noexec = 2'* ]]
	[ "${lines[2]}" = 'status 255' ]
	[ "$(cat "$T/left")" = $'bundle\nout' ]
}

@test "no close_range: descriptors are closed one by one" {
	make_bundle '.process.args = ["/bin/sleep", "1000"] |
		.hooks = {createRuntime: [{path: "/bin/sh", args: ["sh", "-c", "ls /proc/self/fd | wc -l >'"$T"'/hook"]}]}'
	cycle "$T/without" close_range
	[ "$(cat "$T/hook")" = 4 ]
}

@test "no close_range: the same for an unprivileged user" {
	user_bundle '.process.args = ["/bin/sleep", "1000"]'
	cycle "$T/without" close_range setpriv --reuid "$(id -u "$(unprivileged_user)")" \
		--regid "$(id -g "$(unprivileged_user)")" --init-groups --inh-caps=-all env "XDG_RUNTIME_DIR=$T/user"
}

@test "no close_range: a descriptor of the caller that would stay open is an error" {
	[ "$(ulimit -Hn)" = unlimited ] || [ "$(ulimit -Hn)" -gt 15000 ] || skip 'so many descriptors are not allowed here'
	make_bundle
	# shellcheck disable=SC2016
	run -1 bash -c 'ulimit -n 15001; exec 15000</; exec "$@"' sh "$T/without" close_range "$KNARR" --root "$ROOT" run -b "$BUNDLE" "$ID"
	[[ "$output" == "knarr: descriptor 15000 is open: a number that high needs Linux 5.9 (close_range)" ]]
	[ ! -e "$ROOT/$ID" ]
}

@test "no close_range: CRIU gets no descriptor of the caller" {
	requires_command python3
	make_bundle . sleep 1000
	knarr run -d -b "$BUNDLE" "$ID" </dev/null >"$T/out" 2>&1
	mkdir "$T/bin"
	cp "$BATS_TEST_DIRNAME/fake-criu" "$T/bin/criu"
	: >"$T/secret"
	PATH=$T/bin:$PATH FAKE_CRIU=$T "$T/without" close_range "$KNARR" --root "$ROOT" checkpoint --image-path "$T/image" "$ID" 9<"$T/secret"
	cat "$T/descriptors"
	grep -q socket: "$T/descriptors"
	run ! grep secret "$T/descriptors"
}

@test "no cgroup.kill: all processes are found and killed" {
	requires_cgroup2
	requires_preload
	requires_no_sanitizer 'the allocator must be the first library'
	"${CC:-cc}" -shared -fPIC -O1 -D_GNU_SOURCE -o "$T/no.so" "$BATS_TEST_DIRNAME/../inject/no_cgroup_kill.c"
	# Without a pid namespace the end of the init does not end the others.
	make_bundle '.linux.namespaces |= map(select(.type != "pid"))'
	bundle_runs_sh 'for i in 1 2 3 4 5; do (while :; do sleep 1000 & wait; done) & done; wait'
	knarr run -d -b "$BUNDLE" "$ID" </dev/null >"$T/out" 2>&1
	for _ in {1..100}; do
		[ "$(knarr ps "$ID" | wc -l)" -lt 12 ] || break
		sleep 0.05
	done
	run -0 env LD_PRELOAD="$T/no.so" "$KNARR" --root "$ROOT" kill "$ID" KILL
	wait_status "$ID" stopped
	[ "$(knarr ps "$ID" | wc -l)" -le 1 ]
	run -0 env LD_PRELOAD="$T/no.so" "$KNARR" --root "$ROOT" delete "$ID"
	knarr run -d -b "$BUNDLE" "$ID" </dev/null >"$T/out" 2>&1
	run -0 env LD_PRELOAD="$T/no.so" "$KNARR" --root "$ROOT" delete --force "$ID"
}
