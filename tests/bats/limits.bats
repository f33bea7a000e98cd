#!/usr/bin/env bats
# linux.resources on a host whose controllers are in cgroup v2: the files hold what
# the config means, and a program that wants more is held. tests/vm/run.sh runs
# these in a machine of that kind; elsewhere each says which controller is missing.
load helpers

setup() {
	container_setup
	requires_root
	requires_cgroup2
	make_bundle ".root.readonly = false | .linux.cgroupsPath = \"/knarr-test-$ID\""
	CG=$(cgroup_mount)/knarr-test-$ID
}

teardown() {
	container_teardown
}

start() { # in the background, until `delete`
	knarr run -d -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
}

holds() { # holds FILE VALUE
	[ "$(cat "$CG/$1")" = "$2" ] || {
		echo "$1 holds '$(cat "$CG/$1")', not '$2'"
		return 1
	}
}

# The number behind a key in a file of the cgroup.
count_of() { # count_of FILE KEY
	awk -v key="$2" '$1 == key { print $2 }' "$CG/$1"
}

# ---- values -----------------------------------------------------------------------

@test "memory: limit, reservation, and swap without the memory in it" {
	requires_controller memory
	resources '{memory: {limit: 67108864, reservation: 33554432, swap: 100663296}}' sleep 1000
	start
	holds memory.max 67108864
	holds memory.low 33554432
	[ ! -e "$CG/memory.swap.max" ] || holds memory.swap.max 33554432
	knarr delete -f "$ID"
	resources '{memory: {limit: 67108864, swap: -1}}'
	start
	[ ! -e "$CG/memory.swap.max" ] || holds memory.swap.max max
	knarr delete -f "$ID"
	[ ! -e "$CG" ]
}

@test "cpu: shares, quota, period, burst, idle, cpus and mems" {
	requires_controller cpu
	requires_controller cpuset
	resources '{cpu: {shares: 2048, quota: 50000, period: 200000, burst: 10000, cpus: "0", mems: "0"}}' sleep 1000
	start
	holds cpu.weight 174
	holds cpu.max '50000 200000'
	[ ! -e "$CG/cpu.max.burst" ] || holds cpu.max.burst 10000
	holds cpuset.cpus 0
	holds cpuset.mems 0
	knarr delete -f "$ID"
	resources '{cpu: {shares: 1024, quota: -1, idle: 1}}'
	requires_kernel 5 15 # for cpu.idle
	start
	holds cpu.max 'max 100000'
	holds cpu.idle 1
	knarr delete -f "$ID"
}

@test "pids, io, hugetlb and unified" {
	local disk
	requires_controller pids
	requires_controller io
	requires_controller hugetlb
	disk=$(disk_of "$T") || skip "$T is not on a disk"
	resources '{pids: {limit: 20}, hugepageLimits: [{pageSize: "2MB", limit: 4194304}],
		blockIO: {weight: 505,
			throttleReadBpsDevice: [{major: '"${disk%:*}"', minor: '"${disk#*:}"', rate: 1048576}],
			throttleWriteIOPSDevice: [{major: '"${disk%:*}"', minor: '"${disk#*:}"', rate: 100}]},
		unified: {"memory.high": "50003968", "pids.max": "15", "io.max": "'"$disk"' rbps=2097152"}}'
	bundle_runs sleep 1000
	start
	holds pids.max 15 # what unified says wins
	holds hugetlb.2MB.max 4194304
	holds hugetlb.2MB.rsvd.max 4194304
	holds memory.high 50003968
	holds io.max "$disk rbps=2097152 wbps=max riops=max wiops=100"
	if [ -e "$CG/io.bfq.weight" ]; then holds io.bfq.weight 'default 505'; else holds io.weight 'default 5000'; fi
	knarr delete -f "$ID"
}

@test "blockIO: every throttle, and the weight of a device" {
	local disk numbers
	requires_controller io
	disk=$(disk_of "$T") || skip "$T is not on a disk"
	numbers="major: ${disk%:*}, minor: ${disk#*:}"
	# Without BFQ a weight needs the cost model, which is to be switched on.
	grep -qs bfq "/sys/dev/block/$disk/queue/scheduler" || echo "$disk enable=1" >"$(cgroup_mount)/io.cost.qos" ||
		skip 'the kernel has no weights of devices'
	resources '{blockIO: {weightDevice: [{'"$numbers"', weight: 100}],
		throttleReadBpsDevice: [{'"$numbers"', rate: 1048576}], throttleWriteBpsDevice: [{'"$numbers"', rate: 2097152}],
		throttleReadIOPSDevice: [{'"$numbers"', rate: 300}], throttleWriteIOPSDevice: [{'"$numbers"', rate: 400}]}}'
	bundle_runs sleep 1000
	start
	holds io.max "$disk rbps=1048576 wbps=2097152 riops=300 wiops=400"
	if [ -e "$CG/io.bfq.weight" ]; then grep -qx "$disk 100" "$CG/io.bfq.weight"; else grep -qx "$disk 910" "$CG/io.weight"; fi
	knarr delete -f "$ID"
	echo "$disk enable=0" >"$(cgroup_mount)/io.cost.qos" 2>/dev/null || true
}

@test "memory.checkBeforeUpdate: a limit below the usage is refused, and nothing is changed" {
	requires_controller memory
	resources '{memory: {limit: 268435456, checkBeforeUpdate: true}}'
	edit_bundle_to_run '.mounts += [{destination: "/used", type: "tmpfs", source: "tmpfs"}]' \
		sh -c 'dd if=/dev/zero of=/used/file bs=1M count=40 2>/dev/null; exec sleep 1000'
	start
	for _ in $(seq 100); do [ "$(cat "$CG/memory.current")" -gt 41943040 ] && break; sleep 0.1; done
	echo '{"memory": {"limit": 20971520, "checkBeforeUpdate": true}}' >"$T/small.json"
	run -1 knarr update -r "$T/small.json" "$ID"
	echo "$output"
	[[ "$output" == *linux.resources.memory.limit*20971520*'uses now'* ]]
	holds memory.max 268435456
	[ "$(knarr state "$ID" | jq -r .status)" = running ]
	echo '{"memory": {"limit": 134217728, "checkBeforeUpdate": true}}' >"$T/enough.json"
	knarr update -r "$T/enough.json" "$ID"
	holds memory.max 134217728
	knarr delete -f "$ID"
}

# Linux 6.1 does not forget a limit that was never used with its cgroup, but writes into the
# freed one when the device goes ("list_del corruption", and nothing moves any more).
without_rdma_limits() {
	echo 'rxe-knarr hca_handle=max hca_object=max' >"$CG/rdma.max"
}

# A network device that speaks RDMA, made of software.
@test "rdma: handles and objects of a device" {
	requires_controller rdma
	requires_command rdma ip modprobe
	local name=knarr-rdma
	modprobe -qa dummy rdma_rxe 2>/dev/null || true
	ip link add $name type dummy 2>/dev/null || skip 'the kernel has no dummy network devices'
	ip link set $name up
	rdma link add rxe-knarr type rxe netdev $name 2>/dev/null || {
		ip link del $name
		skip 'the kernel has no RDMA over Ethernet in software (rdma_rxe)'
	}
	resources '{rdma: {"rxe-knarr": {hcaHandles: 3, hcaObjects: 10000}}}' sleep 1000
	start
	grep -x 'rxe-knarr hca_handle=3 hca_object=10000 *' "$CG/rdma.max"
	without_rdma_limits
	knarr delete -f "$ID"
	resources '{rdma: {"rxe-knarr": {hcaObjects: 5}}}'
	start
	grep -x 'rxe-knarr hca_handle=max hca_object=5 *' "$CG/rdma.max"
	without_rdma_limits
	knarr delete -f "$ID"
	resources '{rdma: {"no-such": {hcaObjects: 5}}}'
	run -1 knarr run -b "$BUNDLE" "$ID"
	echo "$output"
	[[ "$output" == *'linux.resources.rdma["no-such"]'*rdma.max* ]]
	ip link del $name # and the device on it
}

@test "unified: misc, whose resources most machines lack" {
	requires_controller misc
	resources '{unified: {"misc.max": "no_such 1"}}' true
	run -1 knarr run -b "$BUNDLE" "$ID"
	echo "$output"
	[[ "$output" == *'linux.resources.unified["misc.max"]'*'no_such 1'* ]]
	[ ! -e "$CG" ]
	resources '{unified: {"no.such.file": "1"}}'
	run -1 knarr run -b "$BUNDLE" "$ID"
	echo "$output"
	[[ "$output" == *'linux.resources.unified["no.such.file"]'* ]]
}

# The disk that holds a directory, "254:0"; a partition's limits are the disk's.
disk_of() {
	local number
	number=$(findmnt -nvo MAJ:MIN -T "$1" | tr -d ' ')
	[ -e "/sys/dev/block/$number" ] && [ ! -e "/sys/dev/block/$number/partition" ] && echo "$number"
}

# ---- held -------------------------------------------------------------------------

@test "memory.limit: a program that takes more is killed" {
	requires_controller memory
	resources '{memory: {limit: 33554432, swap: 33554432}}' dd if=/dev/zero of=/dev/null bs=100M count=1
	run -137 knarr run -b "$BUNDLE" "$ID"
	bundle_runs dd if=/dev/zero of=/dev/null bs=10M count=1
	run -0 knarr run -b "$BUNDLE" "$ID"
}

@test "pids.limit: fork is refused" {
	requires_controller pids
	resources '{pids: {limit: 6}}' sh -c 'for i in 1 2 3 4 5 6 7 8; do sleep 1 & done; wait'
	run ! knarr run -b "$BUNDLE" "$ID"
	[[ "$output" == *"can't fork"* ]]
	# 1 is enough for a program alone, since nothing of the runtime is in the cgroup.
	resources '{pids: {limit: 1}}' true
	run -0 knarr run -b "$BUNDLE" "$ID"
}

@test "pids.limit 0 leaves the program alone, and exec works at the limit" {
	requires_controller pids
	resources '{pids: {limit: 0}}' sh -c 'read -r max </sys/fs/cgroup/pids.max; echo $max; sleep 1 & wait'
	run ! knarr run -b "$BUNDLE" "$ID"
	echo "$output"
	[ "${lines[0]}" = 1 ]
	[[ "$output" == *"can't fork"* ]]
	bundle_runs sleep 1000
	start
	holds pids.max 1
	holds pids.current 1
	# Moved there, where it cannot be made, and with nobody beside it.
	run -0 knarr exec "$ID" grep ^0:: /proc/self/cgroup
	[ "$output" = 0::/ ]
	run ! knarr exec "$ID" sh -c 'true | true'
	[[ "$output" == *"can't fork"* ]]
	knarr update --pids-limit 20 "$ID"
	run -0 knarr exec "$ID" sh -c 'true | true'
	knarr update --pids-limit 0 "$ID"
	holds pids.max 1
	run -0 knarr exec "$ID" true
	# What 0 in the file itself does.
	knarr update -r - "$ID" <<<'{"unified": {"pids.max": "0"}}'
	holds pids.max 0
	run -0 knarr exec "$ID" true
	knarr delete -f "$ID"
	resources '{unified: {"pids.max": "0"}}' cat /sys/fs/cgroup/pids.max
	run -0 knarr run -b "$BUNDLE" "$ID"
	[ "$output" = 0 ]
}

@test "pids.limit 1 with a namespace by path: the process that joins is not in the cgroup" {
	local pid
	requires_controller pids
	unshare --net sleep 1000 &
	pid=$!
	for _ in {1..100}; do
		[ "$(readlink "/proc/$pid/ns/net")" = "$(readlink /proc/self/ns/net)" ] || break
		sleep 0.05
	done
	resources '{pids: {limit: 1}}' cat /sys/fs/cgroup/pids.max /sys/fs/cgroup/pids.current
	edit_bundle '.linux.namespaces |= map(select(.type != "network")) + [{type: "network", path: $p}]' --arg p "/proc/$pid/ns/net"
	run -0 knarr run -b "$BUNDLE" "$ID"
	[ "$output" = $'1\n1' ]
	# The refusal that was got around is not told as the reason of another error.
	bundle_runs /no/such
	run ! knarr run -b "$BUNDLE" "$ID"
	echo "$output"
	[[ "$output" == *'no such file'* && "$output" != *pids.max* ]]
	kill $pid
	wait $pid || true
}

@test "memory.limit too small for any program: one error that says so" {
	requires_controller memory
	resources '{memory: {limit: 4096, swap: 4096}}' true
	run ! knarr run -b "$BUNDLE" "$ID"
	echo "$output"
	[ "${#lines[@]}" = 1 ]
	[[ "$output" == *memory* ]]
}

@test "cpu.quota: a busy program is throttled" {
	requires_controller cpu
	resources '{cpu: {quota: 10000, period: 100000}}' sh -c 'while :; do :; done'
	start
	sleep 2
	local usage periods throttled
	usage=$(count_of cpu.stat usage_usec)
	periods=$(count_of cpu.stat nr_periods)
	throttled=$(count_of cpu.stat nr_throttled)
	echo "used $usage us in $periods periods, throttled in $throttled"
	[ "$throttled" -gt 3 ]
	# A tenth of each period; what one of them goes over, the next ones pay for.
	[ "$usage" -lt $((periods * 10000 * 2 + 100000)) ]
	knarr delete -f "$ID"
}

@test "cpu.shares: on one CPU the greater share gets more" {
	requires_controller cpu
	requires_controller cpuset
	resources '{cpu: {shares: 10240, cpus: "0"}}' sh -c 'while :; do :; done'
	start
	resources '{cpu: {shares: 102, cpus: "0"}}'
	edit_bundle '.linux.cgroupsPath = $p' --arg p "/knarr-test-$ID-small"
	knarr run -d -b "$BUNDLE" "$ID-small" </dev/null >/dev/null 2>&1
	local before small
	before=$(count_of cpu.stat usage_usec)
	small=$(CG=$CG-small count_of cpu.stat usage_usec)
	sleep 3
	before=$(($(count_of cpu.stat usage_usec) - before))
	small=$(($(CG=$CG-small count_of cpu.stat usage_usec) - small))
	echo "great share: $before us, small share: $small us"
	knarr delete -f "$ID"
	knarr delete -f "$ID-small"
	[ "$before" -gt $((small * 5)) ]
}

@test "cpu.cpus: the program sees one CPU" {
	requires_controller cpuset
	resources '{cpu: {cpus: "0"}}' sh -c 'grep Cpus_allowed_list: /proc/self/status'
	run -0 knarr run -b "$BUNDLE" "$ID"
	[[ "$output" == *$'\t0' ]]
	resources '{cpu: {cpus: "4095"}}'
	run -1 knarr run -b "$BUNDLE" "$ID"
	[ "${#lines[@]}" = 1 ]
	[[ "$output" == *linux.resources.cpu.cpus*4095*cpuset.cpus* ]]
	[ ! -e "$CG" ]
}

@test "blockIO: writes to the disk take as long as the rate says" {
	local disk began
	requires_controller io
	disk=$(disk_of "$T") || skip "$T is not on a disk"
	resources '{blockIO: {throttleWriteBpsDevice: [{major: '"${disk%:*}"', minor: '"${disk#*:}"', rate: 1048576}]}}'
	bundle_runs dd if=/dev/zero of=/file bs=512k count=6 oflag=direct
	began=$(date +%s%N)
	run -0 knarr run -b "$BUNDLE" "$ID"
	echo "3 MiB at 1 MiB/s took $((($(date +%s%N) - began) / 1000000)) ms"
	[ $(($(date +%s%N) - began)) -gt 2000000000 ]
}

@test "hugepageLimits: one page is had, two are refused" {
	local pages=/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages before
	requires_controller hugetlb
	requires_command cc
	[ -w "$pages" ] || skip 'this machine has no huge pages of 2 MB'
	before=$(cat "$pages")
	[ "$before" -ge 2 ] || echo 2 >"$pages" 2>/dev/null
	[ "$(cat "$pages")" -ge 2 ] || skip 'no memory for two huge pages'
	cat >"$T/huge.c" <<-'X'
		#include <stdlib.h>
		#include <string.h>
		#include <sys/mman.h>
		int main(int argc, char **argv)
		{
			size_t size = (size_t)atoi(argv[argc - 1]) << 21;
			char *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
			if (p == MAP_FAILED)
				return 3;
			memset(p, 1, size);
			return 0;
		}
	X
	cc -static -o "$BUNDLE/rootfs/huge" "$T/huge.c"
	resources '{hugepageLimits: [{pageSize: "2MB", limit: 2097152}]}' /huge 1
	run -0 knarr run -b "$BUNDLE" "$ID"
	bundle_runs /huge 2
	run -3 knarr run -b "$BUNDLE" "$ID"
	echo "$before" >"$pages"
}

# ---- devices ----------------------------------------------------------------------

@test "devices: what no rule allows can be neither made nor opened" {
	edit_bundle '.process.capabilities |= with_entries(.value += ["CAP_MKNOD"])'
	# There is no device of that number, so "no such device" means: allowed.
	bundle_runs_sh 'mknod /x c 240 7 && { head -c 0 </x; echo >/x; }; rm -f /x; echo x >/dev/null; mknod /n c 1 3 && rm /n'
	resources '{devices: [{allow: false, access: "rwm"}]}'
	run -0 knarr run -b "$BUNDLE" "$ID"
	echo "$output"
	[ "$output" = 'mknod: /x: Operation not permitted' ]
	resources '{devices: [{allow: false, access: "rwm"}, {allow: true, type: "c", access: "m"}]}'
	run -0 knarr run -b "$BUNDLE" "$ID"
	echo "$output"
	[ "$(grep -c 'x: Operation not permitted' <<<"$output")" = 2 ]
	[[ "$output" != *mknod* && "$output" != *null* ]]
	resources '{devices: [{allow: false, access: "rwm"}, {allow: true, type: "c", major: 240, access: "rm"}]}'
	run -0 knarr run -b "$BUNDLE" "$ID"
	echo "$output"
	[ "$(grep -c 'x: Operation not permitted' <<<"$output")" = 1 ]
	[ "$(grep -c 'x: No such device' <<<"$output")" = 1 ]
	resources '{devices: [{allow: false}, {allow: true, type: "c", major: 240, minor: 8}, {allow: true, type: "c", major: 240, minor: 7, access: "wm"}]}'
	run -0 knarr run -b "$BUNDLE" "$ID"
	echo "$output"
	[ "$(grep -c 'x: Operation not permitted' <<<"$output")" = 1 ]
	# Those that the config itself names are made, whatever the rules.
	resources '{devices: [{allow: false, access: "rwm"}, {allow: true, type: "c", access: "m"}, {allow: false, type: "c", major: 240, access: "m"}]}'
	edit_bundle_to_run '.linux.devices = [{path: "/dev/named", type: "c", major: 240, minor: 9}]' \
		sh -c 'mknod /x c 240 7; mknod /y c 241 7 && rm /y && test -c /dev/named && echo others'
	run -0 knarr run -b "$BUNDLE" "$ID"
	echo "$output"
	[[ "$output" == *'x: Operation not permitted'*others ]]
}

# As with runc and crun. With CAP_MKNOD, which most callers give, the host's disk would be
# a mknod away.
@test "devices: without rules every node can be made, and the default devices alone be used" {
	local rules
	edit_bundle '.process.capabilities |= with_entries(.value += ["CAP_MKNOD"])'
	bundle_runs_sh 'mknod /x c 240 7 && mknod /y b 240 7 && { head -c 0 </x; head -c 0 </y; }
		rm -f /x /y; mknod /n c 1 3 && echo x >/n && head -c 1 /dev/urandom >/dev/null && echo default'
	for rules in 'del(.linux.resources)' '.linux.resources = {}' '.linux.resources = {devices: []}'; do
		edit_bundle "$rules"
		run -0 knarr run -b "$BUNDLE" "$ID"
		echo "$output"
		[ "$(grep -c ': Operation not permitted' <<<"$output")" = 2 ]
		[[ "$output" != *mknod* && "$output" == *default ]]
		rm -f "$BUNDLE/rootfs/n"
	done
	# Rules that allow everything are taken at their word.
	edit_bundle '.linux.resources = {devices: [{allow: true, access: "rwm"}]}'
	run -0 knarr run -b "$BUNDLE" "$ID"
	echo "$output"
	[ "$(grep -c ': No such device' <<<"$output")" = 2 ]
}

@test "devices: without rules an update adds none, and exec has them too" {
	edit_bundle 'del(.linux.resources) | .process.capabilities |= with_entries(.value += ["CAP_MKNOD"])'
	bundle_runs sleep 1000
	knarr run -d -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
	run -0 knarr update -r - "$ID" <<<'{"devices": [{"allow": true, "access": "rwm"}]}'
	# The last command's status is that of the open.
	run ! knarr exec "$ID" sh -c 'mknod /x c 240 7 && head -c 0 </x'
	echo "$output"
	[[ "$output" == *"open /x: Operation not permitted" ]]
	knarr delete --force "$ID"
}

@test "devices: rules for minors beside each other hold as the one range that they become" {
	edit_bundle '.process.capabilities |= with_entries(.value += ["CAP_MKNOD"])'
	resources '{devices: ([{allow: false, access: "rwm"}] + [range(2; 66) | {allow: true, type: "c", major: 240, minor: ., access: "m"}]
		+ [{allow: false, type: "c", major: 240, minor: 20, access: "m"}])}'
	bundle_runs_sh 'for n in 1 2 19 20 21 65 66; do ! mknod /x$n c 240 $n 2>/dev/null || echo $n; done; mknod /y c 241 5 2>/dev/null || echo no'
	run -0 knarr run -b "$BUNDLE" "$ID"
	echo "$output"
	[ "${lines[*]}" = '2 19 21 65 no' ]
}

@test "devices: thousands of rules for devices that lie apart hold; too many are one error" {
	edit_bundle '.process.capabilities |= with_entries(.value += ["CAP_MKNOD"])'
	bundle_runs_sh 'for n in 0 1 2 3 4795 4797 4798 4800; do ! mknod /x c 24$((n / 3 % 5)) $n 2>/dev/null || echo $n; rm -f /x; done'
	local n
	for n in 1600 5000; do
		edit_bundle '.linux.resources = {devices: ([{allow: false, access: "rwm"}] +
			[range($n) | {allow: true, type: "c", major: (240 + . % 5), minor: (. * 3), access: "m"}] +
			[{allow: false, type: "c", major: 241, minor: 3, access: "m"}])}' --argjson n $n
		run -0 knarr run -b "$BUNDLE" "$ID"
		echo "$output"
		[ "${lines[*]}" = "0 4797$([ $n = 1600 ] || echo ' 4800')" ]
	done
	edit_bundle '.linux.resources = {devices: ([{allow: false, access: "rwm"}] +
		[range(20000) | {allow: true, type: "c", major: 240, minor: (. * 3), access: "m"}])}'
	run -1 knarr run -b "$BUNDLE" "$ID"
	echo "$output"
	[ "${#lines[@]}" = 1 ]
	[[ "$output" == *'linux.resources.devices: load 20009 rules as an eBPF program (it is too large for the kernel)'* ]]
	[ ! -e "$CG" ]
}

# ---- where the container is -------------------------------------------------------

@test "the first process is inside before any hook, and nothing else ever was" {
	cat >"$T/hook" <<-'X'
		#!/bin/sh
		pid=$(sed 's/.*"pid":\([0-9]*\).*/\1/')
		grep ^0:: "/proc/$pid/cgroup" >"$1"
	X
	chmod 755 "$T/hook"
	edit_bundle '.hooks.createRuntime = [{path: $h, args: ["hook", $l], env: ["PATH=/usr/bin:/bin"]}]' --arg h "$T/hook" --arg l "$T/log"
	bundle_runs cat /sys/fs/cgroup/cgroup.procs /proc/self/cgroup
	run -0 knarr run -b "$BUNDLE" "$ID"
	[ "$(cat "$T/log")" = "0::/knarr-test-$ID" ]
	[ "${lines[0]}" = 1 ]
	grep -qx '0::/' <<<"$output"
	requires_command strace
	# A leak checker cannot work in a traced program.
	ASAN_OPTIONS=detect_leaks=0 strace -f -qq -o "$T/trace" -e trace=clone3,write "$KNARR" --root "$ROOT" run -b "$BUNDLE" "$ID"
	grep -q 'clone3(.*CLONE_INTO_CGROUP' "$T/trace"
}

@test "the cgroup namespace: the container's own cgroup is the root of the mount" {
	requires_controller pids
	resources '{pids: {limit: 17}}' \
		sh -c 'cat /sys/fs/cgroup/pids.max; grep " /sys/fs/cgroup " /proc/self/mountinfo | cut -d " " -f 4; mkdir /sys/fs/cgroup/x 2>&1'
	run -1 knarr run -b "$BUNDLE" "$ID"
	[ "${lines[0]}" = 17 ]
	[ "${lines[1]}" = / ]
	[[ "${lines[2]}" == *"Read-only file system"* ]]
}

@test "without a cgroup namespace the mount is the host's, as /proc/self/cgroup says, and read-only" {
	requires_controller pids
	resources '{pids: {limit: 17}}'
	edit_bundle_to_run '.linux.namespaces |= map(select(.type != "cgroup"))' \
		sh -c 'own=$(sed -n s/^0:://p /proc/self/cgroup); echo $own; cat /sys/fs/cgroup$own/pids.max; echo max >/sys/fs/cgroup$own/pids.max'
	run -1 knarr run -b "$BUNDLE" "$ID"
	echo "$output"
	[ "${lines[0]}" = "/knarr-test-$ID" ]
	[ "${lines[1]}" = 17 ]
	[[ "${lines[2]}" == *"Read-only file system"* ]]
}

# ---- delegation -------------------------------------------------------------------

writable_cgroup() {
	edit_bundle '(.mounts[] | select(.destination == "/sys/fs/cgroup") | .options) |= map(select(. != "ro"))'
}

with_userns() {
	edit_bundle '.linux.namespaces += [{type: "user"}] | .linux.uidMappings = [{containerID: 0, hostID: 300000, size: 65536}]
		| .linux.gidMappings = .linux.uidMappings'
	chown -R --no-dereference 300000:300000 "$BUNDLE"
}

@test "a read-write cgroup mount in a user namespace: the container manages its own tree" {
	requires_controller pids
	resources '{pids: {limit: 30}}'
	writable_cgroup
	with_userns
	bundle_runs sh -c 'cd /sys/fs/cgroup && stat -c "%n %u" . cgroup.procs cgroup.subtree_control pids.max cgroup.events &&
		mkdir in && echo 1 >in/cgroup.procs && echo +pids >cgroup.subtree_control && echo 5 >in/pids.max && cat in/pids.max
		grep ^0:: /proc/self/cgroup; echo max >pids.max || echo held; mkdir -p in2/x/y/z; sleep 1000 & sleep 0.2'
	run -0 knarr run -b "$BUNDLE" "$ID"
	echo "$output"
	[ "$output" = ". 0
cgroup.procs 0
cgroup.subtree_control 0
pids.max 65534
cgroup.events 65534
5
0::/in
sh: can't create pids.max: Permission denied
held" ]
	[ ! -e "$CG" ]
}

@test "the cgroup's owner is the host's id of process.user.uid" {
	writable_cgroup
	with_userns
	edit_bundle_to_run '.process.user.uid = 3' sleep 1000
	start
	[ "$(stat -c %u "$CG" "$CG/cgroup.procs" "$CG/cgroup.threads" "$CG/cgroup.events" | paste -sd ' ')" = '300003 300003 300003 0' ]
	# A container that joins that user namespace finds out its ids.
	local pid
	pid=$(knarr state "$ID" | jq .pid)
	edit_bundle '.linux.namespaces |= map(if .type == "user" then .path = $p else . end) | del(.linux.uidMappings, .linux.gidMappings)
		| .process.user.uid = 7 | .linux.cgroupsPath += "-two"' --arg p "/proc/$pid/ns/user"
	knarr run -d -b "$BUNDLE" "$ID-two" </dev/null >/dev/null 2>&1
	[ "$(stat -c %u "$CG-two" "$CG-two/cgroup.procs" | paste -sd ' ')" = '300007 300007' ]
	knarr delete -f "$ID-two"
	knarr delete -f "$ID"
}

@test "without a new cgroup namespace, or mounted read-only, the cgroup stays the runtime's" {
	with_userns
	bundle_runs sleep 1000
	start
	[ "$(stat -c %u "$CG")" = 0 ]
	knarr delete -f "$ID"
	writable_cgroup
	edit_bundle '.linux.namespaces |= map(select(.type != "cgroup"))'
	start
	[ "$(stat -c %u "$CG")" = 0 ]
	knarr delete -f "$ID"
}

# ---- an unprivileged user to whom a cgroup was delegated --------------------------------

# as_user_in CGROUP COMMAND...: as the unprivileged user, from within that cgroup.
as_user_in() {
	local cgroup=$1
	shift
	(
		echo "$BASHPID" >"$cgroup/cgroup.procs"
		exec_as_user "$@"
	)
}

# Their own id is all that they map.
rootless_bundle() {
	ROOTLESS=1 make_bundle '.root.readonly = false | del(.linux.uidMappings, .linux.gidMappings)'
	edit_bundle 'del(.linux.cgroupsPath)'
	chown -R "$(unprivileged_user):" "$BUNDLE"
}

delegated() {
	local file user
	user=$(unprivileged_user)
	GIVEN=$(cgroup_mount)/knarr-test-given-$ID
	mkdir "$GIVEN" "$GIVEN/own"
	for file in . cgroup.procs cgroup.subtree_control cgroup.threads own own/cgroup.procs; do chown "$user" "$GIVEN/$file"; done
}

@test "rootless: limits hold in a delegated cgroup" {
	requires_unprivileged_user
	requires_controller memory
	requires_controller pids
	grep -qw memory "$(cgroup_mount)/cgroup.subtree_control" || skip 'the root cgroup does not pass on the memory controller'
	delegated
	knarr_for_user
	rootless_bundle
	resources '{memory: {limit: 33554432, swap: 33554432}, pids: {limit: 9}}' \
		sh -c 'cat /proc/self/cgroup /sys/fs/cgroup/memory.max /sys/fs/cgroup/pids.max; exec dd if=/dev/zero of=/dev/null bs=100M count=1'
	run -137 as_user_in "$GIVEN/own" "$KNARR" --root "$T/user/state" run -b "$BUNDLE" "$ID"
	echo "$output"
	[ "${lines[0]}" = 0::/ ]
	[ "${lines[1]}" = 33554432 ]
	[ "${lines[2]}" = 9 ]
	[ ! -e "$GIVEN/knarr-$ID" ]
	rmdir "$GIVEN/own" "$GIVEN"
}

@test "rootless: CPUs in a delegated cgroup, and the error where another user's process is in it" {
	local pid
	requires_unprivileged_user
	requires_controller cpuset
	grep -qw cpuset "$(cgroup_mount)/cgroup.subtree_control" || skip 'the root cgroup does not pass on the cpuset controller'
	delegated
	knarr_for_user
	rootless_bundle
	resources '{cpu: {cpus: "0"}}' grep Cpus_allowed_list: /proc/self/status
	sleep 1000 &
	pid=$!
	echo $pid >"$GIVEN/own/cgroup.procs"
	run -1 as_user_in "$GIVEN/own" "$KNARR" --root "$T/user/state" run -b "$BUNDLE" "$ID"
	echo "$output"
	[ "${#lines[@]}" = 1 ]
	[[ "$output" == *linux.resources.cpu.cpus*"'cpuset'"*"another user"* ]]
	[ ! -e "$GIVEN/knarr-$ID" ]
	kill $pid
	wait $pid || true
	run -0 as_user_in "$GIVEN/own" "$KNARR" --root "$T/user/state" run -b "$BUNDLE" "$ID"
	echo "$output"
	[[ "$output" == *$'\t0' ]]
	rmdir "$GIVEN/own" "$GIVEN"
}

@test "rootless: a limit without delegation is one error that says what to do" {
	requires_unprivileged_user
	requires_controller memory
	knarr_for_user
	rootless_bundle
	resources '{memory: {limit: 33554432}}' true
	run -1 as_user "$KNARR" --root "$T/user/state" run -b "$BUNDLE" "$ID"
	echo "$output"
	[ "${#lines[@]}" = 1 ]
	[[ "$output" == *linux.resources.memory.limit*Delegate=yes* ]]
	edit_bundle '.linux.cgroupsPath = $p' --arg p "/knarr-test-$ID"
	run -1 as_user "$KNARR" --root "$T/user/state" run -b "$BUNDLE" "$ID"
	echo "$output"
	[ "${#lines[@]}" = 1 ]
	[[ "$output" == *Delegate=yes* ]]
}
