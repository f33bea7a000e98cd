#!/usr/bin/env bats
# NOTIFY_SOCKET, with which systemd starts a runtime.
load helpers

setup() {
	container_setup
	requires_command python3
	make_bundle . sleep 1000
}

teardown() {
	"$KNARR" --root "$ROOT" delete --force "$ID"
	container_teardown
}

@test "NOTIFY_SOCKET without a listener, or no address at all: a warning, and the container runs" {
	local address
	python3 -c 'import socket, sys
socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).bind(sys.argv[1])' "$T/nobody.sock"
	for address in "$T/nobody.sock" "$T/nothing.sock" "@$ID-nobody" nonsense "vsock:2:1234" "$T/$(printf 'x%.0s' {1..200})"; do
		bundle_runs sh -c 'echo "$NOTIFY_SOCKET"'
		NOTIFY_SOCKET=$address run -0 --separate-stderr knarr run -b "$BUNDLE" "$ID"
		[ "$output" = /run/notify/notify.sock ]
		# shellcheck disable=SC2154
		[[ "$stderr" == *warning*NOTIFY_SOCKET* ]]
		bundle_runs sleep 1000
		NOTIFY_SOCKET=$address knarr run -d -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
		[ "$(knarr state "$ID" | jq -r .status)" = running ]
		knarr delete --force "$ID"
		NOTIFY_SOCKET=$address knarr create -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
		NOTIFY_SOCKET=$address run -0 timeout 10 "$KNARR" --root "$ROOT" start "$ID"
		[[ "$output" == *warning*NOTIFY_SOCKET* ]]
		[ "$(knarr state "$ID" | jq -r .status)" = running ]
		knarr delete --force "$ID"
	done
}
