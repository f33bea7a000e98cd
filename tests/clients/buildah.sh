#!/usr/bin/env bash
# buildah, which calls create, start, state and delete.
# The cases are called by name; what containers run stands in single quotes.
# shellcheck disable=SC2317,SC2016
set -u
# shellcheck source=tests/clients/lib.bash
. "$(dirname "$0")/lib.bash"
client_begin buildah buildah script

runtime_begin()
{
	cat >"$T/b" <<-END
		#!/bin/sh
		export BUILDAH_RUNTIME=$RUNTIME
		exec buildah --root $T/store --runroot $T/runroot --storage-driver vfs "\$@"
	END
	chmod 0755 "$T/b"
	C=$("$T/b" from scratch) && "$T/b" add -q "$C" "$T/root.tar" / >/dev/null || exit 1
}

runtime_end()
{
	"$T/b" rm -a >/dev/null 2>&1
	rm -rf "$T/store" "$T/runroot"
}

run()
{
	local status=$1 regex=$2
	shift 2
	expect "$status" "$regex" "$T/b" run --runtime "$RUNTIME" "$@"
}

case_output() { run 0 '^hi$' "$C" -- echo hi; }
case_exit_status() { run 7 '' "$C" -- sh -c 'exit 7'; }
case_program_missing() { run 1 'executable file not found' "$C" -- nosuch; }
case_not_executable() { run 1 'permission denied' "$C" -- /etc/plain; }
case_stdin() { echo through | run 0 '^through$' "$C" -- cat; }
case_terminal() { run 0 '^/dev/pts/0$' -t "$C" -- tty; }
case_user() { run 0 '^uid=1000\(user\)' --user user "$C" -- id; }
case_network_none() { run 0 '^1: lo: .*UP' --network none "$C" -- ip link; }
case_volume() { run 0 '^from-host$' -v "$T/volume:/mnt:ro" "$C" -- cat /mnt/file; }
case_hostname() { run 0 '^foo$' --hostname foo "$C" -- hostname; }
case_capabilities() { run 0 'CapEff:.*00000000802405fa' --cap-add CAP_SYS_ADMIN --cap-drop CAP_CHOWN "$C" -- grep CapEff /proc/self/status; }

case_env_workdir() { run 0 '^x /tmp$' -e A=x --workingdir /tmp "$C" -- sh -c 'echo "$A $PWD"'; }
case_cap_drop_all() { run 0 'CapEff:.*0000000000000000' --cap-drop ALL "$C" -- grep CapEff /proc/self/status; }
case_mount_bind() { run 1 'Read-only' --mount "type=bind,src=$T/volume,dst=/mnt,ro" "$C" -- touch /mnt/x; }
case_mount_tmpfs() { run 0 ' 1024 .* /mnt$' --mount type=tmpfs,dst=/mnt,tmpfs-size=1m "$C" -- df /mnt; }
case_network_host() { run 0 '^[0-9]+: ' --network host "$C" -- ip link; }
case_namespaces_host() { run 0 '^ok$' --pid host --ipc host --uts host "$C" -- sh -c 'test $$ != 1 && echo ok'; }
case_no_pivot() { run 0 '^ok$' --no-pivot "$C" -- echo ok; }

# The options of a container are those of `from`.
case_from_options()
{
	local c
	c=$("$T/b" from --device /dev/zero:/dev/other --security-opt "seccomp=$T/seccomp.json" --ulimit nofile=123:124 scratch)
	"$T/b" add -q "$c" "$T/root.tar" / >/dev/null
	run 0 '^123$' "$c" -- sh -c 'ulimit -n'
	run 0 '^c' "$c" -- ls -l /dev/other
	run 1 'not supported' "$c" -- mkdir /x
	"$T/b" rm "$c" >/dev/null
}

case_uidmap()
{
	local c
	c=$("$T/b" from --userns-uid-map 0:100000:5000 --userns-gid-map 0:100000:5000 scratch)
	"$T/b" add -q "$c" "$T/root.tar" / >/dev/null
	run 0 ' 0 +100000 +5000' "$c" -- cat /proc/self/uid_map
	"$T/b" rm "$c" >/dev/null
}

case_build()
{
	mkdir -p "$T/context"
	cp "$T/root.tar" "$T/context/"
	printf 'FROM scratch\nADD root.tar /\nRUN echo built >/out\nRUN cat /out\n' >"$T/context/Dockerfile"
	expect 0 '^built$' "$T/b" bud --runtime "$RUNTIME" -t built "$T/context"
}

case_build_failure()
{
	mkdir -p "$T/context"
	cp "$T/root.tar" "$T/context/"
	printf 'FROM scratch\nADD root.tar /\nRUN exit 9\n' >"$T/context/Dockerfile"
	expect 9 'exit status 9' "$T/b" bud --runtime "$RUNTIME" "$T/context"
}

client_run
