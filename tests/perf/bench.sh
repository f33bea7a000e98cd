#!/usr/bin/env bash
# How long each command takes, for knarr, the floor (floor.c: the kernel's work alone) and
# what else is installed: crun, runc, bubblewrap. Prints one table in Markdown; leaves it,
# a plot and the samples in DIRECTORY.
#
#   tests/perf/bench.sh [--rounds N] [--rows REGEX] [--into DIRECTORY]
#
# --rounds N    turns of each command and program (30)
# --rows REGEX  only the rows whose name has it: 'run|exec'
# --into DIR    ./bench
#
# In each round every program has its turn with every command, in an order shuffled anew.
# Two bundles: the one that Podman writes (10 mounts, 11 masked and 6 read-only paths, a
# seccomp profile of 437 names), and "small", what `knarr spec` writes. What a program cannot
# do here is left out, with a message. On an idle machine; `chrt -f 2` before it keeps other
# work of the same machine away. common.bash says what it needs.
#
# bubblewrap has no cgroup, device rules, limits or hooks, and gets no filter here; its mounts
# are the nearest it can be told. A sandbox, not a runtime.
set -euo pipefail

rounds=30
# shellcheck source=tests/perf/common.bash
. "$(dirname "$0")/common.bash"

# The kernel goes on after the end of a command, to remove a network namespace for example: not within the next one.
pause=6
burst=300 at_once=8 listed=101

# name|floor|before|command|after: @ is the program, NEW a container of this turn, LONG one that runs.
# The floor is what floor.c is called with, if it can do the like.
rows=(
	"run BUNDLE|BUNDLE $tmp/BUNDLE/rootfs NEW||@ run -b $tmp/BUNDLE NEW|"
	"create BUNDLE|||@ create -b $tmp/BUNDLE-stays NEW|@ delete -f NEW"
	"start BUNDLE||@ create -b $tmp/BUNDLE-stays NEW|@ start NEW|@ delete -f NEW"
	"exec BUNDLE|||@ exec LONG /bin/true|"
	"kill BUNDLE||@ run -d -b $tmp/BUNDLE-stays NEW|@ kill NEW KILL|@ delete -f NEW"
	"delete -f BUNDLE||@ run -d -b $tmp/BUNDLE-stays NEW|@ delete -f NEW|"
	"state BUNDLE|nothing||@ state LONG|"
	"ps BUNDLE|||@ ps LONG|"
	"pause BUNDLE||@ run -d -b $tmp/BUNDLE-stays NEW|@ pause NEW|@ delete -f NEW"
	"resume BUNDLE||@ run -d -b $tmp/BUNDLE-stays NEW; @ pause NEW|@ resume NEW|@ delete -f NEW"
	"events --stats BUNDLE|||@ events --stats LONG|"
	"run podman, new profile|podman $tmp/podman/rootfs NEW|sed s/424242/@N@/ $tmp/profile.json >$tmp/profile/config.json|@ run -b $tmp/profile NEW|"
	"list of 2|nothing||@ list|"
	"spec|nothing|rm -f config.json|@ spec|"
	"features|nothing||@ features|"
	"--version|nothing||@ --version|"
	"--help|nothing||@ --help|"
)
burst_row="run podman, $burst times, $at_once at once|podman $tmp/podman/rootfs NEW||@ run -b $tmp/podman NEW|"
list_row="list of $listed|nothing||@ list|"
calls_row='system calls of run podman'

bubblewrap="$(command -v bwrap || true) --unshare-pid --unshare-net --unshare-ipc --unshare-uts --unshare-cgroup \
--bind $tmp/podman/rootfs / --proc /proc --dev /dev --tmpfs /dev/shm --mqueue /dev/mqueue --ro-bind /sys /sys \
--bind $tmp/podman/files/hosts /etc/hosts --bind $tmp/podman/files/hostname /etc/hostname --hostname perf --clearenv \
--cap-drop ALL --cap-add CAP_CHOWN --cap-add CAP_KILL --cap-add CAP_SETUID --cap-add CAP_SETGID --chdir / /bin/true"

make_bundles()
{
	local stays='.process.args = ["/bin/sleep", "100000"]'
	podman_bundle "$tmp/podman" .
	podman_bundle "$tmp/podman-stays" "$stays"
	small_bundle "$tmp/small" .
	small_bundle "$tmp/small-stays" "$stays"
	# Each number makes another filter of it.
	podman_bundle "$tmp/profile" '.linux.seccomp.syscalls += [ { names: ["quotactl"], action: "SCMP_ACT_ALLOW",
		args: [ { index: 0, value: 424242, op: "SCMP_CMP_EQ" } ] } ]'
	mv "$tmp/profile/config.json" "$tmp/profile.json"
}

# emit NAME PROGRAM BEFORE COMMAND AFTER: a row for the harness, if it is asked for.
emit()
{
	local new=$prefix-@N@
	[[ $1 =~ $only ]] || return 0
	printf '%s\t%s\t%s\t%s\t%s\n' "$1" "$2" "${3//NEW/$new}" "${4//NEW/$new}" "${5//NEW/$new}"
}

# rows_of ROW BUNDLE: one row for each program.
rows_of()
{
	local name floor before command after who line=${1//BUNDLE/$2}
	IFS='|' read -r name floor before command after <<<"$line"
	[ -z "$floor" ] || emit "$name" floor "" "$floor_program $floor" ""
	for who in "${programs[@]}"; do
		line=${before//@ /${program[$who]} }
		emit "$name" "$who" "$line" "${command//@ /${program[$who]} }" "${after//@ /${program[$who]} }"
	done | sed -E "s#^([^\t]*)\t([^\t]*)\t(.*)LONG#\1\t\2\t\3$prefix-\2-long-$2#"
}

all_rows()
{
	local row bundle
	for row in "${rows[@]}"; do
		for bundle in podman small; do
			[ "$bundle" = podman ] || [[ ${row%%|*} == *BUNDLE* ]] || continue
			rows_of "$row" "$bundle"
		done
	done
	[ ! -x "${bubblewrap%% *}" ] || emit 'run podman' bubblewrap "" "$bubblewrap" ""
}

# keep ID BUNDLE: a container that runs, for each program. Two of them may be knarr, so each has an id of its own.
keep()
{
	local who
	for who in "${programs[@]}"; do
		# shellcheck disable=SC2086 # words
		to_its_end ${program[$who]} run -d -b "$tmp/$2" "$prefix-$who-$1"
	done
}

# count_calls SAMPLES: those of run with all its processes.
count_calls()
{
	local who command
	[[ $calls_row =~ $only ]] && command -v strace >/dev/null || return 0
	# What it runs need not be a row that was asked for.
	local only=
	rows_of "${rows[0]}" podman | cut -f 2,4 | while IFS=$'\t' read -r who command; do
		# Word by word, as the harness does it.
		# shellcheck disable=SC2086
		strace -f -qq -c -o "$tmp/calls" ${command//@N@/calls-$who} </dev/null >/dev/null
		awk -v row="$calls_row" -v who="$who" '$NF == "total" { print row "\t" who "\t" $4 "\t0\t0" }' "$tmp/calls"
	done >>"$1"
}

add_programs
build_harness
make_bundles
mkdir -p "$into" "$tmp/here"
cd "$tmp/here"
samples=$into/samples.tsv
: >"$samples"
keep long-podman podman-stays
keep long-small small-stays
all_rows >"$tmp/rows"
measure "$samples" "$rounds" "$pause"
count_calls "$samples"
rows_of "$burst_row" podman >"$tmp/rows"
measure "$samples" "$(((rounds + 9) / 10))" "$pause" "$burst" "$at_once"
if [[ $list_row =~ $only ]]; then
	for ((i = 2; i < listed; i++)); do
		keep "long-$i" small-stays
	done
	rows_of "$list_row" podman >"$tmp/rows"
	measure "$samples" "$rounds" "$pause"
fi
{
	circumstances
	echo "$rounds rounds; milliseconds, median and quartiles."
	echo
	"$top/tests/perf/report.py" --plot "$into/bench.svg" "$samples"
} >"$into/table.md"
cat "$into/table.md"
