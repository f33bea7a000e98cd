#!/usr/bin/env bash
# Median time of each command that knarr shares with runc and crun, in two columns
# for two configs: the one that Podman writes (10 mounts, masks, a large seccomp
# profile) and the smallest that runs. Prints a table in Markdown; "of crun" is the
# part of crun's time that knarr takes, below 0.50 is the goal.
#
#   tests/perf/commands.sh [ROUNDS [RUNS]]      default: 10 rounds of 3 runs
#
# In each round every program has its turn with every command, in an order shuffled
# anew. Where CAP_SYS_RESOURCE is missing crun has no cgroup, so less to do, and no
# answer to the commands that need one. Needs root, hyperfine, jq, busybox.
set -euo pipefail

rounds=${1:-10} runs=${2:-3}
# shellcheck source=tests/perf/common.bash
. "$(dirname "$0")/common.bash"

sleeps='.process.args = ["/bin/sleep", "100000"] | del(.linux.cgroupsPath)'
podman_bundle "$tmp/podman" "${sleeps/sleep*100000/true}"
podman_bundle "$tmp/podman-stays" "$sleeps"
make_rootfs "$tmp/small/rootfs"
(cd "$tmp/small" && "$KNARR" spec)
jq '.ociVersion = "1.0.2" | .process.args = ["/bin/true"] | .process.terminal = false | del(.process.rlimits, .process.capabilities.ambient)' \
	"$tmp/small/config.json" >"$tmp/new"
mv "$tmp/new" "$tmp/small/config.json"
cp -r "$tmp/small" "$tmp/small-stays"
jq "$sleeps" "$tmp/small/config.json" >"$tmp/small-stays/config.json"
mkdir "$tmp/spec"

declare -A program=(
	[knarr]="$KNARR --root $tmp/knarr"
	[crun]="$(command -v crun || true) --root $tmp/crun $crun_options"
	[runc]="$(command -v runc || true) --root $tmp/runc"
)

# name|what comes before|command; @ is the program, BUNDLE the bundle's folder, LONG
# a container that runs, SHORT one that comes and goes.
rows=(
	'run BUNDLE|@ delete -f SHORT|@ run -b BUNDLE SHORT'
	'create BUNDLE|@ delete -f SHORT|@ create -b BUNDLE-stays SHORT'
	'start BUNDLE|@ delete -f SHORT; @ create -b BUNDLE-stays SHORT|@ start SHORT'
	'exec BUNDLE||@ exec LONG /bin/true'
	'kill BUNDLE|@ delete -f SHORT; @ run -d -b BUNDLE-stays SHORT|@ kill SHORT KILL'
	'delete -f BUNDLE|@ delete -f SHORT; @ run -d -b BUNDLE-stays SHORT|@ delete -f SHORT'
	'state BUNDLE||@ state LONG'
	'ps BUNDLE||@ ps LONG'
	'pause BUNDLE|@ delete -f SHORT; @ run -d -b BUNDLE-stays SHORT|@ pause SHORT'
	'resume BUNDLE|@ delete -f SHORT; @ run -d -b BUNDLE-stays SHORT; @ pause SHORT|@ resume SHORT'
	'events --stats BUNDLE||@ events --stats LONG'
	'list||@ list'
	'spec|rm -f config.json|@ spec'
	'features||@ features'
	'--version||@ --version'
	'--help||@ --help'
)

# expand ROW PROGRAM BUNDLE: sets name, prepare and command.
expand()
{
	local row=${1//@/${program[$2]}}
	row=${row//SHORT/short-$2} row=${row//LONG/long-$2-$3}
	IFS='|' read -r name prepare command <<<"$row"
	name=${name//BUNDLE/$3} prepare=${prepare//BUNDLE/$tmp/$3} command=${command//BUNDLE/$tmp/$3}
	[ -z "$prepare" ] || prepare="sh -c '{ ${prepare}; :; } </dev/null >/dev/null 2>&1'"
	file=${name// /-}.$2
}

jobs=()
add_jobs()
{
	local row bundle
	for bundle in podman small; do
		${program[$1]} run -d -b "$tmp/$bundle-stays" "long-$1-$bundle" </dev/null >/dev/null 2>&1
		for row in "${rows[@]}"; do
			[ "$bundle" = podman ] || [[ $row == *LONG* || $row == *BUNDLE* ]] || continue
			expand "$row" "$1" "$bundle"
			# What a program cannot do here is left out.
			eval "${prepare:-:}"
			$command </dev/null >/dev/null 2>&1 || continue
			jobs+=("$1|$bundle|$row")
		done
	done
}

remove_containers()
{
	local name id
	for name in "${!program[@]}"; do
		for id in "short-$name" "long-$name-podman" "long-$name-small"; do
			${program[$name]} delete -f "$id" >/dev/null 2>&1 || true
		done
	done
}

# cell FILE: its median, or a dash.
cell()
{
	if [ -e "$tmp/$1.times" ]; then column "$tmp/$1.times" 0.5; else printf '–'; fi
}

# ratio FILE FILE times|cpu
ratio()
{
	if [ ! -e "$tmp/$1.$3" ] || [ ! -e "$tmp/$2.$3" ]; then
		printf '–'
		return
	fi
	awk -v a="$(column "$tmp/$1.$3" 0.5)" -v b="$(column "$tmp/$2.$3" 0.5)" 'BEGIN { printf "%.2f", (b > 0 ? a / b : 0) }'
}

cd "$tmp/spec"
for name in "${!program[@]}"; do
	[ "${program[$name]:0:1}" = / ] || unset "program[$name]"
done
trap 'remove_containers; cd /; umount -l "$tmp"; rmdir "$tmp"' EXIT
for name in "${!program[@]}"; do
	add_jobs "$name"
done
for ((i = 0; i < rounds; i++)); do
	while IFS='|' read -r who bundle row; do
		expand "$row" "$who" "$bundle"
		measure "$file" "$runs" "$prepare" "$command"
	done < <(printf '%s\n' "${jobs[@]}" | shuf)
done

echo "Linux $(uname -r), $(nproc) processors, $rounds rounds of $runs runs each, medians in milliseconds."
echo
echo '| command | knarr | crun | runc | of crun: time | processor time |'
echo '|---|---|---|---|---|---|'
for row in "${rows[@]}"; do
	for bundle in podman small; do
		[ "$bundle" = podman ] || [[ $row == *BUNDLE\|* ]] || continue
		expand "$row" knarr "$bundle"
		f=${name// /-}
		echo "| $name | $(cell "$f.knarr") | $(cell "$f.crun") | $(cell "$f.runc") |" \
			"$(ratio "$f.knarr" "$f.crun" times) | $(ratio "$f.knarr" "$f.crun" cpu) |"
	done
done
