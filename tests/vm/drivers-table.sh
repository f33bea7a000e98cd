#!/usr/bin/env bash
# tests/perf/drivers.sh in a virtual machine that systemd runs: what the systemd driver costs
# beside cgroupfs. By emulation everything takes some ten times as long: read it as ratios.
#
#   tests/vm/drivers-table.sh [OPTION…]     those of drivers.sh but --into
#
# $KNARR is the program; $TIMEOUT the seconds that the machine may take (2400).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp "$(realpath "${KNARR:-$top/build/knarr}")" "$work/knarr"
mkdir "$work/tests"
cp -R "$top/tests/perf" "$top/tests/data" "$work/tests/"
cat >"$work/inside" <<-'END'
	cp -R "$1"/. /scratch
	shift
	cd /scratch
	export KNARR=/scratch/knarr
	exec tests/perf/drivers.sh "$@"
END
"$here/vmrun" --systemd --timeout "${TIMEOUT:-2400}" --writable "$work" -- bash "$work/inside" "$work" "$@"
