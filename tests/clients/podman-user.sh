#!/usr/bin/env bash
# Podman as an unprivileged user who has a range in /etc/subuid. They may make no cgroup here,
# so what needs one is tried only where they have it.
# The cases are called by name; what containers run stands in single quotes.
# shellcheck disable=SC2317,SC2016
set -u
# shellcheck source=tests/clients/lib.bash
. "$(dirname "$0")/lib.bash"
# shellcheck source=tests/clients/podman.bash
. "$(dirname "$0")/podman.bash"
client_begin podman-user podman conmon script newuidmap
grep -q "^$CLIENTS_USER:" /etc/subuid || skip_client 'no range in /etc/subuid'
P=$T/user-p

runtime_begin()
{
	make_programs
	install -d -o "$CLIENTS_USER" -g "$(id -g "$CLIENTS_USER")" -m 0700 "$T/user" "$T/user/run"
	make_images "$P"
}

runtime_end()
{
	"$P" rm -fa -t 0 >/dev/null 2>&1
	rm -rf "$T/user"
}

run()
{
	local status=$1 regex=$2
	shift 2
	case " $* " in
	*' --network '*) expect "$status" "$regex" "$P" run --rm "$@" ;;
	*) expect "$status" "$regex" "$P" run --rm --network none "$@" ;;
	esac
}

# background NAME [OPTION...]: a container that sleeps, for the cases below.
background()
{
	local name=$1
	shift
	expect 0 '' "$P" run -d --name "$name" --network none "$@" bb sh -c 'echo started; exec sleep 100'
}

gone()
{
	expect 0 '' "$P" rm -f -t 0 "$@"
}

# need_cgroup NAME: of the container, which the runtime makes only where the user has one
# delegated; else it is in the one of this script.
need_cgroup()
{
	local pid
	pid=$("$P" inspect -f '{{.State.Pid}}' "$1")
	! cmp -s <(grep ^0:: "/proc/$pid/cgroup") <(grep ^0:: /proc/self/cgroup) || {
		gone "$1" >/dev/null
		unable 'an unprivileged user has no cgroup here'
	}
}

case_output() { run 0 '^hi$' bb echo hi; }
case_exit_status() { run 7 '' bb sh -c 'exit 7'; }
case_program_missing() { run 127 'executable file not found' bb nosuch; }
case_not_executable() { run 126 'permission denied' bb /etc/plain; }
case_ids() { run 0 '^uid=1000\(user\)' --user user bb id; }
case_keep_id() { run 0 "^uid=$(id -u "$CLIENTS_USER")" --userns keep-id bb id; }
case_cgroups_disabled() { run 0 '^hi$' --cgroups=disabled bb echo hi; }
case_read_only() { run 1 'Read-only' --read-only bb touch /x; }
case_terminal() { run 0 '^/dev/pts/0$' -t bb tty; }
case_network_host() { run 0 '^[0-9]+: ' --network host bb ip link; }
case_privileged() { run 0 'Seccomp:.*0' --privileged bb grep Seccomp: /proc/self/status; }

case_lifecycle()
{
	expect 0 '' "$P" run -d --name u1 --network none bb sh -c 'echo started; sleep 100'
	expect 0 '^started$' "$P" logs u1
	expect 0 '' "$P" stop -t 0 u1
	expect 0 '^137$' "$P" inspect -f '{{.State.ExitCode}}' u1
	expect 0 '' "$P" rm u1
}

case_exec()
{
	expect 0 '' "$P" run -d --name u2 --network none bb sleep 100
	expect 0 '^hi$' "$P" exec u2 echo hi
	expect 0 '^uid=1000\(user\)' "$P" exec --user user u2 id
	expect 5 '^/dev/pts/' "$T/on-terminal" "$P" exec -it u2 sh -c 'tty; exit 5'
	expect 127 'executable file not found' "$P" exec u2 nosuch
	expect 126 'ermission denied' "$P" exec u2 /etc/plain
	expect 0 'sleep 100' "$P" top u2
	expect 0 '' "$P" rm -f -t 0 u2
}

case_volume() { run 0 '^from-host$' -v "$T/volume:/mnt:ro" bb cat /mnt/file; }
case_volume_named() { run 0 '^ok$' -v data:/data bb sh -c 'echo ok >/data/x; cat /data/x'; }
case_tmpfs() { run 0 ' 1024 .* /mnt$' --tmpfs /mnt:size=1m bb df /mnt; }
case_device() { run 0 '^c' --device /dev/zero:/dev/other bb ls -l /dev/other; }
case_uidmap() { run 0 ' 0 +1 +1000' --uidmap 0:1:1000 --gidmap 0:1:1000 bb cat /proc/self/uid_map; }
case_seccomp_profile() { run 1 'not supported' --security-opt "seccomp=$T/seccomp.json" bb mkdir /x; }
case_cap_drop_all() { run 0 'CapBnd:.*0000000000000000' --cap-drop ALL bb grep CapBnd /proc/self/status; }
case_ulimit() { run 0 '^123$' --ulimit nofile=123:124 bb sh -c 'ulimit -n'; }
case_sysctl() { run 0 '^5$' --sysctl net.ipv4.ip_default_ttl=5 bb cat /proc/sys/net/ipv4/ip_default_ttl; }
case_group_add() { run 0 'groups=.*777' --group-add 777 bb id; }
case_systemd_always() { run 0 '^hi$' --systemd always bb echo hi; }

case_pod()
{
	expect 0 '' "$P" pod create --name upod --network none --share ipc,net,uts --hostname inpod
	expect 0 '^inpod$' "$P" run --rm --pod upod bb hostname
	expect 0 '' "$P" pod rm -f -t 0 upod
}

case_build()
{
	mkdir -p "$T/context"
	printf 'FROM localhost/bb:latest\nRUN echo built >/out\nRUN cat /out\n' >"$T/context/Dockerfile"
	chmod -R go+rX "$T/context"
	expect 0 '^built$' "$P" build --network none -t built "$T/context"
}

case_env() { run 0 '^x y$' --env 'A=x y' bb sh -c 'echo "$A"'; }
case_workdir() { run 0 '^/tmp$' -w /tmp bb pwd; }
case_hostname() { run 0 '^foo$' --hostname foo bb hostname; }
case_stdin() { echo through | run 0 '^through$' -i bb cat; }
case_cap_add() { run 0 'CapEff:.*0000000000200000' --cap-drop ALL --cap-add SYS_ADMIN bb grep CapEff /proc/self/status; }
case_no_new_privileges() { run 0 'NoNewPrivs:.*1' --security-opt no-new-privileges bb grep NoNew /proc/self/status; }
case_volume_overlay() { run 0 '^from-host$' -v "$T/volume:/mnt:O" bb sh -c 'touch /mnt/x && cat /mnt/file'; }
case_umask() { run 0 '^0077$' --umask 0077 bb sh -c umask; }

case_init()
{
	need_program catatonit
	run 0 '^ok$' --init --init-path "$(command -v catatonit)" bb sh -c 'test $$ != 1 && grep -q catatonit /proc/1/cmdline && echo ok'
}

case_kill()
{
	expect 0 '' "$P" run -d --name k1 --network none bb sh -c 'trap "echo usr1" USR1; echo started; while :; do sleep .1; done'
	until_says started "$P" logs k1
	expect 0 '' "$P" kill -s USR1 k1
	until_says usr1 "$P" logs k1
	expect 0 '' "$P" kill k1
	expect 0 '^137$' "$P" wait k1
	gone k1
}

case_attach()
{
	expect 0 '' "$P" run -d -i --name a1 --network none bb sh -c 'read x; echo "got $x"; sleep 1; exit 6'
	expect 0 '^got word$' "$P" attach a1 < <(sleep 0.5; echo word; sleep 3)
	gone a1
}

case_healthcheck()
{
	background h1 --health-cmd 'test -e /healthy' --health-interval disable --health-retries 1
	expect 1 'unhealthy' "$P" healthcheck run h1
	expect 0 '' "$P" exec h1 touch /healthy
	expect 0 '' "$P" healthcheck run h1
	gone h1
}

case_pause_unpause()
{
	background f1
	need_cgroup f1
	expect 0 '' "$P" pause f1
	expect 0 '^paused$' "$P" inspect -f '{{.State.Status}}' f1
	expect 0 '' "$P" unpause f1
	expect 0 '^running$' "$P" inspect -f '{{.State.Status}}' f1
	gone f1
}

case_pids_limit_stats_update()
{
	need_controller memory pids
	background s1 --pids-limit 50
	need_cgroup s1
	expect 0 '^50$' "$P" exec s1 cat /sys/fs/cgroup/pids.max
	expect 0 '^s1 [1-9]' "$P" stats --no-stream --format '{{.Name}} {{.PIDs}}' s1
	expect 0 '' "$P" update --memory 64m s1
	expect 0 '^67108864$' "$P" exec s1 cat /sys/fs/cgroup/memory.max
	gone s1
}

case_play_kube()
{
	cat >"$T/user/kube.yaml" <<-END
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
		    command: [sh, -c, 'cat /vol/file; sleep 100']
		    volumeMounts: [{name: vol, mountPath: /vol}]
		  volumes:
		  - name: vol
		    hostPath: {path: $T/volume, type: Directory}
	END
	chmod 0644 "$T/user/kube.yaml"
	expect 0 '' "$P" play kube "$T/user/kube.yaml"
	until_says 'from-host' "$P" logs kube-one
	expect 0 '' "$P" play kube --down "$T/user/kube.yaml"
}

client_run
