#!/usr/bin/env bats
# Configs with a lot of something, as whoever makes an image or writes a config can have it: the
# work grows with the amount and not with its square. What is measured is not a time of a
# clock but a limit on the CPU time of each process (RLIMIT_CPU), many times what is
# needed and a fraction of what a quadratic loop takes.
load helpers

setup() {
	container_setup
	requires_command prlimit python3
	make_bundle
}

teardown() {
	container_teardown
}

# config_with PYTHON: changes the config c.
config_with() {
	python3 -c 'import json, sys
c = json.load(open(sys.argv[1]))
exec(sys.argv[2])
json.dump(c, open(sys.argv[1], "w"))' "$BUNDLE/config.json" "$1"
}

# frugal SECONDS COMMAND...: knarr, with that much CPU time for each process.
frugal() {
	local seconds=$1
	shift
	prlimit --cpu="$seconds:$seconds" "$KNARR" --root "$ROOT" "$@"
}

@test "60,000 variables, of which the last of a name counts, at the place of the first" {
	config_with 'c["process"]["env"] = ["PATH=/bin"] + ["N%d=%d" % (i % 59000, i) for i in range(60000)]'
	bundle_runs env
	frugal 4 run -b "$BUNDLE" "$ID" >"$T/out" || { cat "$T/out"; return 1; }
	[ "$(grep -c ^N "$T/out")" = 59000 ]
	[ "$(grep -xE 'N(0|999|1000|58999)=.*' "$T/out")" = $'N0=59000\nN999=59999\nN1000=1000\nN58999=58999' ]
	bundle_runs sleep 1000
	frugal 4 run -d -b "$BUNDLE" "$ID" </dev/null >"$T/out" 2>&1
	frugal 4 exec --env N7=exec --env NEW=x --env NEW=y "$ID" env >"$T/out"
	[ "$(grep -c ^N "$T/out")" = 59001 ]
	[ "$(grep -xE 'N(0|7|EW)=.*' "$T/out")" = $'N0=59000\nN7=exec\nNEW=y' ]
	knarr delete --force "$ID"
}

@test "more than 65,536 variables" {
	config_with 'c["process"]["env"] = ["PATH=/bin"] + ["N%d=" % i for i in range(70000)]'
	bundle_runs env
	frugal 4 run -b "$BUNDLE" "$ID" >"$T/out" || { cat "$T/out"; return 1; }
	[ "$(grep -c ^N "$T/out")" = 70000 ]
}

@test "10,000 read-only and 10,000 masked files" {
	requires_root
	[ "$(cat /proc/sys/fs/mount-max)" -ge 50000 ] || skip 'so many mounts are not allowed here'
	mkdir "$BUNDLE/rootfs/many"
	(cd "$BUNDLE/rootfs/many" && seq 10000 | xargs touch)
	config_with 'c["root"]["readonly"] = False; c["linux"]["readonlyPaths"] = ["/many/%d" % (i + 1) for i in range(10000)]'
	bundle_runs sh -c 'grep -c " /many/[0-9]* [^ ]* ro," /proc/mounts; for i in 1 5000 10000; do echo x >/many/$i && echo written; done; echo x >/many/new && echo new'
	run -0 --separate-stderr frugal 4 run -b "$BUNDLE" "$ID"
	[ "$output" = $'10000\nnew' ]
	config_with 'c["linux"]["maskedPaths"] = c["linux"]["readonlyPaths"]; c["linux"]["readonlyPaths"] = []'
	bundle_runs sh -c 'grep -c " /many/[0-9]* " /proc/mounts; ls -l /many/10000 | cut -c1'
	run -0 frugal 4 run -b "$BUNDLE" "$ID"
	[ "$output" = $'10000\nc' ]
}

# A file that is exchanged or has a mount on it is not taken from the copy of the root.
@test "a read-only file with a mount on it, or below a mount, keeps that mount" {
	requires_root
	mkdir -p "$BUNDLE/rootfs/dir" "$T/source"
	echo root >"$BUNDLE/rootfs/file"
	echo root >"$BUNDLE/rootfs/dir/file"
	echo mount >"$T/source/file"
	edit_bundle_to_run '.root.readonly = false | .linux.readonlyPaths = ["/file", "/dir/file", "/dir"] |
		.mounts += [{destination: "/file", type: "bind", source: "'"$T/source/file"'", options: ["bind"]},
			{destination: "/dir", type: "bind", source: "'"$T/source"'", options: ["bind"]}]' \
		sh -c 'cat /file /dir/file; for f in /file /dir/file /dir/new; do echo x >$f && echo written; done; true'
	run -0 --separate-stderr knarr run -b "$BUNDLE" "$ID"
	[ "$output" = $'mount\nmount' ]
	[ "$(cat "$BUNDLE/rootfs/file" "$BUNDLE/rootfs/dir/file")" = $'root\nroot' ]
}

@test "40,000 network devices: names that are given twice are found" {
	config_with 'c["linux"]["netDevices"] = {"d%d" % i: {} for i in range(40000)}
c["linux"]["netDevices"]["d39999"] = {"name": "d7"}'
	run -1 frugal 4 check "$BUNDLE"
	[[ "$output" == *'two network devices would be called "d7" in the container'* ]]
	[[ "$output" == *': 1 error, 0 warnings' ]]
}

@test "15 MB of memory nodes and CPUs" {
	config_with 'c["linux"]["memoryPolicy"] = {"mode": "MPOL_BIND", "nodes": ",".join(["0-32767"] * 1800000)}'
	run -0 frugal 4 plan "$BUNDLE"
	[[ "$output" == *'set memory policy'* ]]
}

@test "100,000 seccomp rules: a program that would be too long is refused, one that is not runs" {
	local rule='{"names": ["mkdir"], "action": "SCMP_ACT_ERRNO", "args": [{"index": 1, "value": i, "op": "SCMP_CMP_EQ"}]}'
	config_with 'c["linux"]["seccomp"] = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": ['"$rule"' for i in range(100000)]}'
	run -1 frugal 4 run -b "$BUNDLE" "$ID"
	[[ "$output" == *'linux.seccomp'*4096* ]]
	config_with 'c["linux"]["seccomp"]["syscalls"] = [{"names": ["mkdir", "call_of_nobody"], "action": "SCMP_ACT_ERRNO"}] * 100000'
	bundle_runs sh -c 'mkdir /tmp/x || echo denied'
	run -0 --separate-stderr frugal 4 run -b "$BUNDLE" "$ID"
	[ "$output" = denied ]
}

# ---- too much for execve ----------------------------------------------------------

@test "a variable or an argument that the kernel does not take is an error of the config" {
	[ "$(getconf PAGE_SIZE)" = 4096 ] || skip 'the numbers are those of pages of 4 KiB'
	edit_bundle '.process.env += ["LONG=" + ("x" * 131066)]'
	run -0 knarr run -b "$BUNDLE" "$ID" </dev/null
	edit_bundle '.process.env[-1] += "x"'
	run -1 "$KNARR" check "$BUNDLE"
	[[ "$output" == *'error: process.env[3]: a variable of 131072 bytes is longer than the kernel takes (131071)'* ]]
	run -1 knarr run -b "$BUNDLE" "$ID"
	[[ "$output" == *'process.env[3]: a variable of 131072 bytes is longer'* ]]
	edit_bundle 'del(.process.env[-1]) | .process.args = ["sh", "-c", "true", "x" * 131072]'
	run -1 "$KNARR" check "$BUNDLE"
	[[ "$output" == *'error: process.args[3]: an argument of 131072 bytes is longer than the kernel takes (131071)'* ]]
	edit_bundle '.process.args = ["true"] | .process.env += [range(70) | "V\(.)=" + ("x" * 100000)]'
	run -1 "$KNARR" check "$BUNDLE"
	[[ "$output" == *'error: process.env: '*' bytes of arguments and '*' of environment are more than the kernel takes (6291456)'* ]]
}

@test "an environment that is too long for the limit of the stack is named, with its longest variable" {
	edit_bundle_to_run '.process.env += [range(30) | "V\(.)=" + ("x" * (10000 + .))] | .process.rlimits = [{type: "RLIMIT_STACK", soft: 1000000, hard: 1000000}]' true
	run -1 knarr run -b "$BUNDLE" "$ID"
	[[ "$output" == 'knarr: process.env: exec: "/bin/true": '*' bytes of environment in '*' variables, the longest is V29 with 10033'*'argument list too long' ]]
	edit_bundle '.process.args = ["true"] + [range(30) | "x" * 10000] | .process.env |= .[0:3]'
	run -1 knarr run -b "$BUNDLE" "$ID"
	[[ "$output" == 'knarr: process.args: exec: "/bin/true": '*' bytes of arguments, the longest has 10000'*'argument list too long' ]]
}

@test "knarr needs little memory: 1 MB of data is enough to say its version" {
	requires_no_sanitizer 'its shadow memory alone is larger'
	run -0 prlimit --data=1000000 "$KNARR" --version
	[[ "$output" == 'knarr version'* ]]
}
