#!/usr/bin/env bats
# What cgroup v2 has beyond the properties of the specification, through
# linux.resources.unified, and cgroups that cannot hold a container. What needs a
# controller that cgroup v2 lacks here runs in tests/vm/run.sh.
load helpers

setup() {
	container_setup
	requires_root
	requires_cgroup2
	make_bundle ".root.readonly = false | .linux.cgroupsPath = \"/knarr-test-$ID\"" true
	CG=$(cgroup_mount)/knarr-test-$ID
}

teardown() {
	container_teardown
}

unified() { # unified JQ-OBJECT
	edit_bundle ".linux.resources = {unified: $1}"
}

# One error that holds the words, and nothing is left.
refused() { # refused WORD...
	local word
	run -1 knarr run -b "$BUNDLE" "$ID"
	echo "$output"
	[ "${#lines[@]}" = 1 ]
	for word; do [[ "$output" == *"$word"* ]]; done
}

@test "a partition of CPUs that cannot be had is an error with the kernel's reason" {
	requires_controller cpuset
	# No CPUs of its own: no partition can be made of that.
	unified '{"cpuset.cpus.partition": "root"}'
	refused 'linux.resources.unified["cpuset.cpus.partition"]' 'root invalid ('
	[ ! -e "$CG" ]
	unified '{"cpuset.cpus.partition": "nonsense"}'
	refused cpuset.cpus.partition nonsense
	# Written first in the config, and applied last.
	[ "$(nproc --all)" -ge 2 ] || skip 'one CPU is not enough for a partition'
	unified '{"cpuset.cpus.partition": "root", "cpuset.cpus": "1"}'
	bundle_runs cat /sys/fs/cgroup/cpuset.cpus.partition
	run -0 knarr run -b "$BUNDLE" "$ID"
	[ "$output" = root ]
}

@test "io.max and io.latency: raw keys with their controller enabled down the path" {
	local disk
	requires_controller io
	disk=$(findmnt -nvo MAJ:MIN -T "$T" | tr -d ' ')
	{ [ -e "/sys/dev/block/$disk" ] && [ ! -e "/sys/dev/block/$disk/partition" ]; } || skip "$T is not on a disk"
	edit_bundle '.linux.cgroupsPath += "/in/side"'
	unified '{"io.max": "'"$disk"' wiops=200"}'
	bundle_runs cat /sys/fs/cgroup/io.max
	run -0 knarr run -b "$BUNDLE" "$ID"
	[ "$output" = "$disk rbps=max wbps=max riops=max wiops=200" ]
	unified '{"io.latency": "'"$disk"' target=5000"}'
	bundle_runs_sh 'cat /sys/fs/cgroup/io.latency'
	run knarr run -b "$BUNDLE" "$ID"
	# A kernel without BLK_CGROUP_IOLATENCY has no such file, and says so.
	[ "$output" = "$disk target=5000" ] || [[ "$output" == *"has no file 'io.latency'"* ]]
	[ ! -e "$CG" ]
}

@test "misc.max and rdma.max of what the host does not have: one error" {
	requires_controller misc
	unified '{"misc.max": "nothing 1"}'
	refused 'linux.resources.unified["misc.max"]' 'nothing 1'
	requires_controller rdma
	edit_bundle '.linux.resources = {rdma: {mlx9_0: {hcaHandles: 3, hcaObjects: 1000}}}'
	refused 'linux.resources.rdma["mlx9_0"]' 'mlx9_0 hca_handle=3 hca_object=1000'
	[ ! -e "$CG" ]
}

# CONTROLLER PROPERTY RESOURCES: every property that needs a controller.
every_limit() {
	cat <<-'END'
		memory memory.limit {memory: {limit: 67108864}}
		memory memory.reservation {memory: {reservation: 67108864}}
		memory memory.limit {memory: {limit: 67108864, swap: 67108864}}
		cpu cpu.quota {cpu: {quota: 10000, period: 20000}}
		cpu cpu.quota {cpu: {quota: 10000, burst: 1000}}
		cpu cpu.idle {cpu: {idle: 1}}
		cpuset cpu.cpus {cpu: {cpus: "0"}}
		cpuset cpu.mems {cpu: {mems: "0"}}
		pids pids.limit {pids: {limit: 10}}
		io blockIO.weight {blockIO: {weight: 100}}
		io blockIO.weightDevice[0] {blockIO: {weightDevice: [{major: 8, minor: 0, weight: 100}]}}
		io blockIO.throttleReadBpsDevice[0] {blockIO: {throttleReadBpsDevice: [{major: 8, minor: 0, rate: 9}]}}
		io blockIO.throttleWriteBpsDevice[0] {blockIO: {throttleWriteBpsDevice: [{major: 8, minor: 0, rate: 9}]}}
		io blockIO.throttleReadIOPSDevice[0] {blockIO: {throttleReadIOPSDevice: [{major: 8, minor: 0, rate: 9}]}}
		io blockIO.throttleWriteIOPSDevice[0] {blockIO: {throttleWriteIOPSDevice: [{major: 8, minor: 0, rate: 9}]}}
		hugetlb hugepageLimits[0] {hugepageLimits: [{pageSize: "2MB", limit: 4194304}]}
		rdma rdma["mlx"] {rdma: {mlx: {hcaHandles: 3}}}
		memory unified["memory.high"] {unified: {"memory.high": "50M"}}
		pids unified["pids.max"] {unified: {"pids.max": "9"}}
		io unified["io.max"] {unified: {"io.max": "8:0 rbps=9"}}
		cpuset unified["cpuset.cpus.partition"] {unified: {"cpuset.cpus.partition": "root"}}
		misc unified["misc.max"] {unified: {"misc.max": "sev 3"}}
		nothing unified["nothing.max"] {unified: {"nothing.max": "3"}}
	END
}

# where NAME: words that say why cgroup2 does not have it here.
where() {
	local v1=$1 point
	[ "$1" != io ] || v1=blkio
	point=$(awk -v c="$v1" '$3 == "cgroup" && ("," $4 ",") ~ ("," c ",") { print $2; exit }' /proc/mounts)
	if [ -n "$point" ]; then
		echo "controller '$1' is bound to cgroup v1 at '$point'"
	elif [ "$1" = nothing ]; then
		echo nothing.max
	else
		echo "controller '$1' is "
	fi
}

@test "each limit whose controller is missing is one error: property, controller, where that is bound" {
	local name property resources missing=0
	while read -r name property resources; do
		if grep -qw "$name" "$(cgroup_mount)/cgroup.controllers"; then continue; fi
		edit_bundle ".linux.resources = $resources"
		refused "linux.resources.$property" "$(where "$name")"
		[ ! -e "$CG" ]
		missing=$((missing + 1))
	done < <(every_limit)
	[ "$missing" -gt 0 ]
}

@test "where controllers are missing: what needs none works, and update says what it lacks" {
	local name property resources before
	edit_bundle '.linux.resources = {devices: [{allow: false, access: "rwm"}], memory: {limit: -1}, pids: {limit: -1},
		cpu: {shares: 512}, unified: {"cgroup.max.depth": "3"}}'
	bundle_runs sleep 1000
	knarr run -d -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
	[ "$(cat "$CG/cgroup.max.depth")" = 3 ]
	knarr pause "$ID"
	[ "$(knarr state "$ID" | jq -r .status)" = paused ]
	knarr resume "$ID"
	knarr exec "$ID" true
	[ "$(knarr ps "$ID" | wc -l)" = 2 ]
	knarr events --stats "$ID" | jq -e .data.cpu
	before=$(knarr state "$ID")
	while read -r name property resources; do
		if grep -qw "$name" "$(cgroup_mount)/cgroup.controllers"; then continue; fi
		case $property in memory.limit | cpu.quota | cpu.cpus | pids.limit | blockIO.weight) ;; *) continue ;; esac
		jq -n "$resources" >"$T/resources"
		run -1 knarr update --resources "$T/resources" "$ID"
		echo "$output"
		[[ "$output" == *"$property"*"$(where "$name")"* ]]
	done < <(every_limit)
	[ "$(knarr state "$ID")" = "$before" ]
	knarr kill "$ID" KILL
	wait_status "$ID" stopped
	knarr delete "$ID"
	[ ! -e "$CG" ]
}

@test "a threaded cgroup holds no container, nor does one below it" {
	own_cgroups "$CG" "$CG/in"
	echo threaded >"$CG/in/cgroup.type" || skip 'no threaded cgroups here'
	edit_bundle '.linux.cgroupsPath += "/in"'
	refused "'/knarr-test-$ID/in' is of type 'threaded'"
	edit_bundle '.linux.cgroupsPath += "/below"'
	refused "'/knarr-test-$ID/in/below' is of type 'domain invalid'"
	[ ! -e "$CG/in/below" ]
	rmdir "$CG/in" "$CG"
}

@test "a frozen cgroup, or one below a frozen one, is refused" {
	own_cgroups "$CG"
	[ -e "$CG/cgroup.freeze" ] || skip 'the kernel cannot freeze'
	echo 1 >"$CG/cgroup.freeze"
	refused frozen
	edit_bundle '.linux.cgroupsPath += "/in"'
	refused frozen
	[ ! -e "$CG/in" ]
	rmdir "$CG"
}

# As Podman writes it for systemd: `podman run --systemd=always`.
@test "a hybrid host: a hierarchy of cgroup v1 that is bound below the cgroup mount" {
	local own v1=$T/v1 namespace
	own=$(cgroup_mount)
	[ "$own" = /sys/fs/cgroup/unified ] || skip 'cgroup2 is not in /sys/fs/cgroup/unified here'
	mkdir "$v1"
	touch "$v1/there"
	edit_bundle '.mounts |= map(if .type == "cgroup" then .options = ["nosuid", "noexec", "nodev", "ro"] else . end) +
		[{destination: "/sys/fs/cgroup/systemd", type: "bind", source: $v1, options: ["bind", "rprivate"]}] |
		.linux.maskedPaths += ["/sys/fs/cgroup/systemd/release_agent"]' --arg v1 "$v1"
	bundle_runs_sh 'ls /sys/fs/cgroup; ls /sys/fs/cgroup/systemd; grep -o "/sys/fs/cgroup[^ ]* r[ow],.*" /proc/self/mountinfo |
		cut -d , -f 1; test -e /sys/fs/cgroup/unified/cgroup.procs && echo v2; mkdir /sys/fs/cgroup/x 2>&1'
	for namespace in cgroup none; do
		[ $namespace = cgroup ] || edit_bundle '.linux.namespaces |= map(select(.type != "cgroup"))'
		run -1 knarr run -b "$BUNDLE" "$ID"
		[ "$output" = "systemd
unified
there
/sys/fs/cgroup ro
/sys/fs/cgroup/unified ro
/sys/fs/cgroup/systemd rw
v2
mkdir: can't create directory '/sys/fs/cgroup/x': Read-only file system" ]
	done
}
