# Shared by all container tests. A .bats file says
#
#	load helpers
#	setup() { container_setup; }
#	teardown() { container_teardown; }
#
# and each of its tests then has, for itself alone:
#	$KNARR    the program under test (from the environment, or a build directory)
#	$T        a temporary directory, removed at the end
#	$ROOT     the state root (--root) in it
#	$ID       a container id that no other test uses
# container_teardown fails the test when anything of it is left on the host: a
# process, mount, cgroup, state directory or keyring.
# shellcheck shell=bash

# ---- the program under test -----------------------------------------------------

find_knarr()
{
	local top dir
	top=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
	if [ -n "${KNARR:-}" ]; then
		KNARR=$(command -v "$KNARR") || {
			echo "KNARR=$KNARR is not a program" >&2
			return 1
		}
		KNARR=$(realpath "$KNARR")
		return
	fi
	for dir in "$top/build" "$top" "$top"/build-*/gcc "$top/build-try"; do
		if [ -x "$dir/knarr" ]; then
			KNARR=$dir/knarr
			return
		fi
	done
	echo 'no knarr found: build it, or set KNARR' >&2
	return 1
}

# knarr ARGUMENTS...: with this test's state root.
knarr()
{
	local status=0
	if [ -z "${KNARR_TEST_PROPERTIES:-}" ]; then
		"$KNARR" --root "$ROOT" "$@"
		return
	fi
	"$KNARR" --root "$ROOT" "$@" || status=$?
	[ $status != 0 ] || record_properties "$@"
	return $status
}

# record_properties ARGUMENTS…: after knarr did its work with these: the test's name, the
# configuration that it worked with, and what that is a part of, go to the file
# KNARR_TEST_PROPERTIES, for tests/spec/properties.sh. For tests that do not call
# knarr by the function above. A container's config says nothing to create about
# execCPUAffinity, which is for exec; what exec and update are given counts alone.
record_properties()
{
	local command=$1 bundle=$BUNDLE file='' part=config config title
	[ -n "${KNARR_TEST_PROPERTIES:-}" ] || return 0
	shift
	while [ $# -gt 0 ]; do
		case $1 in
		-b | --bundle) bundle=$2 ;;
		--bundle=*) bundle=${1#*=} ;;
		-p | --process | -r | --resources | -f | --config) file=$2 ;;
		--process=* | --resources=* | --config=*) file=${1#*=} ;;
		--) break ;;
		esac
		shift
	done
	case $command${file:+ FILE} in
	run | create) file=$bundle/config.json ;;
	'run FILE' | 'create FILE') ;;
	exec) file=$bundle/config.json part=affinity ;;
	'exec FILE') part=process ;;
	'update FILE') part=resources ;;
	*) return 0 ;;
	esac
	[ -f "$file" ] || return 0 # a container of another bundle, or standard input
	config=$(<"$file")
	[ $part != affinity ] || [[ $config == *execCPUAffinity* ]] || return 0
	title="bats/${BATS_TEST_FILENAME##*/}: $BATS_TEST_DESCRIPTION"
	title=${title//\\/\\\\}
	printf '{"test": "%s", "part": "%s", "config": %s}\n' "${title//\"/\\\"}" $part "$config" >>"$KNARR_TEST_PROPERTIES"
}

# ---- a test's own place ---------------------------------------------------------

# bats notes before each command where it stands, which takes it longer than most of
# these take. It does so for a test's own lines, and not within what is called here, nor at
# its end (set +T).
container_setup()
{
	bats_require_minimum_version 1.5.0
	set +T
	find_knarr || return 1
	export KNARR
	T=$(mktemp -d "${TMPDIR:-/tmp}/knarr-test.XXXXXX")
	chmod 0711 "$T" # unprivileged users of as_user() reach their part of it
	ROOT=$T/state
	ID=t$$-$BATS_TEST_NUMBER
	OWN_CGROUPS=() OWN_STATE=
	BUNDLE=$T/bundle
	# Every process that a test starts inherits this, and make_bundle gives it to the
	# container's program: so a process that outlives its test is found and named.
	export KNARR_TEST_MARK=$T
	export T ROOT ID BUNDLE
	CGROUP_MOUNT=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
	leaks_before
	set -T
}

container_teardown()
{
	[ -n "${T:-}" ] || return 0
	local status=0
	set +T
	if [ -z "${BATS_TEST_SKIPPED:-}" ]; then
		[ -n "${BATS_TEST_COMPLETED:-}" ] || remove_own_directories
		leaks_after || status=1
		remember_keyring
	fi
	if [ $status != 0 ] || [ -n "${BATS_TEST_SKIPPED:-}" ]; then remove_leftovers; fi
	cd / || return 1
	rm -rf --one-file-system "$T"
	return $status
}

# own_cgroups DIRECTORY…: makes them, for the test to remove. One that fails before is not
# said to have left them, only what knarr left in them.
own_cgroups()
{
	mkdir "$@" && OWN_CGROUPS+=("$@")
}

# The same for the state directory of $ID.
own_state()
{
	mkdir -p "$ROOT/$ID" && OWN_STATE=$ROOT/$ID
}

remove_own_directories()
{
	local i
	for ((i = ${#OWN_CGROUPS[@]} - 1; i >= 0; i--)); do
		rmdir "${OWN_CGROUPS[i]}" 2>/dev/null
	done
	[ -z "$OWN_STATE" ] || rm -rf "$OWN_STATE"
}

# ---- what must not be left ------------------------------------------------------

cgroup_mount()
{
	echo "$CGROUP_MOUNT"
}

# Names of the cgroups that belong to this test: its id is in the name.
test_cgroups()
{
	[ -z "$CGROUP_MOUNT" ] || find "$CGROUP_MOUNT" -type d -name "*$ID*" 2>/dev/null
}

# Processes of this test but for this shell and its own children now: pid and name.
test_processes()
{
	local environ pid
	env -u KNARR_TEST_MARK grep -alzx "KNARR_TEST_MARK=$T" /proc/[0-9]*/environ 2>/dev/null | while read -r environ; do
		pid=${environ#/proc/}
		pid=${pid%/environ}
		case " $$ $BASHPID $PPID ${BATS_LEAK_IGNORE:-} " in
		*" $pid "*) continue ;;
		esac
		# A shell function in a pipe is a fork of this very process: same environment,
		# same command line.
		cmp -s "/proc/$pid/cmdline" "/proc/$$/cmdline" && continue
		printf '%s %s\n' "$pid" "$(tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null)"
	done
}

test_state_dirs()
{
	local root
	for root in "$ROOT" "$T"/state-*; do
		[ -d "$root" ] && find "$root" -mindepth 1 -maxdepth 1 -type d -name "*$ID*"
	done
	return 0
}

# Session keyrings bear the container's id. They live as long as the credentials of
# a dead process, so until it is reaped; the init of a container that was only created
# is reaped by pid 1, which on some machines looks every few seconds. So they are
# not waited for after each test but once, in setup_suite.bash.
remember_keyring()
{
	echo "$ID $BATS_TEST_DESCRIPTION" >>"$BATS_RUN_TMPDIR/knarr-ids"
}

# Mounts of this test: its directory or its container's id is in the line. What others on
# the machine mount meanwhile is theirs. Of the mounts that all share, the root alone is
# looked at: a container's propagation would show there.
test_mounts()
{
	grep -F -e "$T" -e "$ID" /proc/self/mountinfo
	awk '$5 == "/"' /proc/self/mountinfo
}

leaks_before()
{
	LEAKS_MOUNTS=$(test_mounts)
}

leaks_now()
{
	local mounts list
	mounts=$(test_mounts)
	[ "$mounts" = "$LEAKS_MOUNTS" ] ||
		printf 'left or changed mounts:\n%s\n' "$(diff <(echo "$LEAKS_MOUNTS") <(echo "$mounts"))"
	list=$(test_processes)
	[ -z "$list" ] || printf 'left processes:\n%s\n' "$list"
	list=$(test_cgroups)
	[ -z "$list" ] || printf 'left cgroups:\n%s\n' "$list"
	list=$(test_state_dirs)
	[ -z "$list" ] || printf 'left state directories:\n%s\n' "$list"
}

leaks_after()
{
	local found
	for _ in {1..100}; do
		found=$(leaks_now)
		[ -n "$found" ] || return 0
		sleep 0.1
	done
	echo "$found"
	return 1
}

# So that one failing test does not spoil the next: ends what is left.
remove_leftovers()
{
	local pid rest dir
	while read -r pid rest; do
		kill -KILL "$pid" 2>/dev/null
	done < <(test_processes)
	grep -F " $T" /proc/self/mountinfo | awk '{ print $5 }' | sort -r | while read -r dir; do
		umount -l "$dir"
	done
	test_cgroups | sort -r | while read -r dir; do
		[ ! -w "$dir/cgroup.kill" ] || echo 1 >"$dir/cgroup.kill"
		for _ in 1 2 3 4 5; do
			rmdir "$dir" 2>/dev/null && break
			sleep 0.1
		done
	done
	return 0
}

# ---- root file systems and bundles ----------------------------------------------

# make_rootfs DIRECTORY: busybox and a link for each of its programs. The links, some
# hundreds, are made once for all tests, and by one process: in an emulated machine,
# one that starts costs a tenth of a second.
make_rootfs()
{
	local root=$1 links=$BATS_SUITE_TMPDIR/applets
	if [ ! -d "$links" ]; then
		mkdir -p "$links.$$"
		busybox --list | (cd "$links.$$" && perl -nle 'symlink "busybox", $_ if $_ ne "busybox"')
		mv -T "$links.$$" "$links" 2>/dev/null || rm -rf "$links.$$"
	fi
	mkdir -p "$root"/{dev,etc,proc,sys,tmp,root,run,home}
	cp -a "$links" "$root/bin"
	cp "$(command -v busybox)" "$root/bin/busybox"
	printf '%s\n' root:x:0:0:root:/root:/bin/sh user:x:1000:1000:user:/home:/bin/sh >"$root/etc/passwd"
	printf '%s\n' root:x:0: user:x:1000: >"$root/etc/group"
}

# make_bundle [JQ-FILTER [COMMAND...]]: the config of `knarr spec` in $BUNDLE, without a
# terminal, with a root file system of its own; its program is the command. ROOTLESS=1:
# for an unprivileged user.
make_bundle()
{
	local config=$BATS_SUITE_TMPDIR/config-$EUID${ROOTLESS:+-rootless}.json
	mkdir -p "$BUNDLE"
	make_rootfs "$BUNDLE/rootfs"
	[ -e "$config" ] || make_first_config "$config" || return 1
	config=$(<"$config")
	echo "${config//@MARK@/"$T"}" >"$BUNDLE/config.json"
	[ $# = 0 ] || edit_bundle_to_run "$@"
}

# make_first_config FILE: what all bundles begin with, once.
make_first_config()
{
	"$KNARR" spec ${ROOTLESS:+--rootless} -f "$1.spec.$$" &&
		jq '.process.terminal = false | .process.env += ["KNARR_TEST_MARK=@MARK@"]' "$1.spec.$$" >"$1.$$" &&
		mv "$1.$$" "$1"
}

# edit_bundle JQ-FILTER [JQ-ARGUMENTS...]
edit_bundle()
{
	local filter=$1
	shift
	jq "$@" "$filter" "$BUNDLE/config.json" >"$BUNDLE/config.json.new" && mv "$BUNDLE/config.json.new" "$BUNDLE/config.json"
}

# edit_bundle_to_run JQ-FILTER [COMMAND...]: and what the container executes. Each word
# travels as a variable: jq would take one that begins with a dash for an option.
edit_bundle_to_run()
{
	local filter=$1 word list='' n=0 variables=()
	shift
	for word in "$@"; do
		variables+=(--arg "a$n" "$word")
		list+="${list:+, }\$a$n"
		n=$((n + 1))
	done
	edit_bundle "$filter${list:+ | .process.args = [$list]}" "${variables[@]}"
}

# bundle_runs COMMAND...: what the container executes.
bundle_runs()
{
	edit_bundle_to_run . "$@"
}

# A shell line instead.
bundle_runs_sh()
{
	bundle_runs /bin/sh -c "$1"
}

# resources JQ-OBJECT [COMMAND...]: linux.resources, and what the container executes.
resources()
{
	edit_bundle_to_run ".linux.resources = $1" "${@:2}"
}

# sees FILTER SHELL-LINE: what the line prints under the config changed by FILTER.
sees()
{
	edit_bundle_to_run "$1" /bin/sh -c "$2"
	knarr run -b "$BUNDLE" "$ID"
}

# refuses FILTER WORD...: the config is an error that holds the words, and no container.
refuses()
{
	local before word
	before=$(<"$BUNDLE/config.json")
	edit_bundle "$1"
	run -1 knarr run -b "$BUNDLE" "$ID"
	shift
	# shellcheck disable=SC2154
	for word in "$@"; do [[ "$output" == *"$word"* ]] || return 1; done
	run ! knarr state "$ID"
	echo "$before" >"$BUNDLE/config.json"
}

# ---- what a test needs ----------------------------------------------------------
# Each skips the test with a reason when the machine lacks it.

requires_root()
{
	[ "$(id -u)" = 0 ] || skip 'needs root'
}

requires_command()
{
	local c
	for c in "$@"; do
		command -v "$c" >/dev/null || skip "$c is not installed"
	done
}

# requires_cap NUMBER NAME
requires_cap()
{
	local eff
	eff=$((16#$(sed -n 's/^CapEff:\t//p' /proc/self/status)))
	[ $((eff >> $1 & 1)) = 1 ] || skip "$2 is missing"
}

requires_user_ns()
{
	as_user unshare --user true 2>/dev/null || skip 'unprivileged users may not make user namespaces here'
}

requires_cgroup2()
{
	[ -n "$(cgroup_mount)" ] || skip 'cgroup2 is not mounted'
}

# requires_controller NAME: offered by cgroup2.
requires_controller()
{
	requires_cgroup2
	grep -qw "$1" "$(cgroup_mount)/cgroup.controllers" || skip "the cgroup2 controller $1 is not to be had here"
}

# requires_kernel MAJOR MINOR
requires_kernel()
{
	local major minor
	IFS=.- read -r major minor _ < <(uname -r)
	[ "$major" -gt "$1" ] || { [ "$major" = "$1" ] && [ "$minor" -ge "$2" ]; } || skip "needs Linux $1.$2"
}

# ---- an unprivileged user -----------------------------------------------------------

# Names of an account with ranges in /etc/subuid and /etc/subgid: whoever runs the
# tests, or the one that setup_suite.bash makes for root.
unprivileged_user()
{
	if [ "$(id -u)" != 0 ]; then
		id -un
	else
		echo "${KNARR_TEST_USER:-}"
	fi
}

requires_unprivileged_user()
{
	local user
	user=$(unprivileged_user)
	[ -n "$user" ] || skip 'no account could be made for an unprivileged user'
	if ! grep -q "^$user:" /etc/subuid || ! grep -q "^$user:" /etc/subgid; then
		skip "$user has no ranges in /etc/subuid and /etc/subgid"
	fi
}

# as_user COMMAND...: as that user, who finds $T/user writable. XDG_RUNTIME_DIR is there.
as_user()
{
	(exec_as_user "$@")
}

# The same in place of the shell, so that no process of root's stays beside the user's.
exec_as_user()
{
	local user uid gid
	user=$(unprivileged_user)
	if [ "$(id -u)" != 0 ]; then
		mkdir -p "$T/user"
		exec env XDG_RUNTIME_DIR="$T/user" "$@"
	fi
	uid=$(id -u "$user") gid=$(id -g "$user")
	[ -d "$T/user" ] || install -d -o "$uid" -g "$gid" -m 0755 "$T/user"
	exec setpriv --reuid "$uid" --regid "$gid" --init-groups --inh-caps=-all \
		env HOME="$T/user" USER="$user" LOGNAME="$user" XDG_RUNTIME_DIR="$T/user" "$@"
}

# Puts a copy of the program where that user may execute it; use it as $KNARR.
knarr_for_user()
{
	[ "$(id -u)" = 0 ] || return 0
	install -m 0755 "$KNARR" "$T/knarr"
	KNARR=$T/knarr
}

# For a test of annotations that reach the host, which take an option for root.
allow_annotations()
{
	printf '#!/bin/sh\nexec "%s" --allow-annotations=all "$@"\n' "$KNARR" >"$T/knarr-all"
	chmod 0755 "$T/knarr-all"
	KNARR=$T/knarr-all
}

# ---- containers -----------------------------------------------------------------

# wait_status ID STATUS: until `state` says so; 5 s at most.
wait_status()
{
	for _ in $(seq 100); do
		[[ $(knarr state "$1") != *"\"status\": \"$2\""* ]] || return 0
		sleep 0.05
	done
	echo "container $1 did not become $2"
	return 1
}

# knarr_with_fds SHELL-CODE ARGUMENTS...: knarr with the descriptors and variables
# that the code makes; bats' own descriptors are closed first.
knarr_with_fds()
{
	local code=$1
	shift
	# shellcheck disable=SC2016
	bash -c 'for fd in /proc/self/fd/*; do fd=${fd##*/}; [ "$fd" -le 2 ] || eval "exec $fd>&-"; done; '"$code"'
		exec "$KNARR" --root "$ROOT" "$@"' knarr "$@"
}

is_sanitized()
{
	{ ldd "$KNARR"; nm -D "$KNARR"; } 2>/dev/null | grep -qE 'lib(a|ub)san|__asan_init'
}

# A sanitizer's leak checker cannot work in a program that is traced, and its
# allocator must be the first library.
# A library can be preloaded: into $KNARR, or else into the same built with shared libraries.
requires_preload()
{
	! is_static "$KNARR" || {
		[ -n "${KNARR_SHARED:-}" ] || skip 'a static program preloads nothing, and KNARR_SHARED names no build with shared libraries'
		KNARR=$(realpath "$KNARR_SHARED")
	}
}

# A program that names no dynamic loader; that name is near the begin of the file.
is_static()
{
	! head -c 4096 "$1" | grep -aq '/ld-'
}

requires_no_sanitizer()
{
	! is_sanitized ||
		skip "$1; the other builds are tested"
}

# seccomp_agent SOCKET OUT [N]: takes N listeners, one after the other (1), writes the
# container process state of each as a line, and answers every request of the last
# with errno 95 until it hangs up.
seccomp_agent()
{
	python3 - "$1" "$2" "${3:-1}" <<'X'
import array, fcntl, os, select, socket, struct, sys
s = socket.socket(socket.AF_UNIX)
s.bind(sys.argv[1] + '.new')
s.listen(2)
os.rename(sys.argv[1] + '.new', sys.argv[1])
s.settimeout(20)
out = open(sys.argv[2], 'wb')
for i in range(int(sys.argv[3])):
    c, _ = s.accept()
    msg, anc, _, _ = c.recvmsg(65536, 4096)
    fd = array.array('i', anc[0][2])[0]
    while True:
        more = c.recv(65536)
        if not more:
            break
        msg += more
    out.write(msg + b'\n')
    out.flush()
poll = select.poll()
poll.register(fd, select.POLLIN)
while True:
    events = poll.poll(20000)
    if not events or events[0][1] & select.POLLHUP:
        break
    buf = bytearray(80)
    fcntl.ioctl(fd, 0xc0502100, buf)      # SECCOMP_IOCTL_NOTIF_RECV
    nid = struct.unpack_from('Q', buf)[0]
    fcntl.ioctl(fd, 0xc0182101, struct.pack('QqiI', nid, 0, -95, 0))  # _SEND
X
}

# program_setup: for tests of the program alone, without a container: its name in $KNARR,
# a directory of the test's own in $T, a state root in $ROOT. `rm -rf` it afterwards.
program_setup()
{
	bats_require_minimum_version 1.5.0
	find_knarr
	export KNARR
	T=$(mktemp -d "${TMPDIR:-/tmp}/knarr-test.XXXXXX")
	ROOT=$T/state
}

# receive_console SOCKET [LINE]: takes one console, types the line, and prints what comes
# out of it, as it comes, until the last program closes it.
receive_console()
{
	python3 - "$@" <<'X'
import array, os, socket, sys
s = socket.socket(socket.AF_UNIX)
s.bind(sys.argv[1] + '.new')
s.listen(1)
os.rename(sys.argv[1] + '.new', sys.argv[1])
s.settimeout(60)
c, _ = s.accept()
msg, anc, _, _ = c.recvmsg(4096, 4096)
fd = array.array('i', anc[0][2])[0]
if len(sys.argv) > 2:
    os.write(fd, sys.argv[2].encode() + b'\n')
held = b''
while True:
    try:
        data = os.read(fd, 4096)
    except OSError:
        break
    if not data:
        break
    data = held + data
    held = b'\r' if data.endswith(b'\r') else b''
    os.write(1, data[:len(data) - len(held)].replace(b'\r\n', b'\n'))
os.write(1, held)
X
}

# done_with_error PID: waits for this child of the test (which run cannot), which must fail.
done_with_error()
{
	! wait "$1"
}

# stop_after FILTERS… -- ARGUMENTS…: knarr with these, which is stopped after its first system call
# that the filters of strace(1) let through; in the background, STOPPED is its pid.
stop_after()
{
	local filters=()
	while [ "$1" != -- ]; do
		filters+=("$1")
		shift
	done
	shift
	rm -f "$T/trace-$1" # of an earlier one
	strace -D -qq -o "$T/trace-$1" -e signal=STOP "${filters[@]}" "$KNARR" --root "$ROOT" "$@" 3>&- &
	# shellcheck disable=SC2034
	STOPPED=$! # for the caller
	for _ in $(seq 200); do
		! grep -q 'stopped by SIGSTOP' "$T/trace-$1" 2>/dev/null || return 0
		sleep 0.05
	done
	return 1
}

# wait_for_file PATH: until there is something, at most 10 seconds.
wait_for_file()
{
	for _ in $(seq 200); do
		[ ! -e "$1" ] || return 0
		sleep 0.05
	done
	return 1
}
