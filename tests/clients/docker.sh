#!/usr/bin/env bash
# Docker: dockerd with a containerd of its own, no networks but none and host.
# The cases are called by name; what containers run stands in single quotes.
# shellcheck disable=SC2317,SC2016
set -u
# shellcheck source=tests/clients/lib.bash
. "$(dirname "$0")/lib.bash"
PATH=/usr/bin:$PATH
client_begin docker dockerd docker containerd script

# start NAME COMMAND...: in the background; its id goes to $T/NAME.pid.
start()
{
	"${@:2}" >"$T/$1.log" 2>&1 &
	echo $! >"$T/$1.pid"
}

runtime_begin()
{
	mkdir -p "$T/d"
	cat >"$T/config.toml" <<-END
		version = 2
		root = "$T/d/croot"
		state = "$T/d/cstate"
		disabled_plugins = ["io.containerd.grpc.v1.cri"]
		[grpc]
		  address = "$T/d/csock"
		[ttrpc]
		  address = "$T/d/csock.ttrpc"
	END
	cat >"$T/daemon.json" <<-END
		{"data-root": "$T/d/data", "exec-root": "$T/d/exec", "pidfile": "$T/d/pid", "hosts": ["unix://$T/d/sock"],
		"containerd": "$T/d/csock", "iptables": false, "ip6tables": false, "ip-forward": false, "bridge": "none",
		"storage-driver": "vfs", "exec-opts": ["native.cgroupdriver=cgroupfs"], "cgroup-parent": "/$CGROUP",
		"runtimes": {"tested": {"path": "$RUNTIME"}}, "default-runtime": "tested"}
	END
	start containerd containerd -c "$T/config.toml"
	until_says ' ok ' ctr -a "$T/d/csock" plugins ls || exit 1
	start dockerd dockerd --config-file "$T/daemon.json"
	D=(docker -H "unix://$T/d/sock" --config "$T/d/cli")
	until_says tested "${D[@]}" info -f '{{.DefaultRuntime}}' || exit 1
	"${D[@]}" import "$T/root.tar" bb >/dev/null || exit 1
}

runtime_end()
{
	local name
	for name in dockerd containerd; do
		kill "$(cat "$T/$name.pid")"
		wait "$(cat "$T/$name.pid")"
	done
	umount "$T"/d/exec/netns/* 2>/dev/null
	rm -rf --one-file-system "$T/d"
}

run()
{
	local status=$1 regex=$2
	shift 2
	expect "$status" "$regex" "${D[@]}" run --rm "$@"
}

case_output() { run 0 '^hi$' bb echo hi; }
case_exit_status() { run 7 '' bb sh -c 'exit 7'; }
case_program_missing() { run 127 'executable file not found' bb nosuch; }
case_not_executable() { run 126 'permission denied' bb /etc/plain; }
case_prestart_hook() { run 0 '^1: lo: .*UP' --network none bb ip link; }
case_network_host() { run 0 '^[0-9]+: ' --network host bb ip link; }
case_env() { run 0 '^x y$' -e 'A=x y' bb sh -c 'echo "$A"'; }
case_user() { run 0 '^uid=1000\(user\) gid=1000\(user\)' --user user bb id; }
case_group_add() { run 0 'groups=.*777' --group-add 777 bb id; }
case_stdin() { echo through | run 0 '^through$' -i bb cat; }
case_terminal() { expect 5 '/dev/pts/0' script -qec "$(printf '%q ' "${D[@]}" run --rm -t bb sh -c 'tty; exit 5')" /dev/null; }
case_workdir() { run 0 '^/new$' -w /new bb pwd; }
case_read_only_tmpfs() { run 0 '^ok$' --read-only --tmpfs /mnt bb sh -c '! touch /x && touch /mnt/y && echo ok'; }
case_volume() { run 0 '^from-host$' -v "$T/volume:/mnt" bb cat /mnt/file; }
case_volume_read_only() { run 1 'Read-only' -v "$T/volume:/mnt:ro" bb touch /mnt/x; }
case_init() { run 0 '^docker-init$' --init bb cat /proc/1/comm; }
case_privileged() { run 0 'Seccomp:.*0' --privileged bb grep Seccomp: /proc/self/status; }
case_capabilities() { run 0 'CapEff:.*00000000a82425fa' --cap-add SYS_ADMIN --cap-drop CHOWN bb grep CapEff /proc/self/status; }
case_seccomp_default() { run 0 'Seccomp:.*2' bb grep Seccomp: /proc/self/status; }
case_seccomp_unconfined() { run 0 'Seccomp:.*0' --security-opt seccomp=unconfined bb grep Seccomp: /proc/self/status; }
case_no_new_privileges() { run 0 'NoNewPrivs:.*1' --security-opt no-new-privileges bb grep NoNew /proc/self/status; }
case_device() { run 0 '^c' --device /dev/zero:/dev/other bb ls -l /dev/other; }
case_hostname() { run 0 '^foo$' --hostname foo bb hostname; }
case_ulimit() { run 0 '^123$' --ulimit nofile=123:124 bb sh -c 'ulimit -n'; }
case_shm_size() { run 0 ' 1024 .* /dev/shm$' --shm-size 1m bb df /dev/shm; }
case_sysctl() { run 0 '^1$' --network none --sysctl net.ipv4.ip_forward=1 bb cat /proc/sys/net/ipv4/ip_forward; }
case_cgroup() { run 0 "^0::/$CGROUP/" --cgroupns host bb cat /proc/self/cgroup; }

case_detached()
{
	expect 0 '' "${D[@]}" run -d --name d1 bb sh -c 'echo started; sleep 100'
	until_says started "${D[@]}" logs d1
	expect 0 '' "${D[@]}" kill d1
	expect 0 '^137$' "${D[@]}" wait d1
	expect 0 '' "${D[@]}" start d1
	expect 0 '' "${D[@]}" rm -f d1
}

case_stop_restart()
{
	expect 0 '' "${D[@]}" run -d --name d2 bb sh -c 'trap "exit 3" TERM; echo started; while :; do sleep .1; done'
	until_says started "${D[@]}" logs d2
	expect 0 '' "${D[@]}" stop -t 5 d2
	expect 0 '^3$' "${D[@]}" inspect -f '{{.State.ExitCode}}' d2
	expect 0 '' "${D[@]}" restart -t 1 d2
	expect 0 '' "${D[@]}" rm -f d2
}

case_shared_namespaces()
{
	expect 0 '' "${D[@]}" run -d --name d3 --network none --ipc shareable bb sleep 100
	run 0 'sleep 100' --network container:d3 --pid container:d3 --ipc container:d3 bb ps
	expect 0 '' "${D[@]}" rm -f d3
}

client_run
