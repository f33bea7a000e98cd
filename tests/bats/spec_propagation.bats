#!/usr/bin/env bats
# config-linux.md#rootfs-mount-propagation, from both sides: which new mount of the
# host the container sees, and which of the container's the host and the container
# itself see.
load helpers

setup() {
	container_setup
	requires_root
	requires_cap 21 CAP_SYS_ADMIN
	make_bundle '.root.readonly = false | .mounts |= map(select(.destination | startswith("/sys") | not))
		| .process.capabilities[] += ["CAP_SYS_ADMIN"]'
	mkdir -p "$BUNDLE"/rootfs/{inside,outside,copy}
}

teardown() {
	container_teardown
}

# propagates PROPAGATION: prints "HOST COPY CONTAINER": whether the host sees a mount
# that the container made in its root; whether the root sees one that was made in a
# bind of it ("unbindable" when there can be none), as a container in the container
# would make; whether the container sees a mount that the host made in the rootfs.
propagates() {
	edit_bundle '.linux.rootfsPropagation = $k' --arg k "$1"
	rm -f "$BUNDLE"/rootfs/{mounted,go}
	bundle_runs_sh 'sees() { grep -q " $1 " /proc/mounts && echo yes || echo no; }
		mount -t tmpfs inner /inside
		if mount --bind / /copy 2>/dev/null; then mount -t tmpfs nested /copy/tmp; sees /tmp; else echo unbindable; fi
		touch /mounted
		while [ ! -e /go ]; do sleep 0.02; done
		sees /outside'
	export KNARR ROOT BUNDLE ID
	# A host whose mounts are shared, as systemd makes them, in a namespace of its own.
	# shellcheck disable=SC2016
	run -0 unshare --mount --propagation private sh -ec '
		mount --bind "$BUNDLE/rootfs" "$BUNDLE/rootfs"; mount --make-shared "$BUNDLE/rootfs"
		"$KNARR" --root "$ROOT" run -b "$BUNDLE" "$ID" >"$BUNDLE/out" 2>&1 &
		n=0
		while [ ! -e "$BUNDLE/rootfs/mounted" ]; do n=$((n + 1)); [ $n -lt 500 ] || exit 9; sleep 0.02; done
		grep -q " $BUNDLE/rootfs/inside " /proc/mounts && echo yes || echo no
		mount -t tmpfs outer "$BUNDLE/rootfs/outside"
		touch "$BUNDLE/rootfs/go"
		wait $!
		cat "$BUNDLE/out"'
	echo "$1: $output"
	output=$(paste -sd ' ' <<<"$output")
}

@test "shared: a peer group of the container's own, which the host is not part of" {
	for kind in shared rshared; do
		propagates $kind
		[ "$output" = "no yes yes" ]
	done
}

@test "slave: mounts of the host arrive, none goes out" {
	for kind in slave rslave; do
		propagates $kind
		[ "$output" = "no no yes" ]
	done
}

@test "private: neither arrives, nor goes out" {
	for kind in private rprivate; do
		propagates $kind
		[ "$output" = "no no no" ]
	done
}

@test "unbindable: private, and there is no bind of it" {
	for kind in unbindable runbindable; do
		propagates $kind
		[ "$output" = "no unbindable no" ]
	done
}

@test "without rootfsPropagation no mount of the container goes out" {
	edit_bundle_to_run 'del(.linux.rootfsPropagation)' \
		sh -c 'mount -t tmpfs inner /inside; touch /mounted; while [ ! -e /go ]; do sleep 0.02; done'
	export KNARR ROOT BUNDLE ID
	# shellcheck disable=SC2016
	run -0 unshare --mount --propagation private sh -ec '
		mount --bind "$BUNDLE/rootfs" "$BUNDLE/rootfs"; mount --make-shared "$BUNDLE/rootfs"
		"$KNARR" --root "$ROOT" run -b "$BUNDLE" "$ID" &
		n=0
		while [ ! -e "$BUNDLE/rootfs/mounted" ]; do n=$((n + 1)); [ $n -lt 500 ] || exit 9; sleep 0.02; done
		grep -q " $BUNDLE/rootfs/" /proc/mounts && echo seen
		touch "$BUNDLE/rootfs/go"
		wait $!'
	[ -z "$output" ]
}
