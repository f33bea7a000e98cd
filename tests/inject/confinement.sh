#!/usr/bin/env bash
# A program never starts with less confinement than its config asks for: lets every system
# call that knarr makes on the way to a container's program fail, with one error after the
# other, and where knarr ends with 0 all the same compares what the program is
# confined by (confined.c prints it) with what it is when nothing fails.
#
#   tests/inject/confinement.sh [--sample] [--jobs N] [--call NAME] [--error NAME] [--keep DIRECTORY] [MODE…]
#
# MODE: WHO-COMMAND, or one of both alone. WHO is root, userns (root makes a user namespace),
# pod (root joins the namespaces of another container by path, its user namespace
# too) or user (an unprivileged user with ranges in /etc/subuid); COMMAND is run, create (and
# start), exec, terminal (exec --tty). Default: all of them. --sample: some runs of each
# mode, chosen the same way each time. --call, --error: only those (words with blanks
# between them). --keep: what was printed by wrong successes stays there. KNARR is the
# program. Needs root, jq, setpriv, a C compiler with static libraries, and libseccomp.
#
# An error at the Nth call is tried alone, and at all calls from the first one on, as from a
# filter around knarr. A success with another confinement is wrong, unless the error
# is an answer that the call can give and knarr means to understand: those are listed
# in named_answers below, each with the one difference that it may make. The last line of
# a mode is "MODE: N calls x M errnos, R runs, W wrong successes, L leaks"; the exit status
# is 1 if any was wrong or leaked.
#
# What jq and another shell expand is not this one's; finish is called by a trap.
# shellcheck disable=SC2016,SC2317
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)

# ---- options --------------------------------------------------------------------

errors='EPERM EACCES EINVAL ENOSYS ENOMEM EIO EBUSY EAGAIN EINTR ENOENT EOPNOTSUPP ENOSPC EMFILE EROFS ESRCH E2BIG EFAULT ENOTDIR ELOOP EEXIST ENODEV EBADF'
all_modes='root-run root-create root-exec root-terminal userns-run userns-create userns-exec userns-terminal
	pod-run pod-create pod-exec pod-terminal user-run user-create user-exec user-terminal'
sample=no jobs=$(nproc) only='' keep=''

usage()
{
	sed -n '2,/^set/{/^#/s/^# \{0,1\}//p}' "$0" >&2
	exit 2
}

while [ $# -gt 0 ]; do
	case $1 in
	--sample) sample=yes ;;
	--jobs) jobs=$2 && shift ;;
	--call) only=$2 && shift ;;
	--error) errors=$2 && shift ;;
	--keep) mkdir -p "$2" && keep=$(realpath "$2") && shift || exit 2 ;;
	-*) usage ;;
	*) break ;;
	esac
	shift
done

modes=()
for mode in $all_modes; do
	[ $# -gt 0 ] || modes+=("$mode")
	for wanted; do
		case $mode in
		"$wanted" | "$wanted"-* | *-"$wanted") modes+=("$mode") ;;
		esac
	done
done
[ ${#modes[@]} -gt 0 ] || usage

# ---- answers --------------------------------------------------------------------

# CALL ERROR PATTERN WHY: a success is right though these lines of the report, and no others,
# differ (extended regular expression, on the lines of diff).
named_answers=()
answer()
{
	named_answers+=("$1 $2 $3")
}

# A path of the two lists that does not exist needs no cover; a mount point that does not
# is made, and a tmpfs on it has no mode to take over.
missing='mount: /[^ ]* /(proc|sys|secret|hidden|frozen)[^ ]* |/(proc|sys|secret|hidden|frozen)[^ ]*: [0-7]+ .*read |(mount: / )?/scratch[: ]'
answer openat2 ENOENT "$missing"
answer openat2 ENOTDIR "$missing"
# A kernel without keys has no keyring of the caller's either.
answer keyctl ENOSYS 'session keyring: '
# A keyring that may not be looked at is not this container's: it gets a new one, without a name.
answer keyctl EACCES 'session keyring: keyring;[0-9]+;[0-9]+;3f[01]b0000;_ses'
# A process that cannot ask who it is takes no keyring for its own, and gets a new one.
for error in $errors; do
	answer geteuid "$error" 'session keyring: '
done
# Root that may not make device nodes has the host's: the default ones, and those of linux.devices.
answer mknodat EPERM '(mount: /[a-z]+ )?/dev/(null|zero|full|random|urandom|tty|mine)[: ]'
# In a user namespace the kernel may refuse to mount a sysfs or a cgroup2 file system: the
# host's is bound instead, read-only. And an id may not be mapped: the terminals of a
# devpts have the group of whoever opens them then.
answer fsopen EPERM '(mount: [^ ]* )?/sys[/: ]'
answer fsconfig EPERM '(mount: [^ ]* )?/sys[/: ]'
answer fsmount EPERM '(mount: [^ ]* )?/sys[/: ]'
answer fsconfig EBUSY '(mount: [^ ]* )?/sys/fs/cgroup[/ ]'
answer fsmount EBUSY '(mount: [^ ]* )?/sys/fs/cgroup[/ ]'
answer fsconfig EINVAL 'mount: / /dev/pts '
answer fsmount EINVAL 'mount: / /dev/pts '

# ---- what is run ----------------------------------------------------------------

[ "$(id -u)" = 0 ] || {
	echo 'confinement.sh needs root' >&2
	exit 2
}
T=$(mktemp -d "${TMPDIR:-/tmp}/knarr-confinement.XXXXXX")
chmod 0711 "$T"
cgroups=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
user=${KNARR_TEST_USER:-knarr-test}
install -m 0755 "$(realpath "${KNARR:-$top/build/knarr}")" "$T/knarr" || exit 2
${CC:-cc} -O1 -D_GNU_SOURCE -o "$T/inject" "$top/tests/inject/inject.c" -lseccomp || exit 2
${CC:-cc} -O1 -D_GNU_SOURCE -static -o "$T/confined" "$top/tests/inject/confined.c" || exit 2

# paths that the program tries: masked, read-only, a device that the rules deny, and others.
paths=(/proc/kcore /proc/keys /proc/timer_list /proc/sys/kernel/hostname /proc/sysrq-trigger /proc/bus /sys/firmware /sys/kernel
	/secret /hidden/file /frozen /frozen/file /node /dev/mine /dev/null /dev/console /bound /bound/file /scratch /tmp /)

# Also of a run that is ended by a signal: workers first, then the containers that they made.
finish()
{
	local state workers
	workers=$(jobs -p)
	# shellcheck disable=SC2086 # words
	[ -z "$workers" ] || { kill $workers && wait; } 2>/dev/null
	for state in "$T"/state-holder/[!@]* "$T"/*-[0-9]*/state/[!@]*; do
		[ ! -d "$state" ] || "$T/knarr" --root "${state%/*}" delete --force "${state##*/}" 2>/dev/null
	done
	cd / && rm -rf --one-file-system "$T"
}
trap finish EXIT
trap "exit 143" TERM INT HUP

make_rootfs()
{
	mkdir -p "$1"/{bin,dev,proc,sys,tmp,etc,hidden,frozen,bound,scratch,report}
	cp "$T/confined" "$1/confined"
	cp "$(command -v busybox)" "$1/bin/busybox"
	echo secret | tee "$1/secret" "$1/hidden/file" >"$1/frozen/file"
	echo root:x:0:0::/root:/bin/sh >"$1/etc/passwd"
	chmod 0666 "$1/secret" "$1/hidden/file" "$1/frozen/file"
	chmod 0777 "$1/hidden" "$1/frozen" "$1/scratch"
}

# Every property that confines, as far as any host has it. A container with more than its
# root's ids has a program that is somebody else.
filter='
	.process.terminal = false
	| .process.cwd = "/tmp"
	| .process.user = {uid: 1, gid: 2, additionalGids: [3], umask: 23}
	| .process.capabilities = {bounding: ["CAP_KILL", "CAP_NET_RAW"], permitted: ["CAP_KILL"], effective: ["CAP_KILL"],
		inheritable: ["CAP_KILL"], ambient: ["CAP_KILL"]}
	| .process.noNewPrivileges = $nnp
	| .process.rlimits = [{type: "RLIMIT_NOFILE", soft: 40, hard: 50}, {type: "RLIMIT_CORE", soft: 0, hard: 0},
		{type: "RLIMIT_FSIZE", soft: 1000000, hard: 2000000}]
	| .process.oomScoreAdj = 500
	| .process.scheduler = {policy: "SCHED_BATCH", nice: 15}
	| .process.ioPriority = {class: "IOPRIO_CLASS_BE", priority: 6}
	| .process.execCPUAffinity = {initial: "0", final: "0"}
	| .root.readonly = true
	| .hostname = "confined"
	| .domainname = "example"
	| .mounts += [
		{destination: "/bound", type: "bind", source: "\($top)/bound", options: ["rbind", "ro", "nosuid", "nodev", "noexec"]},
		{destination: "/scratch", type: "tmpfs", source: "tmpfs", options: ["nosuid", "nodev", "noexec", "size=64k", "tmpcopyup"]},
		{destination: "/report", type: "tmpfs", source: "tmpfs", options: ["nosuid", "nodev", "mode=1777", "size=64k"]},
		{destination: "/sys/fs/cgroup", type: "cgroup", source: "cgroup", options: ["nosuid", "noexec", "nodev", "ro"]}]
	| .linux.namespaces |= map(select(.type != "network" and .type != "cgroup")) + [{type: "network"}, {type: "cgroup"}, {type: "time"}]
	| .linux.timeOffsets = {boottime: {secs: 17280000}}
	| .linux.personality = {domain: "LINUX32"}
	| .linux.memoryPolicy = {mode: "MPOL_PREFERRED", nodes: "0"}
	| .linux.sysctl = {"net.ipv4.ip_unprivileged_port_start": "1000"}
	| .linux.maskedPaths += ["/secret", "/hidden", "/not/there"]
	| .linux.readonlyPaths += ["/frozen", "/not/there"]
	| .linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["acct"], action: "SCMP_ACT_ERRNO", errnoRet: 77}]}
	| .hooks = {startContainer: [{path: "/confined", args: ["confined", "--hook", "/report/hook", "/secret"]}]}'
limits='
	| .linux.resources.unified = {"cgroup.max.depth": "7"}
	| .linux.resources.devices = [{allow: false, access: "rwm"}, {allow: true, type: "c", major: 1, minor: 5, access: "rw"}]
	| .linux.devices = [{path: "/dev/mine", type: "c", major: 1, minor: 5, fileMode: 432, uid: 1, gid: 2}]'
maps='
	| .linux.namespaces |= map(select(.type != "user")) + [{type: "user"}]
	| .linux.uidMappings = [{containerID: 0, hostID: $uid, size: 1}, {containerID: 1, hostID: $uids, size: 60000}]
	| .linux.gidMappings = [{containerID: 0, hostID: $gid, size: 1}, {containerID: 1, hostID: $gids, size: 60000}]'
# The namespaces of the holder, all but that of mounts.
joins='
	| del(.linux.uidMappings, .linux.gidMappings, .linux.timeOffsets, .linux.devices, .hostname, .domainname)
	| .linux.namespaces |= map(if .type == "mount" then . else .path = "/proc/\($holder)/ns/\({network: "net"}[.type] // .type)" end)'

# words that tell the program which namespaces are whose.
namespaces_of()
{
	local file
	for file in "/proc/$2/ns/"{user,pid,net,mnt,ipc,uts,cgroup,time}; do
		echo "$1=$(readlink "$file")"
	done
}

# A bundle for who: $T/WHO, its program the report, and $T/WHO-stays with one that stays.
make_bundle()
{
	local who=$1 dir=$T/$1 uid=0 gid=0 uids=200000 gids=200000 nnp=true all=$filter words kind=()
	case $who in
	root) all+=$limits nnp=false ;;
	userns) all+=$limits$maps ;;
	pod) all+=$limits$maps$joins nnp=false ;;
	user)
		all+="$maps | del(.linux.resources)"
		kind=(--rootless)
		uid=$(id -u "$user") gid=$(id -g "$user")
		uids=$(awk -F: -v u="$user" '$1 == u { print $2; exit }' /etc/subuid)
		gids=$(awk -F: -v u="$user" '$1 == u { print $2; exit }' /etc/subgid)
		;;
	esac
	[ ! -e "$dir" ] || return 0
	mkdir -p "$dir" "$dir-stays"
	words=$(namespaces_of host $$ | jq -R . | jq -s .)
	[ "$who" != pod ] || words=$({ namespaces_of host $$ && namespaces_of pod "$holder"; } | jq -R . | jq -s .)
	"$T/knarr" spec "${kind[@]}" -f "$dir/spec" &&
		jq --arg top "$T" --argjson nnp $nnp --argjson uid "$uid" --argjson gid "$gid" --argjson uids "${uids:-0}" \
			--argjson gids "${gids:-0}" --arg holder "${holder:-}" --argjson words "$words" \
			--argjson paths "$(printf '%s\n' "${paths[@]}" | jq -R . | jq -s .)" \
			"$all | .root.path = \"$T/rootfs\" | .process.args = [\"/confined\"] + \$words + \$paths" \
			"$dir/spec" >"$dir/config.json" || exit 2
	jq '.process.args = ["/bin/busybox", "sleep", "100000"]' "$dir/config.json" >"$dir-stays/config.json"
}

# The container whose namespaces the others join.
make_holder()
{
	local id=cc$$-holder
	make_bundle userns
	jq 'del(.hooks, .process.user) | .process.args = ["/bin/busybox", "sleep", "100000"]' "$T/userns/config.json" >"$T/holder.json"
	mkdir "$T/holder"
	"$T/knarr" --root "$T/state-holder" run -d -b "$T/holder" --config "$T/holder.json" --pid-file "$T/holder.pid" $id </dev/null >"$T/out" 2>&1 ||
		{ cat "$T/out" && exit 2; }
	holder=$(<"$T/holder.pid")
}

# ---- one worker -----------------------------------------------------------------

create_and_start='"$0" --root "$1" create -b "$2" "$3" && "$0" --root "$1" start "$3"
	r=$?
	[ $r = 0 ] || "$0" --root "$1" delete --force "$3" >/dev/null 2>&1
	exit $r'

# The command of the mode, for this worker: words.
set_words()
{
	local who=${mode%-*} command=${mode#*-} as=(env -i "PATH=$PATH")
	ID=cc$$-$worker
	W=$T/$mode-$worker
	ROOT=$W/state
	[ "$who" != user ] || as=(setpriv --reuid "$(id -u "$user")" --regid "$(id -g "$user")" --init-groups --inh-caps=-all
		env -i "PATH=$PATH" HOME=/ "XDG_RUNTIME_DIR=$W")
	knarr=("${as[@]}" "$T/knarr" --root "$ROOT")
	case $command in
	run) words=("${knarr[@]}" run -b "$T/$who" "$ID") ;;
	create) words=("${as[@]}" sh -c "$create_and_start" "$T/knarr" "$ROOT" "$T/$who" "$ID") ;;
	exec) words=("${knarr[@]}" exec "$ID") ;;
	terminal) words=("${knarr[@]}" exec --tty "$ID") ;;
	esac
	# What a terminal shows goes through knarr, which may not be able to pass it on: then the
	# report is a file.
	case $command in
	exec) mapfile -t -O ${#words[@]} words < <(jq -r '.process.args[]' "$T/$who/config.json") ;;
	terminal)
		words+=(/confined --into /report/terminal)
		mapfile -t -O ${#words[@]} words < <(jq -r '.process.args[1:][]' "$T/$who/config.json")
		;;
	esac
}

# The container that exec enters, made when there is none.
ensure_container()
{
	case $mode in
	*-run | *-create) return ;;
	esac
	[ -z "${init:-}" ] || [ ! -d "/proc/$init" ] || return
	"${knarr[@]}" delete --force "$ID" 2>/dev/null
	"${knarr[@]}" run -d -b "$T/${mode%-*}-stays" --pid-file "$W/pid" "$ID" </dev/null >"$W/out" 2>&1 || {
		echo "$mode: cannot make the container: $(<"$W/out")"
		exit 2
	}
	init=$(<"$W/pid")
}

# inject ARGUMENTS…: fills report and status.
inject()
{
	local file=$W/out
	ensure_container
	if [[ $mode == *-terminal ]]; then
		file=/proc/$init/root/report/terminal
		rm -f "$file"
	fi
	timeout -k 1 60 "$T/inject" -w "$@" "${words[@]}" </dev/null >"$W/out" 2>"$W/err"
	status=$?
	report=$(cat "$file" 2>/dev/null)
	report=${report//$ID/ID}
}

# What a run left behind, and what it must not have changed. A container that could not be
# removed is still there for delete.
leaks()
{
	[ $status = 0 ] || [ ! -e "$ROOT/$ID" ] || [[ $mode == *-@(exec|terminal) ]] || "${knarr[@]}" delete --force "$ID" 2>&1
	case $mode in
	*-create) [ $status != 0 ] || "${knarr[@]}" delete "$ID" 2>&1 || "${knarr[@]}" delete --force "$ID" ;;
	*-exec | *-terminal)
		[ -d "/proc/$init" ] || echo 'the container was killed'
		return
		;;
	esac
	[ ! -e "$ROOT/$ID" ] || echo 'state directory'
	[ -z "$cgroups" ] || [ ! -e "$cgroups/$ID" ] || echo 'cgroup'
	[[ $(</proc/self/mountinfo) != *"$W"* ]] || echo 'mounts'
}

is_answer()
{
	local call=$1 error=$2 differences row
	differences=$(diff <(echo "$good") <(echo "$report") | grep '^[<>]')
	for row in "${named_answers[@]}"; do
		[[ $row == "$call $error "* ]] || continue
		! grep -qvE "^[<>] (/report/hook: )?(${row#"$call $error "})" <<<"$differences" && return 0
	done
	return 1
}

# try CALL NUMBER ERROR
try()
{
	local found what="$mode, $1 number $2 $3"
	inject "$@"
	runs=$((runs + 1))
	# Neither start nor delete could be done, and start said so: what was waited for is the
	# container, which waited for start.
	if [[ $status == @(124|137) ]] && [[ $mode == *-create ]] && grep -q 'knarr: ' "$W/err" && [ -e "$ROOT/$ID" ]; then
		status=1
	fi
	found=$(leaks)
	# The state directory is gone, that call says: somebody else deleted the container. What
	# is there all the same is so for the next delete.
	if [ $status = 0 ] && [ "$found" = 'state directory' ] && [[ "$1 $3" == @(openat|newfstatat|rmdir)" ENOENT" ]]; then
		found=$("${knarr[@]}" delete --force "$ID" 2>&1)
	fi
	if [ $status = 124 ] || [ $status = 137 ]; then
		found+='hangs'
	fi
	if [ $status = 0 ] && [ "$report" != "$good" ] && ! is_answer "$1" "$3"; then
		wrong=$((wrong + 1))
		printf '# %s: success with another confinement\n%s\n' "$what" \
			"$(diff <(echo "$good") <(echo "$report") | grep '^[<>]' | head -n 8 | sed 's/^/#   /')"
		[ -z "$keep" ] || printf "%s\n" "$report" >"$keep/${what//[ ,]/_}"
	fi
	[ -z "$found" ] || {
		left=$((left + 1))
		printf '# %s: left: %s\n' "$what" "${found//$'\n'/, }"
		"${knarr[@]}" delete --force "$ID" 2>/dev/null
		init=
	}
}

# Takes every $jobs-th line "CALL NUMBER ERROR" of $T/list.
work()
{
	local runs=0 wrong=0 left=0 i=0 init='' call number error
	set_words
	install -d -m 0777 "$W"
	inject uname 1000000 EIO
	good=$report
	while read -r call number error; do
		i=$((i + 1))
		[ $((i % jobs)) = "$worker" ] || continue
		try "$call" "$number" "$error"
	done <"$T/list"
	"${knarr[@]}" delete --force "$ID" 2>/dev/null
	echo "$runs $wrong $left" >"$W/sum"
}

# ---- one mode -------------------------------------------------------------------

# Calls that ask nothing and change nothing but the process's own memory and time; and
# close, which has closed the descriptor whatever it answers.
inert='^(close|exit_group|exit|execve|rt_sigreturn|restart_syscall|brk|mmap|munmap|mprotect|mremap|madvise|arch_prctl|set_tid_address|set_robust_list|rseq|clock_nanosleep|nanosleep|clock_gettime|getpid|gettid|getppid|futex|exit) '

# The counts of a run, and a second one without errors, which must say the same.
count()
{
	local first
	init=
	worker=0
	set_words
	install -d -m 0777 "$W"
	inject count "$T/counts"
	first=$report
	[ $status = 0 ] || {
		echo "$mode: fails without any error: $(<"$W/err")"
		return 1
	}
	found=$(leaks)
	inject uname 1000000 EIO
	found+=$(leaks)
	"${knarr[@]}" delete --force "$ID" 2>/dev/null
	[ -z "$found" ] || echo "$mode: left without any error: $found"
	[ "$report" = "$first" ] && [ -z "$found" ] && return
	echo "$mode: two runs without errors differ"
	diff <(echo "$first") <(echo "$report")
	return 1
}

make_list()
{
	local call count n error
	while read -r call count; do
		[ -z "$only" ] || [[ " $only " == *" $call "* ]] || continue
		for error in $errors; do
			for ((n = 1; n <= count; n++)); do
				echo "$call $n $error"
			done
			# A call that is interrupted is made again, for ever.
			[ "$error" = EINTR ] || echo "$call 1+ $error"
		done
		# Each operation of such a call, from where it is first asked for.
		case $call in
		prctl | keyctl | bpf | seccomp)
			for error in ${errors/EINTR/}; do
				for ((n = 2; n <= count; n++)); do
					echo "$call $n+ $error"
				done
			done
			;;
		esac
	done < <(grep -vE "$inert" "$T/counts" | sort)
}

# A part of the list: every 397th line, and more of the calls that do nothing but confine.
choose()
{
	if [ $sample = no ]; then
		cat
	else
		awk '{ step = /^(capset|umask|setsid|setgroups|setres|seccomp|mount_setattr|prlimit)/ ? 41 : 397 }
			(NR * 7) % step == 0'
	fi
}

run_mode()
{
	local mode=$1 runs=0 wrong=0 left=0 worker calls n_errors r w l
	count || return 1
	make_list | choose >"$T/list"
	calls=$(grep -vE "$inert" "$T/counts" | awk '{ n += $2 } END { print n }')
	n_errors=$(wc -w <<<"$errors")
	for ((worker = 0; worker < jobs; worker++)); do
		work &
	done
	wait
	for ((worker = 0; worker < jobs; worker++)); do
		read -r r w l <"$T/$mode-$worker/sum" || return 1
		runs=$((runs + r)) wrong=$((wrong + w)) left=$((left + l))
		rm -rf "${T:?}/$mode-$worker"
	done
	echo "$mode: $calls calls x $n_errors errnos, $runs runs, $wrong wrong successes, $left leaks"
	total_runs=$((total_runs + runs)) total_wrong=$((total_wrong + wrong)) total_left=$((total_left + left))
	[ $wrong = 0 ] && [ $left = 0 ]
}

bad=0 total_runs=0 total_wrong=0 total_left=0
make_rootfs "$T/rootfs"
mknod -m 0666 "$T/rootfs/node" c 1 11
mkdir "$T/bound" && echo bound >"$T/bound/file" && chmod 0777 "$T/bound" && chmod 0666 "$T/bound/file"
[[ ${modes[*]} != *pod* ]] || make_holder
for who in root userns pod user; do
	[[ " ${modes[*]} " != *" $who-"* ]] || make_bundle "$who"
done
for mode in "${modes[@]}"; do
	run_mode "$mode" || bad=1
done
echo "all: $total_runs runs, $total_wrong wrong successes, $total_left leaks"
exit $bad
