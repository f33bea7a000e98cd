#!/usr/bin/env bats
# config-linux.md#seccomp: the socket of listenerPath and what is sent over it, the
# rules of the profile that are errors, architectures.
load helpers

setup() {
	container_setup
	make_bundle '.root.readonly = false' mkdir /x
	edit_bundle '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", listenerPath: $p,
		syscalls: [{names: ["mkdir", "mkdirat"], action: "SCMP_ACT_NOTIFY"}]}' --arg p "$T/agent"
}

teardown() {
	container_teardown
}

# agent SECONDS: accepts connections at $T/agent, at most for so long, and answers all requests
# with "not supported"; prints a line of JSON for each connection: what came with each
# recvmsg, and whether its end came.
agent() {
	python3 - "$T/agent" "$1" <<'X'
import array, fcntl, json, os, select, socket, struct, sys, time
s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
s.bind(sys.argv[1] + '.new')
s.listen(5)
os.rename(sys.argv[1] + '.new', sys.argv[1])
end = time.time() + float(sys.argv[2])
listeners, poll = {}, select.poll()
poll.register(s, select.POLLIN)
while time.time() < end:
    for fd, event in poll.poll(50):
        if fd == s.fileno():
            c, _ = s.accept()
            c.settimeout(5)
            data, fds, closed = b'', [], False
            while True:
                try:
                    more, anc, _, _ = c.recvmsg(1 << 20, 4096)
                except socket.timeout:
                    break
                if not more:
                    closed = True
                    break
                data += more
                got = [f for _, _, d in anc for f in array.array('i', d)]
                fds.append(len(got))
                for f in got:
                    listeners[f] = True
                    poll.register(f, select.POLLIN)
            print(json.dumps({'state': json.loads(data), 'fds': fds, 'closed': closed}), flush=True)
            c.close()
        elif event & select.POLLHUP:
            poll.unregister(fd)
            end = min(end, time.time() + 0.3)  # for a second connection, which must not come
        else:
            buf = bytearray(80)
            try:
                fcntl.ioctl(fd, 0xc0502100, buf)      # SECCOMP_IOCTL_NOTIF_RECV
                fcntl.ioctl(fd, 0xc0182101, struct.pack('QqiI', struct.unpack_from('Q', buf)[0], 0, -95, 0))
            except OSError:
                pass
X
}

with_agent() { # with_agent COMMAND...: its output in $output, the agent's in $T/agent.json
	requires_command python3
	agent 10 >"$T/agent.json" 2>"$T/agent.err" &
	local agent=$!
	for _ in {1..100}; do [ ! -S "$T/agent" ] || break; sleep 0.05; done
	run "$@"
	wait $agent
	cat "$T/agent.err"
}

@test "one state for one connection, which is closed then; descriptors with the first message" {
	edit_bundle '.linux.seccomp.listenerMetadata = ("m" * 300000)'
	with_agent knarr run -b "$BUNDLE" "$ID"
	[[ "$output" == *"not supported"* ]]
	[ "$(wc -l <"$T/agent.json")" = 1 ]
	jq -e '.closed and (.fds | length > 1) and .fds[0] == 1 and all(.fds[1:][]; . == 0)
		and (.state.metadata | length) == 300000 and .state.fds == ["seccompFd"]' "$T/agent.json"
}

@test "the container process state has what it must, and only that" {
	edit_bundle '.annotations = {a: "b"}'
	with_agent knarr run -b "$BUNDLE" "$ID"
	jq -e --arg id "$ID" --arg b "$BUNDLE" '.state | (keys - ["fds", "metadata", "ociVersion", "pid", "state"]) == []
		and (.ociVersion | test("^1\\.")) and (.pid | type) == "number" and .fds == ["seccompFd"] and (has("metadata") | not)
		and .state.id == $id and .state.bundle == $b and .state.status == "creating" and .state.pid == .pid
		and .state.annotations == {a: "b"} and (.state.ociVersion | test("^1\\."))' "$T/agent.json"
}

@test "a socket that is not a stream is an error" {
	requires_command python3
	python3 -c 'import socket, sys; s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); s.bind(sys.argv[1])' "$T/agent"
	run -1 knarr run -b "$BUNDLE" "$ID"
	[[ "$output" == *"$T/agent"* ]]
	run ! knarr state "$ID"
}

@test "profiles that break a rule are errors of the config" {
	local good filter
	good=$(cat "$BUNDLE/config.json")
	for filter in 'del(.defaultAction)' '.defaultAction = "SCMP_ACT_NOPE"' '.defaultErrnoRet = 5' \
		'.syscalls[0].names = []' 'del(.syscalls[0].names)' 'del(.syscalls[0].action)' '.syscalls[0].errnoRet = 5' \
		'.syscalls[0] |= . + {action: "SCMP_ACT_KILL", errnoRet: 5}' '.syscalls[0] |= . + {action: "SCMP_ACT_ALLOW", errnoRet: 5}' \
		'.syscalls[0].args = [{value: 1, op: "SCMP_CMP_EQ"}]' '.syscalls[0].args = [{index: 1, op: "SCMP_CMP_EQ"}]' \
		'.syscalls[0].args = [{index: 1, value: 1}]' 'del(.listenerPath) | .listenerMetadata = "x"'; do
		echo "$good" >"$BUNDLE/config.json"
		edit_bundle ".linux.seccomp |= ($filter)"
		run -1 knarr create -b "$BUNDLE" "$ID"
		[[ "$output" == *linux.seccomp* ]] || {
			echo "$filter: $output"
			return 1
		}
	done
}

# ---- a target that is signalled while it waits ------------------------------------

# signalling_agent SIGNAL: takes the listener, and at the first request sends the signal
# to the process that made it; prints whether the request is still there then, and
# answers it, and what may follow, with "not supported".
signalling_agent() {
	python3 - "$T/agent" "$1" <<'X'
import array, fcntl, os, select, socket, struct, sys, time
RECV, SEND, ID_VALID = 0xc0502100, 0xc0182101, 0x40082102
s = socket.socket(socket.AF_UNIX)
s.bind(sys.argv[1] + '.new')
s.listen(1)
os.rename(sys.argv[1] + '.new', sys.argv[1])
s.settimeout(20)
c, _ = s.accept()
fd = array.array('i', c.recvmsg(65536, 4096)[1][0][2])[0]
while c.recv(65536):
    pass
poll = select.poll()
poll.register(fd, select.POLLIN)
first = True
while poll.poll(20000)[0][1] & select.POLLHUP == 0:
    buf = bytearray(80)
    try:
        fcntl.ioctl(fd, RECV, buf)
        number, pid = struct.unpack_from('QI', buf)
        if first:
            os.kill(pid, int(sys.argv[2]))
            time.sleep(0.3)
            first = False
            try:
                fcntl.ioctl(fd, ID_VALID, struct.pack('Q', number))
                print('there', flush=True)
            except OSError:
                print('gone', flush=True)
        fcntl.ioctl(fd, SEND, struct.pack('QqiI', number, 0, -95, 0))
    except OSError:
        pass
X
}

# signalled SIGNAL JQ-FLAGS: the program, which has a handler of SIGUSR1, is signalled
# while its chdir is asked about; its output in $output, the agent's in $T/agent.out.
signalled() {
	requires_command python3
	rm -f "$T/agent"
	edit_bundle '.linux.seccomp.syscalls[0].names = ["chdir"] | .linux.seccomp.flags = '"$2"
	bundle_runs_sh 'trap "echo handled" USR1; cd /tmp; echo end'
	signalling_agent "$1" >"$T/agent.out" 2>"$T/agent.err" &
	local agent=$!
	for _ in {1..100}; do [ ! -S "$T/agent" ] || break; sleep 0.05; done
	run knarr run -b "$BUNDLE" "$ID"
	wait $agent
	echo "$output"
	cat "$T/agent.err"
}

@test "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV: a signal waits for the agent's answer, SIGKILL does not" {
	requires_kernel 5 19
	signalled 10 '[]'
	[ "$status" = 0 ]
	[ "$(cat "$T/agent.out")" = gone ]
	[[ "$output" == *handled*end* ]]
	signalled 10 '["SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"]'
	[ "$status" = 0 ]
	[ "$(cat "$T/agent.out")" = there ]
	[[ "$output" == *"not supported"*handled*end* ]]
	signalled 9 '["SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"]'
	[ "$status" = 137 ]
	[ "$(cat "$T/agent.out")" = gone ]
}

# ---- architectures ------------------------------------------------------------------

@test "architectures: rules hold for the calls of those that are listed, of others none is let through" {
	[ "$(uname -m)" = x86_64 ] || skip 'knows the calls of x86_64 only'
	requires_command "${CC:-cc}"
	cat >"$T/calls.c" <<-'END'
		#include <stdio.h>
		#include <string.h>
		#include <unistd.h>
		int main(int argc, char **argv)
		{
			long r = 20; /* getpid of i386 */
			if (!strcmp(argv[1], "i386"))
				__asm__ volatile("int $0x80" : "+a"(r) : : "memory", "r8", "r9", "r10", "r11");
			else
				__asm__ volatile("syscall" : "=a"(r) : "a"(strcmp(argv[1], "x32") ? 39 : 0x40000000 + 39) : "rcx", "r11", "memory");
			printf("%ld\n", r);
			return argc != 2;
		}
	END
	"${CC:-cc}" -static -o "$BUNDLE/rootfs/calls" "$T/calls.c" || skip 'no static C library'
	bundle_runs /calls i386
	edit_bundle 'del(.linux.seccomp)'
	run knarr run -b "$BUNDLE" "$ID"
	[ "$output" = 1 ] || skip 'the kernel has no calls of i386'
	local arch deny='syscalls: [{names: ["getpid"], action: "SCMP_ACT_ERRNO", errnoRet: 33}]'
	for arch in i386 x32 native; do
		bundle_runs /calls $arch
		edit_bundle ".linux.seccomp = {defaultAction: \"SCMP_ACT_ALLOW\", architectures: [\"SCMP_ARCH_X86\", \"SCMP_ARCH_X32\"], $deny}"
		run -0 knarr run -b "$BUNDLE" "$ID"
		[ "$output" = -33 ]
		edit_bundle ".linux.seccomp = {defaultAction: \"SCMP_ACT_ALLOW\", architectures: [\"SCMP_ARCH_X86_64\"], $deny}"
		run knarr run -b "$BUNDLE" "$ID"
		[ $arch = native ] && [ "$output" = -33 ] || [ "$status" = 159 ]
	done
}
