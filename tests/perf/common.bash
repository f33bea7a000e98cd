# For compare.sh and commands.sh: a mount namespace of one's own with cgroup2 alone
# on /sys/fs/cgroup, a tmpfs $tmp on which everything is, so that the disk plays no
# part, bundles, and what takes the times. KNARR names the program.
# shellcheck shell=bash

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
KNARR=${KNARR:-$top/build/knarr}
export KNARR

if [ -z "${PERF_INSIDE:-}" ]; then
	PERF_INSIDE=1 exec unshare --mount --propagation private "$0" "$@"
fi
[ -x "$KNARR" ] || {
	echo "no program $KNARR; build it or set KNARR" >&2
	exit 1
}
if [ "$(stat -f -c %T /sys/fs/cgroup)" != cgroup2fs ]; then
	mount --bind "$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)" /sys/fs/cgroup
fi
tmp=$(mktemp -d /tmp/knarr-perf.XXXXXX)
trap 'rm -rf --one-file-system "$tmp"/* 2>/dev/null; umount -l "$tmp"; rmdir "$tmp"' EXIT
mount -t tmpfs tmpfs "$tmp"

has_sys_resource=$((16#$(sed -n 's/^CapEff:\t//p' /proc/self/status) >> 24 & 1))
# Debian 12's crun needs CAP_SYS_RESOURCE for a cgroup.
export crun_options=
[ "$has_sys_resource" = 1 ] || crun_options=--cgroup-manager=disabled

make_rootfs()
{
	mkdir -p "$1"/{bin,dev,etc,proc,sys,tmp,run,root}
	cp "$(command -v busybox)" "$1/bin/busybox"
	ln -s busybox "$1/bin/true"
	ln -s busybox "$1/bin/sleep"
}

# podman_bundle DIR FILTER: the bundle that Podman writes, changed by jq.
podman_bundle()
{
	make_rootfs "$1/rootfs"
	cp -r "$top/tests/data/bundles/podman/." "$1"
	mkdir -p "$1/files/shm"
	for f in etc/hosts etc/hostname run/.containerenv; do
		: >"$1/rootfs/$f"
	done
	# Only lowering limits needs no CAP_SYS_RESOURCE. (Variables of jq.)
	# shellcheck disable=SC2016
	jq --argjson lower "$((1 - has_sys_resource))" "$2"' | if $lower == 1 then
		.process.rlimits = [ { type: "RLIMIT_NOFILE", soft: 256, hard: 256 } ] else . end' "$1/config.json" >"$1/new"
	mv "$1/new" "$1/config.json"
}

# measure NAME RUNS PREPARE COMMAND: adds times to the files $tmp/NAME.times and
# .cpu. Words are split by hyperfine, without a shell.
measure()
{
	local prepare=()
	[ -z "$3" ] || prepare=(--prepare "$3")
	hyperfine -N --style none --warmup 1 --runs "$2" "${prepare[@]}" --export-json "$tmp/out.json" "$4" >"$tmp/log" 2>&1 || {
		echo "$1 failed: $4" >&2
		cat "$tmp/log" >&2
		bash -c "$4" >&2 || true
		exit 1
	}
	jq -r '.results[0].times[]' "$tmp/out.json" >>"$tmp/$1.times"
	jq -r '.results[0] | (.user + .system)' "$tmp/out.json" >>"$tmp/$1.cpu"
}

# column FILE FRACTION: that quantile in ms.
column()
{
	sort -g "$1" | awk -v q="$2" '{ v[NR] = $1 } END { printf "%.2f", 1000 * v[int((NR - 1) * q) + 1] }'
}
