#!/usr/bin/env bats
# Each system call that knarr makes fails once: tests/inject/faults.sh, in short.
load helpers

setup() {
	container_setup
	requires_root
	requires_command "${CC:-cc}" jq
	requires_cgroup2
}

teardown() {
	container_teardown
}

@test "a system call that fails is an error that says so, and leaves nothing" {
	requires_no_sanitizer 'a leak checker cannot work in a traced program'
	run -0 "$BATS_TEST_DIRNAME/../inject/faults.sh" run create start kill delete state list
	[[ "$output" == *" 0 defects"* ]]
}

@test "the same for an unprivileged user and in the namespaces of another container, and for checkpoint and restore" {
	requires_no_sanitizer 'a leak checker cannot work in a traced program'
	requires_unprivileged_user
	requires_command python3
	local faults=$BATS_TEST_DIRNAME/../inject/faults.sh
	run -0 "$faults" --who 'user pod' --error 'EIO KILLED' --call 'clone3 setns wait4' run exec terminal
	[[ "$output" == *" 0 defects"* ]]
	run -0 "$faults" --who 'root pod' --error 'EIO KILLED' --call 'socketpair renameat' checkpoint restore
	[[ "$output" == *" 0 defects"* ]]
	run -0 "$faults" --all --call fcntl restore # each descriptor that CRIU shall have
	[[ "$output" == *" 0 defects"* ]]
}

@test "create and start killed while they save the state: delete --force is silent" {
	requires_no_sanitizer 'a leak checker cannot work in a traced program'
	local call
	for call in renameat renameat2 pwrite64; do
		run -0 "$BATS_TEST_DIRNAME/../inject/faults.sh" --error KILL --call $call create start
		[[ "$output" == *" 0 defects"* ]]
	done
}

@test "exec that cannot wait for the process that joins leaves none in the container" {
	requires_no_sanitizer 'a leak checker waits, too'
	"${CC:-cc}" -O1 -D_GNU_SOURCE -o "$T/without" "$BATS_TEST_DIRNAME/../inject/without.c" -lseccomp || skip 'libseccomp is not installed'
	make_bundle . sleep 1000
	knarr run -d -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
	run -255 "$T/without" wait4 "$KNARR" --root "$ROOT" exec --detach "$ID" sleep 1000
	[ "$output" = 'knarr: exec failed: wait for the process that joins namespaces: function not implemented' ]
	for _ in $(seq 500); do
		[ "$(knarr ps --format json "$ID" | jq length)" != 1 ] || break
		sleep 0.02
	done
	[ "$(knarr ps --format json "$ID" | jq length)" = 1 ]
	# Nor is what cannot be waited for taken as done.
	echo '[{"destination": "/tmp", "type": "tmpfs", "source": "tmpfs"}]' >"$T/mounts.json"
	run -1 "$T/without" wait4 "$KNARR" --root "$ROOT" mounts add "$ID" "$T/mounts.json"
	[ "$output" = 'knarr: wait for the process that mounts in the container: function not implemented' ]
	run -1 "$T/without" wait4 "$KNARR" --root "$ROOT" ps "$ID"
	[ "$output" = 'knarr: wait for ps: function not implemented' ]
	knarr delete --force "$ID"
}

@test "an executable that is exchanged, and signals that stay blocked: that is the error" {
	requires_command strace
	requires_no_sanitizer 'a traced program cannot look for leaks'
	local before
	make_bundle . true
	strace -qq -e trace=rt_sigprocmask,prctl -e signal=none -o "$T/trace" "$KNARR" --root "$ROOT" run -b "$BUNDLE" "$ID"
	grep -q 'PR_SET_MM_MAP, ' "$T/trace" || skip 'the kernel exchanges no executable'
	before=$(awk '/PR_SET_MM_MAP, / { exit } /^rt_sigprocmask/ { n++ } END { print n + 0 }' "$T/trace")
	run -1 strace -qq -e trace=rt_sigprocmask -e signal=none -o /dev/null -e inject=rt_sigprocmask:error=EIO:when=$((before + 1)) \
		"$KNARR" --root "$ROOT" run -b "$BUNDLE" "$ID"
	[ "$output" = 'knarr: unblock signals: input/output error' ]
}

# While its own code is not mapped, knarr cannot go on; it has words for that all the same.
@test "an executable that cannot be mapped again is said so" {
	requires_command strace
	requires_root
	requires_no_sanitizer 'a traced program cannot look for leaks'
	local before
	make_bundle . true
	strace -qq -e trace=mmap,prctl -e signal=none -o "$T/trace" "$KNARR" --root "$ROOT" run -b "$BUNDLE" "$ID"
	grep -q 'PR_SET_MM_MAP, ' "$T/trace" || skip 'the kernel exchanges no executable'
	before=$(awk '/PR_SET_MM_MAP, / { exit } /^mmap/ { n++ } END { print n + 0 }' "$T/trace")
	run -1 strace -qq -e trace=mmap -e signal=none -o /dev/null -e inject=mmap:error=ENOMEM:when=$((before + 1)) \
		"$KNARR" --root "$ROOT" run -b "$BUNDLE" "$ID"
	[ "$output" = "knarr: the runtime's executable cannot be mapped again (no memory, or a limit)" ]
}

# The second program of that name is not the one that was asked for.
@test "a program that cannot be looked at is an error, not one that is absent" {
	requires_command strace
	requires_no_sanitizer 'a traced program cannot look for leaks'
	make_bundle '.process.args = ["tool"] | .process.env = ["PATH=/first:/second"]'
	mkdir "$BUNDLE/rootfs/first" "$BUNDLE/rootfs/second"
	cp /bin/busybox "$BUNDLE/rootfs/first/tool"
	ln -s /bin/true "$BUNDLE/rootfs/second/tool"
	run -1 strace -f -qq -P /first/tool -e trace=newfstatat -e signal=none -o "$T/trace" -e inject=newfstatat:error=EIO \
		"$KNARR" --root "$ROOT" run -b "$BUNDLE" "$ID"
	echo "$output"
	grep -q INJECTED "$T/trace"
	[ "$output" = 'knarr: process.args[0]: exec: "/first/tool": input/output error' ]
}
