#!/usr/bin/env bats
# Attacks that were found on container runtimes, each against knarr: a hostile
# image, config or caller's environment. Each test names the CVE that it repeats.
# What needs two processes that race is in races.bats; docs/security.md has the
# table of attacks, defences and tests.
load helpers

setup() {
	container_setup
	requires_root
	make_bundle '.root.readonly = false'
	# A folder and a file of the host that no container may reach.
	CANARY=$T/canary
	mkdir "$CANARY"
	echo treasure >"$T/treasure"
	chmod 600 "$T/treasure"
}

teardown() {
	container_teardown
}

canary_is_untouched() {
	[ -z "$(ls -A "$CANARY")" ]
	[ "$(cat "$T/treasure")" = treasure ]
	[ "$(stat -c %a "$T/treasure")" = 600 ]
	[ "$(grep -c " $T/" /proc/self/mountinfo)" = 0 ]
}

# ---- descriptors that lead out ----------------------------------------------------

# CVE-2024-21626: whatever number a folder of the host has in the runtime, its own
# ones (the state root is on the host's file system here) and one of the caller's.
@test "a cwd of /proc/self/fd/N is no way out" {
	local n
	for n in $(seq 3 15); do
		edit_bundle ".process.cwd = \"/proc/self/fd/$n\""
		run -1 knarr_with_fds 'exec 9</' run -b "$BUNDLE" "$ID"
		edit_bundle ".process.cwd = \"/proc/self/fd/$n/..\""
		run -1 knarr_with_fds 'exec 9</' run -b "$BUNDLE" "$ID"
	done
}

# CVE-2024-21626, its other half: the program is opened before the kernel closes
# what is close-on-exec.
@test "a program at /proc/self/fd/N/.. is not one of the host" {
	local n link
	ln -s /proc/self/fd "$BUNDLE/rootfs/links"
	for n in $(seq 3 15); do
		for link in /proc/self/fd /links /proc/thread-self/fd; do
			bundle_runs "$link/$n/../../../../../../../../../bin/true"
			run -1 knarr_with_fds 'exec 9</' run -b "$BUNDLE" "$ID"
			[[ "$output" == *"no such file"* ]]
		done
	done
}

@test "an interpreter at /proc/self/fd/N/.. is not one of the host" {
	local n
	for n in $(seq 3 15); do
		printf '#!/proc/self/fd/%d/../../../../../../../../bin/true\n' "$n" >"$BUNDLE/rootfs/script"
		chmod +x "$BUNDLE/rootfs/script"
		bundle_runs /script
		run -1 knarr_with_fds 'exec 9</' run -b "$BUNDLE" "$ID"
	done
}

@test "a dynamic loader at /proc/self/fd/N/.. is not one of the host" {
	requires_command gcc
	local n loader
	loader=$(LC_ALL=C readelf -l /bin/true | sed -n 's/.*interpreter: \(.*\)]/\1/p')
	[ -n "$loader" ] || skip "/bin/true has no dynamic loader"
	loader=$(realpath "$loader") # a link would be followed in the container
	for n in 4 5 6 9; do
		echo 'int main(void) { return 0; }' |
			gcc -x c - -o "$BUNDLE/rootfs/loads" -Wl,--dynamic-linker="/proc/self/fd/$n/../../../../../../../..$loader"
		bundle_runs /loads
		run -1 knarr_with_fds 'exec 9</' run -b "$BUNDLE" "$ID"
	done
}

# With no descriptor of its own that would show, for the same reason.
@test "the program finds no descriptor but 0, 1 and 2" {
	bundle_runs sh -c 'ls /proc/self/fd'
	run -0 knarr_with_fds 'exec 9</ 17</etc' run -b "$BUNDLE" "$ID"
	# ls itself opens 3.
	[ "$output" = "0
1
2
3" ]
	knarr_with_fds 'exec 9</ 17</etc' create -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
	# The init that waits for start holds nothing that has a path: no folder, no
	# procfs, no root. Sockets and memory do not lead anywhere.
	local pid fd
	pid=$(knarr state "$ID" | jq .pid)
	for fd in "/proc/$pid/fd"/*; do
		[[ "$(readlink "$fd")" =~ ^(/dev/null|socket:.*|/memfd:.*)$ ]] || {
			echo "the waiting init has $fd: $(readlink "$fd")"
			return 1
		}
	done
	knarr delete --force "$ID"
}
