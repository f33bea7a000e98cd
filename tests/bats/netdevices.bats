# linux.netDevices. A network namespace of the test's own plays the host: nothing
# here touches the devices of the machine.

load helpers

setup()
{
	container_setup
	requires_root
	requires_command ip unshare nsenter
	unshare --net sleep 120 3>&- &
	HOST=$!
	while [ "$(readlink /proc/$HOST/ns/net)" = "$(readlink /proc/self/ns/net)" ]; do sleep 0.02; done
	host ip link add net0 type veth peer name peer0 2>/dev/null || skip 'the kernel has no veth'
	host ip link set net0 address 02:00:00:00:00:17 mtu 1400
	host ip address add 192.0.2.7/24 brd + dev net0
	host ip address add 192.0.2.8/24 dev net0
	host ip address add 169.254.9.9/16 scope link dev net0
	host ip address add 2001:db8::7/64 nodad dev net0
	host ip address add 2001:db8::8/64 nodad valid_lft 4000 preferred_lft 4000 dev net0
	host ip link set peer0 up
	host ip link set net0 up
	make_bundle '.linux.netDevices = {"net0": {"name": "eth7"}}'
}

teardown()
{
	[ -z "${HOST:-}" ] || kill "$HOST"
	container_teardown
}

# host COMMAND...: in the namespace that plays the host.
host()
{
	nsenter --net="/proc/$HOST/ns/net" -- "$@"
}

hknarr()
{
	host "$KNARR" --root "$ROOT" "$@" || return
	record_properties "$@"
}

addresses()
{
	ip -json address show dev "$1" | jq -c '[.[].addr_info[] | select(.scope == "global") | [.local, .prefixlen, .broadcast]] | sort'
}

# inside COMMAND...: in the network namespace of the container $ID.
inside()
{
	nsenter --net="/proc/$(knarr state "$ID" | jq .pid)/ns/net" -- "$@"
}

create()
{
	hknarr create --bundle "$BUNDLE" "$ID" </dev/null >"$T/out" 2>&1 || {
		cat "$T/out"
		return 1
	}
}

export -f addresses

@test 'a device moves, with its name, addresses, mtu and hardware address, and is up' {
	create
	run -0 inside ip -json link show dev eth7
	[ "$(jq -r '.[0].address' <<<"$output")" = 02:00:00:00:00:17 ]
	[ "$(jq -r '.[0].mtu' <<<"$output")" = 1400 ]
	[ "$(jq '.[0].flags | index("UP") != null' <<<"$output")" = true ]
	run -0 inside bash -c 'addresses eth7'
	[ "$output" = '[["192.0.2.7",24,"192.0.2.255"],["192.0.2.8",24,null],["2001:db8::7",64,null]]' ]
	run -0 inside ip -4 route show 192.0.2.0/24
	[[ $output == *'dev eth7'* ]]
	run -0 inside ip -6 route show 2001:db8::/64
	[[ $output == *'dev eth7'* ]]
	run ! host ip link show dev net0
	knarr delete --force "$ID"
	# It died with the namespace: nobody moved it back.
	run ! host ip link show dev net0
}

@test 'without a name it keeps its own' {
	edit_bundle '.linux.netDevices = {"net0": {}}'
	create
	inside ip link show dev net0
	knarr delete --force "$ID"
}

@test 'the devices are there before hooks and sysctls' {
	edit_bundle_to_run '.linux.sysctl = {"net.ipv4.conf.eth7.forwarding": "1"}' \
		sh -c 'cat /sys/class/net/eth7/mtu /proc/sys/net/ipv4/conf/eth7/forwarding'
	run -0 --separate-stderr hknarr run --bundle "$BUNDLE" "$ID"
	[ "$output" = $'1400\n1' ]
}

@test 'a container in a user namespace' {
	edit_bundle '.linux.namespaces += [{"type": "user"}] | .linux.uidMappings = [{"containerID": 0, "hostID": 100000, "size": 65536}]
		| .linux.gidMappings = .linux.uidMappings'
	chown -R --no-dereference 100000:100000 "$BUNDLE/rootfs"
	chmod 0755 "$BUNDLE"
	create
	inside ip link show dev eth7
	knarr delete --force "$ID"
}

# A namespace to join, with devices a0 and net0 in it.
other_namespace()
{
	unshare --net sleep 60 3>&- &
	OTHER=$!
	while [ "$(readlink /proc/$OTHER/ns/net)" = "$(readlink /proc/self/ns/net)" ]; do sleep 0.02; done
	nsenter --net="/proc/$OTHER/ns/net" -- sh -c 'for i in 0 1 2 3; do ip link add a$i type bridge; done; ip link add net0 type bridge'
	edit_bundle '.linux.namespaces |= map(if .type == "network" then .path = $path else . end)' --arg path "/proc/$OTHER/ns/net"
}

@test 'a joined namespace, where the index and the name on the host are taken' {
	other_namespace
	bundle_runs_sh 'cat /sys/class/net/eth7/mtu'
	run -0 --separate-stderr hknarr run --bundle "$BUNDLE" "$ID"
	[ "$output" = 1400 ]
	kill "$OTHER"
}

# as_before: the host's device is what setup made.
as_before()
{
	[ "$(host ip -json link show dev net0 | jq -c '.[0] | [.ifindex, .mtu, .address, (.flags | index("UP") != null)]')" = "$1" ]
	[ "$(host bash -c 'addresses net0')" = '[["192.0.2.7",24,"192.0.2.255"],["192.0.2.8",24,null],["2001:db8::7",64,null]]' ]
}

facts()
{
	host ip -json link show dev net0 | jq -c '.[0] | [.ifindex, .mtu, .address, (.flags | index("UP") != null)]'
}

@test 'a name that is taken is an error, and nothing has moved' {
	local before
	before=$(facts)
	other_namespace
	edit_bundle '.linux.netDevices = {"peer0": {"name": "eth8"}, "net0": {"name": "a0"}}'
	run ! hknarr run --bundle "$BUNDLE" "$ID"
	echo "$output"
	[[ $output == *"linux.netDevices: 'net0' cannot be 'a0' in the container"*'file exists'* ]]
	[ "$(facts)" = "$before" ]
	host ip link show dev peer0
	run ! nsenter --net="/proc/$OTHER/ns/net" -- ip link show dev eth8
	kill "$OTHER"
}

@test 'a template gets a free name' {
	other_namespace
	edit_bundle_to_run '.linux.netDevices = {"net0": {"name": "a%d"}}' sh -c 'grep -l 1400 /sys/class/net/a*/mtu'
	run -0 --separate-stderr hknarr run --bundle "$BUNDLE" "$ID"
	[[ $output =~ ^/sys/class/net/a[4-9]/mtu$ ]]
	kill "$OTHER"
}

@test 'a failure after the move gives the device back as it was' {
	local before
	before=$(facts)
	edit_bundle '.process.args = ["/does/not/exist"]'
	run ! hknarr run --bundle "$BUNDLE" "$ID"
	[[ $output == *'/does/not/exist'* ]]
	[[ $output != *'while undoing'* ]]
	[ "$(facts)" = "$before" ]
	# The address with a lifetime is not one of those that are kept.
	[ "$(host bash -c 'addresses net0')" = '[["192.0.2.7",24,"192.0.2.255"],["192.0.2.8",24,null],["2001:db8::7",64,null]]' ]
}

@test 'a failing hook gives it back' {
	local before
	before=$(facts)
	edit_bundle '.hooks.createRuntime = [{"path": "/bin/false"}]'
	run ! hknarr run --bundle "$BUNDLE" "$ID"
	[ "$(facts)" = "$before" ]
}

@test 'a device that is not there is an error' {
	edit_bundle '.linux.netDevices = {"nosuch0": {}}'
	run ! hknarr run --bundle "$BUNDLE" "$ID"
	[[ $output == *"linux.netDevices: the runtime's network namespace has no device 'nosuch0'"* ]]
}

@test 'the loopback device cannot move' {
	edit_bundle '.linux.netDevices = {"lo": {"name": "lo7"}}'
	run ! hknarr run --bundle "$BUNDLE" "$ID"
	echo "$output"
	[[ $output == *"move 'lo' into the container as 'lo7' (it is bound to its network namespace)"* ]]
}

@test 'a device cannot move to the namespace of the runtime' {
	edit_bundle '.linux.namespaces |= map(if .type == "network" then .path = $path else . end)' --arg path "/proc/$HOST/ns/net"
	run ! hknarr run --bundle "$BUNDLE" "$ID"
	[[ $output == *"(that of linux.namespaces is the runtime's own)"* ]]
}

@test 'an unprivileged user moves none' {
	requires_unprivileged_user
	requires_user_ns
	knarr_for_user
	ROOTLESS=1 make_bundle '.linux.netDevices = {"net0": {}} | .linux.namespaces |= (. + [{"type": "network"}] | unique_by(.type))'
	run ! as_user "$KNARR" --root "$T/user/state" run --bundle "$BUNDLE" "$ID"
	echo "$output"
	[[ $output == *'linux.netDevices: an unprivileged user cannot move'* ]]
}
