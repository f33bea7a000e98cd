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
# shellcheck source=tests/perf/common.bash
. "$(dirname "$0")/common.bash"

bundle=$tmp/bundle
podman_bundle "$bundle" '.process.args = ["/bin/true"] | .linux.cgroupsPath = "/knarr-perf"'

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
! command -v crun >/dev/null || add crun "$(command -v crun) --root $tmp/crun $crun_options run --bundle $bundle perf"
! command -v bwrap >/dev/null || add bubblewrap "$(command -v bwrap) --unshare-pid --unshare-net --unshare-ipc --unshare-uts --unshare-cgroup \
--bind $bundle/rootfs / --proc /proc --dev /dev --tmpfs /dev/shm --mqueue /dev/mqueue --ro-bind /sys /sys \
--bind $bundle/files/hosts /etc/hosts --bind $bundle/files/hostname /etc/hostname --hostname perf --clearenv \
--cap-drop ALL --cap-add CAP_CHOWN --cap-add CAP_KILL --cap-add CAP_SETUID --cap-add CAP_SETGID --chdir / /bin/true"
add 'true alone' "$bundle/rootfs/bin/true"

for ((i = 0; i < rounds; i++)); do
	while IFS= read -r name; do
		measure "${name// /-}" "$runs" "" "${command[$name]}"
	done < <(printf '%s\n' "${names[@]}" | shuf)
done

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
