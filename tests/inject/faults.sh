#!/usr/bin/env bash
# Lets every system call that a command of knarr makes fail once, or be its last, one per run, and
# looks at what becomes of it: the command must end, with one line that says what
# failed or as if nothing had happened, and must leave nothing on the host.
#
#   tests/inject/faults.sh [--who WHO] [--all] [--jobs N] [--error NAME] [--call NAME] [COMMAND…]
#
# COMMAND: run, create, start, exec, terminal (exec --tty), kill, pause, resume, update, ps, mounts, delete,
# force (delete --force), state, list, checkpoint, restore (default: all of them; of the last two, knarr's
# own part: CRIU is tests/bats/fake-criu). Without --all, of each system call only the
# first, the last and one in the middle fail; with --call, only of those (words with blanks between them).
# --error: EIO (default), ENOSPC, EPERM, EMFILE, ENOMEM, ENOSYS…; KILL, which
# kills knarr before that call instead, and KILLED, after it; several words are tried one after the other.
# --who: root (default), user (an unprivileged user with ranges in /etc/subuid, and a cgroup of
# its own), pod (root; the container joins the pid, ipc, network and user namespaces of another
# by path), or systemd (root, with --systemd-cgroup, where systemd runs); or several words. KNARR is the program, KNARR_TEST_USER the user. Needs root, jq, setpriv, a C compiler
# and libseccomp, and python3 for checkpoint and restore.
#
# A command of a caller ends with a line of what was found, which must be 0 each:
#   leaks             something is left: a process, cgroup, mount, file or state directory; or
#                     delete --force afterwards fails or warns
#   hangs             not done after 20 s
#   crashes           ended by a signal that nobody sent
#   mute exits        a failure without one line of error, or 0 though nothing was done
#   wrong successes   0 though a call failed that the config demands
#
# clean is called by a trap.
# shellcheck disable=SC2317
set -u
shopt -s nullglob
top=$(cd "$(dirname "$0")/../.." && pwd)

# ---- options --------------------------------------------------------------------

all=no errors=EIO only='' whos=root jobs=1

usage()
{
	sed -n '2,/^set/{/^#/s/^# \{0,1\}//p}' "$0" >&2
	exit 2
}

# Whoever asks pid 1 to reap may wait for seconds, and so does knarr delete: whatever a command
# leaves running becomes a child of "inject reap" instead.
if [ -z "${KNARR_FAULTS:-}" ]; then
	KNARR_FAULTS=$(mktemp -d /tmp/knarr-fault.XXXXXX) && chmod 0711 "$KNARR_FAULTS" || exit 2
	export KNARR_FAULTS
	${CC:-cc} -O1 -D_GNU_SOURCE -o "$KNARR_FAULTS/inject" "$top/tests/inject/inject.c" -lseccomp || exit 2
	exec "$KNARR_FAULTS/inject" reap "$0" "$@"
fi
T=$KNARR_FAULTS
unset KNARR_FAULTS
trap 'clean' EXIT
trap 'exit 143' TERM INT HUP

while [ $# -gt 0 ]; do
	case $1 in
	--all) all=yes ;;
	--jobs) jobs=$2 && shift ;;
	--error) errors=$2 && shift ;;
	--call) only=$2 && shift ;;
	--who) whos=$2 && shift ;;
	-*) usage ;;
	*) break ;;
	esac
	shift
done
[ $# -gt 0 ] || set -- run create start exec terminal kill pause resume update ps mounts delete force state list checkpoint restore

cgroups=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
user=${KNARR_TEST_USER:-knarr-test}
own=$cgroups/knarr-fault-$$ # the user's cgroup

# Calls that make the container what its config demands, none of which is only
# asked for or has another way: a success after the failure of one is a defect.
demanded='capset setresuid setresgid setgroups pivot_root move_mount mount_setattr umount2 unshare sethostname
	socketpair sendmsg sendto recvmsg fsopen fsmount fsconfig mknodat symlinkat fchdir keyctl bind listen
	pidfd_send_signal flock:1 renameat:1 mkdirat'
# The first of these only asks whether the kernel has the call (base/kernel.c); the second, too,
# where knarr executes a copy of itself.
asked='open_tree move_mount fsopen fsconfig fsmount openat2 clone3 mount_setattr pidfd_open pidfd_getfd pidfd_send_signal close_range'
# A kernel without keys has no keyring of the caller's either; root that may not make device
# nodes has the host's.
answers='keyctl:ENOSYS mknodat:EPERM'

# ---- the bundles ----------------------------------------------------------------

make_rootfs()
{
	mkdir -p "$T/rootfs"/{bin,dev,proc,sys,tmp,etc} "$T/bin"
	cp "$(command -v busybox)" "$T/rootfs/bin/busybox"
	# What it says when it is not asked properly is not knarr's. python3 may be a slow script.
	printf '#!/bin/sh\nexec "%s" "%s" "$@" 2>/dev/null\n' "$(python3 -c 'import sys; print(sys.executable)')" \
		"$top/tests/bats/fake-criu" >"$T/bin/criu"
	chmod 0755 "$T/bin/criu"
	install -m 0755 "$(realpath "${KNARR:-$top/build/knarr}")" "$T/knarr" || exit 2
}

# What jq expands is not this shell's.
# shellcheck disable=SC2016
maps='
	| .linux.namespaces |= map(select(.type != "user")) + [{type: "user"}]
	| .linux.uidMappings = [{containerID: 0, hostID: $uid, size: 1}, {containerID: 1, hostID: $uids, size: 60000}]
	| .linux.gidMappings = [{containerID: 0, hostID: $gid, size: 1}, {containerID: 1, hostID: $gids, size: 60000}]'

# spec FILTER…: $W/config.json, of this caller's kind.
# shellcheck disable=SC2016
spec()
{
	local kind=() uid=0 gid=0 uids=200000 gids=200000
	if [ "$who" = user ]; then
		kind=(--rootless)
		uid=$(id -u "$user") gid=$(id -g "$user")
		uids=$(awk -F: -v u="$user" '$1 == u { print $2; exit }' /etc/subuid)
		gids=$(awk -F: -v u="$user" '$1 == u { print $2; exit }' /etc/subgid)
	fi
	rm -f "$W/spec"
	"$T/knarr" spec "${kind[@]}" -f "$W/spec" &&
		jq --arg mark "KNARR_TEST_MARK=$W" --arg root "$T/rootfs" --arg holder "${holder:-}" --argjson uid "$uid" --argjson gid "$gid" \
			--argjson uids "${uids:-0}" --argjson gids "${gids:-0}" \
			".process.terminal = false | .process.env += [\$mark] | .root.path = \$root $1" "$W/spec"
}

# A bundle whose program ends at once, and one whose program stays, for the other commands.
# shellcheck disable=SC2016
make_bundles()
{
	local filter='
		| .process.args = ["/bin/busybox", "echo", "ran"]
		| .hooks = {createRuntime: [{path: "/bin/true"}], createContainer: [{path: "/bin/true"}], poststop: [{path: "/bin/true"}]}
		| .process.user = {uid: 1, gid: 1, additionalGids: [2]}
		| .linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["reboot"], action: "SCMP_ACT_ERRNO"}]}'
	case $who in
	root | systemd) filter+='| .linux.sysctl = {"net.ipv4.ip_forward": "0"}' ;;
	user) filter+="$maps" ;;
	pod) filter+='
		| .linux.namespaces |= (map(select(.type | . == "mount" or . == "uts" or . == "cgroup")) +
			[{type: "pid", file: "pid"}, {type: "ipc", file: "ipc"}, {type: "network", file: "net"}, {type: "user", file: "user"}
			| {type, path: "/proc/\($holder)/ns/\(.file)"}])' ;;
	esac
	mkdir "$W/bundle" "$W/stays"
	spec "$filter" >"$W/bundle/config.json" || exit 2
	jq '.process.args = ["/bin/busybox", "sleep", "1000"]' "$W/bundle/config.json" >"$W/stays/config.json"
	jq -n --arg who "$who" '{unified: {"cgroup.max.depth": "7"}} +
		if $who == "user" then {} else {devices: [{allow: false, access: "rwm"}]} end' >"$W/limits.json"
	echo '[{"destination": "/tmp", "type": "tmpfs", "source": "tmpfs"}]' >"$W/mounts.json"
}

# The container whose namespaces the others join.
make_holder()
{
	mkdir "$W/holder"
	spec "$maps | .process.args = [\"/bin/busybox\", \"sleep\", \"100000\"] | .process.env |= .[:-1]" >"$W/holder/config.json" || exit 2
	"$T/knarr" --root "$W/holders" run -d -b "$W/holder" --pid-file "$W/holder/pid" "holder$$-$worker" \
		</dev/null >"$W/out" 2>&1 || { cat "$W/out" && exit 2; }
	holder=$(<"$W/holder/pid")
}

# A worker's own place, id and bundles: $W, $ID, $ROOT; "${knarr[@]}" is the program for this caller.
enter()
{
	worker=$1
	ID=f$$-$who$worker-
	W=$T/$who-$worker
	ROOT=$W/state
	holder='' as=(env "KNARR_TEST_MARK=$W" "PATH=$T/bin:$PATH" "FAKE_CRIU=$W")
	if [ "$who" = user ]; then
		as=(setpriv --reuid "$(id -u "$user")" --regid "$(id -g "$user")" --init-groups --inh-caps=-all
			env "KNARR_TEST_MARK=$W" HOME=/ "XDG_RUNTIME_DIR=$W")
		echo $BASHPID >"$own/runtime/cgroup.procs" || exit 2
	fi
	knarr=("${as[@]}" "$T/knarr" --root "$ROOT")
	[ "$who" != systemd ] || knarr+=(--systemd-cgroup)
	[ ! -e "$W" ] || { [ "$who" = pod ] && holder=$(<"$W/holder/pid"); return 0; }
	mkdir "$W"
	[ "$who" != pod ] || make_holder
	make_bundles
	[ "$who" != user ] || chown -R "$user:" "$W"
	"${knarr[@]}" run -b "$W/bundle" "$ID" </dev/null >"$W/out" 2>&1 || { # the cache of filters is there from now on
		cat "$W/out"
		exit 2
	}
}

# ---- each command: what comes before, and its arguments --------------------------

before()
{
	pids=0
	case $1 in
	run | create) ;;
	start) "${knarr[@]}" create -b "$W/stays" "$ID" ;;
	restore)
		mkdir -p "$W/image"
		touch "$W/image/inventory.img"
		echo '["pipe:[123]", "file[1a:2f]", "file[1a:2f]"]' >"$W/image/descriptors.json"
		;;
	*) "${knarr[@]}" run -d -b "$W/stays" --pid-file "$W/before.pid" "$ID" ;;
	esac </dev/null >"$W/before" 2>&1 || {
		echo "cannot prepare for $who $1: $(<"$W/before")" >&2
		exit 2
	}
	case $1 in
	resume) "${knarr[@]}" pause "$ID" || exit 2 ;;
	delete)
		"${knarr[@]}" kill "$ID" KILL
		while is_status running; do sleep 0.01; done
		;;
	exec | terminal) pids=$(members) ;;
	checkpoint) rm -rf "$W/image" "$W/request.json" ;;
	esac
}

arguments()
{
	case $1 in
	run) words=(run -b "$W/bundle" --pid-file "$W/pid" "$ID") ;;
	create) words=(create -b "$W/bundle" --pid-file "$W/pid" "$ID") ;;
	start) words=(start "$ID") ;;
	exec) words=(exec --detach --pid-file "$W/pid" "$ID" /bin/busybox sleep 1000) ;;
	terminal) words=(exec --tty "$ID" /bin/busybox echo ran) ;;
	kill) words=(kill "$ID" KILL) ;;
	pause | resume | ps) words=("$command" "$ID") ;;
	update) words=(update --resources "$W/limits.json" "$ID") ;;
	mounts) words=(mounts add "$ID" "$W/mounts.json") ;;
	delete) words=(delete "$ID") ;;
	force) words=(delete --force "$ID") ;;
	state) words=(state "$ID") ;;
	list) words=(list) ;;
	checkpoint) words=(checkpoint --image-path "$W/image" "$ID") ;;
	restore) words=(restore -d -b "$W/stays" --image-path "$W/image" --pid-file "$W/pid" "$ID") ;;
	*) usage ;;
	esac
}

# ---- afterwards -----------------------------------------------------------------

is_status()
{
	"${knarr[@]}" state "$ID" 2>/dev/null | grep -q "\"status\": \"$1\""
}

# The container's cgroup.
cgroup_of()
{
	local list=("$cgroups"/*"$ID"* "$cgroups"/*/*"$ID"*)
	echo "${list[0]:-none}"
}

# How many processes are in the pid namespace of the container of before().
members()
{
	local ns
	ns=$(stat -L -c %i "/proc/$(<"$W/before.pid")/ns/pid" 2>/dev/null) || return
	stat -L -c %i /proc/[0-9]*/ns/pid 2>/dev/null | grep -c "^$ns$"
}

# Whether the command did what it is for.
is_done()
{
	case $1 in
	run) grep -q '^ran' "$W/out" ;;
	# To a terminal that was hung up nobody writes any more.
	terminal) grep -q '^ran' "$W/out" || grep -q '^knarr: warning: ' "$W/err" || [ "$call $error" = 'write EIO' ] ;;
	# The init may be killed, or fail to wait for start, once create has ended.
	create) is_status created || { [[ $error == KILL* || $call = accept4 ]] && is_status stopped; } ;;
	start | resume) is_status running ;;
	# One that could not be closed may be there, too.
	restore) is_status running && [ "$(wc -l <"$W/descriptors")" -ge "$(wc -l <"$T/descriptors")" ] ;;
	pause) is_status paused ;;
	kill) is_status stopped ;;
	exec) [ "$(members)" = $((pids + 1)) ] ;;
	update) [ "$(<"$(cgroup_of)/cgroup.max.depth")" = 7 ] ;;
	mounts) grep -q ' /tmp ' "/proc/$(<"$W/before.pid")/mountinfo" ;;
	delete | force) [ ! -e "$ROOT/$ID" ] ;;
	checkpoint) [ -s "$W/request.json" ] && [ ! -e "$ROOT/$ID" ] ;;
	state | list) grep -q "$ID" "$W/out" ;;
	ps) grep -qw "$(<"$W/before.pid")" "$W/out" ;;
	esac
}

# Processes that carry our mark, and who else is in the pod: the
# last process of a set-up has no environment any more.
processes()
{
	local pod
	grep -alzx "KNARR_TEST_MARK=$W" /proc/[0-9]*/environ 2>/dev/null | tr -cd '0-9\n'
	[ -n "$holder" ] || return
	pod=$(stat -L -c %i "/proc/$holder/ns/user")
	stat -L -c '%i %n' /proc/[0-9]*/ns/user 2>/dev/null | sed -n "s|^$pod /proc/\([0-9]*\)/.*|\1|p" | grep -vx "$holder"
}

left()
{
	local found list pid
	[ ! -e "$ROOT/$ID" ] || printf 'state directory (%s) ' "$(find "$ROOT/$ID" -mindepth 1 -printf '%f ')"
	found=$(for pid in $(processes); do
		printf '%s (%s) ' "$pid" "$({ tr '\0\n' '  ' <"/proc/$pid/cmdline"; } 2>/dev/null)"
	done)
	[ -z "$found" ] || printf 'processes: %s' "$found"
	list=("$cgroups"/*"$ID"* "$cgroups"/*/*"$ID"*)
	[ ${#list[@]} = 0 ] || printf 'cgroups: %s ' "${list[*]}"
	[[ $(</proc/self/mountinfo) != *"$W"* ]] || printf 'mounts '
	list=("$W"/.pid* "$W"/pi[d] "$W/bundle"/.[a-z]*)
	[ ${#list[@]} = 0 ] || printf 'files: %s' "${list[*]}"
}

# A killed process may take a moment.
still_left()
{
	local found i
	for ((i = 0; i < 20; i++)); do
		found=$(left)
		[ -n "$found" ] || return 1
		sleep 0.02
	done
	echo "$found"
}

clean_worker()
{
	local pid rest
	"${knarr[@]}" delete --force "$ID" 2>/dev/null
	for pid in $(processes); do
		kill -KILL "$pid" 2>/dev/null
	done
	rm -f "$W/pid" "$W"/.pid*
	rest=("$cgroups"/*"$ID"* "$cgroups"/*/*"$ID"*)
	[ ${#rest[@]} = 0 ] || rmdir "${rest[@]}" 2>/dev/null
	rm -rf "${ROOT:?}/$ID"
}

# Of a run that is ended by a signal, too: workers first, then what they made.
clean()
{
	local workers
	trap '' TERM INT HUP # a second one would end this half done
	workers=$(jobs -p)
	# shellcheck disable=SC2086 # words
	[ -z "$workers" ] || { kill $workers && wait; } 2>/dev/null
	for who in root user pod systemd; do
		for W in "$T/$who"-*; do
			(enter "${W##*-}" && clean_worker && [ -n "$holder" ] && "$T/knarr" --root "$W/holders" delete --force "holder$$-$worker") 2>/dev/null
		done
	done
	[ ! -d "$own" ] || rmdir "$own/runtime" "$own"
	cd / && rm -rf --one-file-system "$T"
}

# defect COLUMN TEXT…
defect()
{
	local column=$1
	shift
	columns[$column]=$((columns[$column] + 1))
	printf 'not ok - %s: %s\n%s' "$what" "$*" "$([ ! -s "$W/err" ] || sed 's/^/#   /' "$W/err" && echo .)" | sed '$d'
}

is_demanded()
{
	[ -e "$W/reached" ] || return 1 # a run may make one call of a kind less than another
	[[ " $answers " != *" $call:$error "* ]] || return 1
	[[ $error != KILL* ]] || return 1
	[[ $number -gt $starts || " $asked " != *" $call "* ]] || return 1
	[[ " ${demanded//[[:space:]]/ } " == *" $call "* || " ${demanded//[[:space:]]/ } " == *" $call:$number "* ]]
}

# One line, and not without the reason.
check_message()
{
	local lines
	lines=$(grep -c '^knarr: ' "$W/err")
	if [ "$(grep -vc '^knarr: warning: ' "$W/err")" != 1 ] || [ "$lines" = 0 ]; then
		defect mute "status $status and not one line of error"
	elif [ "$error" = EIO ] && ! grep -q 'input/output error' "$W/err"; then
		printf '# %s: reason unsaid: %s\n' "$what" "$(<"$W/err")"
	fi
}

# A killed process may take a moment here, too.
check_done()
{
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		! is_done "$command" || return 0
		sleep 0.02
	done
	defect mute "status 0, and nothing was done"
}

# An exec that failed leaves the container's own process and no other.
check_container()
{
	local now
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		now=$(members)
		[ "$now" != "$pids" ] || return 0
		sleep 0.02
	done
	defect leaks "$now processes in the container"
}

check_status()
{
	local killed=no
	[ "$status" != 137 ] || [[ $error != KILL* ]] || killed=yes
	if [ "$status" = 124 ]; then
		defect hangs 'hangs'
	elif [ $killed = no ] && [ "$status" -gt 128 ] && [ "$status" -lt 255 ]; then
		defect crashes "ended by signal $((status - 128))"
	elif [ $killed = yes ]; then
		return
	elif [ "$status" != 0 ]; then
		check_message
		[[ $command != @(exec|terminal) ]] || check_container
	else
		tolerated=$((tolerated + 1))
		if is_demanded; then
			defect wrong 'success all the same'
		else
			check_done
		fi
	fi
}

# ---- one fault ------------------------------------------------------------------

# fault CALL NUMBER ERROR
fault()
{
	local call=$1 number=$2 error=$3 what="$who, $command, $1 number $2 $3" found
	faults=$((faults + 1))
	before "$command"
	rm -f "$W/reached"
	INJECT_REACHED=$W/reached timeout -k 1 20 "$T/inject" "$call" "$number" "$error" \
		"${knarr[@]}" "${words[@]}" </dev/null >"$W/out" 2>"$W/err"
	status=$?
	check_status
	case $command:$status:$error in
	*:*:KILL* | create:0:* | run:1:* | delete:[!0]*:* | [!crd]*:*:* | resume:*:* | restore:0:* | checkpoint:[!0]*:*)
		timeout -k 1 20 "${knarr[@]}" delete --force "$ID" 2>"$W/err.delete" ||
			defect leaks "delete --force fails after it: $(<"$W/err.delete")"
		[ ! -s "$W/err.delete" ] || defect leaks "delete --force warns after it: $(<"$W/err.delete")"
		;;
	esac
	# Of a pid file that a killed create left delete knows nothing.
	if [[ $command != @(create|restore) ]] || [ $status = 0 ] || [[ $error == KILL* ]]; then
		rm -f "$W/pid" "$W"/.pid*
	fi
	found=$(still_left) && { defect leaks "left: $found"; clean_worker; }
	return 0
}

# Takes every $jobs-th line "CALL NUMBER ERROR" of $T/list.
work()
{
	local i=0 faults=0 tolerated=0 starts=1 call number error
	local -A columns=([leaks]=0 [hangs]=0 [crashes]=0 [mute]=0 [wrong]=0)
	enter "$1"
	arguments "$command"
	[[ $who != user || $command != @(exec|terminal) ]] || starts=2
	while read -r call number error <&7; do
		i=$((i + 1))
		[ $((i % jobs)) = "$worker" ] || continue
		fault "$call" "$number" "$error"
	done 7<"$T/list"
	echo "$faults $tolerated ${columns[leaks]} ${columns[hangs]} ${columns[crashes]} ${columns[mute]} ${columns[wrong]}" >"$W/sum"
}

# ---- one command of one caller --------------------------------------------------

# Calls that only change the process's own memory, or do not return.
inert='^(exit_group|exit|execve|rt_sigreturn|restart_syscall|brk|mmap|munmap|mprotect|mremap|arch_prctl|set_tid_address|set_robust_list|rseq|clock_nanosleep) '

# Fills $T/counts.
count()
{
	enter 0
	before "$command"
	arguments "$command"
	"$T/inject" count "$T/counts.all" "${knarr[@]}" "${words[@]}" </dev/null >"$W/out" 2>"$W/err" || {
		echo "the count of $who $command fails: $(<"$W/err")" >&2
		exit 2
	}
	[ "$command" != restore ] || cp "$W/descriptors" "$T/descriptors"
	"${knarr[@]}" delete --force "$ID"
	rm -f "$W/pid"
	grep -vE "$inert" "$T/counts.all" | while read -r call n; do
		[ -n "$only" ] && [[ " $only " != *" $call "* ]] || echo "$call $n"
	done >"$T/counts"
}

make_list()
{
	local call count n error
	while read -r call count; do
		for error in $errors; do
			for ((n = 1; n <= count; n++)); do
				[ $all = no ] && [ $n != 1 ] && [ $n != "$count" ] && [ $n != $((count / 2)) ] || echo "$call $n $error"
			done
		done
	done <"$T/counts"
}

walk()
{
	local command=$1 worker sums
	if [ "$who" = user ] && [[ $command == @(checkpoint|restore) ]]; then
		echo "# $who $command: not run, it needs root"
		return
	fi
	(count) || exit 2
	make_list >"$T/list"
	for ((worker = 0; worker < jobs; worker++)); do
		work "$worker" &
	done
	wait
	for ((worker = 0; worker < jobs; worker++)); do
		cat "$T/$who-$worker/sum" || exit 2
		rm "$T/$who-$worker/sum"
	done >"$T/sums"
	sums=$(awk '{ for (i = 1; i <= 7; i++) sum[i] += $i } END { for (i = 1; i <= 7; i++) print sum[i] }' "$T/sums")
	# shellcheck disable=SC2086 # numbers
	set -- $sums
	echo "$who $command: $(awk '{ n += $2 } END { print n + 0 }' "$T/counts") calls, $1 faults:" \
		"leaks $3, hangs $4, crashes $5, mute exits $6, wrong successes $7"
	all_faults=$((all_faults + $1)) all_tolerated=$((all_tolerated + $2)) defects=$((defects + $3 + $4 + $5 + $6 + $7))
}

defects=0 all_faults=0 all_tolerated=0
make_rootfs
if [[ " $whos " == *' user '* ]]; then
	mkdir "$own" "$own/runtime" && chown "$user" "$own" "$own"/cgroup.{procs,subtree_control,threads} \
		"$own/runtime" "$own/runtime/cgroup.procs" || exit 2
fi
for who in $whos; do
	for command; do
		walk "$command"
	done
done
echo "# $all_faults faults, $all_tolerated survived, $defects defects"
[ $defects = 0 ]
