#!/usr/bin/env bats
# runtime.md#state, and the documents that other tools read: list, spec, features.
load helpers

setup() {
	container_setup
	make_bundle '.linux.namespaces |= map(select(.type != "network"))' sleep 1000
}

teardown() {
	container_teardown
}

@test "state has the properties of the specification, list the same" {
	edit_bundle '.annotations = {"a.b": "c", empty: "", u: "ünï"}'
	knarr create -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
	knarr state "$ID" >"$T/state.json"
	jq -e --arg id "$ID" --arg b "$BUNDLE" '.id == $id and .bundle == $b and .status == "created" and (.pid | type) == "number"
		and .annotations == {"a.b": "c", empty: "", u: "ünï"} and .rootfs == $b + "/rootfs"
		and (.ociVersion | test("^1\\.[0-9]+\\.[0-9]+")) and (.created | test("^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z$"))' "$T/state.json"
	[ "$(readlink "/proc/$(jq .pid "$T/state.json")/ns/mnt")" != "$(readlink /proc/self/ns/mnt)" ]
	[ "$(knarr list --format json | jq -S '.[0]')" = "$(jq -S . "$T/state.json")" ]
	[[ "$(knarr list | head -n 1)" =~ ^ID\ +PID\ +STATUS\ +BUNDLE\ +CREATED\ +OWNER ]]
	knarr kill "$ID" KILL
	wait_status "$ID" stopped
	[ "$(knarr state "$ID" | jq .pid)" = 0 ]
	knarr delete "$ID"
}

@test "two state roots know nothing of each other" {
	knarr create -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
	run -1 "$KNARR" --root "$T/state-2" state "$ID"
	[ -z "$("$KNARR" --root "$T/state-2" list -q)" ]
	knarr delete "$ID"
}

@test "features tells what check accepts" {
	run -0 knarr features
	jq -e '.ociVersionMin == "1.0.0" and (.hooks | length) == 6 and (.linux.namespaces | index("mount") != null)
		and (.mountOptions | index("rbind") != null)' <<<"$output"
	local options
	options=$(jq -c '[.mountOptions[] | select(test("^r?(bind|idmap)$|^remount$|-nofollow$") | not)]' <<<"$output")
	edit_bundle '.mounts += [$o[] | {destination: "/tmp", type: "tmpfs", source: "tmpfs", options: [.]}]' --argjson o "$options"
	run -0 knarr check "$BUNDLE"
}

@test "an error is one JSON line in the log, and the words of stderr" {
	run -1 knarr --log "$T/log" --log-format json run -b "$T/nowhere" "$ID"
	[ "$(wc -l <"$T/log")" = 1 ]
	[ "$(jq -r .level "$T/log")" = error ]
	[ "knarr: $(jq -r .msg "$T/log")" = "$output" ]
	jq -e '.time | test("^[0-9-]+T[0-9:.]+Z$")' "$T/log"
}
