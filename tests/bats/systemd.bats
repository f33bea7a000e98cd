#!/usr/bin/env bats
# The systemd driver where there is no systemd: what can be wrong is said in one line,
# and at once. What it does with one: tests/vm/systemd_driver.bats.
load helpers

setup()
{
	container_setup
	requires_cgroup2
	make_bundle . true
	export DBUS_SYSTEM_BUS_ADDRESS=unix:path=$T/bus DBUS_SESSION_BUS_ADDRESS=unix:path=$T/bus
}

teardown()
{
	container_teardown
}

# fails_with WORDS: so does --systemd-cgroup run, in one line.
fails_with()
{
	run -1 knarr --systemd-cgroup run -b "$BUNDLE" "$ID"
	echo "$output"
	[ "${#lines[@]}" = 1 ]
	[[ "$output" == *$1* ]]
	[ ! -e "$ROOT/$ID" ]
}

@test "no bus: an error with its address" {
	fails_with "$T/bus"
	run -1 knarr --cgroup-manager systemd run -b "$BUNDLE" "$ID"
	[[ "$output" == *"$T/bus"* ]]
	[ -d /run/systemd/system ] || [[ "$output" == *'systemd does not run'* ]]
}

@test "a bus that hangs up: an error with its address" {
	requires_command python3
	python3 - "$T/bus" <<-'X' &
		import os, socket, sys
		s = socket.socket(socket.AF_UNIX)
		s.bind(sys.argv[1] + '.new')
		s.listen(5)
		os.rename(sys.argv[1] + '.new', sys.argv[1])
		c, _ = s.accept()
		c.recv(10)
		c.close()
	X
	for _ in $(seq 100); do [ -S "$T/bus" ] && break; sleep 0.05; done
	fails_with "$T/bus"
	wait
}

@test "a bus that lets nobody in, and one that is not here: an error with its address" {
	requires_command python3
	python3 - "$T/bus" <<-'X' &
		import os, socket, sys
		s = socket.socket(socket.AF_UNIX)
		s.bind(sys.argv[1] + '.new')
		s.listen(5)
		os.rename(sys.argv[1] + '.new', sys.argv[1])
		c, _ = s.accept()
		c.sendall(b'REJECTED\r\n')
		while c.recv(1000):
		    pass
	X
	for _ in $(seq 100); do [ -S "$T/bus" ] && break; sleep 0.05; done
	fails_with "$T/bus*operation not permitted"
	wait
	DBUS_SYSTEM_BUS_ADDRESS=tcp:host=localhost,port=1 DBUS_SESSION_BUS_ADDRESS=tcp:host=localhost,port=1 \
		fails_with 'tcp:host=localhost*protocol not supported'
}

@test "a bus without a systemd: what the bus says" {
	requires_command dbus-daemon
	[ ! -d /run/systemd/system ] || skip 'systemd could be started by the bus'
	cat >"$T/bus.conf" <<-X
		<busconfig><type>session</type><listen>unix:path=$T/bus</listen>
		<policy context="default"><allow send_destination="*"/><allow own="*"/><allow receive_sender="*"/></policy></busconfig>
	X
	dbus-daemon --config-file "$T/bus.conf" --nofork --nosyslog 2>/dev/null &
	local daemon=$!
	for _ in $(seq 100); do [ -S "$T/bus" ] && break; sleep 0.05; done
	fails_with 'org.freedesktop.systemd1 was not provided'
	kill "$daemon"
	wait "$daemon" || true
}

@test "knarr does not link libsystemd" {
	run -0 objdump -p "$KNARR"
	[[ "$output" != *libsystemd* ]]
}

@test "linux.cgroupsPath must have three parts, before anything is asked" {
	edit_bundle '.linux.cgroupsPath = "/knarr/x"'
	fails_with 'slice:prefix:name'
	edit_bundle '.linux.cgroupsPath = "a--b.slice:x:y"'
	fails_with 'linux.cgroupsPath'
	edit_bundle '.annotations["run.oci.systemd.subgroup"] = "../x" | del(.linux.cgroupsPath)'
	fails_with run.oci.systemd.subgroup
}

@test "plan asks nobody" {
	edit_bundle '.linux.cgroupsPath = "a-b.slice:x:y" | del(.linux.namespaces[] | select(.type == "cgroup"))'
	run -0 knarr --systemd-cgroup plan "$BUNDLE"
	[[ "$output" == *'cgroup: own'* ]]
}

@test "features tells of the driver and its annotations" {
	run -0 knarr features
	jq -e '.linux.cgroup | .systemd and .systemdUser' <<<"$output"
	jq -e '.potentiallyUnsafeConfigAnnotations | contains(["org.systemd.property."])' <<<"$output"
}
