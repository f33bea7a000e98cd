#!/usr/bin/env bash
# Every limit of linux.resources: what knarr and runc write for it, and whether a
# program that wants more is held. Runs tests/vm/limits-cases.bash in two virtual
# machines, for cgroupfs and for systemd, with both runtimes as root and as an ordinary
# user, and prints docs/limits-table.md. About 20 minutes by emulation.
#
#   tests/vm/limits-table.sh                      everything
#   tests/vm/limits-table.sh rows DRIVER RUNTIME…  only the rows of one machine, raw
#   tests/vm/limits-table.sh format <ROWS         the table of rows
#
# $KNARR and $RUNC are the programs. The status is 1 if a limit does not hold with knarr.
# $CASES and $ACCOUNTS name some cases and accounts instead of all, $TRACE shows each step.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)

program() # program RUNTIME: its path
{
	case $1 in
	knarr) realpath "${KNARR:-$top/build/knarr}" ;;
	runc) command -v "${RUNC:-runc}" ;;
	esac
}

# The program, the tests and the probe go into the machine as a copy, as in run.sh.
rows() # rows DRIVER RUNTIME…
{
	local driver=$1 work options=() status=0 runtime
	shift
	work=$(mktemp -d)
	mkdir "$work/tests"
	cp -R "$top/tests/bats" "$here" "$work/tests/"
	cp "$(program knarr)" "$work/knarr"
	for runtime in "$@"; do
		[ "$runtime" = knarr ] || cp "$(program "$runtime")" "$work/$runtime"
	done
	${CC:-cc} -static -O1 -o "$work/limits-probe" "$here/limits-probe.c"
	cat >"$work/inside" <<-'END'
		mkdir /scratch/knarr /scratch/tmp
		cp -R "$1"/. /scratch/knarr
		shift
		chmod -R go+rX /scratch/knarr
		chmod 1777 /scratch/tmp
		cd /scratch/knarr
		export TMPDIR=/scratch/tmp KNARR=/scratch/knarr/knarr
		exec bash ${TRACE:+-x} tests/vm/limits-guest.bash /scratch/knarr "$@"
	END
	[ "$driver" = cgroupfs ] || options=(--systemd)
	"$here/vmrun" ${options[@]+"${options[@]}"} --timeout "${TIMEOUT:-2400}" --kernel numa=fake=2 --writable "$work" \
		--env "TRACE=${TRACE:-}" --env "CASES=${CASES:-}" --env "ACCOUNTS=${ACCOUNTS:-}" -- bash "$work/inside" "$work" "$@" |
		awk -F '\t' 'NF == 9 { print; fflush(); next } { print >"/dev/stderr" }' || status=$?
	rm -rf "$work"
	return $status
}

format()
{
	cat <<-'END'
		# Each limit, and whether it holds

		Made by `tests/vm/limits-table.sh`, in virtual machines with Debian's kernel, pure cgroup v2 and, for the second half, systemd
		as process 1. For each property of `linux.resources`: the value in the config, what the file of the container's cgroup must
		hold, whether it held the same, and what became of a program that wanted more. **no**: the limit did not hold, or was not
		written; *none*: this account has no such controller, and the runtime says so.

	END
	echo "knarr $("$(program knarr)" --version | sed -n '1s/.* //p') beside $("$(program runc)" --version | head -n 1)."
	awk -f "$here/limits-table.awk"
}

all()
{
	local rows
	rows=$(mktemp)
	rows cgroupfs knarr runc >"$rows"
	rows systemd knarr runc >>"$rows"
	format <"$rows"
	if awk -F '\t' '$3 == "knarr" && $8 == "no"' "$rows" | grep . >&2; then return 1; fi
}

case ${1:-all} in
rows)
	shift
	rows "$@"
	;;
format) format ;;
*) all ;;
esac
