#!/usr/bin/env bats
# Signals to a container that is not running yet, and a runtime that is killed while it
# makes or starts one.
load helpers

setup() {
	container_setup
	make_bundle '.root.readonly = false' sh -c 'echo ran >/ran; exec sleep 1000'
	HOLDER=
}

teardown() {
	[ -z "$HOLDER" ] || kill -KILL "$HOLDER"
	"$KNARR" --root "$ROOT" delete --force "$ID"
	container_teardown
}

created() {
	knarr create -b "$BUNDLE" "$ID" >/dev/null 2>&1 </dev/null
}

# ---- signals ---------------------------------------------------------------------

@test "a signal that ends a process stops a created container" {
	local sig
	for sig in TERM INT HUP QUIT USR1 ABRT SEGV PIPE ALRM RTMIN+3 KILL; do
		created
		knarr kill "$ID" $sig
		wait_status "$ID" stopped
		run -1 knarr start "$ID"
		[[ "$output" == *"in state stopped"* ]]
		knarr delete "$ID"
		[ ! -e "$BUNDLE/rootfs/ran" ]
	done
	for sig in WINCH CHLD URG CONT; do
		created
		knarr kill "$ID" $sig
		sleep 0.1
		[ "$(knarr state "$ID" | jq -r .status)" = created ]
		knarr delete "$ID"
	done
}

@test "the same with a pid namespace by path, none of its own, and as another user" {
	requires_root
	local filter
	env -u KNARR_TEST_MARK unshare --pid --fork sleep 1000 3>&- &
	for _ in $(seq 100); do
		HOLDER=$(pgrep -P $! -x sleep) && break
		sleep 0.05
	done
	for filter in "(.linux.namespaces[] | select(.type == \"pid\")).path = \"/proc/$HOLDER/ns/pid\"" \
		'.linux.namespaces |= map(select(.type != "pid"))' '.process.user = {uid: 1000, gid: 1000}'; do
		make_bundle '.root.readonly = false' sleep 1000
		edit_bundle "$filter"
		created
		knarr kill "$ID" TERM
		wait_status "$ID" stopped
		knarr delete "$ID"
	done
}

@test "the same for an unprivileged user" {
	requires_unprivileged_user
	requires_user_ns
	knarr_for_user
	ROOTLESS=1 make_bundle . sleep 1000
	edit_bundle ".linux.uidMappings[0].hostID = $(id -u "$(unprivileged_user)") | .linux.gidMappings[0].hostID = $(id -g "$(unprivileged_user)")"
	chown -R --no-dereference "$(unprivileged_user):" "$BUNDLE"
	as_user "$KNARR" --root "$T/user/state" create -b "$BUNDLE" "$ID" >/dev/null 2>&1 </dev/null
	as_user "$KNARR" --root "$T/user/state" kill "$ID" TERM
	for _ in $(seq 100); do
		[[ $(as_user "$KNARR" --root "$T/user/state" state "$ID") != *stopped* ]] || break
		sleep 0.05
	done
	[[ $(as_user "$KNARR" --root "$T/user/state" state "$ID") == *stopped* ]]
	as_user "$KNARR" --root "$T/user/state" delete "$ID"
}

@test "a signal ends a container while it is set up, and the program has its own actions" {
	edit_bundle '.hooks.createContainer = [{path: "/bin/sh", args: ["sh", "-c", "touch \($t)/hook; exec sleep 1000"]}]' --arg t "$T"
	knarr create -b "$BUNDLE" "$ID" >/dev/null 2>"$T/err" </dev/null &
	wait_for_file "$T/hook"
	# The init does not wait with the hook until the runtime has saved its number.
	until [ "$(knarr state "$ID" | jq .pid)" -gt 0 ]; do sleep 0.05; done
	knarr kill "$ID" TERM
	done_with_error $!
	grep -q 'was killed while it was being set up' "$T/err"
	run ! knarr state "$ID"
	# Neither caught nor ignored, as with any parent.
	make_bundle . grep -E 'Sig(Ign|Cgt)' /proc/self/status
	run -0 knarr run -b "$BUNDLE" "$ID"
	[ "${lines[0]}" = $'SigIgn:\t0000000000000000' ]
	[ "${lines[1]}" = $'SigCgt:\t0000000000000000' ]
}

# ---- a runtime that is killed ----------------------------------------------------

# hook_is_there: the startContainer hook of the bundle runs.
hook_is_there() {
	wait_for_file "$BUNDLE/rootfs/hook"
}

@test "a runtime that is killed before the program runs: it does not run afterwards" {
	requires_root
	local command user runtime
	for user in 0 1000; do
		edit_bundle ".process.user = {uid: $user, gid: $user} | .hooks.startContainer =
			[{path: \"/bin/sh\", args: [\"sh\", \"-c\", \"touch /hook; sleep 1\"]}]"
		chmod 0777 "$BUNDLE/rootfs"
		for command in run 'run -d' start; do
			rm -f "$BUNDLE"/rootfs/{hook,ran}
			[ "$command" != start ] || created
			if [ "$command" = start ]; then
				"$KNARR" --root "$ROOT" start "$ID" </dev/null >/dev/null 2>&1 3>&- &
			else
				# shellcheck disable=SC2086
				"$KNARR" --root "$ROOT" $command -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1 3>&- &
			fi
			runtime=$!
			hook_is_there
			kill -KILL $runtime
			wait $runtime || true
			wait_status "$ID" stopped
			sleep 0.1
			echo "$command as $user"
			[ ! -e "$BUNDLE/rootfs/ran" ]
			knarr delete --force "$ID"
		done
	done
}

@test "create that is killed leaves nothing beside the pid file" {
	requires_root
	requires_no_sanitizer 'a leak checker cannot work in a traced program'
	requires_command "${CC:-cc}"
	local call number
	"${CC:-cc}" -O1 -D_GNU_SOURCE -o "$T/inject" "$BATS_TEST_DIRNAME/../inject/inject.c" -lseccomp
	mkdir "$T/pids"
	"$T/inject" count "$T/counts" "$KNARR" --root "$ROOT" create -b "$BUNDLE" --pid-file "$T/pids/pid" "$ID" >/dev/null 2>&1 </dev/null
	knarr delete --force "$ID"
	[ -s "$T/pids/pid" ]
	for call in write linkat renameat; do
		number=$(sed -n "s/^$call //p" "$T/counts")
		for ((number = ${number:-0}; number > 0; number--)); do
			rm -f "$T/pids/pid"
			"$T/inject" $call $number KILL "$KNARR" --root "$ROOT" create -b "$BUNDLE" --pid-file "$T/pids/pid" "$ID" >/dev/null 2>&1 </dev/null || true
			knarr delete --force "$ID"
			[ "$(find "$T/pids" -type f ! -name pid)" = '' ]
		done
	done
	# One of an earlier container is replaced.
	echo 1 >"$T/pids/pid"
	knarr create -b "$BUNDLE" --pid-file "$T/pids/pid" "$ID" >/dev/null 2>&1 </dev/null
	[ "$(<"$T/pids/pid")" = "$(jq .pid "$ROOT/$ID/state.json")" ]
	[ "$(ls -A "$T/pids")" = pid ]
}
