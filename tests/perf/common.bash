# For bench.sh, scale.sh and drivers.sh: their options, a mount namespace of one's own with
# cgroup2 alone on /sys/fs/cgroup, a tmpfs $tmp on which everything is, so that the disk plays no
# part, the programs to compare, bundles, and the harness. KNARR names the program; OTHERS
# adds some: 'old=/tmp/old/knarr crun-static=/opt/crun', names that begin with crun, runc
# or anything else, which is called like knarr. Needs root, jq, busybox, a C compiler.
#
# Containers and cgroups have names that begin with $prefix, so what was there before is
# not touched; all of them are removed at the end, also when this is interrupted.
# shellcheck shell=bash

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
KNARR=$(realpath -m "${KNARR:-$top/build/knarr}")
export KNARR

# The options that all of them have, of the script that reads this; $rounds is its own default.
original=("$@") into=$PWD/bench only=
# shellcheck disable=SC2034 # that script uses them
while [ $# -gt 0 ]; do
	case $1 in
	--rounds) rounds=${2:-} ;;
	--rows) only=${2:-} ;;
	--into) into=$(realpath -m "${2:-}") ;;
	*)
		sed -n '2,/^set/s/^# \{0,1\}//p' "$0" >&2
		exit 2
		;;
	esac
	shift
	shift || {
		echo "$0: the last option needs a value" >&2
		exit 2
	}
done
set -- ${original[@]+"${original[@]}"}

[ -x "$KNARR" ] || {
	echo "no program $KNARR; build it or set KNARR" >&2
	exit 1
}
[ "$(id -u)" = 0 ] || {
	echo "needs root" >&2
	exit 1
}
if [ -z "${PERF_INSIDE:-}" ]; then
	PERF_INSIDE=1 exec unshare --mount --propagation private "$0" "$@"
fi
if [ "$(stat -f -c %T /sys/fs/cgroup)" != cgroup2fs ]; then
	mount --bind "$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)" /sys/fs/cgroup
fi
prefix=knarr-bench-$$
load=$(cut -d ' ' -f 1-3 /proc/loadavg)
harness=
# In the order of the columns.
programs=()
declare -A program
holders=()
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
tmp=$(trap '' INT TERM HUP && mktemp -d "${TMPDIR:-/tmp}/knarr-perf.XXXXXX")
mount -t tmpfs -o mode=755 tmpfs "$tmp"

add_program()
{
	local name=$1 path=$2 options=
	[ -x "$path" ] || return 0
	# Debian 12's crun needs CAP_SYS_RESOURCE for a cgroup, and fails without.
	if [[ $name == crun* ]] && ! ((16#$(sed -n 's/^CapEff:\t//p' /proc/self/status) >> 24 & 1)); then
		options=' --cgroup-manager=disabled'
	fi
	programs+=("$name")
	program[$name]="$path --root $tmp/root-$name$options"
	mkdir -p "$tmp/root-$name"
}

# copied NAME PATH: a copy to measure. What the linker wrote is in the page cache in small pieces, which cost each
# execve(2) up to a tenth of a millisecond more than what `make install` writes, and so would a tmpfs.
copied()
{
	mkdir -p "$into/programs"
	cp "$2" "$into/programs/$1"
	echo "$into/programs/$1"
}

add_programs()
{
	local other
	add_program knarr "$(copied knarr "$KNARR")"
	for other in ${OTHERS:-}; do
		[ ! -x "${other#*=}" ] || add_program "${other%%=*}" "$(copied "${other%%=*}" "${other#*=}")"
	done
	add_program crun "$(command -v crun)"
	add_program runc "$(command -v runc)"
}

# called WHO SIZE: the program with a state directory of its own for this size.
called()
{
	echo "${program[$1]/root-$1/root-$1.$2}"
}

# to_its_end COMMAND...: also when somebody interrupts this script: a runtime that is killed
# half-way leaves what nobody finds. What it says is shown if it fails.
to_its_end()
{
	(
		trap '' INT TERM HUP
		exec "$@"
	) </dev/null >"$tmp/said" 2>&1 || {
		echo "failed: $*" >&2
		cat "$tmp/said" >&2
		return 1
	}
}

remove_containers()
{
	local who size id
	for id in "$tmp"/root-*/"$prefix"*; do
		[ -e "$id" ] || continue
		who=${id#"$tmp/root-"} size=
		who=${who%%/*}
		[[ $who != *.* ]] || size=${who#*.} who=${who%%.*}
		# shellcheck disable=SC2046 # words
		$([ -n "$size" ] && called "$who" "$size" || echo "${program[$who]}") delete -f "${id##*/}" </dev/null >/dev/null 2>&1 || true
	done
}

clean_up()
{
	local status=$?
	# All of it, whatever fails.
	set +e
	trap '' INT TERM HUP
	if [ -n "$harness" ]; then
		kill -TERM "$harness" 2>/dev/null
		wait "$harness"
	fi
	[ ${#holders[@]} = 0 ] || kill "${holders[@]}"
	remove_containers
	rm -rf "$into/programs"
	cd /
	find /sys/fs/cgroup -depth -type d -name "*$prefix*" -exec rmdir {} + || status=1
	umount -l "$tmp"
	rmdir "$tmp"
	exit $status
}

build_harness()
{
	local name
	for name in bench floor; do
		"${CC:-cc}" -O2 -static -std=gnu11 -D_GNU_SOURCE "$top/tests/perf/$name.c" -o "$tmp/$name"
	done
	# shellcheck disable=SC2034 # for bench.sh
	floor_program=$(copied floor "$tmp/floor")
}

# measure SAMPLES ROUNDS PAUSE [RUNS AT_ONCE]: the rows in $tmp/rows, added to the file. In the
# background, since a signal for this script is not noticed before a command in the foreground
# has ended; so this must not be a part of a pipe, either.
measure()
{
	local samples=$1 status=0
	shift
	"$tmp/bench" "$@" <"$tmp/rows" >>"$samples" &
	harness=$!
	wait "$harness" || status=$?
	harness=
	return "$status"
}

make_rootfs()
{
	mkdir -p "$1"/{bin,dev,etc,proc,sys,tmp,run,root}
	cp "$(command -v busybox)" "$1/bin/busybox"
	ln -s busybox "$1/bin/true"
	ln -s busybox "$1/bin/sleep"
	for f in etc/hosts etc/hostname run/.containerenv; do
		: >"$1/$f"
	done
}

# podman_bundle DIR FILTER: the bundle that Podman writes, changed by jq. It names no cgroup, so that
# each container has one of its own, and lowers a limit, which needs no CAP_SYS_RESOURCE.
podman_bundle()
{
	make_rootfs "$1/rootfs"
	cp -r "$top/tests/data/bundles/podman/." "$1"
	mkdir -p "$1/files/shm"
	jq 'del(.linux.cgroupsPath) | .process.args = ["/bin/true"] |
		.process.rlimits = [ { type: "RLIMIT_NOFILE", soft: 256, hard: 256 } ] | '"$2" "$1/config.json" >"$1/new"
	mv "$1/new" "$1/config.json"
}

# small_bundle DIR FILTER: what `knarr spec` writes, changed by jq.
small_bundle()
{
	make_rootfs "$1/rootfs"
	(cd "$1" && "$KNARR" spec)
	# An older version, which all of them take.
	jq '.ociVersion = "1.0.2" | .process.args = ["/bin/true"] | .process.terminal = false |
		.process.rlimits = [ { type: "RLIMIT_NOFILE", soft: 256, hard: 256 } ] |
		del(.process.capabilities.ambient) | '"$2" "$1/config.json" >"$1/new"
	mv "$1/new" "$1/config.json"
}

version_of()
{
	local path=${program[$1]%% *}
	"$path" --version | head -n 1
}

# What the figures depend on, as a paragraph.
circumstances()
{
	local name versions=
	for name in "${programs[@]}"; do
		versions+="${versions:+, }$name: $(version_of "$name")"
	done
	echo "$(date -u +%F), Linux $(uname -r), $(nproc) CPUs, load average before $load. $versions."
	[[ "${program[*]}" != *cgroup-manager=disabled* ]] || echo "crun makes no cgroup here: CAP_SYS_RESOURCE is missing."
}
