#!/usr/bin/env bash
# Runs tests of whole containers on another kernel (Debian's) and on a host that
# has all controllers in cgroup2, in virtual machines:
#
#   tests/vm/run.sh                limits, statistics, overlays and ordinary users; checkpoint and
#                                  restore, if criu is installed; then systemd.bats
#                                  below a running systemd
#   tests/vm/run.sh FILE.bats …    these files instead
#   tests/vm/run.sh --systemd FILE.bats …   these, below systemd
#   tests/vm/run.sh --selinux FILE.bats …   these, with SELinux instead of AppArmor
#
# Needs the packages that `tests/vm/vmrun --missing` prints, and bats, jq and
# busybox-static as the tests themselves. $KNARR is the program; else one is
# looked for in the build folders. Prints TAP; the status is 1 if a test failed.
# $FILTER, if set, is passed to bats -f. About five minutes by emulation.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)

find_knarr()
{
	local dir
	for dir in "$top/build" "$top" "$top"/build-*/gcc "$top/build-try"; do
		[ ! -x "$dir/knarr" ] || {
			echo "$dir/knarr"
			return
		}
	done
	echo 'no knarr found: build it, or set KNARR' >&2
	return 1
}

# The guest sees neither /tmp nor what an ordinary user may not enter: the program
# and the tests go there as a copy.
prepare()
{
	work=$(mktemp -d)
	trap 'rm -rf "$work"' EXIT
	mkdir -p "$work/tests"
	cp "$(realpath "${KNARR:-$(find_knarr)}")" "$work/knarr"
	cp -R "$top/tests/bats" "$top/tests/vm" "$top/tests/preload" "$top/tests/spec" "$work/tests/"
	cat >"$work/inside" <<-'END'
		set -e
		work=$1
		shift
		mkdir /scratch/knarr /scratch/tmp
		cp -R "$work"/. /scratch/knarr
		chmod -R go+rX /scratch/knarr
		chmod 1777 /scratch/tmp
		cd /scratch/knarr
		export TMPDIR=/scratch/tmp KNARR=/scratch/knarr/knarr
		[ -z "$PROPERTIES" ] || export KNARR_TEST_PROPERTIES=/scratch/properties
		status=0
		bats --tap ${FILTER:+-f "$FILTER"} "$@" || status=$?
		[ ! -e /scratch/properties ] || cp /scratch/properties "$work/properties"
		exit $status
	END
}

# in_machine [VMRUN-OPTION…] -- FILE…: names as the guest has them.
in_machine()
{
	local options=()
	while [ "$1" != -- ]; do
		options+=("$1")
		shift
	done
	shift
	local status=0
	"$here/vmrun" --timeout "${TIMEOUT:-1800}" --writable "$work" --env "FILTER=${FILTER:-}" \
		--env "PROPERTIES=${KNARR_TEST_PROPERTIES:-}" \
		${options[@]+"${options[@]}"} -- bash "$work/inside" "$work" "$@" || status=$?
	[ ! -s "$work/properties" ] || cat "$work/properties" >>"$KNARR_TEST_PROPERTIES"
	rm -f "$work/properties"
	return $status
}

guest_names()
{
	local file
	for file in "$@"; do
		file=$(realpath "$file")
		echo "${file#"$top/"}"
	done
}

missing=$("$here/vmrun" --missing | paste -sd ' ')
if [ -n "$missing" ]; then
	echo "1..0 # SKIP not installed: $missing"
	exit 0
fi
selinux=(--kernel 'security=selinux selinux=1 enforcing=0')
options=()
case ${1:-} in
--systemd) options=(--systemd) ;;
--selinux) options=("${selinux[@]}") ;;
esac
[ ${#options[@]} = 0 ] || shift
prepare
if [ $# -gt 0 ]; then
	mapfile -t files < <(guest_names "$@")
	in_machine ${options[@]+"${options[@]}"} -- "${files[@]}"
	exit
fi
status=0
in_machine -- tests/bats/limits.bats tests/bats/stats.bats tests/bats/labels.bats || status=$?
in_machine "${selinux[@]}" -- tests/bats/labels.bats || status=$?
in_machine -- tests/vm/criu.bats || status=$?
in_machine --systemd -- tests/vm/systemd.bats tests/vm/systemd_driver.bats || status=$?
exit $status
