#!/usr/bin/env bash
# Whether the time of `run` grows with what a config has as it should: in proportion. Prints a
# table in Markdown with the time per item at three sizes, for knarr and what else is installed;
# leaves it and the samples in DIRECTORY.
#
#   tests/perf/scale.sh [--rounds N] [--rows REGEX] [--into DIRECTORY]
#
# --rounds N    turns of each size and program (15)
# --rows REGEX  only the kinds whose name has it: 'masked|overlay'
# --into DIR    ./bench
#
# scale.py says when something is called not linear. common.bash says what this needs.
set -euo pipefail

rounds=15
# shellcheck source=tests/perf/common.bash
. "$(dirname "$0")/common.bash"

pause=6

# What is counted, how many at the most, and how a config gets n of them. FILES are n files of
# the root file system, LAYERS n directories of the host.
kinds=('bind mounts' 'masked paths' 'read-only paths' 'environment variables' 'device rules' 'overlay layers'
	'KiB of annotations' 'mounts of the host' 'containers that list shows')
declare -A most=(
	['bind mounts']=1000 ['masked paths']=5000 ['read-only paths']=1000 ['environment variables']=10000
	['device rules']=1600 ['overlay layers']=128 ['KiB of annotations']=2000 ['mounts of the host']=5000
	['containers that list shows']=100
)
# shellcheck disable=SC2016 # variables of jq
declare -A filter=(
	['bind mounts']='.mounts += [ range($n) | { destination: "/data/\(.)", type: "bind", source: $source, options: ["bind", "ro"] } ]'
	['masked paths']='.linux.maskedPaths += [ range($n) | "/data/\(.)" ]'
	['read-only paths']='.linux.readonlyPaths += [ range($n) | "/data/\(.)" ]'
	['environment variables']='.process.env += [ range($n) | "NAME_\(.)=value of the variable \(.)" ]'
	['device rules']='.linux.resources.devices += [ range($n) | { allow: true, type: "c", major: (1000 + .), minor: (. % 7), access: "rw" } ]'
	['overlay layers']='if $n > 1 then .mounts += [ { destination: "/layers", type: "overlay", source: "overlay",
		options: [ "lowerdir=" + ([ range($n) | "\($layers)/\(.)" ] | join(":")) ] } ] else . end'
	['KiB of annotations']='.annotations += ([ range($n) | { key: "org.example.\(.)", value: ("x" * 1000) } ] | from_entries)'
	['mounts of the host']=.
	['containers that list shows']='.process.args = ["/bin/sleep", "100000"]'
)

# bundle_of KIND SIZE DIR
bundle_of()
{
	mkdir -p "$3"
	jq --argjson n "$2" --arg source "$tmp/source" --arg layers "$tmp/l" --arg root "$tmp/base/rootfs" \
		".root.path = \$root | ${filter[$1]}" "$tmp/base/config.json" >"$3/config.json"
}

# Everything that the configs name.
make_base()
{
	small_bundle "$tmp/base" '.root.readonly = false | .process.rlimits = []'
	mkdir "$tmp/base/rootfs/data" "$tmp/base/rootfs/layers" "$tmp/l" "$tmp/here"
	: >"$tmp/source"
	(cd "$tmp/base/rootfs/data" && seq 0 4999 | xargs touch)
	(cd "$tmp/l" && seq 0 127 | xargs mkdir)
}

# crowd SIZE: a process in a mount namespace with so many mounts more. (A namespace that is kept as
# a file needs no process, but newer kernels say EINVAL to the mount of some.)
crowd()
{
	mkdir -p "$tmp/crowd/$1"
	mkfifo "$tmp/crowd-$1"
	# shellcheck disable=SC2016 # variables of the inner shell
	unshare --mount --propagation private busybox sh -c '
		i=1
		[ "$2" = 0 ] || mount -t tmpfs tmpfs "$1"
		while [ $i -lt "$2" ]; do
			: >"$1/$i"
			busybox mount --bind "$1/$i" "$1/$i" || exit 1
			i=$((i + 1))
		done
		echo made
		exec busybox sleep 100000' sh "$tmp/crowd/$1" "$1" </dev/null >"$tmp/crowd-$1" &
	holder=$!
	holders+=("$holder")
	read -r <"$tmp/crowd-$1"
}

# fill SIZE BUNDLE: so many containers, for each program in a state directory of its own.
fill()
{
	local who i
	for who in "${programs[@]}"; do
		for ((i = 0; i < $1; i++)); do
			# shellcheck disable=SC2046 # words
			to_its_end $(called "$who" "$1") run -d -b "$2" "$prefix-$who-$1-$i"
		done
	done
}

# rows_of KIND SIZE: one row for each program.
rows_of()
{
	local who bundle=$tmp/bundle-${1// /-}-$2 new=$prefix-@N@ command
	bundle_of "$1" "$2" "$bundle"
	case $1 in
	'mounts of the host') crowd "$2" ;;
	containers*) fill "$2" "$bundle" ;;
	esac
	for who in "${programs[@]}"; do
		command="${program[$who]} run -b $bundle $new"
		case $1 in
		'mounts of the host') command="nsenter --mount=/proc/$holder/ns/mnt $command" ;;
		containers*) command="$(called "$who" "$2") list" ;;
		esac
		printf '%s: %d\t%s\t\t%s\t\n' "$1" "$2" "$who" "$command"
	done
}

add_programs
build_harness
make_base
mkdir -p "$into"
cd "$tmp/here"
samples=$into/scale.tsv
: >"$samples"
for kind in "${kinds[@]}"; do
	[[ $kind =~ $only ]] || continue
	n=${most[$kind]}
	for size in 0 $((n / 10)) $((n / 3)) "$n"; do
		rows_of "$kind" "$size"
	done >"$tmp/rows"
	measure "$samples" "$rounds" "$pause"
	remove_containers
done
{
	circumstances
	echo "$rounds rounds; microseconds per item, from medians."
	echo
	"$top/tests/perf/scale.py" "$samples"
} >"$into/scale.md"
cat "$into/scale.md"
