#!/usr/bin/env bash
# Attacks on the processes that a runtime makes, from a container that can see them:
#
#	tests/attack/run.sh [--rounds N] [OPTION]… [ATTACK…]
#	tests/attack/run.sh --list
#
# Needs root, jq, a C compiler and static busybox; KNARR=PROGRAM is attacked, as a copy. A row for each
# attack: in how many rounds the victim failed, was seen by the attacker, and was lost, without
# and with the runtime slowed down. README.md has what counts as lost. The exit status is
# 0: all held, 10: one is lost, 77: all were skipped, else: a test is broken.
#
# --rounds N       of each attack (100); every second one is slowed down
# --ignore WAY     what is reached this way does not count: cmdline, environ, … (repeatable)
# --quick          an attack ends with the first loss
# --verbose        also prints what was reached and what the victims said, how often
# --directory DIR  where all of it is done, --id ID: what all ids begin with (for bats)
# --programs DIR   where the attacker's programs are, or will be
set -u
here=$(cd "$(dirname "$0")" && pwd)

# The row is that of the fault that lets it through.
# name  row  attacker: uid, capabilities, options  victim: how it is made, options  what it is
attacks='
userns-run      1  0     -                              -       run     userns  a new user namespace, in the pid namespace of a root without capabilities
userns-create   1  0     -                              -       create  userns  the same, with create and start
pod-run         2  0     SYS_PTRACE                     userns  run     pod     a pod of one user and one pid namespace
pod-create      2  0     SYS_PTRACE                     userns  create  pod     the same, with create and start
pod-plain       2  0     -                              userns  run     pod     the same pod, an attacker without capabilities
pod-exec        2  0     SYS_PTRACE                     userns  exec    -       the same, exec
ptrace-exec     3  0     SYS_PTRACE                     -       exec    -       exec, into a container with SYS_PTRACE
ptrace-tty      3  0     SYS_PTRACE                     -       tty     -       the same, with a terminal
ptrace-run      3  0     SYS_PTRACE                     -       run     -       run, in the pid namespace of a container with SYS_PTRACE
ptrace-create   3  0     SYS_PTRACE                     -       create  -       the same, with create and start
ptrace-filter   3  0     SYS_PTRACE                     -       run     filter  the same, a seccomp profile without no_new_privs
ptrace-hook     3  0     SYS_PTRACE                     -       run     hook    the same, with a startContainer hook
map-admin       4  0     SYS_PTRACE,SYS_ADMIN           -       exec    -       files that are mapped, with SYS_ADMIN
map-restore     4  0     SYS_PTRACE,CHECKPOINT_RESTORE  -       exec    -       files that are mapped, with CHECKPOINT_RESTORE
map-run         4  0     SYS_PTRACE,SYS_ADMIN           -       run     -       the same, with SYS_ADMIN, run in its pid namespace
notify-exec     5  1000  -                              notify  exec    -       a profile that notifies, the same uid, no_new_privs
notify-root     5  0     -                              notify  exec    -       the same, as root without capabilities
rootless-create 6  0     -                              user    create  pod     an unprivileged user: create in a pod
rootless-exec   6  0     -                              user    exec    -       the same, exec
cmdline-exec    7  65534 -                              -       exec    root    exec --env, any uid without capabilities
plain-exec      7  0     -                              -       exec    -       exec, the same uid without capabilities
plain-run       7  0     -                              -       run     -       run in its pid namespace, the same uid without capabilities
cmdline-run     7  65534 -                              -       run     -       the same, run in its pid namespace
name-init       13 0     -                              name    name    knarr:[init]  a program that takes the name of the init
name-wait       13 0     -                              name    name    knarr:[wait]  the name of an init that waits for start
kill-exec       -  0     -                              kill    exec    -       SIGKILL at any moment of exec
kill-run        -  0     -                              kill    run     -       SIGKILL at any moment of run
stop-exec       -  0     -                              stop    exec    -       SIGSTOP at any moment of exec
stop-run        -  0     -                              stop    run     -       SIGSTOP at any moment of run
control         -  0     SYS_PTRACE                     control control -       no runtime: a fork that has what its program will have; held by any
host-user       -  0     -                              host    run     -       another user of the host
'

rounds=100 ignored=() quick='' verbose='' directory='' id='' programs='' list=''
arguments=("$@")
while [ $# -gt 0 ]; do
	case $1 in
	--rounds) rounds=$2 && shift ;;
	--directory) directory=$2 && shift ;;
	--id) id=$2 && shift ;;
	--programs) programs=$2 && shift ;;
	--ignore) ignored+=("$2") && shift ;;
	--quick) quick=1 ;;
	--verbose) verbose=1 ;;
	--list) list=1 ;;
	-*) echo "$0: $1: no such option" >&2 && exit 2 ;;
	*) break ;;
	esac
	shift
done
if [ -n "$list" ]; then
	sed '/^$/d' <<<"$attacks"
	exit 0
fi
# A file system of its own for the root of the containers: so the device says what is the host's.
if [ -z "${KNARR_ATTACK_NAMESPACE:-}" ]; then
	[ "$(id -u)" = 0 ] || { echo 'skipped: needs root' && exit 77; }
	KNARR_ATTACK_NAMESPACE=1 exec unshare --mount --propagation private "$0" "${arguments[@]}"
fi
unset KNARR_ATTACK_NAMESPACE

# ---- places ------------------------------------------------------------------------

broken()
{
	echo "broken: $*" >&2
	exit 3
}

skip()
{
	echo "skipped: $*" >&2
	exit 77
}

build_programs()
{
	local name files
	mkdir -p "$programs" || broken "$programs"
	for name in attacker stutter agent; do
		[ ! -x "$programs/$name" ] || continue
		files=("$here/$name.c")
		[ $name != attacker ] || files+=("$here/reach.c")
		${CC:-cc} -D_GNU_SOURCE -O2 -static -o "$programs/$name.$$" "${files[@]}" || broken 'the compiler (libc for static programs?)'
		mv "$programs/$name.$$" "$programs/$name"
	done
}

made_user=
# shellcheck disable=SC2317 # by trap
clean_up()
{
	! mountpoint -q "$fs" || umount -l "$fs"
	[ -z "$own_directory" ] || rm -rf --one-file-system "$own_directory"
}
trap clean_up EXIT

own_directory='' fs=$directory/containers
if [ -z "$directory" ]; then
	directory=$(mktemp -d "${TMPDIR:-/tmp}/knarr-attack.XXXXXX") || exit 3
	own_directory=$directory fs=$directory/containers
fi
[ -n "$id" ] || id=attack$$
chmod 0711 "$directory"
programs=${programs:-$directory/programs}
build_programs
knarr=$directory/attacked-knarr
cp "$(command -v "${KNARR:-knarr}")" "$knarr" || broken 'no KNARR'
chmod 0755 "$knarr"
before=$(sha256sum <"$knarr")
mkdir -p "$fs" || exit 3
mount -t tmpfs -o mode=0755 tmpfs "$fs" || broken 'a tmpfs'
secret=secret-of-the-runtime-$$-$RANDOM

host_user=
find_user()
{
	[ -z "$host_user" ] || return 0
	if [ -z "${KNARR_TEST_USER:-}" ]; then
		# shellcheck source=tests/bats/setup_suite.bash disable=SC1091
		. "$here/../bats/setup_suite.bash"
		setup_suite
		made_user=$KNARR_TEST_USER
	fi
	host_user=${KNARR_TEST_USER:-}
	[ -n "$host_user" ] || skip 'no account could be made for an unprivileged user'
}

# ---- containers -----------------------------------------------------------------------

# as_caller COMMAND…: as whoever calls the runtime in this attack.
as_caller()
{
	if [ "$a_options" = user ]; then
		setpriv --reuid "$caller_uid" --regid "$caller_gid" --init-groups --inh-caps=-all \
			env HOME=/ XDG_RUNTIME_DIR="$fs/run" "$@"
	else
		"$@"
	fi
}

k()
{
	as_caller env KNARR_ATTACK="$secret" "$knarr" --root "$root" "$@" </dev/null
}

# The victim's command: never forever, and slowed down in every second round. In a process
# group of its own, since timeout(1) kills its child alone.
v()
{
	local slow=() group status=0
	[ "$slowed" = 0 ] || slow=("$programs/stutter")
	# shellcheck disable=SC2016 # for that shell
	setsid timeout --foreground -k 1 "$patience" "${slow[@]}" "$BASH" -c \
		'as_caller env KNARR_ATTACK="$secret" "$knarr" --root "$root" "$@"' v "$@" </dev/null >>"$work/victim.out" 2>&1 &
	group=$!
	wait $group || status=$?
	case $status in 124 | 137) kill -KILL -- -$group 2>/dev/null ;; esac
	return $status
}

make_rootfs()
{
	mkdir -p "$1"/{bin,dev,proc,sys,tmp,out,etc,root}
	cp "$(command -v busybox)" "$1/bin/busybox" || broken 'static busybox'
	ln "$1/bin/busybox" "$1/bin/true"
	cp "$programs/attacker" "$1/attacker"
	chmod 0777 "$1/out"
}

mapping()
{
	if [ "$a_options" = user ]; then
		echo "[{containerID: 0, hostID: $1, size: 1}]"
	else
		echo '[{containerID: 0, hostID: 100000, size: 65536}]'
	fi
}

# caps LIST: a JSON list.
caps()
{
	[ "$1" = - ] && echo '[]' && return
	printf '["CAP_%s"]' "${1//,/\",\"CAP_}"
}

# make_config FILE FILTER: from what `knarr spec` says.
make_config()
{
	local spec=()
	[ "$a_options" != user ] || spec=(--rootless)
	"$knarr" spec "${spec[@]}" -f "$1.spec" || broken 'the config'
	jq --arg mark "${KNARR_TEST_MARK:-}" "
		.process.terminal = false | .root.readonly = false | .root.path = \"$work/rootfs\"
		| .process.rlimits = [{type: \"RLIMIT_NOFILE\", hard: 1111, soft: 1111}]
		| .process.env += [\"KNARR_TEST_MARK=\" + \$mark] | .process.args = [\"/bin/true\"]
		| .process.capabilities |= {bounding: [], effective: [], permitted: []} | $2" "$1.spec" >"$1" || broken 'the config'
}

in_userns()
{
	echo ".linux.namespaces |= (map(select(.type != \"user\")) + [{type: \"user\"}])
		| .linux.uidMappings = $(mapping "$caller_uid") | .linux.gidMappings = $(mapping "$caller_gid")"
}

make_attacker_config()
{
	local filter
	filter=".process.user = {uid: $a_uid, gid: $a_uid} | .process.capabilities |= map_values($(caps "$a_caps"))"
	case $a_options in
	userns | user) filter+=" | $(in_userns)" ;;
	notify)
		filter+=" | .linux.seccomp = {defaultAction: \"SCMP_ACT_ALLOW\", listenerPath: \"$work/agent\",
			syscalls: [{names: [\"mknod\", \"mknodat\"], action: \"SCMP_ACT_NOTIFY\"}]}"
		;;
	esac
	make_config "$work/a/config.json" "$filter"
}

make_victim_config()
{
	local filter='.'
	# The attacker may be one that the kernel does not let look at its namespaces: by its pid.
	filter+=" | .linux.namespaces |= map(if .type == \"pid\" then .path = \"/proc/$a_pid/ns/pid\" else . end)"
	case $b_options in
	userns) # as Podman does it: a procfs of that pid namespace cannot be mounted anew
		filter+=" | $(in_userns) | .mounts[0] = {destination: \"/proc\", type: \"bind\", source: \"/proc\", options: [\"rbind\"]}"
		;;
	pod)
		filter+=" | .linux.namespaces |= (map(select(.type != \"user\")) + [{type: \"user\", path: \"/proc/$a_pid/ns/user\"}])
			| del(.linux.uidMappings, .linux.gidMappings)"
		;;
	filter) # to load it takes a capability that the program may not have
		filter+=' | .process.noNewPrivileges = false | .linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW",
			syscalls: [{names: ["mknod", "mknodat"], action: "SCMP_ACT_ERRNO"}]}'
		;;
	hook) filter+=' | .hooks.startContainer = [{path: "/bin/true"}]' ;;
	esac
	[ "$a_options" != host ] || filter='.process.args = ["/bin/true"]'
	make_config "$work/b/config.json" "$filter"
}

# ---- the attacker ------------------------------------------------------------------------

# What the victim's program will have: the attacker counts what is more.
final()
{
	local caps=0 uid=0 seccomp=0 list
	case $b_how in exec | tty | control)
		uid=$a_uid
		[ "$b_options" != root ] || uid=0
		list=,$a_caps,
		[[ $list != *,SYS_PTRACE,* ]] || caps=$((caps | 1 << 19))
		[[ $list != *,SYS_ADMIN,* ]] || caps=$((caps | 1 << 21))
		[[ $list != *,CHECKPOINT_RESTORE,* ]] || caps=$((caps | 1 << 40))
		[ "$a_options" != notify ] || seccomp=2
		;;
	esac
	[ "$b_options" != filter ] || seccomp=2
	# Seen from outside of the victim's user namespace.
	[ "$b_options" != userns ] || uid=100000
	printf 'uid=%d gid=%d caps=%x seccomp=%d nofile=1111' "$uid" "$uid" "$caps" "$seccomp"
}

attacker_options()
{
	local path kind
	for path in / "$directory" /proc; do
		echo "device=$(findmnt -n -o MAJ:MIN -T "$path" | head -n 1 | tr -d ' ')"
	done
	for kind in mnt net ipc uts; do echo "namespace=$(readlink "/proc/1/ns/$kind")"; done
	echo "namespace=$(readlink /proc/self/ns/mnt)"
	# Any user of the host can read the arguments of the command itself, and those of the
	# control are the attacker's.
	case $a_options in
	control) ;;
	host) echo "secret=$secret" ;;
	*) printf 'secret=%s\n' "$root" "$secret" ;;
	esac
	final | tr ' ' '\n'
	echo
	[ ${#ignored[@]} = 0 ] || printf 'ignore=%s\n' "${ignored[@]}"
	[[ $a_caps != *SYS_PTRACE* ]] || echo filter=late
	case $a_options in
	kill) echo signal=9 ;;
	stop) echo signal=19 ;;
	name) echo "name=$b_options" ;;
	host) echo "cgroup=$b" ;;
	*) echo stop=3 ;;
	esac
}

start_attacker()
{
	local options
	mapfile -t options < <(attacker_options)
	out=$work/rootfs/out
	local program=(/attacker)
	if [ "$a_options" = control ]; then
		# shellcheck disable=SC2016 # for that shell
		echo '"$@" & while :; do (i=0; while [ $i -lt 3000 ]; do i=$((i + 1)); done); busybox sleep 0.01; done' >"$work/rootfs/control"
		program=(/bin/busybox sh /control /attacker)
	fi
	jq '.process.args = $ARGS.positional' --args "${program[@]}" /out "${options[@]}" <"$work/a/config.json" >"$work/a/new" &&
		mv "$work/a/new" "$work/a/config.json"
	if [ "$a_options" = host ]; then
		a_pid=$BASHPID
		setpriv --reuid "$host_user" --regid "$(id -g "$host_user")" --clear-groups --inh-caps=-all \
			"$programs/attacker" "$out" "${options[@]}" &
		host_attacker=$!
	else
		k run -d --pid-file "$work/a.pid" -b "$work/a" "$a" >"$work/a.out" 2>&1 || broken "the attacker's container: $(cat "$work/a.out")"
		a_pid=$(<"$work/a.pid")
		# Other work on the machine must not make it late.
		renice -n -15 -p "$a_pid" >/dev/null 2>&1
	fi
	[ "$a_options" != name ] || return 0
	for _ in $(seq 200); do
		[ ! -s "$out/count" ] || return 0
		sleep 0.02
	done
	broken "the attacker does not run: $(cat "$work/a.out")"
}

# shellcheck disable=SC2317 # by trap
stop_attacker()
{
	[ -z "$host_attacker" ] || kill "$host_attacker"
	[ -z "$agent" ] || kill "$agent"
	k delete --force "$b" >/dev/null 2>&1
	k delete --force "$a" >/dev/null 2>&1
	[ -z "$made_user" ] || BATS_RUN_TMPDIR=$work teardown_suite
}

# ---- rounds: each leaves its exit status, and ends what it made ----------------------------

victim_exec()
{
	local user=()
	[ "$b_options" != root ] || user=(--user 0)
	v exec --env "TOKEN=$secret" "${user[@]}" "$a" /bin/true
}

victim_tty()
{
	v exec --tty --env "TOKEN=$secret" "$a" /bin/true
}

victim_run()
{
	v run -b "$work/b" "$b"
}

victim_create()
{
	local status=0
	v create -b "$work/b" "$b" || status=$?
	if [ $status = 0 ]; then
		sleep 0.02
		v start "$b" || status=$?
	fi
	k delete --force "$b" >/dev/null 2>&1
	return $status
}

victim_control()
{
	sleep 0.1
}

# Whoever holds the state's lock must not make a difference either.
victim_name()
{
	local status
	status=$(flock "$root/$a" timeout 10 "$knarr" --root "$root" state "$a" | jq -r .status)
	[ "$status" = running ] || lose "state says $status"
	if [ "$slowed" = 0 ]; then
		v exec "$a" /bin/true
	else
		patience=3
		(flock 9 && exec sleep 5) 9<"$root/$a" &
		sleep 0.1
		slowed=0 v exec "$a" /bin/true || lose 'exec waits for the lock'
		kill $! && wait $! 2>/dev/null
	fi
	return 0
}

lose()
{
	echo "$*" >>"$out/losses"
	lost_now=1
}

# The status of timeout(1) may as well be that of a program that was killed.
check_hang()
{
	[ $((SECONDS - began)) -ge "$patience" ] || return 0
	lose 'the runtime hangs: ended by the test'
	k delete --force "$b" >/dev/null 2>&1
}

# A runtime that does not end, or leaves something, after the attacker's signal.
check_left()
{
	local pid cgroup
	check_hang
	cgroup=$(findmnt -n -t cgroup2 -o TARGET | head -n 1)$(sed -n 's/^0:://p' "/proc/$a_pid/cgroup")
	for _ in $(seq 50); do
		pid=$(grep -vx "$a_pid" "$cgroup/cgroup.procs")
		[ -n "$pid" ] || [ -e "$root/$b" ] || return 0
		sleep 0.02
	done
	if [ -n "$pid" ]; then
		lose 'a process is left in the container'
		# shellcheck disable=SC2086 # one word each
		kill -KILL $pid 2>/dev/null
	fi
	if [ -e "$root/$b" ]; then
		lose 'a container is left'
		k delete --force "$b" >/dev/null 2>&1
	fi
}

counts()
{
	processes=0 losses=0 attempts=0 granted=0
	[ ! -e "$out/count" ] || read -r processes losses attempts granted <"$out/count"
}

one_round()
{
	local p l g began=$SECONDS status=0
	counts
	p=$processes l=$losses g=$granted lost_now=0
	"victim_$b_how" || status=$?
	counts
	case $a_options in
	kill | stop)
		check_left
		[ "$losses" = "$l" ] || lost_now=1
		[ "$granted" = "$g" ] || seen=$((seen + 1)) # the signal was sent
		;;
	name) seen=$((seen + 1)) ;;
	*)
		check_hang
		[ "$processes" = "$p" ] || seen=$((seen + 1))
		[ "$losses" = "$l" ] || lost_now=1
		;;
	esac
	[ $status != 0 ] || worked=$((worked + 1))
	[ $lost_now = 0 ] || lost[slowed]=$((lost[slowed] + 1))
}

# by_what FILE: ways and how many, most often first.
by_what()
{
	[ -s "$1" ] || return 0
	sed 's/ (process.*//; s/ and its Cap\(...\) is .*/ and it has more capabilities/; s/: .*//' "$1" | sort | uniq -c | sort -rn |
		awk '{ n = $1; $1 = ""; printf "%s%s %d", sep, $0, n; sep = "," }'
}

# ---- an attack -------------------------------------------------------------------------------

prepare()
{
	work=$fs/$name a=$id-$name-a b=$id-$name-b
	root=$directory/state-$name
	agent='' host_attacker='' caller_uid=0 caller_gid=0 patience=20
	mkdir -p "$work/a" "$work/b"
	make_rootfs "$work/rootfs"
	case $a_options in
	user | host) find_user ;;
	esac
	if [ "$a_options" = user ]; then
		caller_uid=$(id -u "$host_user") caller_gid=$(id -g "$host_user")
		root=$fs/state-$name
		mkdir -p "$fs/run" "$root"
		chown -R "$caller_uid:$caller_gid" "$work" "$fs/run" "$root"
	fi
	export work root knarr secret a_options caller_uid caller_gid fs
	export -f as_caller
	: >"$work/victim.out"
	if [ "$a_options" = notify ]; then
		"$programs/agent" "$work/agent" &
		agent=$!
		for _ in $(seq 100); do [ ! -S "$work/agent" ] || break; sleep 0.02; done
	fi
}

verdict()
{
	local all=$((lost[0] + lost[1])) word=held status=0
	if [ "$seen" = 0 ]; then
		word='NOT SEEN' status=4
	elif [ "$worked" = 0 ] && [ "$a_options" != kill ] && [ "$a_options" != stop ]; then
		word='BROKEN (the victim never worked)' status=5
	elif [ $all != 0 ]; then
		word=lost status=10
	fi
	printf '%-16s| %-3s| %6d | %6d | %5d | %5d | %5d | %9d | %7d | %s:%s\n' "$name" "$row" "$done_" "$((done_ - worked))" "$seen" "${lost[0]}" "${lost[1]}" \
		"$attempts" "$granted" "$word" "$(by_what "$out/losses")"
	[ -z "$verbose" ] || sed 's/^/    the victim: /' "$work/victim.out" | sort | uniq -c
	[ -z "$verbose" ] || [ ! -s "$out/losses" ] || sed 's/ (process.*//; s/^/    /' "$out/losses" | sort | uniq -c | sort -rn
	[ $status -lt 4 ] || [ $status = 10 ] || tail -n 3 "$work/victim.out" >&2
	return $status
}

attack()
{
	local seen=0 worked=0 done_=0 lost=(0 0) slowed lost_now out
	read -r name row a_uid a_caps a_options b_how b_options _ < <(grep "^$1 " <<<"$attacks")
	[ -n "$name" ] || broken "$1: no such attack (--list)"
	prepare
	trap stop_attacker EXIT
	make_attacker_config
	start_attacker
	make_victim_config
	# A machine that is busy may need more until the attacker is there in time.
	while [ $done_ -lt "$rounds" ] || { [ $seen = 0 ] && [ $done_ -lt $((rounds * 10)) ]; }; do
		slowed=$((done_ % 2))
		# What slows down would end the stop.
		[ "$a_options" != stop ] || slowed=0
		one_round
		done_=$((done_ + 1))
		[ -z "$quick" ] || [ $((lost[0] + lost[1])) = 0 ] || break
		# Each of these takes seconds.
		case $a_options in stop | name) [ $((lost[0] + lost[1])) -lt 3 ] || break ;; esac
	done
	verdict
}

# ---- all of them --------------------------------------------------------------------------------

main()
{
	local list status worst=77
	mapfile -t list < <(if [ $# -gt 0 ]; then printf '%s\n' "$@"; else awk 'NF { print $1 }' <<<"$attacks"; fi)
	printf '%-16s| %-3s| %6s | %6s | %5s | %5s | %5s | %9s | %7s |\n' attack row rounds failed seen lost slow attempts granted
	for one in "${list[@]}"; do
		(attack "$one") 2>"$directory/reason"
		status=$?
		[ $status = 0 ] || [ $status = 10 ] || printf '%-16s| %s\n' "$one" "$(tail -n 3 "$directory/reason")"
		case $status,$worst in
		0,77) worst=0 ;;
		10,77 | 10,0) worst=10 ;;
		77,* | 0,* | 10,*) ;;
		*) worst=$status ;;
		esac
	done
	if [ "$(sha256sum <"$knarr")" != "$before" ]; then
		echo 'the runtime was overwritten'
		worst=10
	fi
	return $worst
}

main "$@"
