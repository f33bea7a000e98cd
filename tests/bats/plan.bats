#!/usr/bin/env bats
# Golden plans: each tests/plan/NAME.case has a config and what it compiles to for a
# reference host, for root and for an unprivileged user. A plan that the user cannot have
# is the error message instead. "--- bundle" names what the bundle has besides
# config.json and rootfs: directories, with a "/" at the end, and files.
# REGENERATE=1 writes the plans anew; read the difference before you commit it.
load helpers

setup_file() {
	local case
	[ -n "${REGENERATE:-}" ] || return 0
	T=$BATS_FILE_TMPDIR
	for case in "$BATS_TEST_DIRNAME"/../plan/*.case; do
		sed '/^--- knarr plan /,$d' "$case" >"$T/case"
		make_case "$T/bundle" "$case"
		for for in root user; do
			echo "--- knarr plan --for $for"
			plan_of $for "$T/bundle"
		done >>"$T/case"
		cat "$T/case" >"$case"
	done
}

setup() {
	container_setup
}

teardown() {
	container_teardown
}

section() { # section NAME CASE
	awk -v section="$1" -f "$BATS_TEST_DIRNAME/../case.awk" "$2"
}

make_case() { # make_case BUNDLE CASE: the bundle of a case
	local name
	rm -rf "$1"
	mkdir -p "$1/rootfs"
	section config.json "$2" >"$1/config.json"
	while IFS= read -r name; do
		case $name in
		*/) mkdir -p "$1/$name" ;;
		*) : >"$1/$name" ;;
		esac
	done < <(section bundle "$2")
}

plan_of() { # plan_of root|user BUNDLE [COMMAND-PREFIX...]
	local for=$1 bundle=$2
	shift 2
	"$@" "$KNARR" --root "$T/none" plan --for "$for" "$bundle" 2>&1 | sed "s|$bundle|BUNDLE|g" || true
}

compare_plans() { # compare_plans root|user [COMMAND-PREFIX...]
	local for=$1 case failed=0 n=0
	shift
	for case in "$BATS_TEST_DIRNAME"/../plan/*; do
		make_case "$T/bundle" "$case"
		diff -u --label "$case" <(section "knarr plan --for $for" "$case") \
			--label got <(plan_of "$for" "$T/bundle" "$@") || failed=1
		n=$((n + 1))
	done
	[ $n -ge 40 ]
	[ $failed = 0 ]
}

@test "plans for root" {
	compare_plans root
}

@test "plans for an unprivileged user" {
	compare_plans user
}

@test "plans are compiled without any privileges, by an unprivileged user" {
	requires_unprivileged_user
	knarr_for_user
	compare_plans root as_user
}

@test "a plan touches nothing" {
	make_bundle
	local before
	before=$(find "$T" | sort)
	knarr plan "$BUNDLE" >/dev/null
	[ "$(find "$T" | sort)" = "$before" ]
}
