#!/usr/bin/env bash
# What the systemd driver costs beside cgroupfs, for knarr and what else is installed: the
# time of each command by both, as a table in Markdown; leaves it and the samples in DIRECTORY.
#
#   tests/perf/drivers.sh [--rounds N] [--rows REGEX] [--into DIRECTORY]
#
# --rounds N    turns of each command, program and driver (10)
# --rows REGEX  only the rows whose name has it: 'run|create'
# --into DIR    ./bench
#
# The containers have limits of memory, tasks and CPU. It needs a host that systemd runs, with its
# controllers in cgroup2; tests/vm/drivers-table.sh makes one. common.bash says what else.
set -euo pipefail

rounds=10
# shellcheck source=tests/perf/common.bash
. "$(dirname "$0")/common.bash"

[ -d /run/systemd/system ] || {
	echo 'systemd is not the init here' >&2
	exit 1
}

# name|before|command|after, as in bench.sh.
rows=(
	"run||@ run -b $tmp/ends NEW|"
	"create||@ create -b $tmp/stays NEW|@ delete -f NEW"
	"start|@ create -b $tmp/stays NEW|@ start NEW|@ delete -f NEW"
	"exec||@ exec LONG /bin/true|"
	"update||@ update --memory 300000000 LONG|"
	"state||@ state LONG|"
	"kill|@ run -d -b $tmp/stays NEW|@ kill NEW KILL|@ delete -f NEW"
	"delete -f|@ run -d -b $tmp/stays NEW|@ delete -f NEW|"
)

add_drivers()
{
	local name
	for name in "${programs[@]}"; do
		programs+=("$name-systemd")
		program[$name-systemd]="${program[$name]/root-$name/root-$name-systemd} --systemd-cgroup"
		mkdir -p "$tmp/root-$name-systemd"
	done
}

make_bundles()
{
	local limits='.linux.resources += { memory: { limit: 268435456 }, pids: { limit: 100 }, cpu: { quota: 50000, period: 100000 } }'
	small_bundle "$tmp/ends" "$limits"
	small_bundle "$tmp/stays" "$limits"' | .process.args = ["/bin/sleep", "100000"]'
}

rows_of()
{
	local name before command after who line
	IFS='|' read -r name before command after <<<"$1"
	[[ $name =~ $only ]] || return 0
	for who in "${programs[@]}"; do
		line="$before|$command|$after"
		line=${line//@ /${program[$who]} }
		line=${line//NEW/$prefix-@N@}
		line=${line//LONG/$prefix-$who-long}
		printf '%s\t%s\t%s\n' "$name" "$who" "${line//|/$'\t'}"
	done
}

add_programs
add_drivers
build_harness
make_bundles
mkdir -p "$into"
cd "$tmp"
for who in "${programs[@]}"; do
	# shellcheck disable=SC2086 # words
	to_its_end ${program[$who]} run -d -b "$tmp/stays" "$prefix-$who-long"
done
for row in "${rows[@]}"; do
	rows_of "$row"
done >"$tmp/rows"
samples=$into/drivers.tsv
: >"$samples"
measure "$samples" "$rounds" 20
{
	circumstances
	echo "systemd $(systemctl --version | sed -n '1s/^systemd \([0-9]*\).*/\1/p'). $rounds rounds; milliseconds, median and quartiles."
	echo
	"$top/tests/perf/report.py" --drivers "$samples"
} >"$into/drivers.md"
cat "$into/drivers.md"
