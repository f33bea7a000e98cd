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
	[[ "$output" == *'no PID column'* ]]
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
	run -1 knarr update -r - "$ID" <<<'{"hugepageLimits": [{"pageSize": "2MB", "limit": 6291456}], "unified": {"no.file": "1"}}'
	[[ "$output" == *"has no file 'no.file'"* ]]
	[ "${#lines[@]}" = 1 ]
	[ "$(cat "$(cgroup)/hugetlb.2MB.max")" = 2097152 ]
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

@test "update: 0 is a value where it means something, and warned about where it does not" {
	local option
	start_container
	for option in --memory --memory-swap --cpu-share --blkio-weight; do
		run -0 knarr update $option 0 "$ID"
		[ "$output" = "knarr: warning: option '$option' is ignored: 0 is not a value for it" ]
	done
	for option in --cpuset-cpus --cpuset-mems; do
		run -0 knarr update $option '' "$ID"
		[ "$output" = "knarr: warning: option '$option' is ignored: it is empty" ]
	done
	for option in --memory-reservation --cpu-quota --cpu-period --cpu-burst --cpu-idle --cpu-rt-period --cpu-rt-runtime; do
		run -0 knarr update $option 0 "$ID"
		[ "$output" = '' ]
	done
	jq -e '.linux.resources | .memory.reservation == 0 and .cpu.quota == -1 and .cpu.period == 100000 and .cpu.burst == 0 and
		(.cpu | has("cpus") | not)' \
		"$ROOT/$ID/config.json"
}

@test "update: 0 takes a limit back" {
	requires_controller memory
	requires_controller cpu
	start_container
	local dir
	dir=$(cgroup)
	[ -e "$dir/cpu.max.burst" ] || skip 'the kernel has no cpu.max.burst'
	knarr update --memory-reservation 32M --cpu-quota 20000 --cpu-period 50000 --cpu-burst 10000 "$ID"
	[ "$(cat "$dir/memory.low" "$dir/cpu.max" "$dir/cpu.max.burst" | tr '\n' ' ')" = '33554432 20000 50000 10000 ' ]
	# The kernel takes no quota below the burst of before, nor a burst above it.
	knarr update --cpu-quota 5000 --cpu-burst 4000 "$ID"
	[ "$(cat "$dir/cpu.max" "$dir/cpu.max.burst" | tr '\n' ' ')" = '5000 50000 4000 ' ]
	knarr update --cpu-quota 30000 --cpu-burst 25000 "$ID"
	[ "$(cat "$dir/cpu.max" "$dir/cpu.max.burst" | tr '\n' ' ')" = '30000 50000 25000 ' ]
	run -1 knarr update --cpu-quota 20000 "$ID"
	[[ "$output" == *'linux.resources.cpu.quota: '*'(the quota may not be less than cpu.max.burst, 25000): invalid argument' ]]
	run -1 knarr update --cpu-burst 40000 "$ID"
	[[ "$output" == *'linux.resources.cpu.burst: '*"(it may not be more than the quota, cpu.max '30000 50000'): invalid argument" ]]
	knarr update --cpu-burst 0 --memory-reservation 0 --cpu-period 0 "$ID"
	[ "$(cat "$dir/memory.low" "$dir/cpu.max" "$dir/cpu.max.burst" | tr '\n' ' ')" = '0 30000 100000 0 ' ]
	knarr update --cpu-quota 0 "$ID"
	[ "$(<"$dir/cpu.max")" = 'max 100000' ]
}

# limits: what the files hold that updates write.
limits() {
	cat "$(cgroup)"/{memory.max,memory.low,cpu.weight,cpu.idle,cpu.max,cpu.max.burst,cpuset.cpus.effective,pids.max,io.max}
}

@test "update: one limit that the kernel refuses, and all are what they were" {
	requires_controller memory
	requires_controller cpu
	requires_controller cpuset
	requires_controller pids
	requires_controller io
	requires_kernel 5 15 # for cpu.idle
	local before
	start_container
	before=$(limits)
	run -1 knarr update -r - "$ID" <<-'END'
		{"memory": {"limit": 67108864, "reservation": 33554432}, "cpu": {"quota": 20000, "period": 50000, "burst": 10000,
			"idle": 1, "cpus": "0"}, "pids": {"limit": 50}, "unified": {"cgroup.max.depth": "x"}}
	END
	echo "$output"
	[ "${#lines[@]}" = 1 ]
	[ "$(limits)" = "$before" ]
	knarr update --memory 64m --cpu-share 512 --cpu-quota 20000 --cpu-period 50000 --cpu-burst 20000 --pids-limit 50 "$ID"
	before=$(limits)
	run -1 knarr update -r - "$ID" <<-'END'
		{"memory": {"limit": -1}, "cpu": {"quota": 10000, "burst": 5000, "idle": 1}, "pids": {"limit": -1},
			"unified": {"cgroup.max.depth": "x"}}
	END
	echo "$output"
	[ "${#lines[@]}" = 1 ]
	[ "$(limits)" = "$before" ]
	knarr exec "$ID" true
}

@test "update: the weight of an idle cgroup" {
	requires_controller cpu
	requires_kernel 5 15 # for cpu.idle
	start_container
	local dir
	dir=$(cgroup)
	knarr update --cpu-share 512 --cpu-idle 1 "$ID"
	[ "$(<"$dir/cpu.idle")" = 1 ]
	knarr update --cpu-share 512 --cpu-idle 1 "$ID"
	run -1 knarr update --cpu-share 512 "$ID"
	[ "${#lines[@]}" = 1 ]
	[[ "$output" == *'linux.resources.cpu.shares: '*'(cpu.idle is 1, and an idle cgroup has no weight): invalid argument' ]]
	knarr update --cpu-share 2048 --cpu-idle 0 "$ID"
	[ "$(cat "$dir/cpu.idle" "$dir/cpu.weight" | tr '\n' ' ')" = '0 174 ' ]
}

@test "update: a limit of memory and swap together needs one of memory" {
	start_container
	run -1 knarr update --memory -1 --memory-swap 300M "$ID"
	[ "${#lines[@]}" = 1 ]
	[[ "$output" == *'linux.resources.memory.swap: 314572800 counts memory and swap together, which cgroup v2 can limit only where memory.limit is not -1 (hint: '* ]]
	run -1 knarr update --memory-swap 300M "$ID"
	[ "${#lines[@]}" = 1 ]
	if [ -e "$(cgroup)/memory.max" ]; then
		[[ "$output" == *'memory.limit is not -1'* ]]
	else
		[[ "$output" == *"linux.resources.memory.swap: controller 'memory' is "* ]]
	fi
}

@test "update refuses what is not a number, and what it cannot do" {
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
	[[ "$output" == *"container \"$ID\" has no resctrl group"* ]]
	echo '{"memory": {"limit": "x"}, "pids": {"limit": []}}' >"$T/resources"
	run -1 knarr update -r "$T/resources" "$ID"
	[[ "$output" == *"$T/resources:1:"*'memory.limit: '*'pids.limit: '* ]]
	run -1 knarr update -r "$T/nowhere" "$ID"
	[[ "$output" == *"read '$T/nowhere': no such file or directory"* ]]
}
