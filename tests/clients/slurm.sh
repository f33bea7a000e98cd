#!/usr/bin/env bash
# Slurm: srun --container with contrib/slurm, on a cluster of two nodes, each a slurmd on
# this machine. They, slurmctld and munged have a network namespace with nothing but a
# loopback, and all their files are in $T.
# The cases are called by name; what containers run stands in single quotes.
# shellcheck disable=SC2317,SC2016
set -u
# shellcheck source=tests/clients/lib.bash
. "$(dirname "$0")/lib.bash"
NAMESPACES='--net --uts'
CONTRIB=$(dirname "$0")/../../contrib/slurm
client_begin slurm munged slurmctld slurmd srun jq ip runuser
# slurmstepd 22.05 crashes now and then when its step is over.
ulimit -c 0
export SLURM_CONF=$T/slurm/slurm.conf
# Ids of containers, and so their cgroups, have the name of the node: another run has others.
NODES=k${T##*.}n
# Nobody else sleeps for so long.
LONG=1$$

make_cluster_host()
{
	install -d -m 0711 "$T/munge"
	(umask 077 && head -c 128 /dev/urandom >"$T/munge/key")
	hostname "$NODES"
	printf '127.0.0.1 localhost %s\n' "$NODES" >"$T/hosts"
	mount --bind "$T/hosts" /etc/hosts
	ip link set lo up
	# With 127.0.0.1 alone getaddrinfo(3) says that there is no IPv4.
	ip address add 127.0.0.2/8 dev lo
}

# $T/user COMMAND...: as the unprivileged user. $T/srun-root, $T/srun-user: srun in the
# bundle of either; the user's config has a user namespace. sbatch has its script and
# files mounted in /tmp; $T/results is /mnt.
make_bundles()
{
	local who more='.mounts += [{destination: "/tmp", type: "tmpfs", source: "tmpfs"},
		{destination: "/mnt", type: "bind", source: $results, options: ["bind"]}]'
	cat >"$T/user" <<-END
		#!/bin/sh
		exec setpriv --reuid $CLIENTS_USER --regid $(id -g "$CLIENTS_USER") --init-groups --inh-caps=-all "\$@"
	END
	chmod 0755 "$T/user"
	printf '#!/bin/sh\nexec srun --quiet --container %s/bundle-root "$@"\n' "$T" >"$T/srun-root"
	printf '#!/bin/sh\nexec %s/user srun --quiet --container %s/bundle-user "$@"\n' "$T" "$T" >"$T/srun-user"
	chmod 0755 "$T/srun-root" "$T/srun-user"
	install -d "$T/bundle-root"
	install -d -o "$CLIENTS_USER" "$T/bundle-user"
	install -d -m 0777 "$T/results"
	"$KNARR" spec --bundle "$T/bundle-root"
	"$T/user" "$KNARR" spec --rootless --bundle "$T/bundle-user"
	for who in root user; do
		cp -r "$T/root" "$T/bundle-$who/rootfs"
		jq --arg results "$T/results" "$more" "$T/bundle-$who/config.json" >"$T/new"
		cat "$T/new" >"$T/bundle-$who/config.json"
	done
}

# The nodes say that they have four CPUs, however many there are.
make_config()
{
	install -d -m 0755 "$T/slurm" "$T/slurm/state" "$T/slurm/spool-${NODES}1" "$T/slurm/spool-${NODES}2"
	cat >"$SLURM_CONF" <<-END
		ClusterName=knarr
		SlurmctldHost=$NODES(127.0.0.1)
		SlurmUser=root
		AuthType=auth/munge
		AuthInfo=socket=$T/munge/socket
		StateSaveLocation=$T/slurm/state
		SlurmdSpoolDir=$T/slurm/spool-%n
		SlurmctldPidFile=$T/slurm/ctld.pid
		SlurmdPidFile=$T/slurm/%n.pid
		SlurmctldLogFile=$T/slurm/ctld.log
		SlurmdLogFile=$T/slurm/%n.log
		SlurmdDebug=debug
		ProctrackType=proctrack/linuxproc
		TaskPlugin=task/none
		SwitchType=switch/none
		MpiDefault=none
		MailProg=/bin/true
		SelectType=select/cons_tres
		SelectTypeParameters=CR_CPU
		SchedulerParameters=sched_min_interval=0,sched_interval=1,batch_sched_delay=0
		SlurmdParameters=config_overrides
		ReturnToService=2
		KillWait=2
		Prolog=$T/slurm/prolog
		Epilog=$T/slurm/epilog
		NodeName=${NODES}[1-2] NodeHostname=$NODES NodeAddr=127.0.0.1 Port=[17001-17002] CPUs=4
		PartitionName=all Nodes=ALL Default=YES MaxTime=5 State=UP
	END
	# Nothing here uses it; without, slurmd ends where there are v1 and v2.
	echo CgroupPlugin=cgroup/v1 >"$T/slurm/cgroup.conf"
}

# contrib/slurm with the program that is tried. runc has no delete --regex.
install_contrib()
{
	local file
	for file in oci.conf prolog epilog; do
		sed "s|/usr/local/bin/knarr|$RUNTIME|" "$CONTRIB/$file" >"$T/slurm/$file"
		chmod 0755 "$T/slurm/$file"
	done
	[ "$NAME" = knarr ] || printf '#!/bin/sh\n' >"$T/slurm/epilog"
}

runtime_begin()
{
	local node
	if [ ! -e "$T/munge" ]; then
		make_cluster_host
		make_bundles
	fi
	make_config
	install_contrib
	munged --foreground --force --key-file "$T/munge/key" --socket "$T/munge/socket" --pid-file "$T/munge/pid" \
		--log-file "$T/munge/log" --seed-file "$T/munge/seed" --num-threads 2 2>/dev/null &
	MUNGED=$!
	slurmctld -D -c >/dev/null 2>&1 &
	DAEMONS=($!)
	for node in "${NODES}1" "${NODES}2"; do
		slurmd -D -N "$node" >/dev/null 2>&1 &
		DAEMONS+=($!)
	done
	until_says '^idle:2' sinfo -h -o %T:%D || exit 1
}

# A slurmd waits for its jobs, also for one that does not end.
runtime_end()
{
	local pid
	kill "${DAEMONS[@]}"
	for pid in "${DAEMONS[@]}"; do
		timeout 10 tail --pid "$pid" -f /dev/null || kill -KILL "$pid"
	done
	wait "${DAEMONS[@]}" 2>/dev/null
	kill $MUNGED
	wait $MUNGED
	rm -rf "$T/slurm" /run/slurm-knarr
}

# When all jobs are over, no container, process, cgroup or bundle of theirs is there.
nothing_left()
{
	local left
	until_says '^idle:2' sinfo -h -o %T:%D
	left=$(find /run/slurm-knarr -mindepth 2
		find "$T/slurm" -name config.json
		find /sys/fs/cgroup -name "*$NODES*"
		long_sleepers)
	[ -z "$left" ] || {
		echo "left: $left"
		exit 1
	}
}

long_sleepers()
{
	local file
	for file in /proc/[0-9]*/cmdline; do
		[ "$(tr '\0' ' ' 2>/dev/null <"$file")" != "sleep $LONG " ] || basename "$(dirname "$file")"
	done
}

# both STATUS REGEX [OPTION...] PROGRAM...: as root, then as the user.
both()
{
	local status=$1 regex=$2 who
	shift 2
	for who in root user; do
		expect "$status" "$regex" "$T/srun-$who" "$@"
	done
	nothing_left
}

# begin WHO SCRIPT: a job of that name, in the background. The script writes to /mnt/said,
# which is $T/results/said: what srun prints of a job that is cancelled may lack the end.
begin()
{
	rm -f "$T/results/said"
	"$T/srun-$1" --job-name "$1" sh -c "exec >/mnt/said; $2" >"$T/srun" 2>&1 &
	STEP=$!
	until_says started cat "$T/results/said"
}

# ends REGEX: the job begun last ends, and has said so.
ends()
{
	timeout 30 tail --pid "$STEP" -f /dev/null || {
		echo "srun goes on: $(cat "$T/srun")"
		exit 1
	}
	grep -qE -- "$1" "$T/results/said" "$T/srun" || {
		echo "no '$1' but: $(cat "$T/results/said" "$T/srun")"
		exit 1
	}
	nothing_left
}

case_output() { both 0 '^hi$' echo hi; }
case_exit_status() { both 7 '' sh -c 'exit 7'; }
case_program_missing() { both 1 'executable file not found' nosuch; }
case_ids() { both 0 '^uid=0\(root\) gid=0\(root\)' id; }
case_environment() { MARK=from-host both 0 '^from-host [0-9]+$' sh -c 'echo $MARK $SLURM_JOB_ID'; }
case_stdin() { echo through >"$T/results/in" && both 0 '^through$' --input "$T/results/in" cat; }
case_two_nodes() { both 0 '^1: hi$' -N 2 -n 2 --label echo hi; }

# Slurm 22.05 refuses several tasks of a step on one node, whatever the runtime.
case_tasks_per_node()
{
	! "$T/srun-root" -N 1 -n 2 true 2>&1 | grep -q 'launch failed' || unable 'this Slurm takes one task per node in a container'
	both 0 '^1: hi$' -N 1 -n 2 --label echo hi
}

# Several steps on a node do the same.
case_steps_per_node()
{
	local who as
	for who in root user; do
		as=$T/user
		[ "$who" = user ] || as=/usr/bin/env
		expect 0 '^4$' "$as" salloc --quiet -N 1 -n 4 sh -c \
			"for i in 1 2 3 4; do srun --quiet --container $T/bundle-$who -n 1 --exact echo hi & done | grep -c hi; wait"
	done
	nothing_left
}

case_batch()
{
	local who as
	printf '#!/bin/sh\nhostname\necho in-batch $1\n' >"$T/script"
	for who in root user; do
		as=$T/user
		[ "$who" = user ] || as=/usr/bin/env
		expect 0 '' "$as" sbatch --wait --container "$T/bundle-$who" --output "$T/results/$who" "$T/script" "$who"
		expect 0 "^in-batch $who\$" cat "$T/results/$who"
	done
	nothing_left
}

# Slurm signals every process of a step, in no order: sleep may end before the shell hears.
case_signal()
{
	local who
	for who in root user; do
		begin "$who" "trap 'echo got-it; exit' USR1; echo started; while :; do sleep $LONG & wait; done"
		scancel --name "$who" --signal USR1
		ends '^got-it$'
	done
}

case_cancel()
{
	local who
	for who in root user; do
		begin "$who" "trap 'echo got-it; exit' TERM; echo started; while :; do sleep $LONG & wait; done"
		scancel --name "$who"
		ends '^got-it$'
	done
}

# The first process of a pid namespace has no default actions: after KillWait Slurm kills
# the runtime, and removes the container.
case_cancel_deaf()
{
	local who
	for who in root user; do
		begin "$who" "echo started; exec sleep $LONG"
		scancel --name "$who"
		ends CANCELLED
	done
}

# What a user's config names runs as that user, also when Slurm removes the container.
case_hooks_of_user()
{
	local file=$T/bundle-user/config.json
	cp "$file" "$T/config"
	jq --arg sh "id -u >$T/results/uid" '.hooks.poststop = [{path: "/bin/sh", args: ["sh", "-c", $sh]}]' "$T/config" >"$file"
	begin user "echo started; exec sleep $LONG"
	scancel --name user
	ends CANCELLED
	cat "$T/config" >"$file"
	expect 0 "^$(id -u "$CLIENTS_USER")\$" cat "$T/results/uid"
}

# Without slurmstepd there is nobody but the epilog.
case_stepd_killed()
{
	local who pid
	[ "$NAME" = knarr ] || unable 'the epilog needs delete --regex'
	for who in root user; do
		begin "$who" "echo started; exec sleep $LONG"
		pid=$(long_sleepers)
		until [[ $(cat "/proc/$pid/comm") == slurmstepd ]]; do
			pid=$(awk '$1 == "PPid:" { print $2 }' "/proc/$pid/status")
		done
		kill -KILL "$pid"
		rm -r "$T"/slurm/spool-*/oci-job*
		scancel --name "$who"
		ends ''
	done
}

client_run
