#!/usr/bin/python3
"""A small client of the Container Runtime Interface, as the kubelet is one.

    cri.py SOCKET METHOD MESSAGE

METHOD is one of RuntimeService ("RunPodSandbox"), MESSAGE a JSON object with the
fields of its request, by the names below. Prints the answer as JSON. Messages are
encoded here, from the tables, so that nothing but python3-grpcio is needed. Status 1:
the call failed, its message is on stderr.
"""
import json
import sys

import grpc

# Message: field: (number, kind). Kinds: "s" string, "i" integer, "b" bytes, a message's
# name, "M" a map of strings; with "*" behind: repeated.
MESSAGES = {
    "Metadata": {"name": (1, "s"), "attempt": (2, "i")},
    "PodMetadata": {"name": (1, "s"), "uid": (2, "s"), "namespace": (3, "s"), "attempt": (4, "i")},
    "Number": {"value": (1, "i")},
    "Namespaces": {"network": (1, "i"), "pid": (2, "i"), "ipc": (3, "i"), "target_id": (4, "s")},
    "PodSecurity": {"namespace_options": (1, "Namespaces"), "privileged": (6, "i")},
    "PodLinux": {"cgroup_parent": (1, "s"), "security_context": (2, "PodSecurity"), "sysctls": (3, "M")},
    "PodConfig": {"metadata": (1, "PodMetadata"), "hostname": (2, "s"), "log_directory": (3, "s"), "linux": (8, "PodLinux")},
    "RunPodSandbox": {"config": (1, "PodConfig"), "runtime_handler": (2, "s")},
    "RunPodSandboxAnswer": {"pod": (1, "s")},
    "StopPodSandbox": {"pod": (1, "s")},
    "RemovePodSandbox": {"pod": (1, "s")},
    "Image": {"image": (1, "s")},
    "Variable": {"key": (1, "s"), "value": (2, "s")},
    "Mount": {"container_path": (1, "s"), "host_path": (2, "s"), "readonly": (3, "i"), "propagation": (5, "i")},
    "Device": {"container_path": (1, "s"), "host_path": (2, "s"), "permissions": (3, "s")},
    "HugePages": {"page_size": (1, "s"), "limit": (2, "i")},
    "Resources": {"cpu_period": (1, "i"), "cpu_quota": (2, "i"), "cpu_shares": (3, "i"), "memory_limit": (4, "i"),
                  "oom_score_adj": (5, "i"), "hugepages": (8, "HugePages*"), "unified": (9, "M")},
    "Capabilities": {"add": (1, "s*"), "drop": (2, "s*")},
    "Profile": {"type": (1, "i"), "path": (2, "s")},
    "Security": {"capabilities": (1, "Capabilities"), "privileged": (2, "i"), "namespace_options": (3, "Namespaces"),
                 "run_as_user": (5, "Number"), "run_as_username": (6, "s"), "readonly_rootfs": (7, "i"),
                 "supplemental_groups": (8, "i*"), "no_new_privs": (11, "i"), "run_as_group": (12, "Number"),
                 "masked_paths": (13, "s*"), "readonly_paths": (14, "s*"), "seccomp": (15, "Profile")},
    "Linux": {"resources": (1, "Resources"), "security_context": (2, "Security")},
    "Config": {"metadata": (1, "Metadata"), "image": (2, "Image"), "command": (3, "s*"), "args": (4, "s*"),
               "working_dir": (5, "s"), "envs": (6, "Variable*"), "mounts": (7, "Mount*"), "devices": (8, "Device*"),
               "log_path": (11, "s"), "stdin": (12, "i"), "tty": (14, "i"), "linux": (15, "Linux")},
    "CreateContainer": {"pod": (1, "s"), "config": (2, "Config"), "pod_config": (3, "PodConfig")},
    "CreateContainerAnswer": {"container": (1, "s")},
    "StartContainer": {"container": (1, "s")},
    "StopContainer": {"container": (1, "s"), "timeout": (2, "i")},
    "RemoveContainer": {"container": (1, "s")},
    "ContainerStatus": {"container": (1, "s")},
    "ContainerState": {"id": (1, "s"), "state": (3, "i"), "exit_code": (7, "i"), "reason": (10, "s"), "message": (11, "s")},
    "ContainerStatusAnswer": {"status": (1, "ContainerState")},
    "ExecSync": {"container": (1, "s"), "cmd": (2, "s*"), "timeout": (3, "i")},
    "ExecSyncAnswer": {"stdout": (1, "b"), "stderr": (2, "b"), "exit_code": (3, "i")},
    "UpdateContainerResources": {"container": (1, "s"), "linux": (2, "Resources")},
    "ContainerStats": {"container": (1, "s")},
    "Usage": {"timestamp": (1, "i"), "usage": (2, "Number")},
    "Stats": {"cpu": (2, "Usage"), "memory": (3, "Usage")},
    "ContainerStatsAnswer": {"stats": (1, "Stats")},
    "Condition": {"type": (1, "s"), "status": (2, "i"), "message": (4, "s")},
    "RuntimeState": {"conditions": (1, "Condition*")},
    "Status": {},
    "StatusAnswer": {"status": (1, "RuntimeState")},
}


def varint(n):
    n &= (1 << 64) - 1
    out = bytearray()
    while n > 0x7F:
        out.append(n & 0x7F | 0x80)
        n >>= 7
    return bytes(out + bytes([n]))


def field(number, kind, value):
    if kind == "i":
        return varint(number << 3) + varint(int(value))
    if kind == "s":
        data = value.encode()
    elif kind == "M":
        return b"".join(field(number, "Variable", {"key": k, "value": v}) for k, v in value.items())
    else:
        data = encode(kind, value)
    return varint(number << 3 | 2) + varint(len(data)) + data


def encode(message, values):
    out = b""
    for name, value in values.items():
        number, kind = MESSAGES[message][name]
        for item in value if kind.endswith("*") else [value]:
            out += field(number, kind.rstrip("*"), item)
    return out


def take_varint(data, at):
    n = shift = 0
    while True:
        n |= (data[at] & 0x7F) << shift
        shift += 7
        at += 1
        if data[at - 1] < 0x80:
            return n, at


def decode(message, data):
    known = {number: (name, kind) for name, (number, kind) in MESSAGES.get(message, {}).items()}
    at, out = 0, {}
    while at < len(data):
        tag, at = take_varint(data, at)
        value, at = take_varint(data, at)
        if tag & 7 == 2:
            value, at = data[at:at + value], at + value
        name, kind = known.get(tag >> 3, (None, ""))
        if kind in ("s", "b"):
            out[name] = value.decode(errors="replace")
        elif kind == "i":
            out[name] = value - (1 << 64) if value >> 63 else value
        elif kind.endswith("*"):
            out.setdefault(name, []).append(decode(kind[:-1], value))
        elif kind:
            out[name] = decode(kind, value)
    return out


def main():
    socket, method, text = sys.argv[1:4]
    request = encode(method, json.loads(text))
    channel = grpc.insecure_channel("unix://" + socket)
    call = channel.unary_unary("/runtime.v1.RuntimeService/" + method)
    try:
        answer = call(request, timeout=60)
    except grpc.RpcError as error:
        print(error.details(), file=sys.stderr)
        return 1
    print(json.dumps(decode(method + "Answer", answer)))
    return 0


sys.exit(main())
