#!/usr/bin/env bats
# Attributes that the kernel gives a process: scheduling, priorities, CPUs,
# personality, memory policy. A program in the container asks the kernel for them.
load helpers

setup() {
	container_setup
	requires_root
	requires_command cc
	make_bundle '.linux.namespaces |= map(select(.type != "network")) | .process.args = ["/attributes"]
		| .process.capabilities.bounding += ["CAP_SYS_NICE"]'
	cc -O1 -static -o "$BUNDLE/rootfs/attributes" "$BATS_TEST_DIRNAME/attributes.c" || skip 'no static programs can be built'
}

teardown() {
	container_teardown
}

# attributes JQ-FILTER LINE...: lines that the program prints under the changed config.
attributes() {
	local before line
	before=$(cat "$BUNDLE/config.json")
	edit_bundle "$1"
	shift
	run knarr run -b "$BUNDLE" "$ID"
	echo "$output"
	[ "$status" = 0 ]
	for line in "$@"; do [[ $'\n'$output$'\n' == *$'\n'"$line"$'\n'* ]]; done
	echo "$before" >"$BUNDLE/config.json"
}

# refuses JQ-FILTER WORD...
refuses() {
	local before word
	before=$(cat "$BUNDLE/config.json")
	edit_bundle "$1"
	shift
	run -1 knarr run -b "$BUNDLE" "$ID"
	echo "$output"
	for word in "$@"; do [[ "$output" == *"$word"* ]]; done
	echo "$before" >"$BUNDLE/config.json"
}

# may COMMAND...: else the machine (a sandbox, a cgroup) does not let anybody do it.
may() {
	"$@" 2>/dev/null || skip "not allowed on this machine: $*"
}

@test "scheduler: every policy, as the kernel reports it" {
	requires_command chrt
	may chrt -f 10 true
	attributes '.process.scheduler = {policy: "SCHED_OTHER", nice: -5}' 'scheduler 0 nice -5 priority 0 flags 0'
	attributes '.process.scheduler = {policy: "SCHED_FIFO", priority: 10}' 'scheduler 1 nice 0 priority 10 flags 0'
	attributes '.process.scheduler = {policy: "SCHED_RR", priority: 99}' 'scheduler 2 nice 0 priority 99 flags 0'
	attributes '.process.scheduler = {policy: "SCHED_BATCH", nice: 7}' 'scheduler 3 nice 7 priority 0 flags 0'
	attributes '.process.scheduler = {policy: "SCHED_IDLE"}'
	[[ "${lines[0]}" == 'scheduler 5 nice '*' priority 0 flags 0' ]] # of the caller, as Linux does
}

@test "scheduler: SCHED_DEADLINE with its three times" {
	requires_command chrt
	may chrt -d --sched-runtime 1000000 --sched-deadline 5000000 --sched-period 10000000 0 true
	attributes '.process.scheduler = {policy: "SCHED_DEADLINE", runtime: 1000000, deadline: 5000000, period: 10000000}' \
		'scheduler 6 nice 0 priority 0 flags 0' 'deadline 1000000 5000000 10000000'
	attributes '.process.scheduler = {policy: "SCHED_DEADLINE", runtime: 2000000, deadline: 8000000,
		flags: ["SCHED_FLAG_RECLAIM", "SCHED_FLAG_DL_OVERRUN"]}' 'deadline 2000000 8000000 8000000' 'scheduler 6 nice 0 priority 0 flags 0x6'
	refuses '.process.scheduler = {policy: "SCHED_DEADLINE", runtime: 9000000, deadline: 8000000}' 'process.scheduler: SCHED_DEADLINE needs'
	refuses '.process.scheduler = {policy: "SCHED_OTHER", runtime: 9000000}' 'process.scheduler: only SCHED_DEADLINE'
}

@test "scheduler: flags" {
	requires_command chrt
	may chrt -f 10 true
	attributes '.process.scheduler = {policy: "SCHED_RR", priority: 3, flags: ["SCHED_FLAG_RESET_ON_FORK"]}' \
		'scheduler 2 nice 0 priority 3 flags 0x1'
	# What the caller has is kept.
	edit_bundle '.process.scheduler = {policy: "SCHED_OTHER", flags: ["SCHED_FLAG_KEEP_POLICY", "SCHED_FLAG_KEEP_PARAMS"]}'
	run -0 chrt -r 4 "$KNARR" --root "$ROOT" run -b "$BUNDLE" "$ID"
	[ "${lines[0]}" = 'scheduler 2 nice 0 priority 4 flags 0' ]
	record_properties run
	refuses '.process.scheduler = {policy: "SCHED_OTHER", flags: ["SCHED_FLAG_NOPE"]}' 'process.scheduler.flags[0]'
}

@test "scheduler: utilisation clamps, which not every kernel has" {
	edit_bundle '.process.scheduler = {policy: "SCHED_OTHER", flags: ["SCHED_FLAG_UTIL_CLAMP_MIN", "SCHED_FLAG_UTIL_CLAMP_MAX"]}'
	run knarr run -b "$BUNDLE" "$ID"
	echo "$output"
	[[ "$output" != *process.scheduler*'not supported'* ]] || skip 'the kernel has no utilisation clamps'
	[ "$status" = 0 ]
}

@test "a policy that Linux has no code for is an error" {
	refuses '.process.scheduler = {policy: "SCHED_ISO"}' 'process.scheduler: set scheduling policy 4'
}

@test "ioPriority: every class" {
	requires_command ionice
	may ionice -c 1 -n 0 true
	attributes '.process.ioPriority = {class: "IOPRIO_CLASS_RT", priority: 3}' 'io 2003'
	attributes '.process.ioPriority = {class: "IOPRIO_CLASS_BE", priority: 7}' 'io 4007'
	attributes '.process.ioPriority = {class: "IOPRIO_CLASS_IDLE", priority: 0}' 'io 6000'
}

@test "personality: domain, and no flags" {
	attributes '.linux.personality = {domain: "LINUX32"}' 'personality 0x8'
	attributes '.linux.personality = {domain: "LINUX", flags: []}' 'personality 0'
	refuses '.linux.personality = {domain: "LINUX", flags: ["ADDR_NO_RANDOMIZE"]}' 'linux.personality.flags'
}

@test "memoryPolicy: every mode, with nodes and flags" {
	attributes '.linux.memoryPolicy = {mode: "MPOL_DEFAULT"}'
	[[ "$output" != *'memory errno'* ]] || skip 'the kernel has no memory policies'
	attributes '.linux.memoryPolicy = {mode: "MPOL_DEFAULT"}' 'memory 0'
	attributes '.linux.memoryPolicy = {mode: "MPOL_BIND", nodes: "0"}' 'memory 0x2 0'
	attributes '.linux.memoryPolicy = {mode: "MPOL_INTERLEAVE", nodes: "0"}' 'memory 0x3 0'
	attributes '.linux.memoryPolicy = {mode: "MPOL_PREFERRED", nodes: "0"}' 'memory 0x1 0'
	attributes '.linux.memoryPolicy = {mode: "MPOL_PREFERRED_MANY", nodes: " 0 , 0-0 "}' 'memory 0x5 0'
	attributes '.linux.memoryPolicy = {mode: "MPOL_LOCAL"}' 'memory 0x4'
	attributes '.linux.memoryPolicy = {mode: "MPOL_BIND", nodes: "0", flags: ["MPOL_F_STATIC_NODES"]}' 'memory 0x8002 0'
	attributes '.linux.memoryPolicy = {mode: "MPOL_INTERLEAVE", nodes: "0", flags: ["MPOL_F_RELATIVE_NODES"]}' 'memory 0x4003 0'
	attributes '.linux.memoryPolicy = {mode: "MPOL_BIND", nodes: "0", flags: ["MPOL_F_NUMA_BALANCING"]}' 'memory 0x2002 0'
	refuses '.linux.memoryPolicy = {mode: "MPOL_BIND"}' 'linux.memoryPolicy' 'node'
	refuses '.linux.memoryPolicy = {mode: "MPOL_LOCAL", nodes: "0"}' 'linux.memoryPolicy.nodes'
	refuses '.linux.memoryPolicy = {mode: "MPOL_BIND", nodes: "1023"}' 'linux.memoryPolicy: set memory policy'
	refuses '.linux.memoryPolicy = {mode: "MPOL_BIND", nodes: "0", flags: ["MPOL_F_STATIC_NODES", "MPOL_F_RELATIVE_NODES"]}' 'linux.memoryPolicy.flags'
}

@test "memoryPolicy: weighted interleaving" {
	requires_kernel 6 9
	attributes '.linux.memoryPolicy = {mode: "MPOL_WEIGHTED_INTERLEAVE", nodes: "0"}' 'memory 0x6 0'
}

# ---- CPUs of exec -----------------------------------------------------------

# cpus JQ-OBJECT WORD: what exec prints of its CPUs, with this execCPUAffinity.
cpus() {
	edit_bundle '.process.execCPUAffinity = '"$1"
	jq '.process' "$BUNDLE/config.json" >"$T/process.json"
	run -0 knarr exec --process "$T/process.json" "$ID"
	echo "$output"
	[[ "$output" == *"cpus $2" ]]
}

@test "execCPUAffinity: exec runs on these, the container's program does not" {
	local all one
	all=$("$BUNDLE/rootfs/attributes" | sed -n 's/^cpus //p')
	one=${all##* }
	bundle_runs sleep 100
	edit_bundle '.process.execCPUAffinity = {initial: $one, final: $one}' --arg one "$one"
	knarr run -d -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
	run -0 knarr exec "$ID" /attributes
	[[ "$output" == *"cpus $one" ]]
	[ "$(awk '/^Cpus_allowed_list/ { print $2 }' "/proc/$(knarr state "$ID" | jq .pid)/status")" = \
		"$(awk '/^Cpus_allowed_list/ { print $2 }' /proc/self/status)" ]
	edit_bundle '.process.args = ["/attributes"]'
	cpus '{initial: "'"$one"'"}' "$one"
	cpus '{final: "'"$one"'"}' "$one"
	cpus '{initial: "'"${all%% *}"'", final: "'"$one"'"}' "$one"
	cpus '{}' "$all"
	cpus '{initial: "", final: " "}' "$all"
	# Lists with blanks and of machines with more CPUs than this one.
	cpus '{final: "'"$one"' , 1024-1030, 4095"}' "$one"
	cpus '{initial: "4000", final: "'"$one"'"}' "$one"
	knarr delete -f "$ID"
}

@test "execCPUAffinity: what is not a list, or not a CPU, is an error" {
	bundle_runs sleep 100
	knarr run -d -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
	local list
	for list in 1- -1 1,,2 2-1 0x1 a; do
		jq --arg list "$list" '.process | .execCPUAffinity.final = $list' "$BUNDLE/config.json" >"$T/process.json"
		run -255 knarr exec --process "$T/process.json" "$ID"
		[[ "$output" == *execCPUAffinity.final* ]]
	done
	jq '.process | .execCPUAffinity.final = "4000"' "$BUNDLE/config.json" >"$T/process.json"
	run -255 knarr exec --process "$T/process.json" "$ID"
	echo "$output"
	[[ "$output" == *'process.execCPUAffinity.final: set the CPUs to run on'* ]]
	knarr delete -f "$ID"
}
