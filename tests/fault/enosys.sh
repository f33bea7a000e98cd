#!/usr/bin/env bash
# Runs the container tests as on kernels without some system calls, one kind after
# the other.
#
#   tests/fault/enosys.sh [MODE…] [-- FILE.bats…]
#
# MODE: openat2, clone3, mount_setattr, mounts (open_tree, fsopen, fsconfig, fsmount,
# move_mount), pidfd_open, close_range, cgroup.kill; without any: all of them. FILE:
# tests of tests/bats; without any: all. KNARR is the program. Needs root, a C
# compiler, libseccomp, and what the tests need.
#
# Where knarr has another way (close_range, cgroup.kill) every test must pass. The
# other calls are required: then a test passes, is skipped, or fails because a knarr
# in it ended with the one error that names the call; and nothing is ever left,
# which each test looks for at its end. The filter is around bats itself, so that
# an ordinary user's knarr, which root's tests start, needs no no_new_privs.
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)

[ "$(id -u)" = 0 ] || {
	echo 'enosys.sh needs root' >&2
	exit 2
}
modes=() files=()
while [ $# -gt 0 ]; do
	case $1 in
	--)
		shift
		files=("$@")
		break
		;;
	-*)
		sed -n '2,/^set/{/^#/s/^# \{0,1\}//p}' "$0" >&2
		exit 2
		;;
	*) modes+=("$1") ;;
	esac
	shift
done
[ ${#modes[@]} -gt 0 ] || modes=(openat2 clone3 mount_setattr mounts pidfd_open close_range cgroup.kill)
[ ${#files[@]} -gt 0 ] || files=("$top"/tests/bats/*.bats)

REAL=$(realpath "${KNARR:-$top/build/knarr}")
T=$(mktemp -d /tmp/knarr-enosys.XXXXXX)
chmod 0755 "$T"
trap 'rm -rf "$T"' EXIT
${CC:-cc} -O1 -D_GNU_SOURCE -o "$T/without" "$top/tests/fault/without.c" -lseccomp || exit 2
${CC:-cc} -O1 -D_GNU_SOURCE -shared -fPIC -o "$T/no_cgroup_kill.so" "$top/tests/fault/no_cgroup_kill.c" || exit 2
install -m 0755 "$REAL" "$T/real"

# knarr for the tests of required calls: it writes down its errors, test by test.
make_recorder()
{
	mkdir -p "$T/errors"
	chmod 0777 "$T/errors"
	cat >"$T/knarr" <<-END
		#!/bin/bash
		log=$T/errors/\${BATS_TEST_FILENAME##*/}-\${BATS_TEST_NUMBER:-0}
		[ -e "\$log" ] || { : >>"\$log" && chmod 0666 "\$log"; }
		exec "$T/real" --log "\$log" "\$@"
	END
	chmod 0755 "$T/knarr"
}

# with_mode MODE COMMAND…
with_mode()
{
	local mode=$1
	shift
	case $mode in
	cgroup.kill) LD_PRELOAD=$T/no_cgroup_kill.so "$@" ;;
	mounts) "$T/without" open_tree,fsopen,fsconfig,fsmount,move_mount "$@" ;;
	*) "$T/without" "$mode" "$@" ;;
	esac
}

# The failed tests of one file that no error of ours explains.
unexplained()
{
	local file=$1 message=$2 number title
	sed -n 's/^not ok \([0-9]*\) /\1 /p' "$T/tap" | while read -r number title; do
		grep -qF "$message" "$T/errors/$file-$number" 2>/dev/null || echo "$file: not ok $number $title"
	done
	# Programs that a test itself started and that wait for a container may be left.
	awk -v file="$file" '/^# left processes:/ { list = 1; next }
		list && /^# [0-9]+ / { if ($3 ~ /(^|\/)(real|knarr[^\/]*)$/) print file ": " $0; next }
		{ list = 0 }
		/^# left / { print file ": " $0 }' "$T/tap"
}

run_required()
{
	local mode=$1 call=$1 file found=0 ok=0 failed=0
	[ "$mode" != mounts ] || call=open_tree
	rm -rf "$T/errors"
	make_recorder
	for file in "${files[@]}"; do
		with_mode "$mode" env KNARR="$T/knarr" bats --tap "$file" >"$T/tap" 2>&1
		ok=$((ok + $(grep -c '^ok ' "$T/tap"))) failed=$((failed + $(grep -c '^not ok ' "$T/tap")))
		unexplained "${file##*/}" "($call)" >"$T/unexplained"
		cat "$T/unexplained"
		[ ! -s "$T/unexplained" ] || found=$((found + $(wc -l <"$T/unexplained")))
	done
	echo "# without $mode: $ok tests pass or are skipped, $failed end with the error that names it, $found do something else"
	[ $found = 0 ] && [ $failed -gt 0 ]
}

run_fallback()
{
	local mode=$1 status
	with_mode "$mode" env KNARR="$T/real" bats --tap "${files[@]}" >"$T/tap" 2>&1
	status=$?
	grep -A30 '^not ok ' "$T/tap"
	echo "# without $mode: $(grep -c '^ok ' "$T/tap") tests pass or are skipped, $(grep -c '^not ok ' "$T/tap") fail"
	return $status
}

bad=0
for mode in "${modes[@]}"; do
	case $mode in
	close_range | cgroup.kill) run_fallback "$mode" || bad=1 ;;
	openat2 | clone3 | mount_setattr | mounts | pidfd_open) run_required "$mode" || bad=1 ;;
	*)
		echo "no such mode: $mode" >&2
		exit 2
		;;
	esac
done
exit $bad
