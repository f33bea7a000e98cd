#!/usr/bin/env bats
# --trace-phases: where the time of a command goes.
load helpers

setup() {
	container_setup
	requires_root
}

teardown() {
	container_teardown
}

# table TEXT PHASE…: the phases are these, in this order, and add up to all.
table() {
	local text=$1 phases
	shift
	phases=$(awk '/phase of the runtime$/ { on = 1; next } $2 == "all" { exit } on { sub(/^ *[0-9]+ +[0-9.]+ +/, ""); print }' <<<"$text")
	[ "$phases" = "$(printf '%s\n' "$@")" ] || { echo "phases: $phases"; return 1; }
	awk '/phase of the runtime$/ { on = 1; next }
		$2 == "all" { exit !(sum > 0.99 * $1 && sum < 1.01 * $1) }
		on { if ($1 < last) exit 1; last = $1; sum += $2 }' <<<"$text"
}

steps() {
	awk '/step of the plan, in the child$/ { on = 1; next } on { print $3 }' <<<"$1"
}

@test "run: the phases add up, and each step of the plan but the last has its time" {
	make_bundle . sh -c 'sleep 1; exit 3'
	run -3 --separate-stderr knarr --trace-phases run -b "$BUNDLE" "$ID"
	echo "$stderr"
	[ "$output" = '' ]
	table "$stderr" 'command line' 'look whether the kernel has what is needed' run 'read and check the config' \
		'look at the host and the cgroup' 'compile the plan' 'hide the executable' 'make the state directory and the cgroup' \
		'open the sources and make the first process' 'save the state' 'wait while the container is set up' \
		'hand over' 'the program runs' 'remove what is left'
	# It begins when the runtime has noticed that the program does.
	[ "$(awk '$3 == "the" && $4 == "program" { print ($2 >= 300000 && $2 < 10000000) }' <<<"$stderr")" = 1 ]
	[ "$(steps "$stderr")" = "$(knarr plan "$BUNDLE" | awk '$1 ~ /^[0-9]+$/ && $2 != "exec" && $2 " " $3 != "load seccomp" { print $1 }')" ]
}

@test "exec, create and start have their own" {
	make_bundle . sleep 1000
	knarr --trace-phases create -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>"$T/created"
	grep -q ' change root ' "$T/created"
	run ! grep -q 'the program runs' "$T/created"
	run -0 --separate-stderr knarr --trace-phases start "$ID"
	table "$stderr" 'command line' 'look whether the kernel has what is needed' start
	run -0 --separate-stderr knarr --trace-phases exec "$ID" true
	table "$stderr" 'command line' 'look whether the kernel has what is needed' exec 'look at the host and the container' \
		'compile the plan' 'make the process' 'wait while it is set up' 'the program runs' 'tidy up'
	[[ "$(steps "$stderr")" == 1* ]]
	knarr delete --force "$ID"
}

@test "a command that fails says how far it came, and without the option nothing is printed" {
	make_bundle . /no/such/program
	run -1 --separate-stderr knarr --trace-phases run -b "$BUNDLE" "$ID"
	[[ "${stderr_lines[0]}" == 'knarr: '*'no such file or directory' ]]
	[[ "$stderr" == *'wait while the container is set up'*' change root '* ]]
	run -1 --separate-stderr knarr run -b "$BUNDLE" "$ID"
	[ "${#stderr_lines[@]}" = 1 ]
}
