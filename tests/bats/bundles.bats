# Bundles that other tools made run unchanged, and give the program what runc
# gives it: ids, capabilities, seccomp, mounts, limits, devices, environment,
# cgroup (compare.sh says what exactly). The program is probe.sh, put where the
# configs expect their shell, so that most config.json files stay as they are to
# the byte; an edit that is needed stands in the test with its reason.

load helpers

setup()
{
	container_setup
}

teardown()
{
	container_teardown
}

# A root file system whose /bin/sh prints what it was given.
make_probe_rootfs()
{
	make_rootfs "$1"
	rm "$1/bin/sh"
	install -m 0755 "$BATS_TEST_DIRNAME/probe.sh" "$1/bin/sh"
}

requires_peer()
{
	requires_root
	requires_cgroup2
	requires_command runc jq script "$@"
}

compare()
{
	run --separate-stderr "$BATS_TEST_DIRNAME/compare.sh" "${1:-$BUNDLE}" "$(command -v runc)" "$KNARR"
	echo "$output"
	# shellcheck disable=SC2154 # set by bats
	echo "$stderr"
	[ "$status" -eq 0 ]
}

@test 'a bundle of runc spec' {
	requires_peer
	make_probe_rootfs "$BUNDLE/rootfs"
	(cd "$BUNDLE" && runc spec)
	compare
}

@test 'a bundle of runc spec, without a terminal' {
	requires_peer
	make_probe_rootfs "$BUNDLE/rootfs"
	(cd "$BUNDLE" && runc spec)
	edit_bundle '.process.terminal = false'
	compare
}

@test 'a bundle of crun spec' {
	requires_peer crun
	make_probe_rootfs "$BUNDLE/rootfs"
	(cd "$BUNDLE" && crun spec)
	compare
}

@test 'a bundle of umoci unpack' {
	requires_peer umoci
	make_probe_rootfs "$T/rootfs"
	umoci init --layout "$T/image"
	umoci new --image "$T/image:base"
	umoci insert --image "$T/image:base" "$T/rootfs" /
	umoci config --image "$T/image:base" --config.cmd sh --config.env COLOUR=blue --config.user 1000:1000 --config.workingdir /tmp
	umoci unpack --image "$T/image:base" "$BUNDLE"
	compare
}

@test 'a bundle of ctr oci spec' {
	requires_peer ctr
	make_probe_rootfs "$BUNDLE/rootfs"
	# It names no program, and a cgroup that every such bundle shares.
	ctr oci spec | jq --arg id "$ID" '.process.args = ["/bin/sh"] | .linux.cgroupsPath = "/" + $id' >"$BUNDLE/config.json"
	compare
}

min()
{
	printf '%s\n' "$@" | grep -v unlimited | sort -n | head -n 1
}

# Podman keeps all its own below $T.
podman_options()
{
	echo "--root $T/podman --runroot $T/run --tmpdir $T/tmp --storage-driver vfs" \
		"--cgroup-manager cgroupfs --events-backend none"
}

# Podman calls this as its runtime; `create` compares both runtimes on the bundle
# while everything that Podman prepared for it is there, then tells Podman that it
# failed.
fake_runtime()
{
	cat >"$T/runtime" <<-END
		#!/bin/bash
		case " \$* " in
		*" create "*) ;;
		*) exit 0 ;;
		esac
		while [ \$# -gt 0 ]; do
			if [ "\$1" = --bundle ]; then
				cp "\$2/config.json" '$T/config.json'
				grep -qw pids /sys/fs/cgroup/cgroup.controllers ||
					jq 'del(.linux.resources.pids)' '$T/config.json' >"\$2/config.json"
				'$BATS_TEST_DIRNAME/compare.sh' "\$2" '$(command -v runc)' '$KNARR' >'$T/compared' 2>&1
				echo \$? >'$T/status'
			fi
			shift
		done
		exit 1
	END
	chmod 0755 "$T/runtime"
}

@test 'the config.json that Podman writes, in place' {
	requires_peer podman
	local n p
	n=$(min "$(ulimit -Hn)" 1048576) p=$(min "$(ulimit -Hu)" 32768)
	make_probe_rootfs "$T/rootfs"
	tar -C "$T/rootfs" -cf "$T/rootfs.tar" .
	# shellcheck disable=SC2046 # words
	podman $(podman_options) import -q "$T/rootfs.tar" local/probe
	fake_runtime
	# In a mount namespace with cgroup2 alone. Raising limits takes CAP_SYS_RESOURCE, so
	# Podman's defaults are not asked for, nor its limit of processes where cgroup2 has
	# no controller for it.
	cat >"$T/podman.sh" <<-END
		set -e
		[ "\$(stat -f -c %T /sys/fs/cgroup)" = cgroup2fs ] || mount --bind '$(cgroup_mount)' /sys/fs/cgroup
		podman() { command podman $(podman_options) --runtime '$T/runtime' "\$@"; }
		podman create --name probe --network none --ulimit nofile=$n:$n --ulimit nproc=$p:$p --cgroup-parent '/$ID' local/probe sh
		podman init probe || true
		podman rm -f probe
	END
	run unshare --mount --propagation private bash "$T/podman.sh"
	echo "$output"
	cat "$T/compared"
	# runc leaves the parents that it made.
	find "$(cgroup_mount)/$ID" -depth -type d -exec rmdir {} +
	[ "$(cat "$T/status")" = 0 ]
	# What was compared is a full profile.
	[ "$(jq '[.linux.seccomp.syscalls[].names | length] | add' "$T/config.json")" -gt 300 ]
}

@test 'the config.json that Podman wrote, kept with the tests' {
	requires_peer
	make_probe_rootfs "$BUNDLE/rootfs"
	cp -r "$BATS_TEST_DIRNAME/../data/bundles/podman/." "$BUNDLE"
	mkdir -p "$BUNDLE/files/shm"
	# A cgroup of this test's own, and limits that need no CAP_SYS_RESOURCE.
	# shellcheck disable=SC2016 # variables of jq
	edit_bundle '.linux.cgroupsPath = "/" + $id
		| (.process.rlimits[] | select(.type == "RLIMIT_NOFILE")) |= (.hard = $n | .soft = $n)
		| (.process.rlimits[] | select(.type == "RLIMIT_NPROC")) |= (.hard = $p | .soft = $p)' \
		--arg id "$ID" --argjson n "$(min "$(ulimit -Hn)" 1048576)" --argjson p "$(min "$(ulimit -Hu)" 32768)"
	compare
}

@test 'the comparison sees a difference' {
	requires_peer
	make_probe_rootfs "$BUNDLE/rootfs"
	(cd "$BUNDLE" && runc spec)
	edit_bundle '.process.terminal = false'
	cat >"$T/other" <<-END
		#!/bin/sh
		jq '.process.user.additionalGids = [7]' '$BUNDLE/config.json' >'$BUNDLE/new' && mv '$BUNDLE/new' '$BUNDLE/config.json'
		exec runc "\$@"
	END
	chmod 0755 "$T/other"
	run "$BATS_TEST_DIRNAME/compare.sh" "$BUNDLE" "$(command -v runc)" "$T/other"
	echo "$output"
	[ "$status" -eq 1 ]
	grep -q '^+Groups:.*7' <<<"$output"
}
