#!/usr/bin/env bash
# containerd through ctr and its shim. The shares of cpu that ctr always asks for are
# taken from runc's configs, and only there: it refuses them where cgroup2 has no cpu
# controller, and nothing else would be compared.
# The cases are called by name; what containers run stands in single quotes.
# shellcheck disable=SC2317,SC2016
set -u
# shellcheck source=tests/clients/lib.bash
. "$(dirname "$0")/lib.bash"
client_begin containerd containerd ctr umoci script jq

make_layout()
{
	umoci init --layout "$T/oci"
	umoci new --image "$T/oci:bb"
	umoci unpack --image "$T/oci:bb" "$T/unpacked" 2>/dev/null
	cp -a "$T/root/." "$T/unpacked/rootfs/"
	umoci repack --image "$T/oci:bb" "$T/unpacked" 2>/dev/null
	umoci config --image "$T/oci:bb" --config.env PATH=/bin
	tar -C "$T/oci" -cf "$T/oci.tar" .
}

runc_without_cpu()
{
	cat >"$T/runc-without-cpu" <<-END
		#!/bin/sh
		case " \$* " in
		*' create '*) [ ! -f config.json ] || { jq 'del(.linux.resources.cpu)' config.json >c.json && mv c.json config.json; } ;;
		esac
		exec $(command -v runc) "\$@"
	END
	chmod 0755 "$T/runc-without-cpu"
}

# ctr --uidmap forgets --runc-binary: the shim then takes "runc" of its PATH.
runtime_begin()
{
	[ -e "$T/oci.tar" ] || make_layout
	if [ "$NAME" = runc ] && ! grep -qw cpu /sys/fs/cgroup/cgroup.controllers; then
		runc_without_cpu
		RUNTIME=$T/runc-without-cpu
	fi
	mkdir -p "$T/path" "$T/d"
	ln -sf "$RUNTIME" "$T/path/runc"
	cat >"$T/config.toml" <<-END
		version = 2
		root = "$T/d/root"
		state = "$T/d/state"
		disabled_plugins = ["io.containerd.grpc.v1.cri"]
		[grpc]
		  address = "$T/d/sock"
		[ttrpc]
		  address = "$T/d/sock.ttrpc"
	END
	PATH=$T/path:$PATH containerd -c "$T/config.toml" >"$T/containerd.log" 2>&1 &
	DAEMON=$!
	until_says ' ok ' ctr -a "$T/d/sock" plugins ls || exit 1
	C=(ctr -a "$T/d/sock")
	"${C[@]}" images import --base-name bb "$T/oci.tar" >/dev/null || exit 1
	RUN=("${C[@]}" run --rm --cgroup "/$CGROUP/c" --runtime io.containerd.runc.v2 --runc-binary "$RUNTIME")
}

runtime_end()
{
	kill "$DAEMON"
	wait "$DAEMON"
	rm -rf --one-file-system "$T/d"
}

# run STATUS REGEX [OPTIONS... --] PROGRAM...
run()
{
	local status=$1 regex=$2 options=()
	shift 2
	case " $* " in
	*' -- '*)
		while [ "$1" != -- ]; do
			options+=("$1")
			shift
		done
		shift
		;;
	esac
	expect "$status" "$regex" "${RUN[@]}" ${options[@]+"${options[@]}"} bb:bb c1 "$@"
}

case_output() { run 0 '^hi$' echo hi; }
case_exit_status() { run 7 '' sh -c 'exit 7'; }
case_program_missing() { run 1 'executable file not found' nosuch; }
case_not_executable() { run 1 'permission denied' /etc/plain; }
case_stdin() { echo through | run 0 '^through$' cat; }
case_env_cwd() { run 0 '^x /tmp$' --env A=x --cwd /tmp -- sh -c 'echo "$A $PWD"'; }
case_read_only() { run 1 'Read-only' --read-only -- touch /x; }
case_mount_bind() { run 0 '^from-host$' --mount "type=bind,src=$T/volume,dst=/mnt,options=rbind:ro" -- cat /mnt/file; }
case_mount_tmpfs() { run 0 ' 1024 .* /mnt$' --mount type=tmpfs,dst=/mnt,src=tmpfs,options=size=1m -- df /mnt; }
case_network_host() { run 0 '^[0-9]+: ' --net-host -- ip link; }
case_namespace_by_path() { run 0 '^1: lo' --with-ns "network:/proc/$$/ns/net" -- ip link; }
case_uidmap() { run 0 ' 0 +100000 +5000' --uidmap 0:100000:5000 --gidmap 0:100000:5000 -- cat /proc/self/uid_map; }
case_privileged() { run 0 'Seccomp:.*0' --privileged -- grep Seccomp: /proc/self/status; }
case_capabilities() { run 0 'CapEff:.*00000000a82425fa' --cap-add CAP_SYS_ADMIN --cap-drop CAP_CHOWN -- grep CapEff /proc/self/status; }
case_seccomp() { run 0 'Seccomp:.*2' --seccomp -- grep Seccomp: /proc/self/status; }
case_device() { run 0 '^c' --device /dev/full -- ls -l /dev/full; }
case_no_pivot() { run 0 '^ok$' --no-pivot -- echo ok; }

case_cgroup() { run 0 "0::/$CGROUP/x" --cgroup "/$CGROUP/x" -- cat /proc/1/cgroup; }

case_terminal()
{
	expect 5 '/dev/pts/0' script -qec "$(printf '%q ' "${RUN[@]}" -t bb:bb t1 sh -c 'tty; exit 5')" /dev/null
}

case_kill_delete()
{
	expect 0 '' "${RUN[@]/--rm/-d}" bb:bb d1 sh -c 'trap "exit 3" TERM; while :; do sleep .1; done'
	sleep 0.5
	expect 0 'd1 .*RUNNING' "${C[@]}" tasks ls
	expect 0 '' "${C[@]}" tasks kill d1
	until_says 'd1 .*STOPPED' "${C[@]}" tasks ls
	expect 0 'exit code 3' "${C[@]}" tasks delete d1
	expect 0 '' "${C[@]}" containers delete d1
}

case_kill_all_start_again()
{
	expect 0 '' "${RUN[@]/--rm/-d}" bb:bb d2 sleep 100
	expect 0 '' "${C[@]}" tasks kill -s KILL --all d2
	until_says 'd2 .*STOPPED' "${C[@]}" tasks ls
	expect 0 '' "${C[@]}" tasks delete d2
	expect 0 '' "${C[@]}" tasks start -d d2
	expect 0 '' "${C[@]}" tasks delete -f d2
	expect 0 '' "${C[@]}" containers delete d2
}

case_init_dies()
{
	expect 0 '' "${RUN[@]/--rm/-d}" --pid-file "$T/d/pid" bb:bb d3 sleep 100
	kill -KILL "$(cat "$T/d/pid")"
	until_says 'd3 .*STOPPED' "${C[@]}" tasks ls
	expect 0 'exit code 137' "${C[@]}" tasks delete d3
	expect 0 '' "${C[@]}" containers delete d3
}

client_run
