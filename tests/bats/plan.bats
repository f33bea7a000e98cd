#!/usr/bin/env bats
# Golden plans: each folder of tests/plan is a bundle; expected-root.txt and
# expected-user.txt are what it compiles to for a reference host. A plan that an
# ordinary user cannot have is the error message instead.
# REGENERATE=1 writes the files anew; read the difference before you commit it.
load helpers

plans() {
	find "$BATS_TEST_DIRNAME/../plan" -mindepth 1 -maxdepth 1 -type d | sort
}

setup() {
	container_setup
}

teardown() {
	container_teardown
}

compare_plans() { # compare_plans root|user [COMMAND-PREFIX...]
	local for=$1 dir failed=0 n=0
	shift
	for dir in $(plans); do
		dir=$(realpath "$dir")
		"$@" "$KNARR" --root "$T/none" plan --for "$for" "$dir" 2>&1 | sed "s|$dir|BUNDLE|g" >"$T/plan" || true
		[ -z "${REGENERATE:-}" ] || cp "$T/plan" "$dir/expected-$for.txt"
		diff -u "$dir/expected-$for.txt" "$T/plan" || failed=1
		n=$((n + 1))
	done
	[ $n -ge 25 ]
	[ $failed = 0 ]
}

@test "plans for root" {
	compare_plans root
}

@test "plans for an ordinary user" {
	compare_plans user
}

@test "plans are compiled without any right, as an ordinary user" {
	requires_ordinary_user
	knarr_for_user
	cp -a "$BATS_TEST_DIRNAME/../plan" "$T/plans"
	chmod -R a+rX "$T/plans"
	local dir
	for dir in "$T"/plans/*/; do
		dir=${dir%/}
		as_user "$KNARR" --root "$T/none" plan --for root "$dir" 2>&1 | sed "s|$dir|BUNDLE|g" >"$T/plan" || true
		diff -u "$dir/expected-root.txt" "$T/plan"
	done
}

@test "a plan touches nothing" {
	make_bundle
	local before
	before=$(find "$T" | sort)
	knarr plan "$BUNDLE" >/dev/null
	[ "$(find "$T" | sort)" = "$before" ]
}
