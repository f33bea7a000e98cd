#!/usr/bin/env bash
# Lets every system call that a command of knarr makes fail once, one per run, and
# looks at what becomes of it: the command must end, with one line that says what
# failed or as if nothing had happened, and must leave nothing on the host.
#
#   tests/fault/faults.sh [--all] [--error NAME] [--call NAME] [COMMAND…]
#
# COMMAND: run, create, start, exec, kill, pause, resume, update, ps, mounts, delete,
# state, list (default: all of them). Without --all, of each system call only the
# first, the last and one in the middle fail; with --call, only of that one.
# --error: EIO (default), ENOSPC, EPERM, EMFILE, ENOMEM, ENOSYS, or KILL, which
# kills knarr there instead. KNARR is the program, BUNDLE a bundle whose program
# ends at once (or one is made). Needs root, a C compiler and libseccomp.
set -u
shopt -s nullglob
top=$(cd "$(dirname "$0")/../.." && pwd)

all=no error=EIO only=
while [ $# -gt 0 ]; do
	case $1 in
	--all) all=yes ;;
	--error)
		error=$2
		shift
		;;
	--call)
		only=$2
		shift
		;;
	-*)
		sed -n '2,/^set/{/^#/s/^# \{0,1\}//p}' "$0" >&2
		exit 2
		;;
	*) break ;;
	esac
	shift
done
[ $# -gt 0 ] || set -- run create start exec kill pause resume update ps mounts delete state list

KNARR=${KNARR:-$top/build/knarr}
T=$(mktemp -d /tmp/knarr-fault.XXXXXX)
ROOT=$T/state
ID=f$$
export KNARR_TEST_MARK=$T
cgroups=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
mounts=$(</proc/self/mountinfo)
defects=0 faults=0 tolerated=0
trap 'clean; cd /; rm -rf --one-file-system "$T"' EXIT

${CC:-cc} -O1 -D_GNU_SOURCE -o "$T/inject" "$top/tests/fault/inject.c" -lseccomp || exit 2

# Calls that make the container what its config demands, none of which is only
# asked for or has another way: a success after the failure of one is a defect.
demanded='capset setresuid setresgid setgroups pivot_root move_mount mount_setattr umount2 unshare sethostname
	socketpair sendmsg sendto recvmsg fsopen fsmount fsconfig mknodat symlinkat fchdir keyctl bind listen
	pidfd_send_signal flock:1 renameat:1 mkdirat'
# The first of these only asks whether the kernel has the call (base/kernel.c).
asked='open_tree move_mount fsopen fsconfig fsmount openat2 clone3 mount_setattr pidfd_open pidfd_getfd pidfd_send_signal close_range'

# ---- the bundle -----------------------------------------------------------------

make_bundle()
{
	BUNDLE=$T/bundle
	mkdir -p "$BUNDLE/rootfs"/{bin,dev,proc,sys,tmp,etc}
	cp "$(command -v busybox)" "$BUNDLE/rootfs/bin/busybox"
	(cd "$BUNDLE" && "$KNARR" spec) || exit 2
	jq --arg mark "KNARR_TEST_MARK=$T" '.process.terminal = false | .process.env += [$mark] |
		.process.args = ["/bin/busybox", "true"] |
		.hooks = {createRuntime: [{path: "/bin/true"}], createContainer: [{path: "/bin/true"}], poststop: [{path: "/bin/true"}]} |
		.process.user = {uid: 1, gid: 1, additionalGids: [2]} |
		.linux.sysctl = {"net.ipv4.ip_forward": "0"} |
		.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["reboot"], action: "SCMP_ACT_ERRNO"}]}' \
		"$BUNDLE/config.json" >"$T/config" && mv "$T/config" "$BUNDLE/config.json"
	# A program that stays, for the other commands.
	mkdir "$T/stays"
	ln -s "$BUNDLE/rootfs" "$T/stays/rootfs"
	jq '.process.args = ["/bin/busybox", "sleep", "1000"]' "$BUNDLE/config.json" >"$T/stays/config.json"
	echo '{"devices": [{"allow": false, "access": "rwm"}]}' >"$T/limits.json"
	echo '[{"destination": "/tmp", "type": "tmpfs", "source": "tmpfs"}]' >"$T/mounts.json"
}

# ---- each command: what comes before, and its arguments --------------------------

knarr()
{
	"$KNARR" --root "$ROOT" "$@"
}

before()
{
	case $1 in
	run | create) ;;
	start) knarr create -b "$T/stays" "$ID" ;;
	*) knarr run -d -b "$T/stays" "$ID" ;;
	esac </dev/null >"$T/before" 2>&1 || {
		echo "cannot prepare for $1: $(<"$T/before")" >&2
		exit 2
	}
	[ "$1" != resume ] || knarr pause "$ID" || exit 2
	[ "$1" != delete ] || knarr kill "$ID" KILL
	[ "$1" != delete ] || while knarr state "$ID" | grep -q '"running"'; do sleep 0.01; done
}

arguments()
{
	case $1 in
	run) words=(run -b "$BUNDLE" --pid-file "$T/pid" "$ID") ;;
	create) words=(create -b "$BUNDLE" --pid-file "$T/pid" "$ID") ;;
	start) words=(start "$ID") ;;
	exec) words=(exec --detach --pid-file "$T/pid" "$ID" /bin/busybox sleep 1000) ;;
	kill) words=(kill "$ID" KILL) ;;
	pause | resume | ps) words=("$command" "$ID") ;;
	update) words=(update --resources "$T/limits.json" "$ID") ;;
	mounts) words=(mounts add "$ID" "$T/mounts.json") ;;
	delete) words=(delete "$ID") ;;
	state) words=(state "$ID") ;;
	list) words=(list) ;;
	esac
}

# ---- afterwards -----------------------------------------------------------------

# Processes that carry our mark, but for this shell.
processes()
{
	local environ pid
	while IFS= read -r environ; do
		pid=${environ#/proc/}
		pid=${pid%/environ}
		[ "$pid" = $$ ] || [ "$pid" = $BASHPID ] || cmp -s "/proc/$pid/cmdline" "/proc/$$/cmdline" ||
			printf '%s (%s) ' "$pid" "$(tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null)"
	done < <(env -u KNARR_TEST_MARK grep -alzx "KNARR_TEST_MARK=$T" /proc/[0-9]*/environ 2>/dev/null)
}

left()
{
	local found list
	[ ! -e "$ROOT/$ID" ] || printf 'state folder (%s) ' "$(find "$ROOT/$ID" -mindepth 1 -printf '%f ')"
	found=$(processes)
	[ -z "$found" ] || printf 'processes: %s' "$found"
	list=("$cgroups"/"$ID"* "$cgroups"/*/"$ID"*)
	[ ${#list[@]} = 0 ] || printf 'cgroups: %s ' "${list[*]}"
	[ "$mounts" = "$(</proc/self/mountinfo)" ] || printf 'mounts '
	list=("$T"/.pid* "$T"/pi[d] "$T/bundle"/.[a-z]*)
	[ ${#list[@]} = 0 ] || printf 'files: %s' "${list[*]}"
}

# A killed process may take a moment.
still_left()
{
	local found
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		found=$(left)
		[ -n "$found" ] || return 1
		sleep 0.02
	done
	echo "$found"
}

clean()
{
	local pid rest
	knarr delete --force "$ID" 2>/dev/null
	for pid in $(processes | grep -o '^[0-9]*\|) [0-9]*' | tr -d ') '); do
		kill -KILL "$pid" 2>/dev/null
	done
	rm -f "$T/pid" "$T"/.pid*
	rest=("$cgroups"/"$ID"* "$cgroups"/*/"$ID"*)
	[ ${#rest[@]} = 0 ] || rmdir "${rest[@]}" 2>/dev/null
	rm -rf "${ROOT:?}/$ID"
}

defect()
{
	defects=$((defects + 1))
	printf 'not ok - %s: %s\n' "$what" "$*"
	[ ! -s "$T/err" ] || sed 's/^/#   /' "$T/err"
}

is_demanded()
{
	[[ $number != 1 || " $asked " != *" $call "* ]] || return 1
	[[ " ${demanded//[[:space:]]/ } " == *" $call "* || " ${demanded//[[:space:]]/ } " == *" $call:$number "* ]]
}

# One line, and not without the reason.
check_message()
{
	local lines
	lines=$(grep -c '^knarr: ' "$T/err")
	if [ "$(grep -vc '^knarr: warning: ' "$T/err")" != 1 ] || [ "$lines" = 0 ]; then
		defect "status $status and not one line of error"
	elif [ "$error" = EIO ] && ! grep -q 'input/output error' "$T/err"; then
		printf '# %s: reason unsaid: %s\n' "$what" "$(<"$T/err")"
	fi
}

# An exec that failed leaves the container's own process and no other.
check_container()
{
	local pids
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		pids=$(knarr ps --format json "$ID" | jq length)
		[ "$pids" != 1 ] || return 0
		sleep 0.02
	done
	defect "$pids processes in the container"
}

# ---- one fault ------------------------------------------------------------------

# fault COMMAND CALL NUMBER
fault()
{
	local command=$1 call=$2 number=$3 what="$1, $2 number $3 $error" found
	faults=$((faults + 1))
	before "$command"
	arguments "$command"
	timeout -k 1 20 "$T/inject" "$call" "$3" "$error" "$KNARR" --root "$ROOT" "${words[@]}" \
		</dev/null >"$T/out" 2>"$T/err"
	status=$?
	if [ $status = 124 ] || [ $status = 137 ] && [ "$error" != KILL ]; then
		defect 'hangs'
	elif [ "$error" = KILL ]; then
		:
	elif [ $status = 0 ]; then
		tolerated=$((tolerated + 1))
		! is_demanded || defect 'success all the same'
	else
		check_message
	fi
	[ "$command:$error" = exec:KILL ] || [ "$command" != exec ] || [ $status = 0 ] || check_container
	case $command:$status:$error in
	*:*:KILL | create:0:* | run:1:* | delete:[!0]*:* | [!crd]*:*:* | resume:*:*)
		knarr delete --force "$ID" 2>"$T/err" || defect 'delete --force fails after it'
		[ ! -s "$T/err" ] || defect 'delete --force warns after it'
		;;
	esac
	# Of a pid file that a killed create left delete knows nothing.
	if [ "$command" != create ] || [ $status = 0 ] || [ "$error" = KILL ]; then
		rm -f "$T/pid" "$T"/.pid*
	fi
	found=$(still_left) && { defect "left: $found"; clean; }
	return 0
}

walk()
{
	local command=$1 call count n
	before "$command"
	arguments "$command"
	"$T/inject" count "$T/counts" "$KNARR" --root "$ROOT" "${words[@]}" </dev/null >"$T/out" 2>"$T/err" || {
		echo "the count of $command fails: $(<"$T/err")" >&2
		exit 2
	}
	knarr delete --force "$ID"
	rm -f "$T/pid"
	while read -r call count; do
		[ -z "$only" ] || [ "$only" = "$call" ] || continue
		for ((n = 1; n <= count; n++)); do
			[ $all = yes ] || [ $n = 1 ] || [ $n = "$count" ] || [ $n = $((count / 2)) ] || continue
			fault "$command" "$call" "$n"
		done
	done < <(grep -vE '^(exit_group|exit|execve|rt_sigreturn|restart_syscall|brk|mmap|munmap|mprotect|mremap|arch_prctl|set_tid_address|set_robust_list|rseq|clock_nanosleep) ' "$T/counts")
}

make_bundle
knarr run -b "$BUNDLE" "$ID" </dev/null || exit 2 # the cache of filters is there from now on
for command; do
	walk "$command"
done
echo "# $faults faults, $tolerated survived, $defects defects"
[ $defects = 0 ]
