#!/usr/bin/env bash
# Runs tests of whole containers on another kernel (Debian's) and on a host that
# has all controllers in cgroup2, in virtual machines:
#
#   tests/vm/run.sh                all of them (machines() below), as many at once as there
#                                  are CPUs
#   tests/vm/run.sh --list         which machines these are, and with which files
#   tests/vm/run.sh --into DIRECTORY  all, the report of each into DIRECTORY/vm-NAME.tap, what it
#                                  complains of into vm-NAME.log, its status into vm-NAME.status
#   tests/vm/run.sh FILE.bats …    one machine, with these files instead
#   tests/vm/run.sh --systemd FILE.bats …   these, below systemd
#   tests/vm/run.sh --selinux FILE.bats …   these, with SELinux instead of AppArmor
#
# Needs the packages that `tests/vm/vmrun --missing` prints, and bats, jq and
# busybox-static as the tests themselves. $KNARR is the program; else one is
# looked for in the build directories; $KNARR_SHARED, if set, is the same with shared libraries. Prints TAP; the status is 1 if a test failed.
# $FILTER, if set, is passed to bats -f; $TIMEOUT is the seconds that a machine may take
# (1800); to $KNARR_TEST_PROPERTIES the tests add what they exercised (tests/spec/properties.sh).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)

# Each machine: its name, options, files. Those that take longest come first. Only what
# the kernel or the cgroups of an ordinary machine may not let it do.
machines()
{
	cat <<-'END'
		limits    tests/bats/limits.bats tests/bats/controllers.bats
		systemd   --systemd tests/vm/systemd.bats tests/vm/systemd_driver.bats
		stats     tests/bats/stats.bats tests/bats/labels.bats tests/bats/restrain.bats
		criu      tests/vm/criu.bats
		podman    --systemd tests/vm/podman_criu.bats tests/vm/systemd_criu.bats tests/vm/criu_network.bats
		selinux   --selinux tests/bats/labels.bats
	END
}

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

# The guest sees neither /tmp nor what an unprivileged user may not enter: the program
# and the tests go there as a copy.
prepare()
{
	work=$(mktemp -d)
	trap 'rm -rf "$work"' EXIT
	mkdir -p "$work/tests"
	cp "$(realpath "${KNARR:-$(find_knarr)}")" "$work/knarr"
	[ -z "${KNARR_SHARED:-}" ] || cp "$(realpath "$KNARR_SHARED")" "$work/knarr-shared"
	cp -R "$top/tests/bats" "$top/tests/vm" "$top/tests/inject" "$top/tests/spec" "$work/tests/"
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
		[ ! -e knarr-shared ] || export KNARR_SHARED=/scratch/knarr/knarr-shared
		# On the host's side: a machine that is ended by its time limit leaves what it has.
		[ -z "$PROPERTIES" ] || export KNARR_TEST_PROPERTIES=$work/properties
		exec bats --tap --print-output-on-failure ${FILTER:+-f "$FILTER"} "$@"
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
		--env "FAULTS_COMMANDS=${FAULTS_COMMANDS:-}" --env "FAULTS_OPTIONS=${FAULTS_OPTIONS:-}" \
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

# one_machine [OPTION] FILE…
one_machine()
{
	local options=() files
	case $1 in
	--systemd) options=(--systemd) ;;
	--selinux) options=(--kernel 'security=selinux selinux=1 enforcing=0') ;;
	esac
	[ ${#options[@]} = 0 ] || shift
	prepare
	mapfile -t files < <(guest_names "$@")
	in_machine ${options[@]+"${options[@]}"} -- "${files[@]}"
}

# all_machines DIRECTORY: says on stderr how long each took.
all_machines()
{
	local directory=$1 name words pid pids=() status=0
	cd "$top"
	while read -r name words; do
		[ "$(jobs -rp | wc -l)" -lt "$(nproc)" ] || wait -n || true
		(
			began=$SECONDS status=0
			# shellcheck disable=SC2086
			"$here/run.sh" $words >"$directory/vm-$name.tap" 2>"$directory/vm-$name.log" || status=$?
			echo $status >"$directory/vm-$name.status"
			echo "virtual machine '$name': $((SECONDS - began)) s, status $status" >&2
			exit "$status"
		) </dev/null &
		pids+=($!)
	done < <(machines)
	for pid in "${pids[@]}"; do wait "$pid" || status=1; done
	echo "virtual machines: $SECONDS s" >&2
	return $status
}

missing=$("$here/vmrun" --missing | paste -sd ' ')
if [ -n "$missing" ]; then
	echo "1..0 # SKIP not installed: $missing"
	exit 0
fi
case ${1:-} in
--list) machines ;;
--into) all_machines "$(realpath "$2")" ;;
'')
	reports=$(mktemp -d)
	trap 'rm -rf "$reports"' EXIT
	status=0
	all_machines "$reports" || status=$?
	cat "$reports"/*.tap "$reports"/*.log
	exit $status
	;;
*) one_machine "$@" ;;
esac
