#!/usr/bin/env bats
# ps, pause, resume, update.
load helpers

setup() {
	container_setup
	requires_root
	requires_cgroup2
	make_bundle '.root.readonly = false' sh -c 'while :; do sleep 0.02; echo x >>/count; done'
}

teardown() {
	"$KNARR" --root "$ROOT" delete --force "$ID"
	container_teardown
}

start_container() {
	knarr run -d -b "$BUNDLE" "$@" "$ID" </dev/null >/dev/null 2>&1
}

cgroup() {
	echo "$(cgroup_mount)$(jq -r .cgroupPath "$ROOT/$ID/state.json")"
}

@test "pause stops, resume goes on, state says so" {
	start_container
	knarr pause "$ID"
	[ "$(knarr state "$ID" | jq -r .status)" = paused ]
	local before
	before=$(stat -c %s "$BUNDLE/rootfs/count" 2>/dev/null || echo 0)
	sleep 0.2
	[ "$(stat -c %s "$BUNDLE/rootfs/count" 2>/dev/null || echo 0)" = "$before" ]
	run -1 knarr pause "$ID"
	[[ "$output" == *'paused already'* ]]
	knarr resume "$ID"
	[ "$(knarr state "$ID" | jq -r .status)" = running ]
	run -1 knarr resume "$ID"
	[[ "$output" == *'container not paused'* ]]
	knarr pause "$ID"
	knarr delete --force "$ID"
}

@test "pause and resume of containers that cannot be" {
	local command
	for command in pause resume; do
		run -1 knarr $command "$ID"
		[[ "$output" == *'does not exist'* ]]
	done
	start_container
	knarr kill "$ID" KILL
	wait_status "$ID" stopped
	for command in pause resume update; do
		run -1 knarr $command "$ID"
		[[ "$output" == *'container not running'* ]]
	done
	knarr delete "$ID"
	knarr --cgroup-manager disabled run -d -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
	for command in pause resume update; do
		run -1 knarr $command "$ID"
		[[ "$output" == *'no cgroup of its own'* ]]
	done
}

@test "exec in a paused container: an error, or it waits" {
	start_container
	knarr pause "$ID"
	run -255 knarr exec "$ID" true
	[[ "$output" == *'cannot exec in a paused container'*'--ignore-paused'* ]]
	knarr exec --ignore-paused "$ID" touch /ran </dev/null >/dev/null 2>&1 &
	sleep 0.3
	[ ! -e "$BUNDLE/rootfs/ran" ]
	knarr resume "$ID"
	wait $!
	[ -e "$BUNDLE/rootfs/ran" ]
}

@test "ps: the table of the host's ps, and pids as JSON" {
	requires_command ps
	bundle_runs sleep 1000
	start_container
	knarr exec -d "$ID" sleep 1001 </dev/null >/dev/null 2>&1
	local pid
	pid=$(knarr state "$ID" | jq .pid)
	run -0 knarr ps "$ID"
	[[ "${lines[0]}" == *PID*CMD* ]]
	[ "${#lines[@]}" = 3 ]
	[[ "$output" == *"$pid"*'sleep 1000'*'sleep 1001'* ]]
	run -0 knarr ps "$ID" -eo user,pid,args
	[ "${#lines[@]}" = 3 ]
	run -0 knarr ps --format json "$ID"
	[ "$(jq length <<<"$output")" = 2 ]
	jq -e "index($pid) != null" <<<"$output"
	run -1 knarr ps "$ID" -eo comm
	[[ "$output" == *'no column PID'* ]]
	run -1 knarr ps "$ID" --no-such-option
	knarr kill "$ID" KILL
	wait_status "$ID" stopped
	[ "$(knarr ps -f json "$ID")" = '[]' ]
}

@test "ps without a cgroup shows the first process" {
	knarr --cgroup-manager disabled run -d -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
	[ "$(knarr ps -f json "$ID")" = "[$(knarr state "$ID" | jq .pid)]" ]
}

@test "update writes what this host has a controller for, and refuses the rest" {
	requires_controller hugetlb
	start_container
	local dir file=hugetlb.2MB.max
	dir=$(cgroup)
	[ -e "$dir/$file" ] || skip 'no huge pages of 2 MB'
	echo '{"hugepageLimits": [{"pageSize": "2MB", "limit": 4194304}]}' >"$T/resources"
	knarr update --resources "$T/resources" "$ID"
	[ "$(cat "$dir/$file")" = 4194304 ]
	knarr update -r - "$ID" <<<'{"hugepageLimits": [{"pageSize": "2MB", "limit": 2097152}], "devices": [{"allow": false}]}'
	[ "$(cat "$dir/$file")" = 2097152 ]
	knarr exec "$ID" sh -c 'echo >/dev/null' # the devices are what they were
	knarr update --resources=- "$ID" <<<'{"unified": {"hugetlb.2MB.max": "0"}}'
	[ "$(cat "$dir/$file")" = 0 ]
	knarr update "$ID"
}

@test "update: the saved config says what counts now, and only that is changed" {
	requires_controller hugetlb
	edit_bundle '.linux.resources = {hugepageLimits: [{pageSize: "2MB", limit: 4194304}], devices: [{allow: true}]}'
	start_container
	local saved=$ROOT/$ID/config.json
	[ -e "$(cgroup)/hugetlb.2MB.max" ] || skip 'no huge pages of 2 MB'
	knarr update "$ID"
	cmp "$saved" "$BUNDLE/config.json"
	knarr update -r - "$ID" <<<'{"hugepageLimits": [{"pageSize": "2MB", "limit": 2097152}], "memory": {"limit": -1, "swap": 0}, "devices": [{"allow": false}]}'
	diff <(jq -S '.linux.resources.hugepageLimits[0].limit = 2097152 | .linux.resources.memory.limit = -1' "$BUNDLE/config.json") <(jq -S . "$saved")
	[ "$(stat -c %a "$saved")" = 600 ]
	# What fails changes nothing, and neither does the bundle.
	cp "$saved" "$T/before"
	run -1 knarr update -r - "$ID" <<<'{"unified": {"no.file": "1"}}'
	edit_bundle '.linux.resources = {}'
	cmp "$saved" "$T/before"
	knarr exec "$ID" true
}

@test "update: a missing controller is an error that names it" {
	requires_cgroup2
	! grep -qw memory "$(cgroup_mount)/cgroup.controllers" || skip 'all controllers are here'
	start_container
	run -1 knarr update --memory 64m "$ID"
	[[ "$output" == *"linux.resources.memory.limit: "*"'memory'"* ]]
	run -1 knarr update --pids-limit 10 "$ID"
	[[ "$output" == *"linux.resources.pids.limit: "* ]]
	run -0 knarr update --kernel-memory 1000000 "$ID"
	[[ "$output" == *'warning'*"'--kernel-memory' is ignored"* ]]
	run -0 knarr update --memory -1 --pids-limit -1 --cpu-quota -1 "$ID"
}

@test "update sets memory, cpu and pids where cgroup v2 has them" {
	requires_controller memory
	requires_controller cpu
	requires_controller pids
	start_container
	local dir
	dir=$(cgroup)
	knarr update --memory 64m --memory-swap 96m --memory-reservation 32M --pids-limit 50 --cpu-quota 20000 --cpu-period 50000 "$ID"
	[ "$(cat "$dir/memory.max" "$dir/memory.low" "$dir/pids.max" | tr '\n' ' ')" = '67108864 33554432 50 ' ]
	[ "$(cat "$dir/cpu.max")" = '20000 50000' ]
	knarr update --cpu-period 40000 "$ID"
	[ "$(cat "$dir/cpu.max")" = '20000 40000' ]
	knarr update --memory -1 --pids-limit=-1 "$ID"
	[ "$(cat "$dir/memory.max" "$dir/pids.max" | tr '\n' ' ')" = 'max max ' ]
}

@test "update refuses what is no number, and what it cannot do" {
	start_container
	local words
	while read -r words; do
		# shellcheck disable=SC2086
		run -1 knarr update $words "$ID"
		[[ "$output" == *"option '${words%% *}'"* ]] || { echo "$words: $output"; return 1; }
	done <<-'END'
		--memory 3x
		--memory x
		--memory -2
		--memory 99999999999999999999
		--memory 9000000t
		--pids-limit 1k
		--cpu-quota 1.5
		--cpu-idle 2
		--blkio-weight 1001
		--l3-cache-schema MB:0=50
		--mem-bw-schema L3:0=f
	END
	run -1 knarr update --cpu-rt-runtime 1000 "$ID"
	[[ "$output" == *'no realtime limits'* ]]
	run -1 knarr update --l3-cache-schema L3:0=f "$ID"
	[[ "$output" == *"container \"$ID\" has no group of resctrl"* ]]
	echo '{"memory": {"limit": "x"}, "pids": {"limit": []}}' >"$T/resources"
	run -1 knarr update -r "$T/resources" "$ID"
	[[ "$output" == *"$T/resources:1:"*'memory.limit: '*'pids.limit: '* ]]
	run -1 knarr update -r "$T/nowhere" "$ID"
	[[ "$output" == *"read '$T/nowhere': no such file or directory"* ]]
}
