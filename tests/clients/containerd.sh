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
	expect "$status" "$regex" "${RUN[@]}" ${options[@]+"${options[@]}"} bb:bb "c$BASHPID" "$@"
}

case_output() { run 0 '^hi$' echo hi; }
case_exit_status() { run 7 '' sh -c 'exit 7'; }
case_program_missing() { run 1 'executable file not found' nosuch; }
case_not_executable() { run 1 'permission denied' /etc/plain; }
# Later, and not until the end of input: ctr may lose it when it comes early, with either runtime.
case_stdin() { (sleep 1; echo through) | run 0 '^through$' head -n 1; }
case_cap_drop_all() { run 0 'CapEff:.*0000000000000000' --cap-drop CAP_CHOWN --cap-drop CAP_DAC_OVERRIDE --cap-drop CAP_FSETID --cap-drop CAP_FOWNER \
	--cap-drop CAP_MKNOD --cap-drop CAP_NET_RAW --cap-drop CAP_SETGID --cap-drop CAP_SETUID --cap-drop CAP_SETFCAP --cap-drop CAP_SETPCAP \
	--cap-drop CAP_NET_BIND_SERVICE --cap-drop CAP_SYS_CHROOT --cap-drop CAP_KILL --cap-drop CAP_AUDIT_WRITE -- grep CapEff /proc/self/status; }
case_no_new_privileges() { run 0 'NoNewPrivs:.*1' grep NoNew /proc/self/status; }
case_allow_new_privileges() { run 0 'NoNewPrivs:.*0' --allow-new-privs -- grep NoNew /proc/self/status; }
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
	expect 5 '/dev/pts/0' "$T/on-terminal" "${RUN[@]}" -t bb:bb t1 sh -c 'tty; exit 5'
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

# background NAME: a container that sleeps, for the cases below.
background()
{
	expect 0 '' "${RUN[@]/--rm/-d}" bb:bb "$@" sleep 100
}

gone()
{
	"${C[@]}" tasks delete -f "$1" >/dev/null 2>&1
	expect 0 '' "${C[@]}" containers delete "$1"
}

case_exec()
{
	background e1
	expect 0 '^hi$' "${C[@]}" tasks exec --exec-id x1 e1 echo hi
	expect 7 '' "${C[@]}" tasks exec --exec-id x2 e1 sh -c 'exit 7'
	expect 0 '^/tmp$' "${C[@]}" tasks exec --exec-id x3 --cwd /tmp e1 pwd
	expect 0 '^through$' "${C[@]}" tasks exec --exec-id x4 e1 head -n 1 < <(sleep 1; echo through)
	gone e1
}

case_exec_tty()
{
	background e2
	expect 5 '/dev/pts/' "$T/on-terminal" "${C[@]}" tasks exec -t --exec-id x1 e2 sh -c 'tty; exit 5'
	gone e2
}

case_exec_user()
{
	background e3
	expect 0 '^uid=1000\(user\) gid=2000\(more\)' "${C[@]}" tasks exec --exec-id x1 --user 1000:2000 e3 id
	gone e3
}

case_exec_program_missing()
{
	background e4
	expect 1 'executable file not found' "${C[@]}" tasks exec --exec-id x1 e4 nosuch
	expect 1 'permission denied' "${C[@]}" tasks exec --exec-id x2 e4 /etc/plain
	gone e4
}

case_exec_stopped()
{
	background e5
	expect 0 '' "${C[@]}" tasks kill -s KILL e5
	until_says 'e5 .*STOPPED' "${C[@]}" tasks ls
	expect 1 'stopped' "${C[@]}" tasks exec --exec-id x1 e5 true
	gone e5
}

case_exec_detached_kill()
{
	background e6
	expect 0 '' "${C[@]}" tasks exec -d --exec-id x1 e6 sleep 50
	until_says 'ExecID:x1' "${C[@]}" tasks ps e6
	expect 0 '' "${C[@]}" tasks kill -s KILL --exec-id x1 e6
	expect 0 'e6 .*RUNNING' "${C[@]}" tasks ls
	gone e6
}

case_pause_resume()
{
	background f1
	expect 0 '' "${C[@]}" tasks pause f1
	expect 0 'f1 .*PAUSED' "${C[@]}" tasks ls
	expect 0 '' "${C[@]}" tasks resume f1
	expect 0 'f1 .*RUNNING' "${C[@]}" tasks ls
	gone f1
}

case_ps()
{
	background f2
	expect 0 "^$("${C[@]}" tasks ls | awk '$1 == "f2" { print $2 }') " "${C[@]}" tasks ps f2
	gone f2
}

case_metrics()
{
	background f3
	expect 0 'pids.current|memory.usage|^ID' "${C[@]}" tasks metrics f3
	gone f3
}

case_metrics_numbers()
{
	need_controller memory pids
	background f4
	expect 0 'pids.current +1' "${C[@]}" tasks metrics f4
	expect 0 'memory.usage +[1-9]' "${C[@]}" tasks metrics --format table f4
	gone f4
}

case_attach()
{
	expect 0 '' "${RUN[@]/--rm/-d}" bb:bb g1 sh -c 'sleep 2; echo late; exit 6'
	expect 6 'late' "${C[@]}" tasks attach g1
	gone g1
}

case_kill_stopped()
{
	background g2
	expect 0 '' "${C[@]}" tasks kill -s KILL g2
	until_says 'g2 .*STOPPED' "${C[@]}" tasks ls
	expect 1 'not found|process already finished' "${C[@]}" tasks kill g2
	gone g2
}

case_delete_running()
{
	background g3
	expect 1 'still running|must be stopped' "${C[@]}" tasks delete g3
	gone g3
}

case_snapshotter_overlayfs()
{
	"${C[@]}" plugins ls | grep -q 'snapshotter.* overlayfs .* ok' || unable 'containerd cannot use overlayfs here'
	run 0 ' / overlay ' --snapshotter overlayfs -- cat /proc/mounts
}

case_snapshotter_native() { run 0 '^hi$' --snapshotter native -- echo hi; }
case_rootfs() { expect 0 '^text$' "${RUN[@]}" --rootfs "$T/root" c9 /bin/cat /etc/plain; }
case_spec_file()
{
	"$KNARR" spec --bundle "$T/d" >/dev/null 2>&1 || "$KNARR" spec -b "$T/d"
	jq --arg root "$T/root" --arg cgroup "/$CGROUP/spec" '.root.path = $root | .process.args = ["cat", "/etc/plain"] | .process.terminal = false
		| .linux.cgroupsPath = $cgroup | del(.process.rlimits, .linux.resources)' "$T/d/config.json" >"$T/d/spec.json"
	expect 0 '^text$' "${C[@]}" run --rm --runtime io.containerd.runc.v2 --runc-binary "$RUNTIME" --config "$T/d/spec.json" c10
}

case_seccomp_profile() { run 1 'not supported' --seccomp --seccomp-profile "$T/seccomp.json" -- mkdir /x; }
case_runtime_root() { run 0 '^hi$' --runc-root "$T/d/other-root" -- echo hi; }
case_rootfs_propagation() { run 0 '^hi$' --rootfs-propagation rslave -- echo hi; }

case_memory()
{
	need_controller memory
	run 0 '^33554432$' --memory-limit 33554432 --mount "type=bind,src=/sys/fs/cgroup,dst=/cg,options=rbind:ro" -- cat "/cg/$CGROUP/c/memory.max"
}

case_cpus()
{
	need_controller cpu
	run 0 '^50000 100000$' --cpus 0.5 --mount "type=bind,src=/sys/fs/cgroup,dst=/cg,options=rbind:ro" -- cat "/cg/$CGROUP/c/cpu.max"
}

case_exec_many()
{
	background h1
	local i
	for i in 1 2 3 4 5 6 7 8; do
		"${C[@]}" tasks exec --exec-id "m$i" h1 sh -c "sleep .2; echo out $i" >"$T/many.$i" 2>&1 &
	done
	wait
	expect 0 '^8$' sh -c "cat '$T'/many.* | grep -c '^out'"
	gone h1
}

case_checkpoint()
{
	need_program criu
	unable 'CRIU is not tried here, but in a virtual machine (tests/vm)'
}

client_run
