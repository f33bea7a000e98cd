#!/usr/bin/env bash
# Podman with conmon, as root and as an ordinary user. What the machine lacks is
# asked for no more: no pids limit, and limits below those of the caller.
# The cases are called by name; what containers run stands in single quotes.
# shellcheck disable=SC2317,SC2016
set -u
# shellcheck source=tests/clients/lib.bash
. "$(dirname "$0")/lib.bash"
client_begin podman podman conmon script

LIMITS=(--ulimit nproc=1000:1000 --ulimit nofile=1024:2048)
RUN=(run --rm --network=none --pids-limit=-1 "${LIMITS[@]}" --cgroup-parent "/$CGROUP")

# Programs $T/p and $T/user-p: podman with this test's folders and runtime.
make_programs()
{
	local own="--cgroup-manager cgroupfs --storage-driver vfs --events-backend file --runtime $NAME" u=$T/user
	cat >"$T/containers.conf" <<-END
		[engine]
		runtime_supports_json = ["knarr", "runc"]
		runtime_supports_nocgroup = ["knarr"]
		[engine.runtimes]
		$NAME = ["$T/runtime-$NAME"]
	END
	cat >"$T/p" <<-END
		#!/bin/sh
		export CONTAINERS_CONF=$T/containers.conf
		exec podman --root $T/store --runroot $T/runroot --tmpdir $T/tmp $own "\$@"
	END
	cat >"$T/user-p" <<-END
		#!/bin/sh
		exec setpriv --reuid $(id -u knarr-test) --regid $(id -g knarr-test) --init-groups --inh-caps=-all \\
			env -C $u HOME=$u USER=knarr-test LOGNAME=knarr-test XDG_RUNTIME_DIR=$u/run CONTAINERS_CONF=$T/containers.conf \\
			podman --root $u/store --runroot $u/runroot --tmpdir $u/tmp $own "\$@"
	END
	chmod 0755 "$T/p" "$T/user-p"
}

# Each runtime has a store of its own: what one left cannot disturb the other.
runtime_begin()
{
	install -m 0755 "$RUNTIME" "$T/runtime-$NAME"
	make_programs
	"$T/p" import -q "$T/root.tar" bb >/dev/null || exit 1
	if grep -q ^knarr-test: /etc/subuid; then
		install -d -o knarr-test -g "$(id -g knarr-test)" -m 0700 "$T/user" "$T/user/run"
		"$T/user-p" import -q "$T/root.tar" bb >/dev/null 2>"$T/out" || cat "$T/out" >&2
	fi
}

runtime_end()
{
	"$T/p" rm -fa >/dev/null 2>&1
	rm -rf "$T/store" "$T/runroot" "$T/tmp" "$T/user"
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
	[ -x /usr/bin/tini-static ] || return 0 # as of the package tini
	run 0 '^1$' --init --init-path /usr/bin/tini-static bb sh -c 'test $$ != 1 && ls -d /proc/1 | wc -l'
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

user_run()
{
	local status=$1 regex=$2
	grep -q ^knarr-test: /etc/subuid || return 0
	shift 2
	case " $* " in
	*' --network '*) expect "$status" "$regex" "$T/user-p" run --rm "$@" ;;
	*) expect "$status" "$regex" "$T/user-p" run --rm --network none "$@" ;;
	esac
}

case_user_output() { user_run 0 '^hi$' bb echo hi; }
case_user_exit_status() { user_run 7 '' bb sh -c 'exit 7'; }
case_user_program_missing() { user_run 127 'executable file not found' bb nosuch; }
case_user_not_executable() { user_run 126 'permission denied' bb /etc/plain; }
case_user_ids() { user_run 0 '^uid=1000\(user\)' --user user bb id; }
case_user_keep_id() { user_run 0 "^uid=$(id -u knarr-test)" --userns keep-id bb id; }
case_user_cgroups_disabled() { user_run 0 '^hi$' --cgroups=disabled bb echo hi; }
case_user_read_only() { user_run 1 'Read-only' --read-only bb touch /x; }
case_user_terminal() { user_run 0 '^/dev/pts/0$' -t bb tty; }
case_user_network_host() { user_run 0 '^[0-9]+: ' --network host bb ip link; }
case_user_privileged() { user_run 0 'Seccomp:.*0' --privileged bb grep Seccomp: /proc/self/status; }

case_user_lifecycle()
{
	grep -q ^knarr-test: /etc/subuid || return 0
	expect 0 '' "$T/user-p" run -d --name u1 --network none bb sh -c 'echo started; sleep 100'
	expect 0 '^started$' "$T/user-p" logs u1
	expect 0 '' "$T/user-p" stop -t 0 u1
	expect 0 '^137$' "$T/user-p" inspect -f '{{.State.ExitCode}}' u1
	expect 0 '' "$T/user-p" rm u1
}

client_run
