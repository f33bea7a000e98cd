#!/usr/bin/env bats
# config-linux.md#seccomp: the socket of listenerPath and what is sent over it, and
# the rules of the profile that are errors.
load helpers

setup() {
	container_setup
	make_bundle '.root.readonly = false'
	bundle_runs mkdir /x
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
import array, fcntl, json, select, socket, struct, sys, time
s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
s.bind(sys.argv[1])
s.listen(5)
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

@test "a socket that is no stream is an error" {
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
