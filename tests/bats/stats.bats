#!/usr/bin/env bats
# events, stats, and why a container died. What needs a controller that cgroup v2 lacks
# here runs in tests/vm/run.sh.
load helpers

setup() {
	container_setup
	requires_root
	requires_cgroup2
	make_bundle ".root.readonly = false | .linux.cgroupsPath = \"/knarr-test-$ID\"" sleep 1000
	CG=$(cgroup_mount)/knarr-test-$ID
}

teardown() {
	[ -z "${ROOT:-}" ] || knarr delete --force "$ID"
	container_teardown
}

start() { # [SUFFIX]: a container ID-SUFFIX
	[ $# = 0 ] || edit_bundle '.linux.cgroupsPath = $p' --arg p "/knarr-test-$ID$1"
	knarr run -d -b "$BUNDLE" "$ID${1:-}" </dev/null >/dev/null 2>&1
}

# No controller of this name: the test's numbers are absent. Else nothing.
lacks() {
	! grep -qw "$1" "$(cgroup_mount)/cgroup.controllers"
}

# ---- events ------------------------------------------------------------------------

@test "events --stats: one line in runc's shape" {
	start
	run -0 --separate-stderr knarr events --stats "$ID"
	[ "${#lines[@]}" = 1 ]
	jq -e '.type == "stats" and .id == $id' --arg id "$ID" <<<"$output"
	[ "$(jq -c '.data | keys_unsorted' <<<"$output")" = \
		'["cpu","cpuset","memory","pids","blkio","hugetlb","intel_rdt","network_interfaces"]' ]
	jq -e '.data.cpu.usage | .total > 0 and has("kernel") and has("user")' <<<"$output"
	jq -e '.data.memory | .usage.failcnt == 0 and has("swap") and has("kernel") and has("kernelTCP")' <<<"$output"
	jq -e '.data.memory.event_count.oom_kill == 0' <<<"$output"
	jq -e '.data.intel_rdt == {}' <<<"$output"
}

@test "events --stats: each key that runc prints for the same container is there" {
	local theirs ours
	requires_command runc
	start
	ours=$(knarr events --stats "$ID" | jq -c '[.data | paths(type != "object") | map(tostring) | join(".")] | sort')
	knarr delete --force "$ID"
	# A runc that cannot run here (no cgroup of its own kind, say) compares to nothing.
	runc --root "$T/runc" run -d -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1 || skip 'runc does not run here'
	theirs=$(runc --root "$T/runc" events --stats "$ID" 2>/dev/null |
		jq -c '[.data | paths(type != "object") | map(tostring) | join(".")] | sort') || theirs=
	runc --root "$T/runc" delete --force "$ID"
	[ -n "$theirs" ] || skip 'runc has no statistics here'
	# The counters of cgroup v1, and those that depend on what happened, are not compared.
	jq -ne --argjson o "$ours" --argjson t "$theirs" '
		($t - $o) | map(select(test("^(memory.raw|blkio|hugetlb|cpu.usage.percpu|cpu.throttling|cpuset.(cpus|mems)|.*\\.max$|.*\\.usage$|memory.cache|pids.)") | not))
		| if . == [] then true else error("runc has, knarr has not: \(.)") end'
}

@test "events --stats: cpu time is that of cpu.stat, in nanoseconds" {
	bundle_runs_sh 'i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; sleep 1000'
	start
	sleep 0.3
	knarr pause "$ID"
	local usec nsec
	usec=$(awk '$1 == "usage_usec" { print $2 }' "$CG/cpu.stat")
	nsec=$(knarr events --stats "$ID" | jq .data.cpu.usage.total)
	echo "$usec us, $nsec ns"
	[ "$usec" -gt 0 ]
	[ $((nsec / 1000 - usec)) -ge 0 ]
	[ $((nsec / 1000 - usec)) -lt 100000 ]
}

@test "events --stats: pressure, where the kernel has it" {
	start
	cat "$CG/cpu.pressure" >/dev/null 2>&1 || skip 'the kernel does not count pressure'
	knarr events --stats "$ID" | jq -e '.data | [.cpu.psi, .memory.psi, .blkio.psi]
		| all(.some.avg10 >= 0 and .some.total >= 0 and (.full | has("avg300")))'
}

@test "events --stats: memory, pids, io and hugetlb with their limits" {
	local line
	requires_controller memory
	requires_controller pids
	requires_controller io
	resources '{memory: {limit: 67108864, swap: 67108864}, pids: {limit: 20}}' \
		sh -c 'dd if=/dev/zero of=/file bs=64k count=16 oflag=direct 2>/dev/null; sleep 1000 & sleep 1000'
	start
	# The kernel adds up what its CPUs counted every two seconds only.
	for _ in $(seq 20); do
		line=$(knarr events --stats "$ID")
		! jq -e '.data | .memory.raw.anon > 0 and .pids.current >= 2 and
			(.blkio.ioServiceBytesRecursive | any(.op == "Write" and .value >= 1048576))' <<<"$line" || break
		sleep 0.5
	done
	echo "$line"
	jq -e '.data.memory | .usage.limit == 67108864 and .usage.usage > 4096 and .raw.anon > 0' <<<"$line"
	jq -e '.data.memory | .swap.usage >= .usage.usage' <<<"$line"
	jq -e '.data.pids == {current: $n, limit: 20}' --argjson n "$(cat "$CG/pids.current")" <<<"$line"
	jq -e '.data.blkio.ioServiceBytesRecursive | any(.op == "Write" and .value >= 1048576)' <<<"$line"
	if lacks hugetlb; then return; fi
	jq -e '.data.hugetlb | length > 0 and all(.failcnt == 0)' <<<"$line"
	knarr delete --force "$ID"
	resources '{}'
	start
	# No limit: as runc has it.
	knarr events --stats "$ID" | jq -e '.data | .memory.usage.limit == 18446744073709551615 and (.pids | has("limit") | not)'
}

@test "events --stats: network devices of a network of its own" {
	requires_command ip nsenter
	start
	nsenter -t "$(knarr state "$ID" | jq .pid)" -n ip link add knarr0 type dummy || skip 'no dummy device to be had here'
	knarr events --stats "$ID" | jq -e '.data.network_interfaces | any(.Name == "knarr0") and all(.Name != "lo")'
	knarr events --stats "$ID" | jq -e '.data.network_interfaces[0] | .RxBytes == 0 and has("TxDropped")'
	knarr delete --force "$ID"
	edit_bundle '.linux.namespaces |= map(select(.type != "network")) | del(.hooks)'
	start
	knarr events --stats "$ID" | jq -e '.data.network_interfaces == null'
}

@test "events: statistics at the interval, until the container ends" {
	start
	: >"$T/events" # which is looked at before the other process has made it
	knarr events --interval 100ms "$ID" >"$T/events" 2>"$T/warnings" 3>&- &
	local watcher=$!
	for _ in $(seq 100); do
		[ "$(wc -l <"$T/events")" -lt 2 ] || break
		sleep 0.1
	done
	knarr kill "$ID" KILL
	wait $watcher
	[ "$(wc -l <"$T/events")" -ge 2 ]
	[ "$(jq -s 'all(.type == "stats")' "$T/events")" = true ]
	if lacks memory; then
		grep -q "OOM kills .* cannot be reported: controller 'memory'" "$T/warnings"
	else
		[ ! -s "$T/warnings" ]
	fi
}

@test "events: ends when its reader has gone" {
	start
	knarr events --interval 1h "$ID" 2>/dev/null 3>&- | true
	local left
	left=$(pgrep -cf "events --interval 1h $ID" || true)
	[ "$left" = 0 ]
}

@test "events of what does not run, and wrong intervals" {
	local bad
	run -1 knarr events --stats "$ID"
	[[ "$output" == *'does not exist'* ]]
	start
	for bad in 0 0s -1s 5x s . 1.s5 '' 99999999h 1m30; do
		run -1 knarr events --stats --interval="$bad" "$ID"
		[[ "$output" == *"option '--interval'"* ]]
	done
	for bad in 5 5s 1.5s 1m30s 250ms 1h; do knarr events --stats --interval="$bad" "$ID" >/dev/null; done
	knarr kill "$ID" KILL
	wait_status "$ID" stopped
	run -1 knarr events --stats "$ID"
	[[ "$output" == *'container not running'* ]]
	run -1 knarr events "$ID"
	[[ "$output" == *'container not running'* ]]
	run -1 knarr stats "$ID"
	[[ "$output" == *'container not running'* ]]
}

@test "without a cgroup: statistics are zero, and a warning tells that OOM kills are not seen" {
	edit_bundle 'del(.linux.cgroupsPath)'
	knarr --cgroup-manager disabled run -d -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
	knarr events --stats "$ID" | jq -e '.data.cpu == {usage: {kernel: 0, user: 0}, throttling: {}}'
	knarr stats --no-stream "$ID" | grep "^$ID  *-  *-"
	knarr events --interval 1h "$ID" >/dev/null 2>"$T/warnings" 3>&- &
	for _ in $(seq 100); do
		[ ! -s "$T/warnings" ] || break
		sleep 0.05
	done
	knarr kill "$ID" KILL
	wait $!
	grep -q 'no cgroup of its own' "$T/warnings"
}

@test "a container whose cgroup is gone runs all the same: the error says what is missing" {
	local other=$CG-other command
	start
	own_cgroups "$other"
	knarr state "$ID" | jq .pid >"$other/cgroup.procs"
	rmdir "$CG"
	[ "$(knarr state "$ID" | jq -r .status)" = running ]
	for command in 'events --stats' events 'stats --no-stream'; do
		# shellcheck disable=SC2086
		run -1 knarr $command "$ID"
		echo "$output"
		[ "$output" = "knarr: container \"$ID\" runs, but its cgroup '/knarr-test-$ID' is gone" ]
	done
	run -0 --separate-stderr knarr stats
	[[ "$stderr" == "knarr: warning: container \"$ID\" runs, but "* ]]
	knarr kill "$ID" KILL
	wait_status "$ID" stopped
	run -1 knarr events "$ID"
	[[ "$output" == *'container not running'* ]]
	knarr delete "$ID"
	rmdir "$other"
}

@test "events: a process killed because it was out of memory is told at once, each of them" {
	requires_controller memory
	resources '{memory: {limit: 33554432, swap: 33554432}}' sh -c 'while [ ! -e /go ]; do sleep 0.1; done
		for i in 1 2; do dd if=/dev/zero of=/dev/null bs=100M count=1; done; touch /done; sleep 1000'
	start
	knarr events --interval 1h "$ID" >"$T/events" 2>&1 3>&- &
	local watcher=$!
	# It tells what happens from when it has opened the counters on.
	for _ in $(seq 100); do
		[ -z "$(find /proc/[0-9]*/fd -lname "*/knarr-test-$ID/memory.events" 2>/dev/null)" ] || break
		sleep 0.1
	done
	touch "$BUNDLE/rootfs/go"
	for _ in $(seq 200); do
		[ ! -e "$BUNDLE/rootfs/done" ] || break
		sleep 0.1
	done
	for _ in $(seq 100); do
		[ "$(wc -l <"$T/events")" -lt 2 ] || break
		sleep 0.1
	done
	knarr kill "$ID" KILL
	wait $watcher
	cat "$T/events"
	[ "$(cat "$T/events")" = '{"type":"oom","id":"'"$ID"'"}
{"type":"oom","id":"'"$ID"'"}' ]
}

# ---- stats -------------------------------------------------------------------------

@test "stats: a table of all that run, once when not on a terminal" {
	start
	start -b
	run -0 knarr stats
	echo "$output"
	[ "${#lines[@]}" = 3 ]
	[[ "${lines[0]}" == 'ID '*'CPU %'*'MEMORY / LIMIT'*'TASKS'* ]]
	[[ "${lines[1]}" == "$ID "*%* ]]
	[[ "${lines[2]}" == "$ID-b "* ]]
	knarr kill "$ID-b" KILL
	wait_status "$ID-b" stopped
	run -0 knarr stats
	[ "${#lines[@]}" = 2 ]
	knarr delete "$ID-b"
	run -0 knarr stats "$ID"
	[[ "${lines[1]}" == "$ID "* ]]
	run -1 knarr stats "$ID-b"
	[[ "$output" == *'does not exist'* ]]
	knarr pause "$ID"
	[[ "$(knarr stats)" == *"$ID (paused)"* ]]
}

@test "stats: on a terminal again and again, until the last named one has ended" {
	requires_command script
	start
	: >"$T/screen"
	script -qec "$KNARR --root $ROOT stats --interval 100ms $ID" /dev/null >"$T/screen" </dev/null 3>&- &
	local watcher=$!
	for _ in $(seq 100); do
		[ "$(grep -c "$ID" "$T/screen")" -lt 3 ] || break
		sleep 0.1
	done
	knarr kill "$ID" KILL
	wait $watcher
	[ "$(grep -c "$ID" "$T/screen")" -ge 3 ]
	grep -q $'^\033\\[H\033\\[JID' "$T/screen"
	script -qec "$KNARR --root $ROOT stats --no-stream" /dev/null >"$T/screen" </dev/null 3>&-
	[ "$(grep -c '^ID' "$T/screen")" = 1 ]
}

@test "stats --format json: an array of what events prints" {
	[ "$(knarr stats --format json)" = '[]' ]
	start
	knarr stats --format json | jq -e 'length == 1 and .[0].type == "stats" and .[0].id == $id' --arg id "$ID"
	[ "$(knarr stats -f json "$ID" | jq -c '[.[0].data | paths] | length')" -gt 20 ]
}

# A checker of Prometheus' text format, as strict as the textfile collector: prints
# what is wrong.
check_prometheus() {
	awk '
	function bad(why) { printf "line %d: %s: %s\n", NR, why, $0; failed = 1 }
	/^# HELP / { if ($3 in helped) bad("second HELP"); helped[$3] = 1; metric = $3; if (NF < 4) bad("empty HELP"); next }
	/^# TYPE / {
		if ($3 in typed) bad("second TYPE"); typed[$3] = $4
		if ($3 != metric) bad("TYPE without its HELP")
		if ($4 != "counter" && $4 != "gauge") bad("type")
		if ($4 == "gauge" && $3 ~ /_total$/) bad("a gauge called _total")
		next
	}
	/^#/ || /^$/ { bad("no comment or empty line expected"); next }
	{
		name = $0; sub(/[{ ].*/, "", name)
		if (name !~ /^[a-zA-Z_:][a-zA-Z0-9_:]*$/) bad("name")
		if (name != metric) bad("not below its own HELP and TYPE")
		rest = substr($0, length(name) + 1)
		if (rest !~ /^\{([a-z_]+="([^"\\\n]|\\["\\n])*",?)*\} [0-9]+(\.[0-9]+)?$/) bad("sample")
		key = $0; sub(/ [^ ]*$/, "", key)
		if (key in seen) bad("twice"); seen[key] = 1
	}
	END { exit failed }' "$1"
}

@test "stats --format prometheus: valid text with cAdvisor's names" {
	local name
	start
	start -b
	knarr stats --format prometheus >"$T/knarr.prom"
	knarr delete --force "$ID-b"
	check_prometheus "$T/knarr.prom"
	grep -q "^container_cpu_usage_seconds_total{id=\"/knarr-test-$ID\",name=\"$ID\",cpu=\"total\"} [0-9]*\.[0-9]\{6\}\$" "$T/knarr.prom"
	for name in container_cpu_user_seconds_total container_last_seen container_start_time_seconds knarr_container_paused; do
		[ "$(grep -c "^$name{" "$T/knarr.prom")" = 2 ] || {
			echo "$name is missing"
			return 1
		}
	done
	[ $(($(sed -n "s/^container_start_time_seconds{.*\"$ID\"} //p" "$T/knarr.prom") - $(date +%s))) -gt -600 ]
	if ! lacks memory; then
		grep -q '^container_memory_usage_bytes{' "$T/knarr.prom"
		grep -q '^container_spec_memory_limit_bytes{.* 0$' "$T/knarr.prom"
		grep -q '^container_oom_events_total{.* 0$' "$T/knarr.prom"
	fi
	lacks pids || grep -q '^container_threads{.* 1$' "$T/knarr.prom"
	! command -v promtool >/dev/null || promtool check metrics <"$T/knarr.prom" || true
	# Nothing that runs: nothing at all, which the collector takes.
	knarr delete --force "$ID"
	[ -z "$(knarr stats --format prometheus)" ]
}

@test "stats --format prometheus: labels are escaped" {
	edit_bundle '.linux.cgroupsPath = $p' --arg p "/knarr-test-$ID/a\"b\\c"$'\u00e9'
	start
	knarr stats --format prometheus "$ID" >"$T/knarr.prom"
	check_prometheus "$T/knarr.prom"
	grep -qF "{id=\"/knarr-test-$ID/a\\\"b\\\\c"$'\u00e9'"\",name=\"$ID\"}" "$T/knarr.prom"
}

# ---- why it died -------------------------------------------------------------------

@test "out of memory: run, wait and state say so, with the limit" {
	requires_controller memory
	resources '{memory: {limit: 33554432, swap: 33554432}}' dd if=/dev/zero of=/dev/null bs=100M count=1
	run -137 knarr run -b "$BUNDLE" "$ID"
	echo "$output"
	[[ "$output" == *"knarr: warning: container '$ID' was killed: out of memory (memory.max 32 MiB)"* ]]
	start
	wait_status "$ID" stopped
	[ "$(knarr state "$ID" | jq -r .exitReason)" = 'out of memory (memory.max 32 MiB)' ]
	knarr delete "$ID"
	bundle_runs_sh 'sleep 1; exec dd if=/dev/zero of=/dev/null bs=100M count=1'
	start
	run knarr wait "$ID"
	echo "$output"
	# A kernel before 6.15 does not tell the status, but why it died is known all the same.
	[[ "$output" != 137* ]] || [[ "$output" == *"was killed: out of memory (memory.max 32 MiB)"* ]]
}

@test "out of memory of a part: the status is the program's own" {
	requires_controller memory
	resources '{memory: {limit: 33554432, swap: 33554432}}' \
		sh -c 'for i in 1 2; do dd if=/dev/zero of=/dev/null bs=100M count=1; done; exit 3'
	run -3 knarr run -b "$BUNDLE" "$ID"
	[[ "$output" == *"container '$ID' exited with status 3: out of memory (memory.max 32 MiB; 2 processes killed)"* ]]
	# The limit of a cgroup above it.
	edit_bundle '.linux.cgroupsPath += "/in"'
	own_cgroups "$CG"
	echo +memory >"$CG/cgroup.subtree_control"
	echo 33554432 >"$CG/memory.max"
	[ ! -e "$CG/memory.swap.max" ] || echo 0 >"$CG/memory.swap.max"
	resources '{}' dd if=/dev/zero of=/dev/null bs=100M count=1
	run -137 knarr run -b "$BUNDLE" "$ID"
	rmdir "$CG"
	echo "$output"
	[[ "$output" == *"was killed: out of memory (of the host or of a cgroup above)"* ]]
}

@test "the limit of tasks: run and state say so" {
	requires_controller pids
	resources '{pids: {limit: 3}}' sh -c 'for i in 1 2 3 4 5 6; do sleep 1 & done; wait; exit 2'
	run -2 knarr run -b "$BUNDLE" "$ID"
	echo "$output"
	[[ "$output" == *"container '$ID' exited with status 2: PID limit reached (pids.max 3)"* ]]
	knarr run --keep -b "$BUNDLE" "$ID" >/dev/null 2>&1 || true
	[ "$(knarr state "$ID" | jq -r .exitReason)" = 'PID limit reached (pids.max 3)' ]
	knarr delete "$ID"
	# Nothing to explain.
	bundle_runs_sh 'for i in 1 2 3 4 5 6; do sleep 1 & done; exit 0'
	run knarr run -b "$BUNDLE" "$ID"
	[ "$status" != 0 ] || [[ "$output" != *'PID limit'* ]]
}

@test "a system call that seccomp kills for: run and state say so" {
	edit_bundle_to_run '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["uname"], action: "SCMP_ACT_KILL_PROCESS"}]}' \
		uname -r
	run -159 --separate-stderr knarr run --keep -b "$BUNDLE" "$ID"
	[ "$stderr" = "knarr: warning: container '$ID' was killed: seccomp violation (SIGSYS)" ]
	[ -z "$output" ]
	[ "$(knarr state "$ID" | jq -r .exitReason)" = 'seccomp violation (SIGSYS)' ]
	[ "$(knarr wait "$ID" 2>/dev/null)" = 159 ]
	[[ "$(knarr wait "$ID" 2>&1)" == *"was killed: seccomp violation (SIGSYS)"* ]]
}

@test "an ordinary end has no reason" {
	bundle_runs false
	run -1 knarr run --keep -b "$BUNDLE" "$ID"
	[ -z "$output" ]
	knarr state "$ID" | jq -e 'has("exitReason") | not'
	knarr delete "$ID"
	bundle_runs sleep 1000
	start
	knarr state "$ID" | jq -e 'has("exitReason") | not'
	knarr kill "$ID" KILL
	wait_status "$ID" stopped
	knarr state "$ID" | jq -e 'has("exitReason") | not'
}
