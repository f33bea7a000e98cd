#!/usr/bin/env bash
# Podman with conmon, as root. What the machine lacks is
# asked for only in cases of its own: no pids limit elsewhere, and limits below those
# of the caller.
# The cases are called by name; what containers run stands in single quotes.
# shellcheck disable=SC2317,SC2016
set -u
# shellcheck source=tests/clients/lib.bash
. "$(dirname "$0")/lib.bash"
# shellcheck source=tests/clients/podman.bash
. "$(dirname "$0")/podman.bash"
client_begin podman podman conmon script

RUN=(run --rm --network=none --pids-limit=-1 "${LIMITS[@]}" --cgroup-parent "/$CGROUP")

runtime_begin()
{
	make_programs
	make_images "$T/p"
}

runtime_end()
{
	"$T/p" rm -fa >/dev/null 2>&1
	rm -rf "$T/store" "$T/runroot" "$T/tmp"
}

run()
{
	local status=$1 regex=$2
	shift 2
	case " $* " in
	*' --network '*) expect "$status" "$regex" "$T/p" "${RUN[@]/--network=none/--rm}" "$@" ;;
	*) expect "$status" "$regex" "$T/p" "${RUN[@]}" "$@" ;;
	esac
}

case_output() { run 0 '^hi$' bb echo hi; }
case_exit_status() { run 7 '' bb sh -c 'exit 7'; }
case_program_missing() { run 127 'executable file not found' bb nosuch; }
case_not_executable() { run 126 'permission denied' bb /etc/plain; }
case_env() { run 0 '^x y$' --env 'A=x y' bb sh -c 'echo "$A"'; }
case_user() { run 0 '^uid=1000\(user\) gid=1000\(user\) groups=1000\(user\),2000\(more\)' --user user bb id; }
case_user_group() { run 0 '^uid=5.* gid=6' --user 5:6 bb id; }
case_group_add() { run 0 'groups=.*777' --group-add 777 bb id; }
case_stdin() { echo through | run 0 '^through$' -i bb cat; }
case_terminal() { run 0 '^/dev/pts/0$' -t bb tty; }
case_workdir() { run 0 '^/tmp$' -w /tmp bb pwd; }
case_workdir_missing() { run 126 'does not exist' -w /nosuch bb pwd; }
case_read_only() { run 1 'Read-only' --read-only bb touch /x; }
case_tmpfs() { run 0 ' 1024 .* /mnt$' --tmpfs /mnt:size=1m bb df /mnt; }
case_volume() { run 0 '^from-host$' -v "$T/volume:/mnt" bb cat /mnt/file; }
case_volume_read_only() { run 1 'Read-only' -v "$T/volume:/mnt:ro" bb touch /mnt/x; }
case_volume_named() { run 0 '^ok$' -v data:/data bb sh -c 'echo ok >/data/x; cat /data/x'; }
case_volume_noexec() { run 126 'ermission denied' -v "$T/root:/mnt:noexec" bb /mnt/bin/true; }
case_uidmap() { run 0 ' 0 +100000 +5000' --uidmap 0:100000:5000 --gidmap 0:100000:5000 bb cat /proc/self/uid_map; }
case_cap_add_drop() { run 0 'CapEff:.*2[0-9a-f]{4}[ae]$' --cap-add SYS_ADMIN --cap-drop CHOWN bb grep CapEff /proc/self/status; }
case_cap_drop_all() { run 0 'CapBnd:.*0000000000000000' --cap-drop ALL bb grep CapBnd /proc/self/status; }
case_seccomp_default() { run 0 'Seccomp:.*2' bb grep Seccomp: /proc/self/status; }
case_seccomp_unconfined() { run 0 'Seccomp:.*0' --security-opt seccomp=unconfined bb grep Seccomp: /proc/self/status; }
case_no_new_privileges() { run 0 'NoNewPrivs:.*1' --security-opt no-new-privileges bb grep NoNew /proc/self/status; }
case_mask() { run 0 '^0$' --security-opt mask=/etc/plain bb sh -c 'wc -c </etc/plain'; }
case_device() { run 0 '^c' --device /dev/zero:/dev/other bb ls -l /dev/other; }
case_device_cgroup_rule() { run 0 '^c' --cap-add MKNOD --device-cgroup-rule 'c 1:11 rwm' bb sh -c 'mknod /k c 1 11 && ls -l /k'; }
case_device_refused() { run 1 'not permitted' --cap-add MKNOD bb sh -c 'mknod /k c 1 11 && cat /k'; }
case_seccomp_profile() { run 1 'not supported' --security-opt "seccomp=$T/seccomp.json" bb mkdir /x; }
case_security_label() { run 0 '^hi$' --security-opt label=disable bb echo hi; }
case_unmask() { run 0 '^[1-9]' --security-opt unmask=ALL bb sh -c 'ls /sys/firmware | wc -l'; }
case_mount_bind() { run 1 'Read-only' --mount "type=bind,src=$T/volume,dst=/mnt,ro" bb touch /mnt/x; }
case_mount_tmpfs() { run 0 ' 1024 .* /mnt$' --mount type=tmpfs,dst=/mnt,tmpfs-size=1m bb df /mnt; }
case_mount_volume() { run 0 '^ok$' --mount type=volume,src=data2,dst=/data bb sh -c 'echo ok >/data/x; cat /data/x'; }
case_mount_devpts() { run 0 ' /foo devpts ' --mount type=devpts,destination=/foo bb cat /proc/mounts; }
case_mount_image() { run 0 '^text$' --mount type=image,src=bb,dst=/image bb cat /image/etc/plain; }
case_volumes_from()
{
	expect 0 '' "$T/p" "${RUN[@]}" --rm=false --name from -v "$T/volume:/vol:ro" bb true
	run 0 '^from-host$' --volumes-from from bb cat /vol/file
	expect 0 '' "$T/p" rm from
}
case_volume_shared() { run 0 ' shared:' -v "$T/volume:/mnt:rshared" bb grep ' /mnt ' /proc/self/mountinfo; }
case_volume_overlay() { run 0 '^ok$' -v "$T/volume:/mnt:O" bb sh -c 'touch /mnt/x && echo ok'; }
case_rootfs() { expect 0 '^text$' "$T/p" "${RUN[@]}" --rootfs "$T/root" cat /etc/plain; }
case_rootfs_overlay() { expect 0 '^ok$' "$T/p" "${RUN[@]}" --rootfs "$T/root:O" sh -c 'touch /x && echo ok'; }
case_volume_directory_on_file() { run 126 'ot a directory' -v "$T/volume:/etc/plain" bb true; }
case_secret()
{
	echo hidden >"$T/secret"
	expect 0 '' "$T/p" secret create s1 "$T/secret"
	run 0 '^hidden$' --secret s1 bb cat /run/secrets/s1
}
case_userns_auto()
{
	grep -q ^containers: /etc/subuid || unable 'no range of "containers" in /etc/subuid'
	run 0 '^hi$' --userns auto bb echo hi
}
case_userns_host() { run 0 ' 0 +0 +4294967295' --userns host bb cat /proc/self/uid_map; }
case_userns_uidmap_volume() { run 0 '^0:0$' --uidmap 0:100000:5000 --gidmap 0:100000:5000 -v "$T/volume:/mnt:U" bb stat -c %u:%g /mnt; }
case_systemd_always() { run 0 ' /sys/fs/cgroup cgroup2 rw' --systemd always bb cat /proc/mounts; }
case_personality() { run 0 '^i.86$' --personality LINUX32 bb uname -m; }
case_image_volume_tmpfs() { run 0 '^hi$' --image-volume tmpfs bb echo hi; }
case_annotation() { run 0 '^hi$' --annotation a.b=c --label d=e bb echo hi; }
case_stop_signal()
{
	expect 0 '' "$T/p" "${RUN[@]}" --rm=false -d --name ss --stop-signal USR1 bb sh -c 'trap "exit 5" USR1; while :; do sleep .1; done'
	sleep 0.5
	expect 0 '' "$T/p" stop ss
	expect 0 '^5$' "$T/p" inspect -f '{{.State.ExitCode}}' ss
	expect 0 '' "$T/p" rm ss
}
case_privileged() { run 0 'Seccomp:.*0' --privileged bb grep Seccomp: /proc/self/status; }
case_hostname() { run 0 '^foo$' --hostname foo bb hostname; }
case_ulimit() { run 0 '^123$' --ulimit nofile=123:124 bb sh -c 'ulimit -n'; }
case_shm_size() { run 0 ' 1024 .* /dev/shm$' --shm-size 1m bb df /dev/shm; }
case_sysctl() { run 0 '^1$' --sysctl net.ipv4.ip_forward=1 bb cat /proc/sys/net/ipv4/ip_forward; }
case_umask() { run 0 '^0077$' --umask 0077 bb sh -c umask; }
case_network_host() { run 0 '^[0-9]+: ' --network host bb ip link; }
case_namespaces_host() { run 0 '^ok$' --pid host --ipc host --uts host bb echo ok; }
case_cgroup_namespace_host() { run 0 "^0::/$CGROUP/" --cgroupns host bb cat /proc/self/cgroup; }
case_cgroups_disabled() { expect 0 '^hi$' "$T/p" run --rm --network none --cgroups=disabled "${LIMITS[@]}" bb echo hi; }
case_preserve_fds() { run 0 '^kept$' --preserve-fds 1 bb sh -c 'cat <&3' 3< <(echo kept); }
case_oom_score() { run 0 '^500$' --oom-score-adj 500 bb cat /proc/self/oom_score_adj; }

case_init()
{
	need_program catatonit
	run 0 '^ok$' --init --init-path "$(command -v catatonit)" bb sh -c 'test $$ != 1 && grep -q catatonit /proc/1/cmdline && echo ok'
}

case_pids_limit()
{
	need_controller pids
	expect 0 '^50$' "$T/p" "${RUN[@]/--pids-limit=-1/--pids-limit=50}" bb sh -c 'cat /sys/fs/cgroup/pids.max'
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

case_cpuset()
{
	need_controller cpuset
	run 0 '^0$' --cpuset-cpus 0 bb cat /sys/fs/cgroup/cpuset.cpus
}

case_oom_killed()
{
	need_controller memory
	expect 137 '' "$T/p" "${RUN[@]}" --rm=false --name oom --memory 16m bb sh -c 'x=x; while :; do x=$x$x; done'
	expect 0 '^true$' "$T/p" inspect -f '{{.State.OOMKilled}}' oom
}

case_cgroup_conf()
{
	need_controller hugetlb
	run 0 '^4194304$' --cgroup-conf hugetlb.2MB.max=4194304 bb cat /sys/fs/cgroup/hugetlb.2MB.max
}

case_detached()
{
	expect 0 '' "$T/p" "${RUN[@]}" -d --name d1 --hostname foo bb sh -c 'echo started; sleep 100'
	expect 0 '^started$' "$T/p" logs d1
	expect 0 '^running$' "$T/p" inspect -f '{{.State.Status}}' d1
	expect 0 'd1' "$T/p" kill d1
	until_says '^$' "$T/p" ps -aq
}

case_stop_start_restart()
{
	expect 0 '' "$T/p" "${RUN[@]}" --rm=false -d --name d2 --stop-timeout 3 bb sh -c 'trap "exit 3" TERM; while :; do sleep .1; done'
	expect 0 '' "$T/p" stop d2
	expect 0 '^3$' "$T/p" inspect -f '{{.State.ExitCode}}' d2
	expect 0 '' "$T/p" start d2
	expect 0 '' "$T/p" restart -t 1 d2
	expect 0 'sleep' "$T/p" top d2
	expect 0 '' "$T/p" rm -f d2
}

case_create_start_wait()
{
	expect 0 '' "$T/p" create --name d3 --network none --pids-limit=-1 "${LIMITS[@]}" --cgroup-parent "/$CGROUP" bb sh -c 'exit 4'
	expect 0 '' "$T/p" start d3
	expect 0 '^4$' "$T/p" wait d3
	expect 0 '' "$T/p" rm d3
}

case_remove_running()
{
	expect 0 '' "$T/p" "${RUN[@]}" -d --name d4 bb sleep 100
	expect 0 '' "$T/p" rm -f -t 0 d4
}

case_shared_namespaces()
{
	expect 0 '' "$T/p" "${RUN[@]}" -d --name d5 --ipc shareable bb sleep 100
	run 0 'sleep 100' --network container:d5 --pid container:d5 --ipc container:d5 --uts container:d5 bb ps
	expect 0 '' "$T/p" rm -f -t 0 d5
}

# background NAME [OPTION...]: a container that sleeps, for the cases below.
background()
{
	local name=$1
	shift
	expect 0 '' "$T/p" "${RUN[@]}" -d --name "$name" "$@" bb sh -c 'echo started; exec sleep 100'
}

gone()
{
	expect 0 '' "$T/p" rm -f -t 0 "$@"
}

case_exec()
{
	background e1 --env A=1
	expect 0 '^hi 1$' "$T/p" exec e1 sh -c 'echo hi $A'
	expect 7 '' "$T/p" exec e1 sh -c 'exit 7'
	expect 0 '^uid=1000\(user\) gid=1000\(user\) groups=.*2000\(more\)' "$T/p" exec --user user e1 id
	expect 0 '^/tmp 2$' "$T/p" exec -w /tmp -e A=2 e1 sh -c 'echo $PWD $A'
	expect 0 '^through$' "$T/p" exec -i e1 cat < <(echo through)
	expect 0 'CapEff:.*f$' "$T/p" exec --privileged e1 grep CapEff /proc/self/status
	gone e1
}

case_exec_tty()
{
	background e2
	expect 5 '^/dev/pts/' "$T/on-terminal" "$T/p" exec -it e2 sh -c 'tty; exit 5'
	gone e2
}

case_exec_detached()
{
	background e3
	expect 0 '' "$T/p" exec -d e3 touch /done
	until_says 'done' "$T/p" exec e3 ls /
	gone e3
}

case_exec_program_missing()
{
	background e4
	expect 127 'executable file not found' "$T/p" exec e4 nosuch
	gone e4
}

case_exec_not_executable()
{
	background e5
	expect 126 'ermission denied' "$T/p" exec e5 /etc/plain
	gone e5
}

case_exec_workdir_missing()
{
	background e6
	expect 127 'chdir to cwd .*no such file or directory' "$T/p" exec -w /nosuch e6 true
	gone e6
}

case_exec_preserve_fds()
{
	background e7
	expect 0 '^kept$' "$T/p" exec --preserve-fds 1 e7 sh -c 'cat <&3' 3< <(echo kept)
	gone e7
}

case_exec_stopped()
{
	expect 0 '' "$T/p" create --name e8 --network none --pids-limit=-1 "${LIMITS[@]}" --cgroup-parent "/$CGROUP" bb sleep 100
	expect 255 'on running containers' "$T/p" exec e8 true
	gone e8
}

case_exec_many()
{
	background e9
	local i
	for i in 1 2 3 4 5 6 7 8; do
		"$T/p" exec e9 sh -c "sleep .2; echo out $i" >"$T/many.$i" 2>&1 &
	done
	wait
	expect 0 '^8$' sh -c "cat '$T'/many.* | grep -c '^out'"
	gone e9
}

case_pause_unpause()
{
	background f1
	expect 0 '' "$T/p" pause f1
	expect 0 '^paused$' "$T/p" inspect -f '{{.State.Status}}' f1
	expect 0 '' "$T/p" unpause f1
	expect 0 '^running$' "$T/p" inspect -f '{{.State.Status}}' f1
	gone f1
}

case_remove_paused()
{
	background f2
	expect 0 '' "$T/p" pause f2
	gone f2
}

case_stats()
{
	need_controller memory pids
	background g1
	expect 0 '^g1 [1-9]' "$T/p" stats --no-stream --format '{{.Name}} {{.PIDs}}' g1
	gone g1
}

case_update()
{
	need_controller memory cpu
	background h1
	expect 0 '' "$T/p" update --memory 64m --cpus 0.5 h1
	expect 0 '^67108864$' "$T/p" exec h1 cat /sys/fs/cgroup/memory.max
	expect 0 '^50000 100000$' "$T/p" exec h1 cat /sys/fs/cgroup/cpu.max
	gone h1
}

case_top()
{
	background i1
	expect 0 'sleep 100' "$T/p" top i1
	expect 0 'sleep' "$T/p" top i1 pid comm
	gone i1
}

case_logs()
{
	background j1 --log-driver k8s-file
	until_says started "$T/p" logs j1
	gone j1
}

case_attach()
{
	expect 0 '' "$T/p" "${RUN[@]}" --rm=false -d -i --name k1 bb sh -c 'read x; echo "got $x"; sleep 1; exit 6'
	expect 0 '^got word$' "$T/p" attach k1 < <(sleep 0.5; echo word; sleep 3)
	gone k1
}

case_healthcheck()
{
	background l1 --health-cmd 'test -e /healthy' --health-interval disable --health-retries 1
	expect 1 'unhealthy' "$T/p" healthcheck run l1
	expect 0 '' "$T/p" exec l1 touch /healthy
	expect 0 '' "$T/p" healthcheck run l1
	expect 0 '^healthy$' "$T/p" inspect -f '{{.State.Health.Status}}' l1
	gone l1
}

case_restart_policy()
{
	expect 0 '' "$T/p" "${RUN[@]}" --rm=false -d --name m1 --restart on-failure:2 bb sh -c 'echo again; exit 3'
	until_says '2' "$T/p" inspect -f '{{.RestartCount}}' m1
	until_says exited "$T/p" inspect -f '{{.State.Status}}' m1
	expect 0 '^3$' sh -c "'$T/p' logs m1 | grep -c again"
	gone m1
}

case_copy_commit()
{
	background n1
	expect 0 '' "$T/p" cp "$T/volume/file" n1:/tmp/copied
	expect 0 '^from-host$' "$T/p" exec n1 cat /tmp/copied
	expect 0 '' "$T/p" commit -q n1 committed
	run 0 '^from-host$' committed cat /tmp/copied
	gone n1
}

case_pod()
{
	expect 0 '' "$T/p" pod create --name pod1 --network none --cgroup-parent "/$CGROUP" --share ipc,net,uts,pid --hostname inpod
	expect 0 '' "$T/p" run -d --pod pod1 --name pc1 --pids-limit=-1 "${LIMITS[@]}" bb sleep 200
	expect 0 'sleep 200' "$T/p" run --rm --pod pod1 --pids-limit=-1 "${LIMITS[@]}" bb ps
	expect 0 '^inpod$' "$T/p" run --rm --pod pod1 --pids-limit=-1 "${LIMITS[@]}" bb hostname
	expect 0 'sleep' "$T/p" pod top pod1
	expect 0 '' "$T/p" pod pause pod1
	expect 0 '' "$T/p" pod unpause pod1
	expect 0 '' "$T/p" pod stop -t 0 pod1
	expect 0 '' "$T/p" pod start pod1
	expect 0 '' "$T/p" pod rm -f -t 0 pod1
}

case_play_kube()
{
	cat >"$T/kube.yaml" <<-END
		apiVersion: v1
		kind: Pod
		metadata:
		  name: kube
		spec:
		  hostNetwork: true
		  containers:
		  - name: one
		    image: localhost/bb:latest
		    imagePullPolicy: Never
		    command: [sh, -c, 'echo "\$GREETING"; cat /vol/file; sleep 100']
		    env: [{name: GREETING, value: hello}]
		    securityContext: {readOnlyRootFilesystem: true, capabilities: {drop: [ALL]}}
		    volumeMounts: [{name: vol, mountPath: /vol}]
		  volumes:
		  - name: vol
		    hostPath: {path: $T/volume, type: Directory}
	END
	expect 0 '' "$T/p" play kube "$T/kube.yaml"
	until_says 'hello.from-host' "$T/p" logs kube-one
	expect 0 '' "$T/p" play kube --down "$T/kube.yaml"
}

case_build()
{
	mkdir -p "$T/context"
	printf 'FROM localhost/bb:latest\nRUN echo built >/out\nUSER user\nRUN id -un && cat /out\n' >"$T/context/Dockerfile"
	expect 0 '^user$' "$T/p" build --network none --ulimit nproc=1000:1000 --ulimit nofile=1024:2048 -t built "$T/context"
	run 0 '^built$' built cat /out
	printf 'FROM localhost/bb:latest\nRUN exit 9\n' >"$T/context/Dockerfile"
	expect 9 'exit status 9' "$T/p" build --network none --ulimit nproc=1000:1000 --ulimit nofile=1024:2048 "$T/context"
}

case_hooks_dir()
{
	mkdir -p "$T/hooks"
	cat >"$T/hooks/h.json" <<-END
		{"version": "1.0.0", "hook": {"path": "$T/hook", "args": ["hook", "$T/hook.out"]},
		"when": {"always": true}, "stages": ["createRuntime", "poststop"]}
	END
	printf '#!/bin/sh\ncat >>"$1"\n' >"$T/hook"
	chmod 0755 "$T/hook"
	rm -f "$T/hook.out"
	expect 0 '^hi$' "$T/p" --hooks-dir "$T/hooks" "${RUN[@]}" bb echo hi
	expect 0 '^(creating|created).(stopped)$' sh -c "tr '{,' '\n\n' <'$T/hook.out' | sed -n 's/.*\"status\": *\"\\([a-z]*\\)\".*/\1/p' | xargs"
}

case_init_then_start()
{
	expect 0 '' "$T/p" create --name o1 --network none --pids-limit=-1 "${LIMITS[@]}" --cgroup-parent "/$CGROUP" bb sh -c 'exit 4'
	expect 0 '' "$T/p" init o1
	expect 0 '^(created|initialized)$' "$T/p" inspect -f '{{.State.Status}}' o1
	expect 0 '' "$T/p" start o1
	expect 0 '^4$' "$T/p" wait o1
	expect 0 '' "$T/p" rm o1
}

case_kill_signals()
{
	expect 0 '' "$T/p" "${RUN[@]}" -d --rm=false --name q1 bb sh -c 'trap "echo usr1" USR1; echo started; while :; do sleep .1; done'
	until_says started "$T/p" logs q1
	expect 0 '' "$T/p" kill -s USR1 q1
	until_says usr1 "$T/p" logs q1
	expect 0 '' "$T/p" kill -s 9 q1
	expect 0 '^137$' "$T/p" wait q1
	gone q1
}

case_info()
{
	expect 0 "^$NAME" "$T/p" info -f '{{.Host.OCIRuntime.Name}} {{.Host.OCIRuntime.Version}}'
}

case_checkpoint()
{
	need_program criu
	unable 'CRIU is not tried here, but in a virtual machine (tests/vm)'
}

client_run
