#!/usr/bin/env bats
# What a state says is not to be had, is damaged, or is not true any more: commands leave
# what they do not know, and delete removes what is the container's and nothing else.
load helpers

setup() {
	container_setup
	requires_root
	make_bundle . sleep 1000
	LIMIT="timeout -k 1 30"
	OTHER=
}

teardown() {
	[ -z "$OTHER" ] || kill "$OTHER" 2>/dev/null || true
	container_teardown
}

limited() {
	$LIMIT "$KNARR" --root "$ROOT" "$@" </dev/null
}

quietly() {
	limited "$@" >/dev/null 2>&1
}

status_of() {
	limited state "$ID" | jq -r .status
}

# edit_state JQ-FILTER [JQ-ARGUMENTS…]: of both files.
edit_state() {
	local filter=$1
	shift
	jq "$@" "$filter" "$ROOT/$ID/state.json" >"$T/edited"
	cp "$T/edited" "$ROOT/$ID/state.json"
	[ ! -e "$ROOT/$ID/state.copy" ] || cp "$T/edited" "$ROOT/$ID/state.copy"
}

init_of() {
	jq .pid "$ROOT/$ID/state.json"
}

# gone PID: has ended, at most after ten seconds (a zombie of somebody else's counts).
gone() {
	local state
	for _ in $(seq 500); do
		state=$(sed -n 's/^State:\t\(.\).*/\1/p' "/proc/$1/status" 2>/dev/null) || true
		[ -n "$state" ] && [ "$state" != Z ] || return 0
		sleep 0.02
	done
	return 1
}

# alive PID: and still so after a moment; a zombie is not.
alive() {
	sleep 0.1
	grep -q '^State:.[^ZX]' "/proc/$1/status"
}

# ---- the number of the init is something else's ----------------------------------

@test "the init's number is a thread's by now: the container is stopped for every command" {
	requires_command python3
	local command
	quietly run -d -b "$BUNDLE" "$ID"
	local init tid
	init=$(init_of)
	env -u KNARR_TEST_MARK python3 -c 'import threading, time
t = threading.Thread(target=time.sleep, args=(1000,), daemon=True)
t.start()
print(t.native_id, flush=True)
time.sleep(1000)' >"$T/tid" 3>&- &
	OTHER=$!
	for _ in $(seq 100); do [ ! -s "$T/tid" ] || break; sleep 0.05; done
	tid=$(<"$T/tid")
	[ "$tid" != "$OTHER" ]
	edit_state '.pid = $tid' --argjson tid "$tid"

	[ "$(status_of)" = stopped ]
	for command in "kill $ID TERM" "exec $ID true" "pause $ID" "resume $ID" "events --stats $ID" \
		"stats --no-stream $ID" "start $ID" "update --pids-limit 50 $ID"; do
		# shellcheck disable=SC2086
		run limited $command
		echo "$command: $status $output"
		[ "$status" != 0 ]
		[[ "$output" == *"not running"* || "$output" == *"state stopped"* ]]
	done
	run limited wait "$ID"
	[[ "$output" == *"is lost: "* ]]
	limited delete "$ID"
	kill -0 "$OTHER"
	kill "$OTHER"
	gone "$init" # by its cgroup
}

@test "the init's number is the id of a session that goes on: stopped" {
	requires_cgroup2
	edit_bundle '.linux.namespaces |= map(select(.type != "pid"))'
	bundle_runs_sh 'sleep 1000 & exec sleep 0.3'
	quietly run -d -b "$BUNDLE" "$ID"
	wait_status "$ID" stopped
	run -1 limited kill "$ID" TERM
	[[ "$output" == *"not running"* ]]
	limited delete "$ID"
}

# ---- a state that cannot be read -------------------------------------------------

@test "a state that cannot be read: every command is an error, and leaves all as it is" {
	local command init
	quietly run -d -b "$BUNDLE" "$ID"
	init=$(init_of)
	mv "$ROOT/$ID/state.json" "$T/state.json"
	ln -s state.json "$ROOT/$ID/state.json" # ELOOP, for any errno but ENOENT
	for command in "delete --force $ID" "delete $ID" "kill $ID KILL" "state $ID" "list" "exec $ID true" "ps $ID" \
		"pause $ID" "update --pids-limit 50 $ID" "delete --force --regex $ID"; do
		# shellcheck disable=SC2086
		run ! limited $command
		[[ "$output" == *"read '"*"state.json': "* ]]
		[ -d "$ROOT/$ID" ]
		alive "$init"
	done
	rm "$ROOT/$ID/state.json"
	mv "$T/state.json" "$ROOT/$ID/state.json"
	[ "$(status_of)" = running ]
	limited delete --force "$ID"
	gone "$init"
}

@test "delete --force without descriptors, memory, or with a bad disk: removes all or leaves all" {
	requires_no_sanitizer 'a leak checker cannot work in a traced program'
	requires_command "${CC:-cc}" jq
	requires_cgroup2
	local error
	for error in EMFILE EIO ENOMEM; do
		run -0 "$BATS_TEST_DIRNAME/../inject/faults.sh" --all --error $error --call openat force
		[[ "$output" == *" 0 defects"* ]]
	done
	run -0 "$BATS_TEST_DIRNAME/../inject/faults.sh" --all --call read force
	[[ "$output" == *" 0 defects"* ]]
}

@test "list without the state of one container prints the others, and is an error" {
	quietly run -d -b "$BUNDLE" "$ID"
	mkdir "$ROOT/${ID}b"
	ln -s state.json "$ROOT/${ID}b/state.json"
	run -1 limited list
	[[ "$output" == *"$ID "*running* ]]
	[[ "$output" == *"${ID}b/state.json"* ]]
	rm "$ROOT/${ID}b/state.json"
	limited delete --force "$ID" "${ID}b"
}

# ---- a state that is lost --------------------------------------------------------

# lose HOW: what is done to state.json; a second word: to its copy.
lose() {
	local file
	for file in state.json ${2:+state.copy}; do
		[ -e "$ROOT/$ID/$file" ] || continue
		case $1 in
		missing) rm "$ROOT/$ID/$file" ;;
		empty) : >"$ROOT/$ID/$file" ;;
		object) echo '{}' >"$ROOT/$ID/$file" ;;
		cut) truncate -s 100 "$ROOT/$ID/$file" ;;
		esac
	done
}

@test "state.json missing, empty, {} or cut: delete --force finds the container all the same" {
	requires_cgroup2
	local how init both command
	for command in 'run -d' create; do
		for both in '' both; do
			for how in missing empty object cut; do
				# shellcheck disable=SC2086
				quietly $command -b "$BUNDLE" "$ID"
				init=$(init_of)
				lose $how $both
				run -1 limited kill "$ID" KILL
				run limited delete "$ID"
				[ "$status" = 1 ] || [ "$command" = create ]
				[ "$status" = 0 ] || alive "$init"
				limited delete --force "$ID"
				gone "$init"
				[ "$(test_cgroups)" = '' ]
				[ ! -e "$ROOT/$ID" ]
			done
		done
	done
}

@test "a lost state is found from another cgroup too" {
	requires_cgroup2
	local other init
	quietly run -d -b "$BUNDLE" "$ID"
	init=$(init_of)
	lose empty both
	other=$(cgroup_mount)/$ID-other
	own_cgroups "$other" "$other/below"
	sh -c 'echo $$ >"$1/cgroup.procs"; shift; exec "$@"' sh "$other/below" "$KNARR" --root "$ROOT" delete --force "$ID"
	gone "$init"
	rmdir "$other/below" "$other"
	[ "$(test_cgroups)" = '' ]
}

@test "a lost state without a cgroup: the copy knows the process, or delete says what may be left" {
	local init
	limited --cgroup-manager disabled run -d -b "$BUNDLE" "$ID" >/dev/null 2>&1
	init=$(init_of)
	lose empty
	limited delete --force "$ID"
	gone "$init"

	limited --cgroup-manager disabled run -d -b "$BUNDLE" "$ID" >/dev/null 2>&1
	init=$(init_of)
	lose empty both
	run -1 limited delete --force "$ID"
	[[ "$output" == *"damaged"*"end its processes"*"remove the directory '$ROOT/$ID'"* ]]
	alive "$init"
	kill -KILL "$init"
	rm -r "${ROOT:?}/$ID"
}

@test "an unprivileged user's container is found without its state" {
	requires_unprivileged_user
	requires_user_ns
	requires_cgroup2
	knarr_for_user
	rm -rf "$BUNDLE"
	BUNDLE=$T/user/bundle
	as_user true
	ROOTLESS=1 make_bundle . sleep 1000
	edit_bundle ".linux.uidMappings[0].hostID = $(id -u "$(unprivileged_user)") | .linux.gidMappings[0].hostID = $(id -g "$(unprivileged_user)")"
	chown -R --no-dereference "$(unprivileged_user):" "$BUNDLE"
	ROOT=$T/user/state
	local other init
	other=$(cgroup_mount)/$ID-user
	own_cgroups "$other" "$other/knarr"
	chown "$(unprivileged_user)" "$other" "$other/knarr" "$other"/cgroup.{procs,subtree_control} \
		"$other"/knarr/cgroup.{procs,subtree_control}
	(
		echo $BASHPID >"$other/knarr/cgroup.procs"
		exec_as_user "$KNARR" --root "$ROOT" run -d -b "$BUNDLE" "$ID" >/dev/null 2>&1 </dev/null
	)
	init=$(init_of)
	[ -n "$(jq -r '.cgroupPath // empty' "$ROOT/$ID/state.json")" ]
	lose empty both
	as_user "$KNARR" --root "$ROOT" delete --force "$ID"
	gone "$init"
	rmdir "$other/knarr" "$other"
}

# ---- whose cgroup ----------------------------------------------------------------

@test "a stopped container and one of another root in the same cgroup: each command has its own only" {
	requires_cgroup2
	local init command
	edit_bundle '.linux.cgroupsPath = $p' --arg p "/$ID"
	quietly run -d -b "$BUNDLE" "$ID"
	limited kill "$ID" KILL
	wait_status "$ID" stopped
	"$KNARR" --root "$T/state-2" run -d -b "$BUNDLE" "$ID" >/dev/null 2>&1 </dev/null
	init=$(jq .pid "$T/state-2/$ID/state.json")
	for command in "kill --all $ID KILL" "kill $ID KILL"; do
		# shellcheck disable=SC2086
		run limited $command
		alive "$init"
	done
	[ "$(limited ps --format json "$ID")" = '[]' ]
	limited delete "$ID"
	alive "$init"
	[ "$("$KNARR" --root "$T/state-2" ps --format json "$ID")" = "[$init]" ]
	"$KNARR" --root "$T/state-2" delete --force "$ID"
	gone "$init"
	[ "$(test_cgroups)" = '' ]
}

@test "the same when the cgroup was made beforehand: it stays, and is left as it was" {
	requires_cgroup2
	local init cgroup
	cgroup=$(cgroup_mount)/$ID
	own_cgroups "$cgroup"
	edit_bundle '.linux.cgroupsPath = $p' --arg p "/$ID"
	quietly run -d -b "$BUNDLE" "$ID"
	limited kill "$ID" KILL
	wait_status "$ID" stopped
	"$KNARR" --root "$T/state-2" run -d -b "$BUNDLE" "$ID" >/dev/null 2>&1 </dev/null
	init=$(jq .pid "$T/state-2/$ID/state.json")
	limited delete --force "$ID"
	alive "$init"
	"$KNARR" --root "$T/state-2" delete --force "$ID"
	gone "$init"
	[ -d "$cgroup" ]
	[ "$(getfattr -d -m - "$cgroup" 2>/dev/null)" = '' ]
	rmdir "$cgroup"
}

@test "the cgroup was removed and somebody else made one of that name: it is not the container's" {
	requires_cgroup2
	local cgroup
	cgroup=$(cgroup_mount)/$ID
	edit_bundle '.linux.cgroupsPath = $p' --arg p "/$ID"
	quietly run -d -b "$BUNDLE" "$ID"
	limited kill "$ID" KILL
	wait_status "$ID" stopped
	rmdir "$cgroup"
	own_cgroups "$cgroup"
	env -u KNARR_TEST_MARK sleep 1000 3>&- &
	OTHER=$!
	echo "$OTHER" >"$cgroup/cgroup.procs"
	limited delete --force "$ID"
	kill -0 "$OTHER"
	kill "$OTHER"
	wait "$OTHER" || true
	rmdir "$cgroup"
}

# ---- another boot ----------------------------------------------------------------

@test "a state of another boot is that of a stopped container, whatever has its number" {
	requires_cgroup2
	local init how
	for how in 'run -d' create; do
		# shellcheck disable=SC2086
		quietly $how -b "$BUNDLE" "$ID"
		init=$(init_of)
		[ "$(jq -r .bootId "$ROOT/$ID/state.json")" = "$(</proc/sys/kernel/random/boot_id)" ]
		edit_state '.bootId = "00000000-0000-0000-0000-000000000000"'
		[ "$(status_of)" = stopped ]
		run -1 limited kill "$ID" KILL
		[[ "$output" == *"not running"* ]]
		run ! limited exec "$ID" true
		run -1 limited start "$ID"
		limited delete "$ID"
		alive "$init" # it is not known to be the container's
		kill -KILL "$init"
		gone "$init"
		remove_leftovers
	done
}
