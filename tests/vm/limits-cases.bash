# The limits of linux.resources: what is written, programs that want more, and what
# is seen of them. Each case_NAME is one container, or a few, and prints a row for each
# limit; limits-guest.bash runs them all, and its functions are used here. What can
# be asked of one container is asked of one, for the machine is slow.
# Judges are called by name.
# shellcheck shell=bash disable=SC2016,SC2034,SC2153,SC2317

busy='while :; do :; done'
forks='for i in 1 2 3 4 5 6 7 8 9; do sleep 1 & done; wait'

# ---- hard limits: killed, refused, paced --------------------------------------

# timed NAME DD-OPTIONS…: how long it took, in hundredths of a second.
timed='timed() {
	read a b </proc/uptime
	name=$1; shift
	dd "$@" 2>/dev/null || echo failed
	read c d </proc/uptime
	echo $name $((${c%.*}${c#*.} - ${a%.*}${a#*.}))
}'

hard_limits="$timed"'
limits-probe memory 16 && echo memory 16
limits-probe memory 48 && echo memory 48
limits-probe memory 100; echo memory $?
taskset 1 true 2>/dev/null; echo affinity $?
awk "/anon=/ && !/file=/ { zero += /N0=/; one += /N1=/ } END { print \"nodes\", zero, one }" /proc/self/numa_maps
grep allowed_list: /proc/self/status
timed read_bps if=/data of=/dev/null bs=512k count=6 iflag=direct
timed write_bps if=/dev/zero of=/new bs=512k count=6 oflag=direct
timed read_iops if=/data of=/dev/null bs=4k count=60 iflag=direct
timed write_iops if=/dev/zero of=/data bs=4k count=60 oflag=direct conv=notrunc
limits-probe huge 1; limits-probe huge 2
[ ! -e /dev/infiniband/uverbs0 ] || { limits-probe contexts 8; limits-probe objects 8; }
'"$forks"

with_uverbs='.linux.resources.devices = [{allow: true, access: "rwm"}] |
	.mounts += [{destination: "/dev/infiniband/uverbs0", source: "/dev/infiniband/uverbs0", type: "bind", options: ["bind"]}]'

throttle() # throttle NAME RATE: its JSON
{
	echo "{blockIO: {throttle$1: [{major: ${DISK%:*}, minor: ${DISK#*:}, rate: $2}]}}"
}

memory='{memory: {limit: 33554432, swap: 67108864}}'
cpuset='{cpu: {cpus: "1", mems: "1"}}'
pids='{pids: {limit: 6}}'
hugetlb='{hugepageLimits: [{pageSize: "2MB", limit: 2097152}]}'
rdma='{rdma: {"rxe-test": {hcaHandles: 2, hcaObjects: 3}}}'
io="$(throttle ReadBpsDevice 1048576) * $(throttle WriteBpsDevice 1048576) *
	$(throttle ReadIOPSDevice 20) * $(throttle WriteIOPSDevice 20)"

# is_paced NAME: it took its three seconds.
is_paced()
{
	took=$(sed -n "s/^$1 //p" "$T/out")
	[ "${took:=0}" -gt 230 ]
}

check_io()
{
	local pair took file="io.max=$DISK rbps=1048576 wbps=1048576 riops=20 wiops=20"
	for pair in ReadBps:read_bps WriteBps:write_bps ReadIOPS:read_iops WriteIOPS:write_iops; do
		is_paced "${pair#*:}"
		check "blockIO.throttle${pair%:*}Device" "$([[ $pair = *bps ]] && echo 1 MiB/s || echo 20/s)" "$file" \
			"paced: $((took / 100)) s for 3" "$((took / 100)) s for 3" is_paced "${pair#*:}"
	done
}

check_memory()
{
	is_killed() { said 'memory 16' && said 'memory 137'; }
	has_swapped() { said 'memory 48' && said 'memory 137'; }
	check memory.limit '32 MiB' 'memory.max=33554432' 'killed at more' 'not killed' is_killed
	check memory.swap '64 MiB with the 32 of limit' 'memory.swap.max=33554432' '48 MiB had, killed at 100' \
		"$(grep ^memory "$T/out" | paste -sd ' ')" has_swapped
}

check_cpuset()
{
	is_bound() { said 'Cpus_allowed_list:.1' && said 'affinity 1'; }
	check cpu.cpus 1 'cpuset.cpus=1' 'CPU 0 is refused' 'CPU 0 can be used' is_bound
	is_bound() { said 'Mems_allowed_list:.1' && said 'nodes 0 [1-9].*'; }
	check cpu.mems 1 'cpuset.mems=1' 'all memory of node 1' 'memory of node 0' is_bound
}

check_pids()
{
	check pids.limit 6 'pids.max=6' 'fork is refused' 'nine processes more' grep -q "can't fork" "$T/err" "$T/out"
}

check_hugetlb()
{
	is_refused() { said taken && said refused; }
	check hugepageLimits '2 MiB, of pages of 2 MB' 'hugetlb.2MB.rsvd.max=2097152;hugetlb.2MB.max=2097152' \
		'one page had, two refused by mmap' 'two pages had' is_refused
}

check_rdma()
{
	local file='rdma.max=rxe-test hca_handle=2 hca_object=3'
	check rdma.hcaHandles 2 "$file" 'the third context is refused' "$(grep -m 1 ^had "$T/out")" said 'had 2'
	check rdma.hcaObjects 3 "$file" "of 8 objects $(sed -n 's/^had //p' "$T/out" | tail -n 1) were had" \
		"$(grep ^had "$T/out" | tail -n 1)" grep -qx 'had [123]' <(grep ^had "$T/out" | tail -n 1)
}

# Those whose controller this account has, all in one container; each of the others alone.
case_hard()
{
	local controller all='{}' there=() filter=.
	for controller in memory cpuset pids io hugetlb rdma; do
		if have $controller; then
			all+=" * ${!controller}"
			there+=("$controller")
		else
			absent "$controller" "${!controller}"
		fi
	done
	! have rdma || filter=$with_uverbs
	container "$all" "$hard_limits" "$filter" || { failed "${there[*]}"; return; }
	ended
	for controller in "${there[@]}"; do "check_$controller"; done
	finish
}

# ---- other values of memory and pids ------------------------------------------

case_memory_swap_none()
{
	container '{memory: {limit: 33554432, swap: -1}}' 'limits-probe memory 100' || { failed memory.swap; return; }
	ended
	check memory.swap '-1' 'memory.swap.max=max' '100 MiB had: no limit' 'killed' said 'status 0'
	finish
}

# What the container read stays in memory while another reads four times as much
# as there is room for the two.
case_memory_reservation()
{
	sync
	echo 3 >/proc/sys/vm/drop_caches
	container '{memory: {reservation: 41943040}}' 'cat /large >/dev/null' || { failed memory.reservation; return; }
	ended
	echo 64M >"$PARENT/memory.max"
	rival -- sh -c "cat '$T/rival-large' '$T/rival-large'; touch '$T/read'; sleep 1000"
	for _ in $(seq 600); do [ -e "$T/read" ] && break; pause; done
	rm "$T/read"
	local kept
	kept=$(count_of memory.stat file)
	echo max >"$PARENT/memory.max"
	check memory.reservation '40 MiB' 'memory.low=41943040' "$((kept >> 20)) MiB of files kept" "$((kept >> 20)) MiB of files kept" \
		[ "$kept" -gt 27000000 ]
	finish
}

case_memory_check_before_update()
{
	local name=memory.checkBeforeUpdate
	container '{memory: {limit: 268435456, checkBeforeUpdate: true}}' 'dd if=/dev/zero of=/dev/shm/f bs=1M count=40' || { failed $name; return; }
	ended
	echo '{"memory": {"limit": 20971520, "checkBeforeUpdate": true}}' >"$T/user/small.json"
	rt update -r "$T/user/small.json" "$ID" >/dev/null 2>&1
	is_unchanged() { [ "$(cat "$DIR/memory.max")" = 268435456 ]; }
	check $name 'true; update of limit to 20 MiB, 40 in use' 'memory.max=268435456' 'the update is refused' 'the update was made' is_unchanged
	finish
}

# The first process is there, none of a runtime beside it, and it cannot make another.
# Whoever comes from outside is moved in, and is alone as well.
case_pids_one()
{
	container '{pids: {limit: 1}}' true '.process.args = ["sleep", "1000"]' || { failed 'pids.limit 1'; return; }
	is_alone() { [ "$(cat "$DIR/pids.current")" = 1 ] && ! rt exec "$ID" sh -c 'true | true' >/dev/null 2>&1; }
	check pids.limit 1 'pids.max=1' 'one runs, fork is refused' 'it forks' is_alone
	finish
}

# The kernel could start nothing with 0 in the file.
case_pids_zero()
{
	container '{pids: {limit: 0}}' true '.process.args = ["sleep", "1000"]' || { failed 'pids.limit 0'; return; }
	is_alone() { [ "$(cat "$DIR/pids.current")" = 1 ] && ! rt exec "$ID" sh -c 'true | true' >/dev/null 2>&1; }
	check pids.limit 0 'pids.max=1' 'one runs, fork is refused' 'it forks' is_alone
	finish
}

case_pids_none()
{
	container '{pids: {limit: -1}}' "$forks" || { failed 'pids.limit -1'; return; }
	ended
	check pids.limit -1 'pids.max=max' 'nine processes more: no limit' 'fork is refused' said 'status 0'
	finish
}

# ---- CPU time -----------------------------------------------------------

hundredths() # of a second, since the machine began
{
	local up rest
	read -r up rest </proc/uptime
	echo "${up%.*}${up#*.}"
}

case_cpu_max()
{
	local used periods throttled took
	container '{cpu: {quota: 10000, period: 50000, burst: 10000}}' "while [ ! -e /go ]; do sleep 1; done; $busy" || { failed cpu.quota; return; }
	touch "$BUNDLE/rootfs/go"
	sleep 2
	rm "$BUNDLE/rootfs/go"
	took=$(hundredths) used=$(count_of cpu.stat usage_usec)
	periods=$(count_of cpu.stat nr_periods) throttled=$(count_of cpu.stat nr_throttled)
	sleep 2
	took=$(($(hundredths) - took)) used=$(($(count_of cpu.stat usage_usec) - used))
	periods=$(($(count_of cpu.stat nr_periods) - periods)) throttled=$(($(count_of cpu.stat nr_throttled) - throttled))
	used=$((used / took / 100)) periods=$((periods * 100 / took))
	is_slow() { [ "$used" -lt 30 ] && [ "$throttled" -gt 3 ]; }
	check cpu.quota '10 ms' 'cpu.max=10000 50000' "throttled: $used % of a CPU" "$used % of a CPU" is_slow
	check cpu.period '50 ms' 'cpu.max=10000 50000' "$periods periods a second" "$periods periods a second" [ $periods -gt 14 ]
	local bursts
	bursts=$(count_of cpu.stat nr_bursts)
	check cpu.burst '10 ms' 'cpu.max.burst=10000' "$bursts bursts after idle time, then throttled" 'no burst' [ "$bursts" -gt 0 ]
	finish
}

# Of one CPU, and of a disk that the kernel takes for one of 1 MiB/s, container and
# rival take all they can get: the container's percentages.
compete() # compete CONTROLLER…: sets $cpu and $disk
{
	local own=() other=()
	rival "${rival_files[@]}" -- sh -c "(taskset 1 sh -c '$busy') & while dd if='$T/rival-data' of=/dev/null bs=64k iflag=direct; do :; done"
	sleep 2
	own=("$(count_of cpu.stat usage_usec)" "$(bytes_read "$DIR")")
	other=("$(count_of cpu.stat usage_usec "$PARENT/rival")" "$(bytes_read "$PARENT/rival")")
	sleep 5
	own=($(($(count_of cpu.stat usage_usec) - own[0])) $(($(bytes_read "$DIR") - own[1])))
	other=($(($(count_of cpu.stat usage_usec "$PARENT/rival") - other[0])) $(($(bytes_read "$PARENT/rival") - other[1])))
	cpu=$((own[0] * 100 / (own[0] + other[0] + 1))) disk=$((own[1] * 100 / (own[1] + other[1] + 1)))
}

bytes_read() # bytes_read CGROUP-DIRECTORY
{
	sed -n "s/^$DISK rbytes=\([0-9]*\).*/\1/p" "$1/io.stat" | grep . || echo 0
}

weigh() # weigh RESOURCES-OF-CPU RESOURCES-OF-IO: the one without io where there is none
{
	local both="$1 * $2"
	have io || both=$1
	echo "$DISK enable=1 ctrl=user rpct=0 rlat=0 wpct=0 wlat=0 min=100.00 max=100.00" >"$MOUNT/io.cost.qos"
	echo "$DISK ctrl=user model=linear rbps=1048576 rseqiops=100 rrandiops=100 wbps=1048576 wseqiops=100 wrandiops=100" >"$MOUNT/io.cost.model"
	container "$both" "(taskset 1 sh -c '$busy') & while dd if=/data of=/dev/null bs=64k iflag=direct 2>/dev/null; do :; done"
}

end_weighing()
{
	finish
	echo "$DISK enable=0" >"$MOUNT/io.cost.qos"
}

case_weights()
{
	local cpu disk rival_files=(cpu.weight=1000) io='{blockIO: {weight: 10}}'
	weigh '{cpu: {shares: 1024}}' "$io" || { failed cpu.shares; end_weighing; return; }
	compete
	check cpu.shares '1024, against cpu.weight 1000' 'cpu.weight=100' "had $cpu % of the CPU" "had $cpu % of the CPU" [ "$cpu" -le 20 ]
	if have io; then
		check blockIO.weight '10, against io.weight 100' 'io.weight=default 1' "had $disk % of the disk" "had $disk % of the disk" [ "$disk" -le 25 ]
	fi
	end_weighing
}

case_idle()
{
	local cpu disk rival_files=() io="{blockIO: {weightDevice: [{major: ${DISK%:*}, minor: ${DISK#*:}, weight: 10}]}}"
	weigh '{cpu: {idle: 1}}' "$io" || { failed cpu.idle; end_weighing; return; }
	compete
	check cpu.idle '1, against cpu.weight 100' 'cpu.idle=1' "had $cpu % of the CPU" "had $cpu % of the CPU" [ "$cpu" -le 10 ]
	if have io; then
		check blockIO.weightDevice '10, against io.weight 100' "io.weight=default 100,$DISK 1" "had $disk % of the disk" \
			"had $disk % of the disk" [ "$disk" -le 25 ]
	fi
	end_weighing
}

# ---- unified ------------------------------------------------------------------

case_unified()
{
	local peak all='{"memory.high": "16777216", "pids.max": "6"}' took
	! have io || all+=" * {\"io.max\": \"$DISK rbps=1048576\"}"
	container "{pids: {limit: 100}, unified: ($all)}" \
		"$timed"'; timed read_bps if=/data of=/dev/null bs=512k count=6 iflag=direct; limits-probe memory 64; '"$forks" ||
		{ failed unified; return; }
	ended
	peak=$(($(cat "$DIR/memory.peak" 2>/dev/null || echo 0) >> 20))
	check 'unified["memory.high"]' '16 MiB' 'memory.high=16777216' "paced: $peak MiB of 64 in memory" "$peak MiB in memory" [ "$peak" -lt 24 ]
	check 'unified["pids.max"]' '6, beside pids.limit 100' 'pids.max=6' 'fork is refused' 'nine processes more' grep -q "can't fork" "$T/err" "$T/out"
	if have io; then
		is_paced read_bps
		check 'unified["io.max"]' '1 MiB/s' "io.max=$DISK rbps=1048576 wbps=max riops=max wiops=max" "paced: $((took / 100)) s for 3" \
			"$((took / 100)) s for 3" is_paced read_bps
	fi
	finish
}

case_unified_oom_group()
{
	container '{memory: {limit: 33554432, swap: 33554432}, unified: {"memory.oom.group": "1"}}' \
		'while [ ! -e /go ]; do sleep 1; done; limits-probe memory 100' || { failed 'unified["memory.oom.group"]'; return; }
	FILES='memory.oom.group=1'
	read_files # before it is gone
	touch "$BUNDLE/rootfs/go"
	all_killed() { for _ in $(seq 100); do [ -e "/proc/$(cat "$T/user/pid")/root/bin" ] || return 0; pause; done; return 1; }
	check 'unified["memory.oom.group"]' 1 "$FILES" 'the whole container is killed' 'the container lives' all_killed
	rm "$BUNDLE/rootfs/go"
	finish
}

# No resource that this controller counts is in such a machine.
case_misc()
{
	if container '{unified: {"misc.max": "no_such 1"}}' true; then
		check 'unified["misc.max"]' 'of an unknown resource' '' '' 'ignored' false
	else
		check 'unified["misc.max"]' 'of an unknown resource' '' 'the error names it' "$ERROR" grep -q misc <<<"$ERROR"
	fi
	finish
}

# ---- devices ------------------------------------------------------------------

# Rounds of attempts, each when the file /again is there: y for done, n for EPERM.
try_devices='try() {
	if sh -c "$1" >/dev/null 2>/err; then printf y; elif grep -q "not permitted" /err; then printf n; else cat /err; fi
}
round() {
	try "mknod /x c 240 7"
	try "head -c 1 /disk" && try "head -c 1 /dev/zero"
	try "echo >>/disk" && try "cat /node" && try "echo >>/node"
	rm -f /x
	echo " round"
}
mknod /disk b MAJOR MINOR && mknod /node c 241 7 && round
for n in 1 2; do
	while [ ! -e /again ]; do sleep 0.1; done
	rm /again
	round
done'

# check_devices ROUND WHEN
check_devices()
{
	local seen value='read of the disk, and no more'
	for _ in $(seq 300); do [ "$(grep -c round "$T/out")" = "$1" ] && break; pause; done
	seen=$(grep round "$T/out" | tail -n 1)
	check "devices: mknod, $2" "$value" '' EPERM 'the node was made' [ "${seen:0:1}" = n ]
	check "devices: open, read, write, $2" "$value" '' 'EPERM, and what is allowed can be read' "$seen" [ "${seen:1}" = 'yynnn round' ]
}

case_devices()
{
	local script=${try_devices/MAJOR/${DISK%:*}}
	if [ "$ACCOUNT" = user ]; then
		container '{}' 'mknod /x c 240 7'
		ended
		check 'devices: mknod' 'no rules: an unprivileged user' '' 'EPERM, by the kernel' 'the node was made' grep -q 'not permitted' "$T/err"
		finish
		return
	fi
	container '{devices: [{allow: false, access: "rwm"},
		{allow: true, type: "b", major: '"${DISK%:*}"', minor: '"${DISK#*:}"', access: "rm"},
		{allow: false, type: "c", major: 240, access: "m"}, {allow: true, type: "c", major: 241, access: "m"}]}' \
		"${script/MINOR/${DISK#*:}}" || { failed devices; return; }
	check_devices 1 'in run'
	rt update --pids-limit 30 "$ID" >/dev/null 2>&1
	touch "$BUNDLE/rootfs/again"
	check_devices 2 'after update'
	if [ "$DRIVER" = systemd ]; then
		systemctl daemon-reload
		touch "$BUNDLE/rootfs/again"
		check_devices 3 'after daemon-reload'
	fi
	finish
}
