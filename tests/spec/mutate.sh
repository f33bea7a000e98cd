#!/usr/bin/env bash
# Does each test of a rule fail when the code that it tests is taken out? Makes a copy
# of the source, builds it, runs the tests of mutations.tsv, which must pass, and then, one
# mutation at a time, changes a line, builds, and runs its test, which must fail. The
# mutation "step KIND" makes the plan's steps of that kind do nothing.
#
#   mutate.sh [-j N] [PATTERN]   only the mutations whose line matches the pattern (grep -E);
#                                N at a time (1), each in a copy of its own
#   mutate.sh --check            only whether each mutation still changes something, and its
#                                test exists; takes a second
#
# Not a part of the checks: it takes some minutes, and needs what the tests of containers
# need. Prints a line for each mutation, and at the end "N mutations, N noticed, N skipped,
# N not"; the status is 1 when any was not noticed or could not be made.
set -u
export LC_ALL=C.UTF-8
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)

jobs=1
if [ "${1:-}" = -j ]; then
	jobs=$2
	shift 2
fi
work=$(mktemp -d "${TMPDIR:-/tmp}/knarr-mutate.XXXXXX")
trap 'rm -rf "$work"' EXIT
chmod 0711 "$work"

# Each worker has a directory with src and build; the first one is the pattern of the others.
# "configure" finds its source by a relative path, so a copy is as good.
make_copies()
{
	local n
	mkdir -m 0711 "$work/0" "$work/0/src" "$work/0/build"
	(cd "$top" && { git ls-files -z 2>/dev/null || find . -type f -not -path './build*' -print0; } |
		tar -c --null --ignore-failed-read -T - 2>/dev/null) | tar -x -C "$work/0/src"
	(cd "$work/0/src" && ./autogen.sh && cd ../build && ../src/configure PANDOC=no CFLAGS='-O0 -w' &&
		make -s -j"$jobs" knarr) >"$work/log" 2>&1 || {
		tail -n 20 "$work/log"
		return 1
	}
	cp "$work/0/build/knarr" "$work/knarr"
	for ((n = 1; n < jobs; n++)); do
		cp -a "$work/0" "$work/$n"
	done
}

# The names of tests, one per line, as one expression for bats.
filter()
{
	sed 's/[][\\.*^$+?(){}|/]/\\&/g' | paste -sd '|' | sed 's/.*/^(&)$/'
}

# run_test DIRECTORY KNARR FILE NAME: a test of tests/bats, or one of tests/unit (NAME is for
# the reader). A test that hangs is ended, and has failed.
run_test()
{
	case $3 in
	*.c)
		make -s -C "$1/build" "tests/unit/${3%.c}" && (cd "$1/build" && top_srcdir=$1/src timeout 120 "tests/unit/${3%.c}")
		;;
	*)
		KNARR=$2 timeout -k 5 300 bats --tap --filter "$(filter <<<"$4")" "$1/src/tests/bats/$3"
		;;
	esac >"$1/tap" 2>&1
}

# What the tests say of the program as it is: a line "FILE<tab>VERDICT NAME" for each.
# The tests of one file run together.
run_before()
{
	local tests names
	cut -f 3 "$work/rows" | sort -u | while read -r tests; do
		names=$(awk -F '\t' -v f="$tests" '$3 == f { print $4 }' "$work/rows" | sort -u)
		case $tests in
		*.c)
			run_test "$work/0" '' "$tests" '' && awk -v f="$tests" '{ print f "\tok " $0 }' <<<"$names"
			;;
		*)
			KNARR=$work/knarr timeout 1200 bats --tap --filter "$(filter <<<"$names")" "$work/0/src/tests/bats/$tests" |
				sed -n "s/^ok [0-9]* \(.*\) # skip.*/$tests\tskip \1/p; t; s/^ok [0-9]* /$tests\tok /p"
			;;
		esac
	done >"$work/before"
}

# The file and the sed script of "step KIND".
no_step='s/^static step_fn/static int\nnothing(struct plan_ctx *c, const struct plan_step *s)\n{\n\t(void)c, (void)s;\n\treturn 0;\n}\n\n&/'

# The change of a row, and the file that it is made in: sets file and change.
resolve_step()
{
	if [ "$file" = step ]; then
		file=libcontainer/stage/planrun.c change="$no_step; s/^\t\[$change\] = .*/\t[$change] = nothing,/"
	fi
}

# check_rows: prints the rows that the source has left behind.
check_rows()
{
	local file change tests name row found=0
	while IFS=$'\t' read -r file change tests name; do
		row="$file: $change ($tests: $name)"
		resolve_step
		if sed "$change" "$top/$file" | cmp -s - "$top/$file"; then
			echo "changes nothing: $row"
			found=1
		fi
		if ! grep -qF -e "@test \"$name\"" -e "@test '$name'" -e "$name(void)" -e "$name(int " "$top"/tests/{bats,unit}/"$tests" 2>/dev/null; then
			echo "no such test: $row"
			found=1
		fi
	done < <(grep -v -e '^#' -e '^$' "$here/mutations.tsv")
	return $found
}

# try DIRECTORY FILE CHANGE TEST-FILE NAME: prints the verdict.
try()
{
	local dir=$1 file=$2 change=$3 tests=$4 name=$5 status=0

	resolve_step
	if grep -qxF "$tests"$'\t'"skip $name" "$work/before"; then
		echo 'skipped'
	elif ! grep -qxF "$tests"$'\t'"ok $name" "$work/before"; then
		echo 'FAILS WITHOUT IT'
	elif ! cp -p "$dir/src/$file" "$dir/saved"; then
		echo 'NO SUCH FILE'
	else
		sed -i "$change" "$dir/src/$file"
		if cmp -s "$dir/saved" "$dir/src/$file"; then
			echo 'CHANGES NOTHING'
		elif ! make -s -C "$dir/build" knarr >"$dir/log" 2>&1; then
			echo 'DOES NOT COMPILE'
		else
			run_test "$dir" "$dir/build/knarr" "$tests" "$name" || status=$?
			case $status in
			0) echo 'NOT NOTICED' ;;
			124 | 137) echo 'noticed, it hangs' ;;
			*) echo 'noticed' ;;
			esac
		fi
		cp "$dir/saved" "$dir/src/$file"
	fi
}

# worker N: every jobs-th row from the N-th on.
worker()
{
	local file change tests name
	awk -v n="$1" -v of="$jobs" '(NR - 1) % of == n' "$work/rows" | while IFS=$'\t' read -r file change tests name; do
		printf '%-18s%s: %s (%s: %s)\n' "$(try "$work/$1" "$file" "$change" "$tests" "$name" </dev/null)" \
			"$file" "$change" "$tests" "$name" | tee -a "$work/verdicts"
	done
}

count()
{
	grep -c "^$1" "$work/verdicts"
}

if [ "${1:-}" = --check ]; then
	check_rows
	exit
fi
grep -v -e '^#' -e '^$' "$here/mutations.tsv" | grep -E -- "${1:-.}" >"$work/rows"
make_copies || exit 1
run_before
: >"$work/verdicts"
for ((n = 0; n < jobs; n++)); do
	worker $n &
done
wait
echo "$(count '') mutations, $(count noticed) noticed, $(count skipped) skipped, $(count '[A-Z]') not"
[ "$(count '[A-Z]')" = 0 ]
