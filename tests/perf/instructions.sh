#!/usr/bin/env bash
# How many instructions knarr executes to check a bundle (parse, check) and to plan it (also
# compile, print): a bar that no other load of the machine moves. The bundle is Podman's. Exit
# status 1 if a count is more than TOLERANCE per cent above the number in instructions.tsv;
# 77 after "SKIP: reason". KNARR names the program, gcc's default build; NUMBERS another file.
#
#   tests/perf/instructions.sh            compares
#   tests/perf/instructions.sh --update   writes the numbers anew; the commit says why
#
# By valgrind's callgrind, in the user space of one process; the kernel's work does not count.
# Another compiler changes it by some per cent; another CPU would, too, since libc has functions
# such as memcpy(3) for many of them, were it not told to take those that every CPU has.
set -euo pipefail

TOLERANCE=10
top=$(cd "$(dirname "$0")/../.." && pwd)
numbers=${NUMBERS:-$top/tests/perf/instructions.tsv}
KNARR=$(realpath -m "${KNARR:-$top/build/knarr}")

export GLIBC_TUNABLES=glibc.cpu.hwcaps=-AVX2,-AVX,-BMI2,-ERMS,-FSRM,-SSE4_2,-SSE4_1,-SSSE3
command -v valgrind >/dev/null || {
	echo 'SKIP: valgrind is not installed'
	exit 77
}
tmp=$(mktemp -d /tmp/knarr-count.XXXXXX)
trap 'rm -rf "$tmp"' EXIT
cp -r "$top/tests/data/bundles/podman/." "$tmp"
mkdir -p "$tmp/rootfs" "$tmp/files/shm"

# count COMMAND...: what it executes. That it works is part of it.
count()
{
	valgrind --tool=callgrind --callgrind-out-file="$tmp/profile" "$KNARR" --root "$tmp/none" "$@" >"$tmp/out" 2>"$tmp/err" || {
		cat "$tmp/err" >&2
		return 1
	}
	sed -n 's/^summary: //p' "$tmp/profile"
}

check=$(count check "$tmp")
plan=$(count plan --for root "$tmp")
if [ "${1:-}" = --update ]; then
	sed -i -e "s/^check\t.*/check\t$check/" -e "s/^plan\t.*/plan\t$plan/" "$numbers"
fi
awk -F '\t' -v check="$check" -v plan="$plan" -v tolerance="$TOLERANCE" '
	/^#/ { next }
	{
		now = $1 == "check" ? check : plan
		change = 100 * (now - $2) / $2
		verdict = change > tolerance ? "TOO MANY" : change < -tolerance ? "fewer: --update" : "ok"
		printf "%-5s %9d instructions, %9d before: %+.1f %%, %s\n", $1, now, $2, change, verdict
		failed = failed || change > tolerance
		n++
	}
	END { exit failed || n != 2 }' "$numbers"
