#!/usr/bin/env bash
# Median time of `run` of /bin/true with the bundle that Podman writes (10 mounts,
# 11 masked and 6 read-only paths, a seccomp profile of 437 names), for knarr and
# what else is installed: runc, crun, bubblewrap. Prints a table in Markdown.
#
#   tests/perf/compare.sh [ROUNDS [RUNS]]      default: 20 rounds of 5 runs
#
# In each round every program has its turn, in an order shuffled anew, so that a
# change of the machine's mood hits all of them. Needs root, hyperfine, jq, busybox.
# KNARR names the program (default: the build folder's).
#
# All run in one mount namespace with cgroup2 alone on /sys/fs/cgroup. Fairness:
#   crun   with --cgroup-manager=disabled where CAP_SYS_RESOURCE is missing: Debian 12's
#          fails there otherwise. It has no cgroup and no device rules then, so less to do.
#   bwrap  has no cgroup, device rules, rlimits or hooks, and gets no seccomp filter
#          here; its mounts are the nearest it can be told. A sandbox, not a runtime.
set -euo pipefail

rounds=${1:-20} runs=${2:-5}
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
KNARR=${KNARR:-$top/build/knarr}
export KNARR

if [ -z "${PERF_INSIDE:-}" ]; then
	PERF_INSIDE=1 exec unshare --mount --propagation private "$here/compare.sh" "$@"
fi
[ -x "$KNARR" ] || {
	echo "no program $KNARR; build it or set KNARR" >&2
	exit 1
}
if [ "$(stat -f -c %T /sys/fs/cgroup)" != cgroup2fs ]; then
	mount --bind "$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)" /sys/fs/cgroup
fi
# Everything on a tmpfs, so that the disk plays no part.
tmp=$(mktemp -d /tmp/knarr-perf.XXXXXX)
trap 'rm -rf --one-file-system "$tmp"/* 2>/dev/null; umount -l "$tmp"; rmdir "$tmp"' EXIT
mount -t tmpfs tmpfs "$tmp"

bundle=$tmp/bundle
mkdir -p "$bundle"/rootfs/{bin,dev,etc,proc,sys,tmp,run,root}
cp -r "$top/tests/data/bundles/podman/." "$bundle"
mkdir -p "$bundle/files/shm"
cp "$(command -v busybox)" "$bundle/rootfs/bin/busybox"
ln -s busybox "$bundle/rootfs/bin/true"
for f in etc/hosts etc/hostname run/.containerenv; do
	: >"$bundle/rootfs/$f"
done
has_sys_resource=$((16#$(sed -n 's/^CapEff:\t//p' /proc/self/status) >> 24 & 1))
# Only lowering limits needs no CAP_SYS_RESOURCE. (Variables of jq.)
# shellcheck disable=SC2016
jq --argjson lower "$((1 - has_sys_resource))" '.process.args = ["/bin/true"] | .linux.cgroupsPath = "/knarr-perf"
	| if $lower == 1 then .process.rlimits = [ { type: "RLIMIT_NOFILE", soft: 256, hard: 256 } ] else . end' \
	"$bundle/config.json" >"$bundle/new"
mv "$bundle/new" "$bundle/config.json"

# name=command; words are split by hyperfine, without a shell.
declare -A command
names=()
add()
{
	names+=("$1")
	command[$1]=$2
}
add knarr "$KNARR --root $tmp/knarr run --bundle $bundle perf"
! command -v runc >/dev/null || add runc "$(command -v runc) --root $tmp/runc run --bundle $bundle perf"
if command -v crun >/dev/null; then
	if [ "$has_sys_resource" = 1 ]; then
		add crun "$(command -v crun) --root $tmp/crun run --bundle $bundle perf"
	else
		add crun "$(command -v crun) --root $tmp/crun --cgroup-manager=disabled run --bundle $bundle perf"
	fi
fi
! command -v bwrap >/dev/null || add bubblewrap "$(command -v bwrap) --unshare-pid --unshare-net --unshare-ipc --unshare-uts --unshare-cgroup \
--bind $bundle/rootfs / --proc /proc --dev /dev --tmpfs /dev/shm --mqueue /dev/mqueue --ro-bind /sys /sys \
--bind $bundle/files/hosts /etc/hosts --bind $bundle/files/hostname /etc/hostname --hostname perf --clearenv \
--cap-drop ALL --cap-add CAP_CHOWN --cap-add CAP_KILL --cap-add CAP_SETUID --cap-add CAP_SETGID --chdir / /bin/true"
add 'true alone' "$bundle/rootfs/bin/true"

measure()
{
	hyperfine -N --style none --warmup 1 --runs "$2" --export-json "$tmp/out.json" "${command[$1]}" >"$tmp/log" 2>&1 || {
		echo "$1 failed: ${command[$1]}" >&2
		cat "$tmp/log" >&2
		bash -c "${command[$1]}" >&2 || true
		exit 1
	}
	jq -r '.results[0].times[]' "$tmp/out.json" >>"$tmp/${1// /-}.times"
	jq -r '.results[0] | (.user + .system)' "$tmp/out.json" >>"$tmp/${1// /-}.cpu"
}

for ((i = 0; i < rounds; i++)); do
	while IFS= read -r name; do
		measure "$name" "$runs"
	done < <(printf '%s\n' "${names[@]}" | shuf)
done

# column FILE FRACTION: that quantile in ms.
column()
{
	sort -g "$1" | awk -v q="$2" '{ v[NR] = $1 } END { printf "%.2f", 1000 * v[int((NR - 1) * q) + 1] }'
}

version_of()
{
	case $1 in
	knarr) "$KNARR" --version | head -n 1 ;;
	runc | crun) "$1" --version | head -n 1 ;;
	bubblewrap) bwrap --version ;;
	*) busybox 2>&1 | sed -n '1s/ (.*//p' ;;
	esac
}

echo "Linux $(uname -r), $(nproc) processors, $rounds rounds of $runs runs each, milliseconds."
echo
echo '| program | version | median | lowest | 1st quarter | 3rd quarter | processor time |'
echo '|---|---|---|---|---|---|---|'
for name in "${names[@]}"; do
	f=$tmp/${name// /-}
	echo "| $name | $(version_of "$name") | $(column "$f.times" 0.5) | $(column "$f.times" 0) | $(column "$f.times" 0.25) |" \
		"$(column "$f.times" 0.75) | $(column "$f.cpu" 0.5) |"
done
