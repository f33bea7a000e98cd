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
		"runtimes": {"tested": {"path": "$RUNTIME"}}, "default-runtime": "tested", "experimental": true}
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
case_terminal() { expect 5 '/dev/pts/0' "$T/on-terminal" "${D[@]}" run --rm -t bb sh -c 'tty; exit 5'; }
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

case_pids_limit()
{
	need_controller pids
	run 0 '^50$' --pids-limit 50 bb cat /sys/fs/cgroup/pids.max
}

case_memory()
{
	need_controller memory
	run 0 '^33554432$' --memory 32m bb cat /sys/fs/cgroup/memory.max
}

case_cpus()
{
	need_controller cpu
	run 0 '^50000 100000$' --cpus 0.5 bb cat /sys/fs/cgroup/cpu.max
}

case_oom_killed()
{
	need_controller memory
	expect 137 '' "${D[@]}" run --name oom --memory 16m bb sh -c 'x=x; while :; do x=$x$x; done'
	expect 0 '^true$' "${D[@]}" inspect -f '{{.State.OOMKilled}}' oom
	gone oom
}

case_seccomp_profile() { run 1 'not supported' --security-opt "seccomp=$T/seccomp.json" bb mkdir /x; }
case_security_label() { run 0 '^hi$' --security-opt label=disable bb echo hi; }
case_unmask() { run 0 '^[1-9]' --security-opt systempaths=unconfined bb sh -c 'ls /sys/firmware | wc -l'; }
case_cap_drop_all() { run 0 'CapBnd:.*0000000000000000' --cap-drop ALL bb grep CapBnd /proc/self/status; }
case_device_cgroup_rule() { run 0 '^c' --device-cgroup-rule 'c 1:11 rwm' bb sh -c 'mknod /k c 1 11 && ls -l /k'; }
case_device_refused() { run 1 'not permitted' bb sh -c 'mknod /k c 1 11 && cat /k'; }
case_mount_bind() { run 1 'Read-only' --mount "type=bind,src=$T/volume,dst=/mnt,readonly" bb touch /mnt/x; }
case_mount_bind_shared() { run 0 ' shared:' --mount "type=bind,src=$T/shared,dst=/mnt,bind-propagation=rshared" bb grep ' /mnt ' /proc/self/mountinfo; }
case_mount_tmpfs() { run 0 ' 1024 .* /mnt$' --mount type=tmpfs,dst=/mnt,tmpfs-size=1m bb df /mnt; }
case_mount_volume() { run 0 '^ok$' --mount type=volume,src=data,dst=/data bb sh -c 'echo ok >/data/x; cat /data/x'; }
case_volume_directory_on_file() { run 125 'mount a directory onto a file' -v "$T/volume:/etc/plain" bb true; }
case_oom_score() { run 0 '^500$' --oom-score-adj 500 bb cat /proc/self/oom_score_adj; }
case_namespaces_host() { run 0 '^ok$' --pid host --ipc host --uts host bb echo ok; }
case_userns_host() { run 0 ' 0 +0 +4294967295' --userns host bb cat /proc/self/uid_map; }

# background NAME [OPTION...]: a container that sleeps, for the cases below.
background()
{
	local name=$1
	shift
	expect 0 '' "${D[@]}" run -d --name "$name" "$@" bb sh -c 'echo started; exec sleep 100'
}

gone()
{
	expect 0 '' "${D[@]}" rm -f "$@"
}

case_exec()
{
	background e1 -e A=1
	expect 0 '^hi 1$' "${D[@]}" exec e1 sh -c 'echo hi $A'
	expect 7 '' "${D[@]}" exec e1 sh -c 'exit 7'
	expect 0 '^uid=1000\(user\) gid=1000\(user\) groups=.*2000\(more\)' "${D[@]}" exec -u user e1 id
	expect 0 '^/tmp 2$' "${D[@]}" exec -w /tmp -e A=2 e1 sh -c 'echo $PWD $A'
	expect 0 '^through$' "${D[@]}" exec -i e1 cat < <(echo through)
	gone e1
}

case_exec_privileged()
{
	background e2
	expect 0 'CapEff:.*f$' "${D[@]}" exec --privileged e2 grep CapEff /proc/self/status
	gone e2
}

case_exec_tty()
{
	background e3
	expect 5 '^/dev/pts/' "$T/on-terminal" "${D[@]}" exec -it e3 sh -c 'tty; exit 5'
	gone e3
}

case_exec_detached()
{
	background e4
	expect 0 '' "${D[@]}" exec -d e4 touch /done
	until_says 'done' "${D[@]}" exec e4 ls /
	gone e4
}

case_exec_program_missing()
{
	background e5
	expect 126 'executable file not found' "${D[@]}" exec e5 nosuch
	gone e5
}

case_exec_not_executable()
{
	background e6
	expect 126 'permission denied' "${D[@]}" exec e6 /etc/plain
	gone e6
}

case_exec_many()
{
	background e7
	local i
	for i in 1 2 3 4 5 6 7 8; do
		"${D[@]}" exec e7 sh -c "sleep .2; echo out $i" >"$T/many.$i" 2>&1 &
	done
	wait
	expect 0 '^8$' sh -c "cat '$T'/many.* | grep -c '^out'"
	gone e7
}

case_exec_paused()
{
	background e8
	expect 0 '' "${D[@]}" pause e8
	expect 1 'is paused' "${D[@]}" exec e8 true
	expect 0 '' "${D[@]}" unpause e8
	gone e8
}

case_pause_unpause()
{
	background f1
	expect 0 '' "${D[@]}" pause f1
	expect 0 '^paused$' "${D[@]}" inspect -f '{{.State.Status}}' f1
	expect 0 '' "${D[@]}" unpause f1
	expect 0 '^running$' "${D[@]}" inspect -f '{{.State.Status}}' f1
	gone f1
}

case_remove_paused()
{
	background f2
	expect 0 '' "${D[@]}" pause f2
	gone f2
}

case_stats()
{
	background g1
	expect 0 '^g1 ' "${D[@]}" stats --no-stream --format '{{.Name}} {{.PIDs}} {{.MemUsage}}' g1
	gone g1
}

case_stats_numbers()
{
	need_controller memory pids
	background g2
	expect 0 '^g2 1 [1-9].*[KkM]iB / ' "${D[@]}" stats --no-stream --format '{{.Name}} {{.PIDs}} {{.MemUsage}}' g2
	gone g2
}

case_update()
{
	need_controller memory cpu
	background h1
	expect 0 '' "${D[@]}" update --memory 64m --memory-swap 128m --cpus 0.5 --pids-limit 77 h1
	expect 0 '^67108864$' "${D[@]}" exec h1 cat /sys/fs/cgroup/memory.max
	expect 0 '^50000 100000$' "${D[@]}" exec h1 cat /sys/fs/cgroup/cpu.max
	gone h1
}

case_update_restart()
{
	background h2
	expect 0 '' "${D[@]}" update --restart on-failure:3 h2
	expect 0 '^on-failure 3$' "${D[@]}" inspect -f '{{.HostConfig.RestartPolicy.Name}} {{.HostConfig.RestartPolicy.MaximumRetryCount}}' h2
	gone h2
}

case_top()
{
	background i1
	expect 0 'sleep 100' "${D[@]}" top i1
	expect 0 'sleep' "${D[@]}" top i1 -o pid,comm
	gone i1
}

case_logs()
{
	background j1
	until_says started "${D[@]}" logs j1
	gone j1
}

case_attach()
{
	expect 0 '' "${D[@]}" run -d -i --name k1 bb sh -c 'read x; echo "got $x"; sleep 1; exit 6'
	expect 6 '^got word$' "${D[@]}" attach k1 < <(sleep 0.5; echo word; sleep 3)
	gone k1
}

case_healthcheck()
{
	background l1 --health-cmd 'test -e /healthy' --health-interval 1s --health-retries 1
	until_says unhealthy "${D[@]}" inspect -f '{{.State.Health.Status}}' l1
	expect 0 '' "${D[@]}" exec l1 touch /healthy
	until_says '^healthy' "${D[@]}" inspect -f '{{.State.Health.Status}}' l1
	gone l1
}

case_restart_policy()
{
	expect 0 '' "${D[@]}" run -d --name m1 --restart on-failure:2 bb sh -c 'echo again; exit 3'
	until_says 2 "${D[@]}" inspect -f '{{.RestartCount}}' m1
	until_says exited "${D[@]}" inspect -f '{{.State.Status}}' m1
	expect 0 '^again$' "${D[@]}" logs m1
	gone m1
}

case_restart_always()
{
	background m2 --restart always
	kill -KILL "$("${D[@]}" inspect -f '{{.State.Pid}}' m2)"
	until_says 1 "${D[@]}" inspect -f '{{.RestartCount}}' m2
	until_says running "${D[@]}" inspect -f '{{.State.Status}}' m2
	gone m2
}

case_kill_signals()
{
	expect 0 '' "${D[@]}" run -d --name q1 bb sh -c 'trap "echo usr1" USR1; echo started; while :; do sleep .1; done'
	until_says started "${D[@]}" logs q1
	expect 0 '' "${D[@]}" kill -s USR1 q1
	until_says usr1 "${D[@]}" logs q1
	expect 0 '' "${D[@]}" kill q1
	expect 0 '^137$' "${D[@]}" wait q1
	expect 1 'is not running' "${D[@]}" kill q1
	gone q1
}

case_copy_commit()
{
	background n1
	expect 0 '' "${D[@]}" cp "$T/volume/file" n1:/tmp/copied
	expect 0 '^from-host$' "${D[@]}" exec n1 cat /tmp/copied
	expect 0 '' "${D[@]}" commit n1 committed
	run 0 '^from-host$' committed cat /tmp/copied
	gone n1
}

case_build()
{
	mkdir -p "$T/context"
	printf 'FROM bb\nRUN echo built >/out\nUSER user\nRUN id -un && cat /out\n' >"$T/context/Dockerfile"
	expect 0 '^user$' env DOCKER_BUILDKIT=0 "${D[@]}" build --network none -t built "$T/context"
	run 0 '^built$' built cat /out
	printf 'FROM bb\nRUN exit 9\n' >"$T/context/Dockerfile"
	expect 9 'non-zero code: 9' env DOCKER_BUILDKIT=0 "${D[@]}" build --network none "$T/context"
}

case_runtime_by_name() { run 0 '^hi$' --runtime tested bb echo hi; }

case_two_at_once()
{
	local i
	for i in 1 2 3 4 5 6; do
		"${D[@]}" run --rm --network none bb sh -c "echo out $i" >"$T/many.$i" 2>&1 &
	done
	wait
	expect 0 '^6$' sh -c "cat '$T'/many.[1-6] | grep -c '^out'"
}

case_checkpoint()
{
	need_program criu
	unable 'CRIU is not tried here, but in a virtual machine (tests/vm)'
}

# The last one: it needs a daemon of its own.
case_userns_remap()
{
	grep -q "^$CLIENTS_USER:" /etc/subuid || unable 'no range in /etc/subuid'
	local first
	first=$(awk -F: -v user="$CLIENTS_USER" '$1 == user { print $2; exit }' /etc/subuid)
	mkdir -p "$T/d2"
	sed -e "s|$T/d/|$T/d2/|g" -e "s|$T/d2/csock|$T/d/csock|" -e '1s|{|{"userns-remap": "'"$CLIENTS_USER"'", |' "$T/daemon.json" >"$T/daemon2.json"
	start dockerd2 dockerd --config-file "$T/daemon2.json"
	D=(docker -H "unix://$T/d2/sock" --config "$T/d/cli")
	local status=0
	(
		(until_says tested "${D[@]}" info -f '{{.DefaultRuntime}}') || {
			cat "$T/dockerd2.log"
			exit 1
		}
		expect 0 '' "${D[@]}" import "$T/root.tar" bb
		run 0 " 0 +$first +65536" bb cat /proc/self/uid_map
		run 0 '^from-host$' -v "$T/volume:/mnt" bb cat /mnt/file
		background r1
		expect 0 '^uid=0' "${D[@]}" exec r1 id
		gone r1
	) || status=$?
	kill "$(cat "$T/dockerd2.pid")"
	wait "$(cat "$T/dockerd2.pid")"
	umount "$T"/d2/*/exec/netns/* "$T"/d2/exec/netns/* 2>/dev/null
	rm -rf --one-file-system "$T/d2"
	return "$status"
}

client_run
