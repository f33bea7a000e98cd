# Time namespaces: new ones with their clocks set, and joined ones.

load helpers

setup()
{
	container_setup
	[ -e /proc/self/ns/time ] || skip 'the kernel has no time namespaces'
}

teardown()
{
	container_teardown
}

# Prints the container's offsets and its uptime in whole seconds.
SHOW='grep . /proc/self/timens_offsets; cut -d. -f1 /proc/uptime; readlink /proc/self/ns/time'

# runs COMMAND...: successfully; else what it said is printed.
runs()
{
	run --separate-stderr "$@"
	# shellcheck disable=SC2154 # set by bats
	echo "$stderr"
	[ "$status" = 0 ]
}

# offset CLOCK SECONDS NANOSECONDS: is a line of $output.
offset()
{
	grep -qE "^$1 +$2 +$3\$" <<<"$output"
}

@test 'a new time namespace has the clocks of linux.timeOffsets' {
	requires_root
	make_bundle '.linux.namespaces += [{"type": "time"}]
		| .linux.timeOffsets = {"monotonic": {"secs": 86400, "nanosecs": 7}, "boottime": {"secs": 604800}}'
	bundle_runs_sh "$SHOW"
	local before uptime
	before=$(cut -d. -f1 /proc/uptime)
	runs knarr run --bundle "$BUNDLE" "$ID"
	offset monotonic 86400 7
	offset boottime 604800 0
	uptime=$(sed -n 3p <<<"$output")
	[ $((uptime - before)) -ge 604800 ]
	[ $((uptime - before)) -le 604830 ]
	[ "$(sed -n 4p <<<"$output")" != "$(readlink /proc/self/ns/time)" ]
}

@test 'clocks may be set back' {
	requires_root
	[ "$(cut -d. -f1 /proc/uptime)" -gt 60 ] || skip 'the machine has just been started'
	make_bundle '.linux.namespaces += [{"type": "time"}] | .linux.timeOffsets = {"boottime": {"secs": -30}}'
	bundle_runs_sh "$SHOW"
	runs knarr run --bundle "$BUNDLE" "$ID"
	offset boottime -30 0
	offset monotonic 0 0
}

@test 'without timeOffsets the clocks are those of the host' {
	requires_root
	make_bundle '.linux.namespaces += [{"type": "time"}]'
	bundle_runs_sh "$SHOW"
	runs knarr run --bundle "$BUNDLE" "$ID"
	offset monotonic 0 0
	offset boottime 0 0
	[ "$(sed -n 4p <<<"$output")" != "$(readlink /proc/self/ns/time)" ]
}

@test 'a clock below zero is an error that names the property' {
	requires_root
	make_bundle '.linux.namespaces += [{"type": "time"}] | .linux.timeOffsets = {"monotonic": {"secs": -9000000000}}'
	run ! knarr run --bundle "$BUNDLE" "$ID"
	[[ $output == *'linux.timeOffsets: set the clocks (one would be below zero'* ]]
}

@test 'a time namespace is joined by its path' {
	requires_root
	local holder
	make_bundle '.linux.namespaces += [{"type": "time"}] | .linux.timeOffsets = {"boottime": {"secs": 1000}}' \
		sleep 30
	knarr run --detach --bundle "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
	holder=$(knarr state "$ID" | jq .pid)
	edit_bundle 'del(.linux.timeOffsets) | .linux.namespaces |= map(if .type == "time" then .path = "/proc/'"$holder"'/ns/time" else . end)'
	bundle_runs_sh "$SHOW"
	runs knarr run --bundle "$BUNDLE" "$ID-2"
	offset boottime 1000 0
	[ "$(sed -n 4p <<<"$output")" = "$(readlink "/proc/$holder/ns/time")" ]
	knarr delete --force "$ID"
}

@test 'the namespaces of a container with its own user namespace belong to that' {
	requires_root
	make_bundle '.linux.namespaces += [{"type": "time"}, {"type": "user"}]
		| .linux.uidMappings = [{"containerID": 0, "hostID": 100000, "size": 65536}]
		| .linux.gidMappings = .linux.uidMappings
		| .linux.timeOffsets = {"boottime": {"secs": 500}}'
	chown -R 100000:100000 "$BUNDLE/rootfs"
	chmod 0755 "$BUNDLE"
	bundle_runs_sh "$SHOW"
	runs knarr run --bundle "$BUNDLE" "$ID"
	offset boottime 500 0
}

@test 'an unprivileged user sets the clocks too' {
	requires_unprivileged_user
	requires_user_ns
	knarr_for_user
	BUNDLE=$T/user/bundle ROOT=$T/user/state
	as_user mkdir -p "$BUNDLE"
	ROOTLESS=1 make_bundle '.linux.namespaces += [{"type": "time"}] | .linux.timeOffsets = {"boottime": {"secs": 500}}'
	bundle_runs_sh "$SHOW"
	edit_bundle ".linux.uidMappings[0].hostID = $(as_user id -u) | .linux.gidMappings[0].hostID = $(as_user id -g)"
	chown -R --no-dereference "$(unprivileged_user):" "$BUNDLE"
	runs as_user "$KNARR" --root "$ROOT" run --bundle "$BUNDLE" "$ID"
	offset boottime 500 0
}
