#!/usr/bin/env bash
# compare.sh BUNDLE LEFT RIGHT: runs the bundle with two runtimes, one after the
# other, and prints how what the program was given differs. Status 0: not at all;
# 1: it differs; 2: one of them did not run it. The bundle's program must be
# probe.sh (make_probe_rootfs of bundles.bats puts it in /bin/sh).
#
# Both see cgroup2 alone on /sys/fs/cgroup, in a mount namespace of their own, so
# that the host's layout (v1, hybrid) plays no part and is not touched.
#
# Not compared, and why:
#   ids of mounts and device numbers of anonymous file systems: the kernel counts them.
#   peer group numbers (shared:12): likewise; that a mount is shared is compared.
#   times and sizes of entries in /dev: the clock.
#   the name of the cgroup when the config names none: "/ID" with runc,
#     "/…/knarr-ID" with knarr; the spec leaves it to the runtime.
#   v1 lines of /proc/self/cgroup: none of them is the container's.
#   how a path is masked: knarr covers a directory with one shared read-only tmpfs (nosuid,
#     nodev, noexec, 4 KB) and a file with the host's null device, runc with a tmpfs
#     each and the container's /dev/null. That it is masked, and by what kind, is
#     compared; section "hidden" shows that it looks the same from inside.
#   "ro" of the file system beside that of the mount (sysfs, tmpfs): runc's mount(2)
#     sets both at once; the newer mount API, which knarr uses, has them apart, and
#     either refuses to write.
#   name of the source of cgroup2 ("cgroup"): knarr binds the host's, whose name stays.
#   what a runtime says to the terminal before the program starts: knarr warns of
#     capabilities that cannot be had.
set -euo pipefail

bundle=$1 left=$2 right=$3
here=$(cd "$(dirname "$0")" && pwd)
id=${ID:-compare-$$}
tmp=$(mktemp -d "${T:-/tmp}/compare.XXXXXX")
trap 'rm -rf "$tmp"' EXIT

if [ -z "${COMPARE_INSIDE:-}" ]; then
	COMPARE_INSIDE=1 unshare --mount --propagation private "$here/compare.sh" "$@"
	exit
fi
if [ "$(stat -f -c %T /sys/fs/cgroup)" != cgroup2fs ]; then
	mount --bind "$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)" /sys/fs/cgroup
fi

# run_in RUNTIME OUTPUT
run_in()
{
	local status=0
	local run=("$1" --root "$tmp/state" run --bundle "$bundle" "$id")
	if [ "$(jq .process.terminal "$bundle/config.json")" = true ]; then
		script -qec "$(printf '%q ' "${run[@]}")" /dev/null </dev/null >"$2" 2>&1 || status=$?
	else
		# The same descriptors for both.
		"${run[@]}" </dev/null >"$2" 2>"$2.err" || status=$?
	fi
	# A terminal adds carriage returns and, from script(1), a mark of the end of input.
	tr -d '\r' <"$2" | sed 's/\^@//; s/\^D\x08\x08//' >"$2.txt"
	if [ $status != 0 ] || ! grep -q '^## end' "$2.txt"; then
		echo "$1 did not run the bundle (exit status $status):"
		cat "$2.txt"
		[ ! -e "$2.err" ] || cat "$2.err"
		exit 2
	fi
}

normalise()
{
	awk -v named="$(jq -r '.linux.cgroupsPath // ""' "$bundle/config.json")" \
		-v masked=" $(jq -r '(.linux.maskedPaths // []) | join(" ")' "$bundle/config.json") " '
	/^## / { begun = 1 }
	!begun { next }
	/^## / { section = $2; directory = ""; print; next }
	section == "mounts" {
		tags = ""
		for (i = 7; $i != "-"; i++) { sub(/:.*/, "", $i); tags = tags " " $i }
		type = $(i + 1); source = $(i + 2); own = $(i + 3)
		if (index(masked, " " $5 " ")) {
			print $5, "masked", $4 == "/null" ? "file" : type " " (($6 ~ /^ro/) ? "read-only" : "writable")
			next
		}
		if (type == "cgroup2") source = "-"
		sub(/^(ro|rw),?/, "", own)
		printf "%s %s %s%s - %s %s %s\n", $5, $4, $6, tags, type, source, own
		next
	}
	section == "cgroup" {
		if ($0 !~ /^0::/) next
		if (named == "") sub(/\/[^\/]*$/, "/CONTAINER")
		print; next
	}
	section == "devices" && /:$/ { directory = $1; next }
	section == "devices" && !/^[bcdlps-]/ { next }
	section == "devices" {
		n = 0
		for (i = 1; i <= NF; i++) if ($i ~ /^[0-9]+:[0-9]+$/) n = i
		what = $1 " " $3 " " $4
		if ($1 ~ /^[bc]/) what = what " " $5 " " $6
		for (i = n + 1; i <= NF && n; i++) what = what " " $i
		if (!n) what = what " " $NF
		print directory, what; next
	}
	{ print }
	' "$1" | sort_sections
}

# Mounts and device lists in the order of their names; the rest as it is.
sort_sections()
{
	awk '
	/^## / { if (pipe) close(pipe); pipe = ""; print; fflush(); if ($2 == "mounts" || $2 == "devices") pipe = "sort -s -k 1,1"; next }
	pipe { print | pipe; next }
	{ print; fflush() }
	END { if (pipe) close(pipe) }'
}

run_in "$left" "$tmp/left"
run_in "$right" "$tmp/right"
normalise "$tmp/left.txt" >"$tmp/a"
normalise "$tmp/right.txt" >"$tmp/b"
if [ -n "${COMPARE_SHOW:-}" ]; then
	cat "$tmp/a"
fi
diff -U 0 --label "$(basename "$left")" --label "$(basename "$right")" -F '^## ' "$tmp/a" "$tmp/b"
