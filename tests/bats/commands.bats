#!/usr/bin/env bats
# Commands and options that other runtimes lack, or have one by one: wait, several
# ids, --regex, --pidfd-socket.
load helpers

setup() {
	container_setup
	make_bundle . sleep 1000
}

teardown() {
	"$KNARR" --root "$ROOT" delete --force --regex "^$ID"
	container_teardown
}

start() {
	local id
	for id; do
		knarr run -d -b "$BUNDLE" "$id" </dev/null >/dev/null 2>&1
	done
}

# receive_pidfd SOCKET: prints the pid that the pidfd names, its program, and what came along.
receive_pidfd() {
	python3 - "$1" <<'X'
import array, os, socket, sys
s = socket.socket(socket.AF_UNIX)
s.bind(sys.argv[1] + '.new')
s.listen(1)
os.rename(sys.argv[1] + '.new', sys.argv[1])
s.settimeout(20)
c, _ = s.accept()
msg, anc, _, _ = c.recvmsg(4096, 4096)
fd = array.array('i', anc[0][2])[0]
pid = [l.split()[1] for l in open('/proc/self/fdinfo/%d' % fd) if l.startswith('Pid:')][0]
print(pid, msg.decode())
X
}

# ---- wait ---------------------------------------------------------------------

# begin_wait N IDS…: `knarr wait` in the background, until it has opened N containers. WAITER is
# its pid, $T/out and $T/err what it prints.
begin_wait() {
	local n=$1
	shift
	"$KNARR" --root "$ROOT" wait "$@" >"$T/out" 2>"$T/err" 3>&- &
	WAITER=$!
	for _ in $(seq 200); do
		[ "$(find "/proc/$WAITER/fd" -lname '*pidfd*' | wc -l)" -lt "$n" ] || return 0
		sleep 0.05
	done
	cat "$T/err"
	return 1
}

@test "wait prints the status of a program and of a signal" {
	requires_kernel 6 15
	make_bundle '.root.readonly = false' sh -c 'until [ -e /go ]; do sleep 0.05; done; exit 7'
	start "$ID"
	begin_wait 1 "$ID"
	touch "$BUNDLE/rootfs/go"
	wait "$WAITER"
	[ "$(cat "$T/out")" = 7 ]
	# It is kept, also when the process was reaped meanwhile.
	[ "$(jq -r .exitStatus "$ROOT/$ID/state.json")" = 7 ]
	run -0 knarr wait "$ID"
	[ "$output" = 7 ]
	knarr delete "$ID"

	bundle_runs sleep 1000
	start "$ID"
	begin_wait 1 "$ID"
	[ ! -s "$T/out" ]
	knarr kill "$ID" KILL
	wait "$WAITER"
	[ "$(cat "$T/out")" = 137 ]
}

@test "wait for several, one of which is missing, and of one that is not started" {
	requires_kernel 6 15
	start "$ID-a" "$ID-b"
	begin_wait 2 "$ID-a" "$ID-none" "$ID-b"
	# The one that is waited for last ends first, and is gone.
	knarr delete --force "$ID-b"
	knarr kill "$ID-a" KILL
	# Not with `run`: its subshell may not wait for a child of this shell.
	local rc=0
	wait "$WAITER" || rc=$?
	[ $rc = 1 ]
	[ "$(cat "$T/out")" = "$ID-a 137"$'\n'"$ID-b 137" ]
	grep -q "$ID-none\" does not exist" "$T/err"

	knarr create -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
	begin_wait 1 "$ID"
	knarr delete --force "$ID"
	wait "$WAITER"
	[ "$(cat "$T/out")" = 137 ]
}

# The parent of the container is a shell that collects it.
@test "wait: a status that nobody asked for in time is an error, after run --keep it is known" {
	bundle_runs sh -c 'exit 3'
	python3 - <<X
import ctypes, os, subprocess
ctypes.CDLL(None).prctl(36, 1)  # PR_SET_CHILD_SUBREAPER
subprocess.run(['$KNARR', '--root', '$ROOT', 'run', '-d', '-b', '$BUNDLE', '$ID'], stdin=subprocess.DEVNULL)
os.wait()
X
	run -1 knarr wait "$ID"
	[[ "$output" == *'is lost: its parent reaped'* ]]
	knarr delete "$ID"
	run -3 knarr run --keep -b "$BUNDLE" "$ID"
	run -0 knarr wait "$ID"
	[ "$output" = 3 ]
}

# ---- several, and patterns ------------------------------------------------------

@test "delete several: each gets its turn" {
	start "$ID-a" "$ID-b"
	run -1 knarr delete "$ID-a" "$ID-b"
	[[ "$output" == *"$ID-a"*'not stopped'*"$ID-b"*'not stopped'* ]]
	run -1 knarr delete "$ID-none" "$ID-a"
	[[ "$output" == *'does not exist'*'not stopped'* ]]
	knarr kill "$ID-b" KILL
	wait_status "$ID-b" stopped
	run -1 knarr delete "$ID-b" "$ID-a"
	[ ! -e "$ROOT/$ID-b" ]
	knarr delete --force "$ID-none" "$ID-a"
	[ ! -e "$ROOT/$ID-a" ]
}

@test "kill and delete by regular expression" {
	start "$ID-web1" "$ID-web2" "$ID-db"
	knarr kill --regex "^$ID-web[0-9]+\$" KILL
	wait_status "$ID-web1" stopped
	wait_status "$ID-web2" stopped
	[ "$(knarr state "$ID-db" | jq -r .status)" = running ]
	# Those that have ended are passed over.
	knarr kill -r web KILL
	knarr delete --regex web nothing-like-it
	[ "$(knarr list -q)" = "$ID-db" ]
	run -1 knarr delete --regex '('
	[[ "$output" == *"option '--regex': '('"* ]]
	run -1 knarr delete --regex "$ID"
	[[ "$output" == *'not stopped'* ]]
	knarr delete -f -r .
	[ -z "$(knarr list -q)" ]
}

# ---- pidfds -----------------------------------------------------------------------

@test "--pidfd-socket: create, run and exec send a pidfd" {
	requires_command python3
	local kind want pid
	for kind in create 'run -d' exec; do
		want=standard
		rm -f "$T/sock"
		receive_pidfd "$T/sock" >"$T/out" &
		local receiver=$!
		wait_for_file "$T/sock"
		if [ "$kind" = exec ]; then
			want=setns
			knarr exec -d --pid-file "$T/pid" --pidfd-socket "$T/sock" "$ID" sleep 1000 </dev/null >/dev/null 2>&1
		else
			knarr delete --force "$ID"
			# shellcheck disable=SC2086
			knarr $kind --pid-file "$T/pid" --pidfd-socket "$T/sock" -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
		fi
		wait $receiver
		pid=$(cat "$T/pid")
		[ "$(cat "$T/out")" = "$pid $want" ]
	done
}

@test "--pidfd-socket: nobody listens, a path too long for an address" {
	requires_command python3
	run -1 knarr create --pidfd-socket "$T/none" -b "$BUNDLE" "$ID"
	[[ "$output" == *"--pidfd-socket: connect to '$T/none': no such file or directory"* ]]
	[ ! -e "$ROOT/$ID" ]
	start "$ID"
	run -255 knarr exec --pidfd-socket "$T/none" "$ID" true
	[[ "$output" == *"--pidfd-socket: connect to '$T/none'"* ]]
	local long
	long=$T/$(printf "%0120d" 0)
	mkdir "$long"
	(cd "$long" && receive_pidfd s >"$T/out") &
	wait_for_file "$long/s"
	knarr exec --pidfd-socket "$long/s" "$ID" true
	wait $!
	[[ "$(cat "$T/out")" == *' setns' ]]
}

# ---- spec, letters -----------------------------------------------------------------

@test "spec --file, and letters that other runtimes have" {
	knarr spec -b "$T" -f other.json
	[ "$(jq -r .process.args[0] "$T/other.json")" = sh ]
	knarr spec -b "$BUNDLE" --file "$T/absolute.json"
	cmp "$T/other.json" "$T/absolute.json"
	[ "$("$KNARR" -V)" = "$("$KNARR" --version)" ]
	[ "$("$KNARR" '-?')" = "$("$KNARR" --help)" ]
	"$KNARR" -r "$ROOT" -l "$T/log" list
	[ -e "$T/log" ]
}

# ---- logs and refusals ---------------------------------------------------------------

@test "--log to the journal, with file: in front, and where nobody listens" {
	requires_command python3 unshare
	"$KNARR" --log "file:$T/log" --log-format json delete 2>/dev/null || true
	[ "$(jq -r .level "$T/log")" = error ]
	[ "$(id -u)" = 0 ] || return 0
	# shellcheck disable=SC2016
	run -0 unshare -m bash -c 'mount -t tmpfs none /run && mkdir -p /run/systemd/journal && exec python3 - "$KNARR"' <<'X'
import socket, subprocess, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind('/run/systemd/journal/socket')
s.settimeout(20)
for option in ['--log', 'journald:web'], ['--systemd-log']:
    subprocess.run([sys.argv[1], *option, 'no-such-command'], stderr=subprocess.DEVNULL)
    print(s.recv(4096))
X
	[[ "${lines[0]}" == *'SYSLOG_IDENTIFIER=web'*"unknown command 'no-such-command'"* ]]
	[[ "${lines[1]}" == *'PRIORITY=3'*'SYSLOG_IDENTIFIER=knarr'* ]]
	# shellcheck disable=SC2016
	run -1 unshare -m bash -c 'mount -t tmpfs none /run && exec "$KNARR" --log journald:web list'
	[[ "$output" == *"connect to '/run/systemd/journal/socket'"* ]]
}

@test "an option that is refused says why" {
	run -1 knarr exec --exec-wait-fifo "$T/fifo" "$ID" true
	[[ "$output" == *"option '--exec-wait-fifo' is refused: "* ]]
}
