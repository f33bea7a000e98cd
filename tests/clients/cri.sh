#!/usr/bin/env bash
# containerd's CRI plugin, called as the kubelet calls it (cri.py). Pods are on the
# host's network, so no CNI plugin is needed. The runtime is a handler of its own, as a
# RuntimeClass names it, with BinaryName and SystemdCgroup among its options.
# The shares of cpu that the plugin always asks for are taken from runc's configs where
# cgroup2 has no cpu controller, and only there: it refuses them.
# The cases are called by name; what containers run stands in single quotes.
# shellcheck disable=SC2317,SC2016
set -u
# shellcheck source=tests/clients/lib.bash
. "$(dirname "$0")/lib.bash"
PYTHON=/usr/bin/python3
[ -x $PYTHON ] && $PYTHON -c 'import grpc' 2>/dev/null || NO_GRPC=yes
HERE=$(cd "$(dirname "$0")" && pwd)
client_begin cri containerd ctr umoci jq
[ -z "${NO_GRPC:-}" ] || skip_client 'python3-grpcio is not installed'

runtime_begin()
{
	[ -e "$T/oci.tar" ] || make_layout
	if [ "$NAME" = runc ] && ! grep -qw cpu /sys/fs/cgroup/cgroup.controllers; then
		runc_without_cpu
		RUNTIME=$T/runc-without-cpu
	fi
	mkdir -p "$T/d/cni" "$T/logs"
	cat >"$T/config.toml" <<-END
		version = 2
		root = "$T/d/root"
		state = "$T/d/state"
		[grpc]
		  address = "$T/d/sock"
		[ttrpc]
		  address = "$T/d/sock.ttrpc"
		[plugins."io.containerd.grpc.v1.cri"]
		  sandbox_image = "docker.io/library/bb:bb"
		  disable_hugetlb_controller = false
		  restrict_oom_score_adj = true
		  [plugins."io.containerd.grpc.v1.cri".cni]
		    bin_dir = "$T/d/cni"
		    conf_dir = "$T/d/cni"
		  [plugins."io.containerd.grpc.v1.cri".containerd]
		    default_runtime_name = "tested"
		    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.tested]
		      runtime_type = "io.containerd.runc.v2"
		      pod_annotations = ["a.*"]
		      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.tested.options]
		        BinaryName = "$RUNTIME"
		        SystemdCgroup = false
		        Root = "$T/d/runtime-root"
	END
	containerd -c "$T/config.toml" >"$T/containerd.log" 2>&1 &
	DAEMON=$!
	until_says ' cri +.* ok ' ctr -a "$T/d/sock" plugins ls || exit 1
	ctr -a "$T/d/sock" -n k8s.io images import --base-name docker.io/library/bb "$T/oci.tar" >/dev/null || exit 1
}

runtime_end()
{
	kill "$DAEMON"
	wait "$DAEMON"
	umount "$T"/d/state/io.containerd.grpc.v1.cri/sandboxes/*/shm 2>/dev/null
	rm -rf --one-file-system "$T/d"
}

# call METHOD MESSAGE [FILTER]: the answer, or what jq's filter takes from it.
call()
{
	$PYTHON "$HERE/cri.py" "$T/d/sock" "$1" "$2" >"$T/answer" 2>"$T/out" || {
		echo "$1: $(cat "$T/out")"
		return 1
	}
	jq -r "${3:-.}" "$T/answer"
}

# pod [NAMESPACES]: starts one; POD is its id. Pods with a network of their own need CNI.
pod()
{
	local options=${1:-'"network": 2'}
	POD_CONFIG='{"metadata": {"name": "pod'$BASHPID'", "uid": "u", "namespace": "default"}, "log_directory": "'$T/logs'",
		"hostname": "", "linux": {"cgroup_parent": "/'$CGROUP'", "security_context": {"namespace_options": {'$options'}}}}'
	POD=$(call RunPodSandbox '{"config": '"$POD_CONFIG"', "runtime_handler": "tested"}' .pod) || {
		echo "$POD"
		exit 1
	}
}

pod_end()
{
	call StopPodSandbox '{"pod": "'"$POD"'"}' >/dev/null && call RemovePodSandbox '{"pod": "'"$POD"'"}' >/dev/null || exit 1
}

# container COMMAND [FIELDS [SECURITY [RESOURCES]]]: makes one in the pod and starts it;
# C is its id. COMMAND is for a shell, the rest JSON without the outermost braces.
container()
{
	local fields=${2:-} config
	config='{"metadata": {"name": "c"}, "image": {"image": "docker.io/library/bb:bb"}, "log_path": "log'$BASHPID'",
		"command": '$(jq -nc --arg c "$1" '["sh", "-c", $c]')${fields:+, $fields}',
		"linux": {"security_context": {"namespace_options": {"network": 2, "pid": 1}'${3:+, $3}'}, "resources": {'${4:-}'}}}'
	rm -f "$T/logs/log$BASHPID"
	C=$(call CreateContainer '{"pod": "'"$POD"'", "config": '"$config"', "pod_config": '"$POD_CONFIG"'}' .container) || {
		echo "$C"
		return 1
	}
	call StartContainer '{"container": "'"$C"'"}' >/dev/null || {
		cat "$T/out"
		return 1
	}
}

# runs REGEX COMMAND [...as container]: the log of the container says it.
runs()
{
	local regex=$1
	shift
	pod
	container "$@" || exit 1
	until_says "$regex" cat "$T/logs/log$BASHPID"
	pod_end
}

in_container()
{
	local want=$1 regex=$2
	shift 2
	call ExecSync "$(jq -nc --arg c "$C" '{container: $c, cmd: $ARGS.positional}' --args -- "$@")" \
		'"status \(.exit_code // 0)\n\(.stdout // "")\(.stderr // "")"' >"$T/said" || {
		cat "$T/out" >>"$T/said"
		[ "$want" = error ] || {
			cat "$T/said"
			exit 1
		}
	}
	if { [ "$want" != error ] && ! grep -qx "status $want" "$T/said"; } || ! grep -qE -- "$regex" "$T/said"; then
		echo "$* did not say '$regex' and end with $want, but:"
		cat "$T/said"
		exit 1
	fi
}

case_runtime_ready()
{
	call Status '{}' '.status.conditions[] | "\(.type) \(.status)"' | grep -qx 'RuntimeReady 1'
}

case_output() { runs 'stdout F hi' 'echo hi'; }
case_environment() { runs 'F x y /tmp' 'echo "$A $PWD"' '"envs": [{"key": "A", "value": "x y"}], "working_dir": "/tmp"'; }
case_user() { runs 'uid=1000\(user\) gid=2000\(more\)' id '' '"run_as_user": {"value": 1000}, "run_as_group": {"value": 2000}'; }
case_groups() { runs 'groups=.*777' id '' '"supplemental_groups": [777]'; }
case_read_only() { runs 'Read-only' 'touch /x' '' '"readonly_rootfs": 1'; }
case_mount() { runs 'F from-host.*Read-only' 'exec 2>&1; cat /mnt/file; touch /mnt/x' '"mounts": [{"container_path": "/mnt", "host_path": "'"$T/volume"'", "readonly": 1}]'; }
case_mount_propagated() { runs 'shared:' 'grep " /mnt " /proc/self/mountinfo' '"mounts": [{"container_path": "/mnt", "host_path": "'"$T/shared"'", "propagation": 2}]'; }
case_device() { runs 'F c' 'ls -l /dev/other' '"devices": [{"container_path": "/dev/other", "host_path": "/dev/full", "permissions": "rw"}]'; }
case_capabilities() { runs 'CapEff:.*00000000a82425fa' 'grep CapEff /proc/self/status' '' '"capabilities": {"add": ["SYS_ADMIN"], "drop": ["CHOWN"]}'; }
case_capabilities_drop_all() { runs 'CapBnd:.*0000000000000000' 'grep CapBnd /proc/self/status' '' '"capabilities": {"drop": ["ALL"]}'; }
case_privileged()
{
	pod '"network": 2}, "privileged": 1, "namespace_options": {"network": 2'
	container 'grep Seccomp: /proc/self/status' '' '"privileged": 1' || exit 1
	until_says 'Seccomp:.*0' cat "$T/logs/log$BASHPID"
	pod_end
}
case_seccomp_default() { runs 'Seccomp:.*2' 'grep Seccomp: /proc/self/status' '' '"seccomp": {"type": 0}'; }
case_seccomp_profile() { runs 'not supported' 'mkdir /x' '' '"seccomp": {"type": 2, "path": "'"$T/seccomp.json"'"}'; }
case_no_new_privileges() { runs 'NoNewPrivs:.*1' 'grep NoNew /proc/self/status' '' '"no_new_privs": 1'; }
case_masked_paths() { runs 'F 0' 'wc -c </etc/plain' '' '"masked_paths": ["/etc/plain"]'; }
case_terminal() { runs '/dev/pts/0' tty '"tty": 1'; }
case_oom_score() { runs 'F 999' 'cat /proc/self/oom_score_adj' '' '' '"oom_score_adj": 999'; }
case_pid_of_host() { runs 'F ok' 'test $$ != 1 && echo ok' '' '"namespace_options": {"network": 2, "pid": 2}'; }
case_cgroup() { runs "0::/" 'cat /proc/self/cgroup'; }

case_hugepages()
{
	need_controller hugetlb
	runs 'F 4194304' 'cat /sys/fs/cgroup/hugetlb.2MB.max' '' '' '"hugepages": [{"page_size": "2MB", "limit": 4194304}]'
}

case_unified()
{
	need_controller hugetlb
	runs 'F 6291456' 'cat /sys/fs/cgroup/hugetlb.2MB.max' '' '' '"unified": {"hugetlb.2MB.max": "6291456"}'
}

case_memory()
{
	need_controller memory
	runs 'F 33554432' 'cat /sys/fs/cgroup/memory.max' '' '' '"memory_limit": 33554432'
}

case_program_missing()
{
	pod
	C=
	! container_program nosuch || exit 1
	grep -q 'executable file not found' "$T/out" || exit 1
	pod_end
}

# As container, with the program itself for a command.
container_program()
{
	local config='{"metadata": {"name": "c"}, "image": {"image": "docker.io/library/bb:bb"}, "command": ["'$1'"],
		"linux": {"security_context": {"namespace_options": {"network": 2, "pid": 1}}}}'
	C=$(call CreateContainer '{"pod": "'"$POD"'", "config": '"$config"', "pod_config": '"$POD_CONFIG"'}' .container)
	call StartContainer '{"container": "'"$C"'"}'
}

case_exec()
{
	pod
	container 'exec sleep 100' || exit 1
	in_container 0 '^hi$' echo hi
	in_container 7 '' sh -c 'exit 7'
	in_container error 'executable file not found' nosuch
	in_container error 'permission denied' /etc/plain
	pod_end
}

case_exec_timeout()
{
	pod
	container 'exec sleep 100' || exit 1
	! call ExecSync '{"container": "'"$C"'", "cmd": ["sleep", "50"], "timeout": 1}' >/dev/null || exit 1
	grep -q 'timeout\|DeadlineExceeded\|deadline' "$T/out" || {
		cat "$T/out"
		exit 1
	}
	in_container 0 '^0$' sh -c 'ps | grep -c "[s]leep 50"; true'
	pod_end
}

case_stop_exit_code()
{
	pod
	container 'trap "exit 3" TERM; while :; do sleep .1; done' || exit 1
	sleep 0.5
	call StopContainer '{"container": "'"$C"'", "timeout": 10}' >/dev/null || exit 1
	until_says '^2 3$' call ContainerStatus '{"container": "'"$C"'"}' '.status | "\(.state) \(.exit_code)"'
	call RemoveContainer '{"container": "'"$C"'"}' >/dev/null || exit 1
	pod_end
}

case_update()
{
	need_controller memory cpu
	pod
	container 'exec sleep 100' || exit 1
	call UpdateContainerResources '{"container": "'"$C"'", "linux": {"memory_limit": 67108864, "cpu_quota": 50000, "cpu_period": 100000}}' || exit 1
	in_container 0 '^67108864$' cat /sys/fs/cgroup/memory.max
	in_container 0 '^50000 100000$' cat /sys/fs/cgroup/cpu.max
	pod_end
}

case_stats()
{
	need_controller memory
	pod
	container 'exec sleep 100' || exit 1
	until_says '^[1-9]' call ContainerStats '{"container": "'"$C"'"}' '.stats.memory.usage.value'
	pod_end
}

case_stop_pod_with_container()
{
	pod
	container 'exec sleep 100' || exit 1
	pod_end
	[ -z "$(find /sys/fs/cgroup -path "*$CGROUP*" -name "*$C*")" ]
}

client_run
