#!/usr/bin/env bats
# The systemd driver (--systemd-cgroup) below a running systemd: as root with the
# system's manager, as an unprivileged user with their own.
load ../bats/helpers

setup_file() {
	[ ! -d /run/systemd/system ] || restart_manager
}

restart_manager() { # of the unprivileged user
	systemctl restart "user@$(id -u "$(unprivileged_user)").service"
}

setup() {
	container_setup
	requires_root
	[ -d /run/systemd/system ] || skip 'systemd does not run here'
	requires_cgroup2
	SCOPE=knarr-$ID.scope
	DIR=$(cgroup_mount)/system.slice/$SCOPE
}

teardown() {
	local unit
	[ -n "${STOPPED:-}" ] && kill -CONT "$STOPPED"
	for unit in $(systemctl list-units --all --plain --no-legend "*$ID*" | awk '{ print $1 }'); do
		echo "left unit: $unit"
		systemctl kill -s KILL "$unit"
		LEFT=1
	done
	container_teardown
	[ -z "${LEFT:-}" ]
}

sd() { # sd ARGUMENTS…: knarr with the systemd driver
	knarr --systemd-cgroup "$@"
}

start() { # start [OPTION…]: the container of the bundle in the background
	sd "$@" run -d -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>"$T/start.err" || {
		cat "$T/start.err"
		return 1
	}
}

property() {
	systemctl show -P "$1" "$SCOPE"
}

vanished() { # the scope and its directory, within two seconds
	for _ in $(seq 100); do
		[ -e "$DIR" ] || [ "$(systemctl show -P LoadState "$SCOPE")" != not-found ] || return 0
		sleep 0.02
	done
	return 1
}

all_limits='{memory: {limit: 67108864, reservation: 33554432, swap: 134217728}, pids: {limit: 17},
	cpu: {shares: 512, quota: 25500, period: 50000, cpus: "0-1", mems: "0"}, unified: {"memory.high": "50M"}}'

check_limits() { # check_limits DIRECTORY
	[ "$(cat "$1/memory.max")" = 67108864 ]
	[ "$(cat "$1/memory.low")" = 33554432 ]
	[ "$(cat "$1/memory.high")" = 52428800 ]
	[ ! -e "$1/memory.swap.max" ] || [ "$(cat "$1/memory.swap.max")" = 67108864 ]
	[ "$(cat "$1/pids.max")" = 17 ]
	[ "$(cat "$1/cpu.weight")" = "${WEIGHT:-59}" ]
	[ "$(cat "$1/cpu.max")" = '25500 50000' ]
	[ "$(cat "$1/cpuset.cpus")" = 0-1 ]
	[ "$(cat "$1/cpuset.mems")" = 0 ]
}

@test "a scope with the container's limits: seen in systemd-cgls, whole after a reload, gone after delete" {
	make_bundle ".linux.resources = $all_limits" sleep 1000
	start
	[ "$(cat "/proc/$(knarr state "$ID" | jq .pid)/cgroup")" = "0::/system.slice/$SCOPE/container" ]
	systemd-cgls --no-pager --full | grep -A9 "$SCOPE" | grep -q 'sleep 1000'
	[ "$(property MemoryMax)" = 67108864 ]
	[ "$(property MemoryLow)" = 33554432 ]
	[ "$(property MemoryHigh)" = 52428800 ]
	[ "$(property MemorySwapMax)" = 67108864 ]
	[ "$(property TasksMax)" = 17 ]
	[ "$(property CPUQuotaPerSecUSec)" = 510ms ]
	[ "$(property CPUQuotaPeriodUSec)" = 50ms ]
	[ "$(property AllowedCPUs)" = '0 1' ] || [ "$(property AllowedCPUs)" = 0-1 ]
	[ "$(property Delegate)" = yes ]
	check_limits "$DIR"
	check_limits "$DIR/container"
	systemctl daemon-reload
	check_limits "$DIR"
	check_limits "$DIR/container"
	run -0 knarr exec "$ID" cat /proc/self/cgroup
	run -0 knarr ps "$ID"
	[ "${#lines[@]}" = 2 ]
	run -0 knarr delete -f "$ID"
	[ "$output" = '' ]
	vanished
}

@test "update: files and properties of the scope, which stay after a reload" {
	make_bundle ".linux.resources = $all_limits" sleep 1000
	start
	knarr update --memory 100m --memory-swap 200m --pids-limit 33 --cpu-quota 70000 --cpu-period 100000 --cpu-share 1024 "$ID"
	for _ in 1 2; do
		[ "$(cat "$DIR/memory.max" "$DIR/container/memory.max" | uniq)" = 104857600 ]
		[ "$(cat "$DIR/pids.max" "$DIR/container/pids.max" | uniq)" = 33 ]
		[ "$(cat "$DIR/cpu.max" "$DIR/container/cpu.max" | uniq)" = '70000 100000' ]
		[ "$(cat "$DIR/cpu.weight" "$DIR/container/cpu.weight" | uniq)" = 100 ]
		[ "$(property MemoryMax)" = 104857600 ]
		[ "$(property TasksMax)" = 33 ]
		systemctl daemon-reload
	done
	knarr delete -f "$ID"
}

@test "update: what is refused leaves files and properties of the scope as they were" {
	make_bundle ".linux.resources = $all_limits" sleep 1000
	start
	knarr update --memory 100m --memory-swap 200m --pids-limit 33 --cpu-quota 70000 --cpu-period 100000 --cpu-share 1024 "$ID"
	run -1 knarr update -r - "$ID" <<-'END'
		{"memory": {"limit": 209715200, "swap": -1}, "pids": {"limit": 44}, "cpu": {"quota": 20000, "shares": 2048},
			"unified": {"cgroup.max.depth": "x"}}
	END
	echo "$output"
	[ "${#lines[@]}" = 1 ]
	for _ in 1 2; do
		[ "$(cat "$DIR/memory.max" "$DIR/container/memory.max" | uniq)" = 104857600 ]
		[ "$(cat "$DIR/memory.swap.max" "$DIR/container/memory.swap.max" | uniq)" = 104857600 ]
		[ "$(cat "$DIR/pids.max" "$DIR/container/pids.max" | uniq)" = 33 ]
		[ "$(cat "$DIR/cpu.max" "$DIR/container/cpu.max" | uniq)" = '70000 100000' ]
		[ "$(cat "$DIR/cpu.weight" "$DIR/container/cpu.weight" | uniq)" = 100 ]
		[ "$(property MemoryMax)" = 104857600 ]
		[ "$(property TasksMax)" = 33 ]
		systemctl daemon-reload
	done
	knarr delete -f "$ID"
}

@test "CPUs and memory nodes: properties of the scope, in run and update, which stay after a reload" {
	nodes_are() { # nodes_are CPUS NODES
		[ "$(cat "$DIR/cpuset.cpus" "$DIR/container/cpuset.cpus" | uniq)" = "$1" ]
		[ "$(cat "$DIR/cpuset.mems" "$DIR/container/cpuset.mems" | uniq)" = "$2" ]
		[ "$(property AllowedCPUs)" = "${1/-/ }" ] || [ "$(property AllowedCPUs)" = "$1" ]
		[ "$(property AllowedMemoryNodes)" = "$2" ]
	}
	make_bundle '.linux.resources = {cpu: {cpus: "0-1", mems: "0"}}' sleep 1000
	start
	nodes_are 0-1 0
	systemctl daemon-reload
	nodes_are 0-1 0
	knarr update --cpuset-cpus 1 --cpuset-mems 0 "$ID"
	nodes_are 1 0
	systemctl daemon-reload
	nodes_are 1 0
	knarr delete -f "$ID"
	# In cgroup v2's own words.
	make_bundle '.linux.resources = {unified: {"cpuset.cpus": "0", "cpuset.mems": "0"}}' sleep 1000
	start
	nodes_are 0 0
	systemctl daemon-reload
	nodes_are 0 0
	knarr delete -f "$ID"
}

@test "an idle scope is idle after a reload, and one that is not any more has its weight" {
	weighs() { # weighs IDLE WEIGHT
		[ "$(cat "$DIR/cpu.idle" "$DIR/container/cpu.idle" | uniq)" = "$1" ]
		[ "$1" = 1 ] || [ "$(cat "$DIR/cpu.weight" "$DIR/container/cpu.weight" | uniq)" = "$2" ]
	}
	requires_kernel 5 15
	make_bundle '.linux.resources = {cpu: {shares: 512, idle: 0}}' sleep 1000
	start
	weighs 0 59
	knarr update --cpu-idle 0 "$ID"
	systemctl daemon-reload
	weighs 0 59
	knarr update --cpu-idle 1 "$ID"
	systemctl daemon-reload
	weighs 1 -
	knarr update --cpu-idle 0 "$ID"
	weighs 0 100
	systemctl daemon-reload
	weighs 0 100
	knarr update --cpu-share 2048 --cpu-idle 0 "$ID"
	systemctl daemon-reload
	weighs 0 174
	knarr delete -f "$ID"
}

@test "limits hold: too much memory is killed, too many tasks are refused, one task alone can run" {
	make_bundle '.linux.resources = {memory: {limit: 33554432, swap: 33554432}}' \
		dd if=/dev/zero of=/dev/null bs=100M count=1
	run -137 sd run -b "$BUNDLE" "$ID"
	edit_bundle_to_run '.linux.resources = {pids: {limit: 1}}' sh -c 'true | true; echo here'
	run sd run -b "$BUNDLE" "$ID"
	[[ "$output" == *fork* ]]
	bundle_runs echo alone
	run -0 sd run -b "$BUNDLE" "$ID"
	[ "$output" = alone ]
	vanished
}

waiter_has() { # waiter_has FILE: `wait` in the background, from when it has that open on
	"$KNARR" --root "$ROOT" wait "$ID" >"$T/status" 2>"$T/why" &
	WAITER=$!
	for _ in $(seq 100); do
		[ -z "$(find "/proc/$WAITER/fd" -lname "$1")" ] || return 0
		sleep 0.1
	done
	return 1
}

waiter_knows_why() {
	wait "$WAITER" || true # a kernel before 6.15 does not tell the status
	cat "$T/status" "$T/why"
	grep -q 'out of memory (memory.max 32 MiB)' "$T/why"
	[ "$(knarr state "$ID" | jq -r .exitReason)" = 'out of memory (memory.max 32 MiB)' ]
	knarr delete "$ID"
}

@test "why it ended is known, though the scope goes with the last process" {
	make_bundle '.linux.resources = {memory: {limit: 33554432, swap: 33554432}}' \
		dd if=/dev/zero of=/dev/null bs=100M count=1
	run -137 sd run --keep -b "$BUNDLE" "$ID"
	echo "$output"
	[[ "$output" == *'was killed: out of memory (memory.max 32 MiB)'* ]]
	vanished
	[ "$(knarr state "$ID" | jq -r .exitReason)" = 'out of memory (memory.max 32 MiB)' ]
	knarr delete "$ID"
	sd create -b "$BUNDLE" "$ID" </dev/null >/dev/null
	waiter_has '*/memory.events'
	knarr start "$ID"
	waiter_knows_why
	edit_bundle_to_run '.linux.resources = {pids: {limit: 1}}' sh -c 'true | true; exit 3'
	run sd run -b "$BUNDLE" "$ID"
	echo "$output"
	[[ "$output" == *'PID limit reached (pids.max 1)'* ]]
	vanished
}

@test "why it ended is known from the kernel's log when the scope went before anybody looked" {
	make_bundle '.linux.resources = {memory: {limit: 33554432, swap: 33554432}}' \
		dd if=/dev/zero of=/dev/null bs=100M count=1
	sd create -b "$BUNDLE" "$ID" </dev/null >/dev/null
	waiter_has /dev/kmsg
	STOPPED=$WAITER
	kill -STOP "$STOPPED"
	knarr start "$ID"
	vanished
	kill -CONT "$STOPPED"
	STOPPED=
	waiter_knows_why
}

@test "limits of disks are not properties, and stay while systemd reloads and other units change" {
	requires_controller io
	local disk dir
	disk=$(findmnt -nvo MAJ:MIN -T "$T" | tr -d ' ')
	[ -e "/sys/dev/block/$disk" ] || skip "$T is not on a disk"
	make_bundle ".linux.resources.blockIO = {
		throttleReadBpsDevice: [{major: ${disk%:*}, minor: ${disk#*:}, rate: 1048576}],
		throttleWriteIOPSDevice: [{major: ${disk%:*}, minor: ${disk#*:}, rate: 50}]}"
	bundle_runs sleep 1000
	start
	for step in true 'systemctl daemon-reload' "systemctl set-property --runtime $SCOPE MemoryHigh=60M IOAccounting=yes" \
		'systemd-run --quiet --scope -p IOWeight=50 true' 'knarr update --pids-limit 30' 'systemctl daemon-reload'; do
		[[ "$step" != knarr* ]] || step+=" $ID"
		$step
		for dir in "$DIR" "$DIR/container"; do
			echo "$step: $(cat "$dir/io.max")"
			[ "$(cat "$dir/io.max")" = "$disk rbps=1048576 wbps=max riops=max wiops=50" ]
		done
	done
	knarr delete -f "$ID"
}

@test "linux.cgroupsPath is slice:prefix:name; slices lie in each other" {
	make_bundle ".linux.cgroupsPath = \"knarr-$ID.slice:pod:c+1\"" cat /proc/self/cgroup
	edit_bundle 'del(.linux.namespaces[] | select(.type == "cgroup"))'
	run -0 sd run -b "$BUNDLE" "$ID"
	slices=
	path=
	IFS=- read -ra parts <<<"knarr-$ID"
	for part in "${parts[@]}"; do
		slices+=${slices:+-}$part
		path+=/$slices.slice
	done
	[ "$output" = "0::$path/pod-c\\x2b1.scope/container" ]
	systemctl stop "knarr-$ID.slice"
	for wrong in name a:b a.slice:b: x:y:z a-.slice:b:c a.slice:b:c:d; do
		edit_bundle '.linux.cgroupsPath = $p' --arg p "$wrong"
		run -1 sd run -b "$BUNDLE" "$ID"
		echo "$output"
		[[ "$output" == *linux.cgroupsPath* ]]
	done
}

@test "the sub-cgroup has the name of the annotation; without one the container is in the scope itself" {
	make_bundle ".linux.resources = $all_limits | .annotations[\"run.oci.systemd.subgroup\"] = \"inner\"" \
		sleep 1000
	start
	[ "$(cat "$DIR/inner/cgroup.procs" | wc -l)" = 1 ]
	knarr delete -f "$ID"
	vanished
	edit_bundle '.annotations["run.oci.systemd.subgroup"] = ""'
	start
	[ "$(cat "$DIR/cgroup.procs" | wc -l)" = 1 ]
	check_limits "$DIR"
	systemctl daemon-reload
	[ "$(cat "$DIR/memory.max")" = 67108864 ]
	knarr update --memory 100m --memory-swap 200m "$ID"
	[ "$(cat "$DIR/memory.max")" = 104857600 ]
	knarr pause "$ID"
	knarr resume "$ID"
	knarr delete -f "$ID"
	vanished
	edit_bundle '.annotations["run.oci.systemd.subgroup"] = "a/b"'
	run -1 sd run -b "$BUNDLE" "$ID"
	[[ "$output" == *run.oci.systemd.subgroup* ]]
}

@test "properties from annotations; a wrong one is an error that leaves nothing" {
	allow_annotations
	make_bundle '.annotations = {"org.systemd.property.TimeoutStopSec": "uint64 7", "org.systemd.property.CollectMode": "\"inactive-or-failed\"", "org.systemd.property.Documentation": "@as [\"man:knarr\"]", "org.systemd.property.CPUWeight": "uint64 33", "org.systemd.property.IOAccounting": "true"}' \
		sleep 1000
	start
	[ "$(property TimeoutStopUSec)" = 7s ]
	[ "$(property Documentation)" = man:knarr ]
	[ "$(property CPUWeight)" = 33 ]
	[ "$(property IOAccounting)" = yes ]
	knarr delete -f "$ID"
	for wrong in '"NoSuchProperty": "true"' '"CPUWeight": "\"high\""' '"CPUWeight": "uint64 "' '"Slice": "\"a.slice\""'; do
		edit_bundle ".annotations = ({$wrong} | with_entries(.key |= \"org.systemd.property.\" + .))"
		run -1 sd run -b "$BUNDLE" "$ID"
		echo "$output"
		[ "${#lines[@]}" = 1 ]
		vanished
	done
}

@test "device rules hold: in run, after a reload, after update" {
	make_bundle '.process.capabilities |= map_values(. + ["CAP_MKNOD"]) | .root.readonly = false |
		.linux.resources = {devices: [{allow: false, access: "rwm"}, {allow: true, type: "c", major: 1, minor: 11, access: "m"}]}'
	bundle_runs sleep 1000
	start
	try='mknod /y b 7 0 || echo none; mknod /x c 1 11 && { head -c 0 </x || echo no; echo x >/dev/null && head -c 1 /dev/zero >/dev/null && echo yes; }; rm /x'
	for step in true 'systemctl daemon-reload' 'knarr update --memory 100m --pids-limit 30' 'systemctl daemon-reload' 'systemctl daemon-reexec'; do
		[[ "$step" != knarr* ]] || step+=" $ID"
		$step
		run -0 knarr exec --cap CAP_MKNOD "$ID" sh -c "$try"
		echo "$step: $output"
		[[ "$output" == *'/y: Operation not permitted'*none*'/x: Operation not permitted'*no*yes ]]
	done
	knarr delete -f "$ID"
}

@test "a container that ends by itself takes its scope with it, also when it failed" {
	make_bundle . sh -c 'exit 3'
	sd run --keep -b "$BUNDLE" "$ID" || [ $? = 3 ]
	vanished
	knarr delete "$ID"
	run -3 sd run -b "$BUNDLE" "$ID"
	vanished
}

@test "a unit of that name: an error, and it stays; a failed one is replaced" {
	make_bundle . true
	systemd-run --quiet --scope --unit "$SCOPE" sleep 1000 &
	for _ in $(seq 100); do [ "$(property ActiveState)" = active ] && break; sleep 0.05; done
	run -1 sd run -b "$BUNDLE" "$ID"
	echo "$output"
	[[ "$output" == *"$SCOPE"* ]]
	[ "$(property ActiveState)" = active ]
	systemctl stop "$SCOPE"
	wait || true
	systemd-run --quiet --scope -p RuntimeMaxSec=1 --unit "$SCOPE" sleep 1000 || true
	[ "$(property ActiveState)" = failed ]
	run -0 sd run -b "$BUNDLE" "$ID"
	vanished
}

@test "a stalled bus: the error comes within its time, nothing stays; kill, pause and delete need no bus" {
	make_bundle ".linux.resources = $all_limits" sleep 1000
	start
	STOPPED=$(systemctl show -P MainPID dbus.service)
	kill -STOP "$STOPPED"
	knarr pause "$ID"
	knarr resume "$ID"
	SECONDS=0
	run -1 knarr update --memory 100m "$ID"
	echo "$SECONDS s: $output"
	[[ "$output" == *'no answer within 10 s'*system_bus_socket* ]]
	[ "$(cat "$DIR/container/memory.max")" = 67108864 ]
	run -1 sd run -b "$BUNDLE" "other-$ID"
	echo "$SECONDS s: $output"
	[[ "$output" == *'no answer within 10 s'* ]]
	[ "$SECONDS" -lt 35 ]
	[ ! -e "$ROOT/other-$ID" ]
	SECONDS=0
	knarr delete -f "$ID"
	[ "$SECONDS" -lt 8 ]
	[ ! -e "$DIR" ]
	kill -CONT "$STOPPED"
	STOPPED=
	vanished
	start
	knarr delete -f "$ID"
}

@test "a bus that says nothing, and none at all: the error comes within its time" {
	make_bundle . sleep 1000
	# A bus that takes connections and says nothing.
	python3 -c 'import os, socket, sys, time
s = socket.socket(socket.AF_UNIX)
s.bind(sys.argv[1] + ".new")
s.listen(5)
os.rename(sys.argv[1] + ".new", sys.argv[1])
time.sleep(1000)' "$T/bus" &
	silent=$!
	for _ in $(seq 100); do [ -S "$T/bus" ] && break; sleep 0.1; done
	SECONDS=0
	DBUS_SYSTEM_BUS_ADDRESS=unix:path=$T/bus run -1 sd run -b "$BUNDLE" "$ID"
	echo "$SECONDS s: $output"
	[[ "$output" == *"no answer within 10 s"*"$T/bus"* ]]
	[ "$SECONDS" -lt 25 ]
	kill "$silent"
	wait "$silent" || true
	SECONDS=0
	DBUS_SYSTEM_BUS_ADDRESS=unix:path=$T/nowhere run -1 sd run -b "$BUNDLE" "$ID"
	[ "$SECONDS" -lt 5 ]
	[[ "$output" == *"$T/nowhere"* ]]
	vanished
}

@test "D-Bus is killed while it is asked: the container runs, or there is one error and nothing is left" {
	make_bundle . sleep 1000
	for ms in 10 30 60 100; do
		"$KNARR" --root "$ROOT" --systemd-cgroup run -d -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>"$T/err" &
		sleep "0.$(printf %03d "$ms")"
		kill -KILL "$(systemctl show -P MainPID dbus.service)" || true
		SECONDS=0
		result=0
		wait $! || result=$?
		echo "after $ms ms: status $result, $SECONDS s: $(cat "$T/err")"
		[ "$SECONDS" -lt 25 ]
		# Killed again and again, it is not started any more by itself.
		systemctl reset-failed dbus.service dbus.socket
		systemctl start dbus.socket dbus.service
		if [ "$result" = 0 ]; then
			[ "$(knarr state "$ID" | jq -r .status)" = running ]
			knarr delete -f "$ID"
		else
			[ "$(wc -l <"$T/err")" = 1 ]
			[ ! -e "$ROOT/$ID" ]
		fi
		vanished
	done
	# It moves processes by way of that bus, and does not look for a new one.
	restart_manager
}

@test "a runtime that is killed while it makes the scope leaves nothing that delete --force does not remove" {
	make_bundle . sleep 1000
	for ms in 1 2 3 4 5 6 8 10 12 16 20 30 50; do
		# Not sd: a function in the background is a shell, which would be killed instead.
		"$KNARR" --root "$ROOT" --systemd-cgroup run -d -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1 &
		pid=$!
		sleep "0.$(printf %03d "$ms")"
		kill -KILL "$pid" 2>/dev/null || true
		wait "$pid" || true
		knarr delete -f "$ID"
		vanished
	done
}

# ---- an unprivileged user -----------------------------------------------------------

as_manager_user() { # COMMAND…: as the user, who has their systemd
	requires_unprivileged_user
	USER_ID=$(id -u "$(unprivileged_user)")
	systemctl is-active --quiet "user@$USER_ID.service" || skip "there is no manager for uid $USER_ID"
	setpriv --reuid "$USER_ID" --regid "$(id -g "$(unprivileged_user)")" --init-groups --inh-caps=-all \
		env HOME="$T/user" XDG_RUNTIME_DIR="/run/user/$USER_ID" "$@"
}

rootless_bundle() {
	as_user true # makes the directory
	knarr_for_user
	ROOTLESS=1 make_bundle '.root.readonly = false | del(.linux.uidMappings, .linux.gidMappings) | .linux.resources = {memory: {limit: 33554432, swap: 33554432}, pids: {limit: 9}, cpu: {shares: 512}}'
	chown -R "$(unprivileged_user):" "$BUNDLE"
}

@test "delete of a stopped container leaves the scope that one of another root has under its name" {
	make_bundle . sleep 1000
	start
	knarr kill "$ID" KILL
	vanished
	"$KNARR" --root "$T/state-2" --systemd-cgroup run -d -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
	sd delete --force "$ID"
	[ "$("$KNARR" --root "$T/state-2" state "$ID" | jq -r .status)" = running ]
	[ "$(property ActiveState)" = active ]
	"$KNARR" --root "$T/state-2" --systemd-cgroup delete --force "$ID"
	vanished
}

@test "rootless: a scope of the user's manager, with limits that hold and stay" {
	rootless_bundle
	bundle_runs sleep 1000
	as_manager_user "$KNARR" --root "$T/user/state" --systemd-cgroup run -d -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>"$T/err" || { cat "$T/err"; false; }
	DIR=$(find "$(cgroup_mount)/user.slice" -type d -name "$SCOPE")
	[[ "$DIR" == */user@"$USER_ID".service/user.slice/"$SCOPE" ]]
	for _ in 1 2; do
		[ "$(cat "$DIR/memory.max" "$DIR/container/memory.max" | uniq)" = 33554432 ]
		[ "$(cat "$DIR/pids.max" "$DIR/container/pids.max" | uniq)" = 9 ]
		[ "$(cat "$DIR/cpu.weight" "$DIR/container/cpu.weight" | uniq)" = 59 ]
		as_manager_user systemctl --user daemon-reload
	done
	as_manager_user "$KNARR" --root "$T/user/state" update --pids-limit 12 "$ID"
	as_manager_user systemctl --user daemon-reload
	[ "$(cat "$DIR/pids.max" "$DIR/container/pids.max" | uniq)" = 12 ]
	as_manager_user "$KNARR" --root "$T/user/state" pause "$ID"
	as_manager_user "$KNARR" --root "$T/user/state" resume "$ID"
	as_manager_user "$KNARR" --root "$T/user/state" delete -f "$ID"
	[ ! -e "$DIR" ]
}

@test "rootless: a program over its memory is killed" {
	rootless_bundle
	bundle_runs dd if=/dev/zero of=/dev/null bs=100M count=1
	run -137 as_manager_user "$KNARR" --root "$T/user/state" --systemd-cgroup run -b "$BUNDLE" "$ID"
	echo "$output"
}

@test "rootless without a manager: an error that names the bus" {
	rootless_bundle
	bundle_runs true
	run -1 as_user "$KNARR" --root "$T/user/state" --systemd-cgroup run -b "$BUNDLE" "$ID"
	echo "$output"
	[[ "$output" == *"$T/user/bus"*linger* ]]
}
