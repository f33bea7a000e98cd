#!/usr/bin/env bats
# What the container's init does between clone and execve.
load helpers

setup() {
	container_setup
	make_bundle '.root.readonly = false'
}

teardown() {
	container_teardown
}

@test "the init allocates no memory" {
	requires_command cc
	# What ldd cannot list is a static program, which loads nothing before itself;
	# a sanitizer's allocator must itself be the first.
	requires_preload
	requires_no_sanitizer 'the sanitizer has an allocator of its own'
	cc -shared -fPIC -O2 -o "$T/no_malloc.so" "$BATS_TEST_DIRNAME/../inject/no_malloc.c"
	# The library tells a child that allocates: first see it do so.
	cat >"$T/child.c" <<-'X'
		#include <stdlib.h>
		#include <sys/wait.h>
		#include <unistd.h>
		int main(void)
		{
			int status;
			if (fork() == 0) {
				free(malloc(10));
				_exit(0);
			}
			wait(&status);
			return WEXITSTATUS(status);
		}
	X
	cc -O0 -o "$T/child" "$T/child.c"
	run -99 env LD_PRELOAD="$T/no_malloc.so" "$T/child"
	# Then everything that a plan can hold.
	edit_bundle '.hooks = {createRuntime: [{path: "/bin/true"}], createContainer: [{path: "/bin/true"}], startContainer: [{path: "/bin/true"}]}
		| .process.rlimits = [{type: "RLIMIT_CORE", soft: 0, hard: 0}] | .process.env |= map(select(startswith("HOME=") | not))
		| .linux.sysctl = {"net.ipv4.ip_forward": "1"} | .linux.namespaces += [{type: "network"}] | .linux.namespaces |= unique
		| .linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["mkdir"], action: "SCMP_ACT_ERRNO"}]}
		| .mounts += [{destination: "/etc", type: "tmpfs", source: "tmpfs", options: ["tmpcopyup"]}]'
	bundle_runs cat /etc/passwd
	run -0 env LD_PRELOAD="$T/no_malloc.so" "$KNARR" --root "$ROOT" run -b "$BUNDLE" "$ID"
	[[ "$output" == root:* ]]
	bundle_runs no-such-program
	run -1 env LD_PRELOAD="$T/no_malloc.so" "$KNARR" --root "$ROOT" run -b "$BUNDLE" "$ID"
	[[ "$output" == *"executable file not found"* ]]
}
