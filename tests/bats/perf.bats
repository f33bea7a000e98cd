#!/usr/bin/env bats
# What measures (tests/perf) measures, says when something is not in proportion or more than it was, and
# leaves nothing, also when it is interrupted. What comes out is for docs/performance.md.
load helpers

setup() {
	container_setup
	PERF=$BATS_TEST_DIRNAME/../perf
	export TMPDIR=$T
}

teardown() {
	container_teardown
}

requires_harness() {
	requires_root
	requires_cap sys_admin
	requires_cgroup2
	requires_command jq
	requires_command busybox
	requires_command cc
	requires_command python3
}

nothing_is_left() { # nothing_is_left PID
	[ -z "$(find "$(cgroup_mount)" -name "*knarr-bench-$1*")" ]
	[ -z "$(find "$T" -name 'knarr-perf.*')" ]
}

# scale_samples EXPONENT: what scale.sh would measure if n items took n to that power.
scale_samples() {
	awk -v exponent="$1" 'BEGIN {
		for (i = 0; i < 5; i++)
			for (n = 0; n <= 900; n += n == 0 ? 100 : n == 100 ? 200 : 600)
				printf "things: %d\tknarr\t%.4f\t1\t1000\n", n, 5 + i / 100 + n ^ exponent / 100
	}'
}

@test "bench: a table of knarr, the floor and other runtimes, a plot, and nothing is left" {
	requires_harness
	OTHERS="old=$KNARR" "$PERF/bench.sh" --rounds 3 --rows '^(run|create|state) (small|podman)$|^list of 2$' --into "$T/into" >"$T/out" 3>&- &
	pid=$!
	wait $pid
	grep -qE '^\| \| floor \| knarr \| old \|.* knarr : floor \| old : knarr \|' "$T/out"
	grep -qE '^\| run podman \| [0-9.]+ \([0-9.]+–[0-9.]+\) \| [0-9.]+ \([0-9.]+–' "$T/out"
	grep -qE '^\| create small \| – \| [0-9.]+ ' "$T/out"
	grep -qE '^\| list of 2 \| [0-9.]+ ' "$T/out"
	grep -qE '^\| largest process of run podman, MiB \| [0-9.]+ ' "$T/out"
	[ "$(grep -cP '^state small\tknarr\t' "$T/into/samples.tsv")" = 3 ]
	# A point for each time in the table.
	[ "$(grep -c '<circle' "$T/into/bench.svg")" = "$(grep -E '^\| (run|create|state|list) ' "$T/out" | grep -oF '(' | wc -l)" ]
	[ "$(tail -n 1 "$T/into/bench.svg")" = '</svg>' ]
	nothing_is_left $pid
}

@test "bench: system calls of run are counted, though it is not a row that was asked for" {
	requires_harness
	requires_command strace
	requires_no_sanitizer 'a traced program cannot look for leaks'
	run -1 --separate-stderr "$PERF/bench.sh" --rounds 1 --rows '^nothing of the kind$' --into "$T/into"
	[[ $stderr == *'no samples of knarr'* ]]
	run -0 --separate-stderr "$PERF/bench.sh" --rounds 1 --rows '^system calls' --into "$T/into"
	[[ $output =~ '| system calls of run podman | '[1-9][0-9]+' | '[1-9][0-9]+' |' ]]
	[[ $output != *'run small'* ]]
}

# calls_of COMMAND...: how many system calls knarr makes; those for its memory are libc's affair.
calls_of() {
	strace -f -qq -c -e 'trace=!brk,mmap,munmap' -o "$T/calls" "$KNARR" --root "$ROOT" "$@" >"$T/out"
	awk '$NF == "total" { print $4 }' "$T/calls"
}

@test "list makes nine system calls for each container that runs" {
	requires_harness
	requires_command strace
	requires_no_sanitizer 'a traced program cannot look for leaks'
	make_bundle
	bundle_runs /bin/sleep 1000
	knarr run -d -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
	one=$(calls_of list)
	knarr run -d -b "$BUNDLE" "$ID-2" </dev/null >/dev/null 2>&1
	knarr run -d -b "$BUNDLE" "$ID-3" </dev/null >/dev/null 2>&1
	[ "$(($(calls_of list) - one))" -le 18 ]
	[ "$(grep -c running "$T/out")" = 3 ]
	knarr kill "$ID-2" KILL
	wait_status "$ID-2" stopped
	knarr pause "$ID-3"
	knarr list >"$T/out"
	grep -q "^$ID-2 .* stopped " "$T/out"
	grep -q "^$ID-3 .* paused " "$T/out"
	knarr delete -f "$ID-3"
	# Until its parent has reaped it, it is asked by a pidfd as well.
	[ "$(($(calls_of list) - one))" -le 12 ]
	knarr delete "$ID-2"
	knarr delete -f "$ID"
}

@test "bench: interrupted, its containers, cgroups and files are gone, and it says 143" {
	requires_harness
	"$PERF/bench.sh" --rounds 1000 --rows '^(start|exec) small$' --into "$T/into" >"$T/out" 3>&- &
	pid=$!
	for _ in $(seq 600); do
		! grep -qsP '^exec small\tknarr\t' "$T/into/samples.tsv" || break
		sleep 0.1
	done
	[ -n "$(find "$(cgroup_mount)" -name "*knarr-bench-$pid-knarr-long-small*")" ]
	kill -TERM $pid
	began=$SECONDS status=0
	wait $pid || status=$?
	[ $status = 143 ]
	# Not when all rounds are over.
	[ $((SECONDS - began)) -lt 60 ]
	nothing_is_left $pid
}

@test "bench-scale: kinds that are asked for, with the time per item" {
	requires_harness
	"$PERF/scale.sh" --rounds 3 --rows 'environment|overlay' --into "$T/into" >"$T/out" 3>&- &
	pid=$!
	wait $pid
	grep -qE '^\| 10000 environment variables \| knarr \| [0-9.]+ \|( -?[0-9.]+ \|){3} [0-9.]+ \| [0-9.–-]+ \|' "$T/out"
	grep -qE '^\| 128 overlay layers \| knarr \|' "$T/out"
	nothing_is_left $pid
}

@test "bench-scale: what grows with the square is not linear, and what grows in proportion is" {
	requires_command python3
	scale_samples 2 >"$T/square"
	scale_samples 1 >"$T/line"
	scale_samples 0 >"$T/flat"
	run -0 "$PERF/scale.py" "$T/square"
	[[ $output == *'| 3.00 | **NOT LINEAR** |' ]]
	run -0 "$PERF/scale.py" "$T/line"
	[[ $output == *'| 1.00 | linear |' ]]
	run -0 "$PERF/scale.py" "$T/flat"
	[[ $output == *'| too small to tell |' ]]
	run -1 "$PERF/scale.py" /dev/null
}

@test "instructions: more than ten per cent above the number fails, below it says so" {
	requires_command valgrind
	requires_no_sanitizer
	cp "$PERF/instructions.tsv" "$T/numbers"
	NUMBERS=$T/numbers "$PERF/instructions.sh" --update
	awk '/^#/ { next } { print $1 "\t" int($2 / 1.12) }' "$T/numbers" >"$T/lower"
	awk '/^#/ { next } { print $1 "\t" int($2 / 1.08) }' "$T/numbers" >"$T/within"
	awk '/^#/ { next } { print $1 "\t" int($2 * 1.2) }' "$T/numbers" >"$T/higher"
	NUMBERS=$T/lower run -1 "$PERF/instructions.sh"
	[ "$(grep -c 'TOO MANY' <<<"$output")" = 2 ]
	NUMBERS=$T/within run -0 "$PERF/instructions.sh"
	NUMBERS=$T/higher run -0 "$PERF/instructions.sh"
	[ "$(grep -c 'fewer: --update' <<<"$output")" = 2 ]
	grep -v plan "$T/numbers" >"$T/half"
	NUMBERS=$T/half run -1 "$PERF/instructions.sh"
}
