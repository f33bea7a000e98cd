#!/usr/bin/env bats
# process.terminal: the console socket, its size, and the foreground relay.
load helpers

setup() {
	container_setup
	requires_command python3
	make_bundle '.process.terminal = true'
}

teardown() {
	container_teardown
}

# in_pty COMMAND...: runs it on a terminal of its own and prints what that shows.
in_pty() {
	python3 - "$@" <<'X'
import os, pty, sys
pid, master = pty.fork()
if pid == 0:
    os.execvp(sys.argv[1], sys.argv[1:])
out = b''
while True:
    try:
        data = os.read(master, 4096)
    except OSError:
        break
    if not data:
        break
    out += data
_, status = os.waitpid(pid, 0)
sys.stdout.write(out.decode(errors='replace').replace('\r\n', '\n'))
sys.exit(os.waitstatus_to_exitcode(status))
X
}

@test "output that standard output does not take is said to be lost" {
	bundle_runs echo hello
	run -0 --separate-stderr sh -c '"$KNARR" --root "$ROOT" run -b "$BUNDLE" "$ID" </dev/null >/dev/full'
	[ "$stderr" = 'knarr: warning: output of the program is lost: write to standard output: no space left on device' ]
}

@test "run in the foreground gives the program a terminal" {
	bundle_runs sh -c 'test -t 0 && test -t 1 && test -t 2 && tty && echo yes >/dev/tty; exit 5'
	run -5 in_pty "$KNARR" --root "$ROOT" run -b "$BUNDLE" "$ID"
	[ "${lines[0]}" = /dev/console ] || [[ "${lines[0]}" == /dev/pts/* ]]
	[ "${lines[1]}" = yes ]
}

@test "the terminal comes from its master, no name below /dev/pts is opened" {
	requires_command strace
	bundle_runs true
	ASAN_OPTIONS=detect_leaks=0 run -0 in_pty strace -f -qq -e signal=none -e trace=ioctl,%file,openat2 -o "$T/trace" \
		"$KNARR" --root "$ROOT" run -b "$BUNDLE" "$ID"
	grep -q 'ioctl([0-9]*, TIOCGPTPEER, [x0-9a-f]*) *= [0-9]' "$T/trace"
	run -1 grep -E 'pts/[0-9]' "$T/trace"
}

@test "the console has the size of the config" {
	edit_bundle_to_run '.process.consoleSize = {height: 31, width: 97}' stty size
	receive_console "$T/sock" >"$T/out" &
	local receiver=$!
	for _ in $(seq 100); do [ -S "$T/sock" ] && break; sleep 0.05; done
	knarr create --console-socket "$T/sock" -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
	knarr start "$ID"
	wait $receiver
	[ "$(cat "$T/out")" = "31 97" ]
	wait_status "$ID" stopped
	knarr delete "$ID"
}

@test "run --detach with a console socket" {
	bundle_runs sh -c 'echo hello; ls -l /dev/console | cut -c1'
	receive_console "$T/sock" >"$T/out" &
	local receiver=$!
	for _ in $(seq 100); do [ -S "$T/sock" ] && break; sleep 0.05; done
	knarr run -d --console-socket "$T/sock" -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
	wait $receiver
	[ "$(cat "$T/out")" = "hello
c" ]
	wait_status "$ID" stopped
	knarr delete "$ID"
}

@test "a terminal without a console socket cannot be detached" {
	run -1 knarr create -b "$BUNDLE" "$ID"
	[[ "$output" == *console-socket* ]]
	run -1 knarr run -d -b "$BUNDLE" "$ID"
	[[ "$output" == *console-socket* ]]
}

@test "a console socket without a terminal is refused" {
	edit_bundle '.process.terminal = false'
	run -1 knarr create --console-socket "$T/sock" -b "$BUNDLE" "$ID"
	[[ "$output" == *terminal* ]]
}

@test "a console socket that nobody listens on is one error, nothing is left" {
	run -1 knarr create --console-socket "$T/none" -b "$BUNDLE" "$ID"
	[[ "$output" == *"$T/none"* ]]
	run ! knarr state "$ID"
}

@test "the size of the config counts until the caller's terminal changes" {
	edit_bundle_to_run '.process.consoleSize = {height: 31, width: 97}' sh -c 'stty size; sleep 0.3; stty size'
	# Without a size of its own, and with one.
	run -0 in_pty "$KNARR" --root "$ROOT" run -b "$BUNDLE" "$ID"
	[ "$output" = $'31 97\n31 97' ]
	run -0 in_pty sh -c "stty cols 91 rows 17; exec '$KNARR' --root '$ROOT' run -b '$BUNDLE' $ID"
	[ "$output" = $'31 97\n31 97' ]
}

@test "a foreground program begins with the size of the caller's terminal" {
	requires_command script
	bundle_runs stty size
	run -0 script -qec "stty cols 91 rows 17; '$KNARR' --root '$ROOT' run -b '$BUNDLE' $ID" /dev/null </dev/null
	[[ "$output" == *'17 91'* ]]
}

@test "in the foreground lines end in a newline alone in a pipe or file, and in both on a terminal" {
	bundle_runs sh -c 'echo one; echo two'
	knarr run -b "$BUNDLE" "$ID" </dev/null >"$T/out" 2>"$T/err"
	[ "$(od -An -c "$T/out" | tr -d ' ')" = 'one\ntwo\n' ]
	[ "$(knarr run -b "$BUNDLE" "$ID" </dev/null | od -An -c | tr -d ' ')" = 'one\ntwo\n' ]
	# On a terminal as before: the program's pty makes the carriage returns.
	bundle_runs sh -c 'stty -a 2>/dev/null | grep -oE "[-]?onlcr"'
	run -0 in_pty "$KNARR" --root "$ROOT" run -b "$BUNDLE" "$ID"
	[ "$output" = onlcr ]
	edit_bundle_to_run '.process.terminal = false' sleep 1000
	knarr run -d -b "$BUNDLE" "$ID" </dev/null >"$T/log" 2>&1
	knarr exec --tty "$ID" sh -c 'echo one; echo two' </dev/null >"$T/out" 2>"$T/err"
	[ "$(od -An -c "$T/out" | tr -d ' ')" = 'one\ntwo\n' ]
	knarr delete --force "$ID"
}
