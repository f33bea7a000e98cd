#!/usr/bin/env bats
# What cgroup v2 has beyond the properties of the specification, through
# linux.resources.unified, and cgroups that cannot hold a container. What needs a
# controller that cgroup v2 lacks here runs in tests/vm/run.sh.
load helpers

setup() {
	container_setup
	requires_root
	requires_cgroup2
	make_bundle '.root.readonly = false'
	edit_bundle '.linux.cgroupsPath = $p' --arg p "/knarr-test-$ID"
	CG=$(cgroup_mount)/knarr-test-$ID
	bundle_runs true
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

@test "a partition of processors that cannot be had is an error with the kernel's reason" {
	requires_controller cpuset
	# No processors of its own: no partition can be made of that.
	unified '{"cpuset.cpus.partition": "root"}'
	refused 'linux.resources.unified["cpuset.cpus.partition"]' 'root invalid ('
	[ ! -e "$CG" ]
	unified '{"cpuset.cpus.partition": "nonsense"}'
	refused cpuset.cpus.partition nonsense
	# Written first in the config, and applied last.
	[ "$(nproc --all)" -ge 2 ] || skip 'one processor is not enough for a partition'
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

@test "a raw key of a controller that is missing: the error says where it is" {
	local c
	for c in memory pids cpuset io; do
		grep -qw $c "$(cgroup_mount)/cgroup.controllers" && continue
		unified "{\"$c.max\": \"1\"}"
		refused "linux.resources.unified[\"$c.max\"]: controller '$c' is"
		[ ! -e "$CG" ]
		return
	done
	skip 'no controller is missing here'
}

@test "a threaded cgroup holds no container, nor does one below it" {
	mkdir "$CG" "$CG/in"
	echo threaded >"$CG/in/cgroup.type" || skip 'no threaded cgroups here'
	edit_bundle '.linux.cgroupsPath += "/in"'
	refused "'/knarr-test-$ID/in' is of type 'threaded'"
	edit_bundle '.linux.cgroupsPath += "/below"'
	refused "'/knarr-test-$ID/in/below' is of type 'domain invalid'"
	[ ! -e "$CG/in/below" ]
	rmdir "$CG/in" "$CG"
}

@test "a frozen cgroup, or one below a frozen one, is refused" {
	mkdir "$CG"
	[ -e "$CG/cgroup.freeze" ] || skip 'the kernel cannot freeze'
	echo 1 >"$CG/cgroup.freeze"
	refused frozen
	edit_bundle '.linux.cgroupsPath += "/in"'
	refused frozen
	[ ! -e "$CG/in" ]
	rmdir "$CG"
}
