#!/usr/bin/env bash
# Does each test of a rule fail when the code that it tests is taken out? Makes a copy
# of the source, builds it, runs the tests of mutations.tsv, which must pass, and then, one
# mutation at a time, changes a line, builds, and runs its test, which must fail.
#
#   mutate.sh [PATTERN]      only the mutations whose line matches the pattern (grep -E)
#
# Not a part of the checks: it takes some minutes, and needs what the tests of containers
# need. Prints a line for each mutation, and at the end "N mutations, N not noticed";
# the status is 1 when any was not noticed or could not be made.
set -u
export LC_ALL=C.UTF-8
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/knarr-mutate.XXXXXX")
trap 'rm -rf "$work"' EXIT
chmod 0711 "$work"

mkdir "$work/src" "$work/build"
(cd "$top" && { git ls-files -z 2>/dev/null || find . -type f -not -path './build*' -print0; } |
	tar -c --null --ignore-failed-read -T - 2>/dev/null) | tar -x -C "$work/src"
build()
{
	cd "$work/src" && ./autogen.sh && cd "$work/build" && ../src/configure PANDOC=no CFLAGS='-O1 -w' && make -s knarr
}
if ! (build) >"$work/log" 2>&1; then
	tail -n 20 "$work/log"
	exit 1
fi

cp "$work/build/knarr" "$work/knarr"

# run_test KNARR FILE NAME
run_test()
{
	local name
	# shellcheck disable=SC2016
	name=$(sed 's/[][\\.*^$+?(){}|/]/\\&/g' <<<"$3")
	KNARR=$1 timeout 120 bats --filter "^$name\$" "$work/src/tests/bats/$2" >"$work/tap" 2>&1
}

made=0 missed=0
while IFS=$'\t' read -r file change bats name; do
	case $file in '' | '#'*) continue ;; esac
	made=$((made + 1))
	what="$file: $change"
	cp "$work/src/$file" "$work/saved"
	if ! run_test "$work/knarr" "$bats" "$name" || ! grep -q '^ok 1' "$work/tap"; then
		echo "FAILS WITHOUT IT  $bats: $name"
		missed=$((missed + 1))
		continue
	fi
	if grep -q '^ok 1 .*# skip' "$work/tap"; then
		echo "skipped           $bats: $name"
		continue
	fi
	sed -i "$change" "$work/src/$file"
	if cmp -s "$work/saved" "$work/src/$file"; then
		echo "CHANGES NOTHING   $what"
		missed=$((missed + 1))
	elif ! make -s -C "$work/build" knarr >"$work/log" 2>&1; then
		echo "DOES NOT COMPILE  $what"
		tail -n 5 "$work/log"
		missed=$((missed + 1))
	elif run_test "$work/build/knarr" "$bats" "$name"; then
		echo "NOT NOTICED       $what ($bats: $name)"
		missed=$((missed + 1))
	else
		echo "noticed           $what ($bats: $name)"
	fi
	cp "$work/saved" "$work/src/$file"
done < <(grep -E -- "${1:-.}" "$here/mutations.tsv")
echo "$made mutations, $missed not noticed"
[ $missed = 0 ]
