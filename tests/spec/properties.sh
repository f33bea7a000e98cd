#!/usr/bin/env bash
# Is each property of the specification exercised?
#
#   properties.sh                 by a golden plan (tests/plan)
#   properties.sh RECORD          also by a test of a whole container. RECORD is what such
#                                 tests wrote: KNARR_TEST_PROPERTIES=RECORD bats tests/bats
#   properties.sh --vm RECORD     also those that need the virtual machine ("vm" in
#                                 properties.txt), whose tests added to RECORD too
#   properties.sh --list …        print each property with a plan and a test of it
#
# The properties are those of properties.txt. A plan that is an error message counts for
# nothing, nor does a container that did not start. Prints what is missing, then
# "N properties, N missing"; the status is 1 if any is.
set -euo pipefail
export LC_ALL=C
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)

vm=no list=no
while [ $# -gt 0 ]; do
	case $1 in
	--vm) vm=yes ;;
	--list) list=yes ;;
	*) break ;;
	esac
	shift
done
record=${1:-}

command -v jq >/dev/null || {
	echo 'SKIP: jq is not installed'
	exit 77
}

# section NAME CASE
section()
{
	awk -v section="$1" -f "$top/tests/case.awk" "$2"
}

# PROPERTY <tab> NAME of a case of tests/plan
in_plans()
{
	local case
	for case in "$top"/tests/plan/*.case; do
		section 'knarr plan --for root' "$case" | grep '^knarr: ' >/dev/null ||
			section config.json "$case" | jq -L "$here" -r --arg plan "$(basename "$case" .case)" \
				'include "properties"; properties | "\(.)\t\($plan)"'
	done
}

# PROPERTY <tab> TEST of the record: see record_properties in tests/bats/helpers.bash.
in_tests()
{
	jq -L "$here" -r 'include "properties"; .test as $test | .part as $part | .config
		| if $part == "affinity" then {process: {execCPUAffinity: .process.execCPUAffinity}}
			elif $part == "process" then {process: .}
			elif $part == "resources" then {linux: {resources: .}}
			else del(.process.execCPUAffinity) end
		| properties | "\(.)\t\($test)"' "$record" | sort -u
}

# The test that properties.txt names must exist.
is_test()
{
	local file=$top/tests/${1%%: *} title=${1#*: }
	[ -e "$file" ] && grep -qF -e "@test \"$title\"" -e "@test '$title'" "$file"
}

declare -A plan test
while IFS=$'\t' read -r property name; do
	plan[$property]=${plan[$property]:-$name}
done < <(in_plans)
if [ -n "$record" ]; then
	while IFS=$'\t' read -r property name; do
		test[$property]=${test[$property]:-$name}
	done < <(in_tests)
fi

# by_test PROPERTY REASON: sets `found`.
by_test()
{
	found=${test[$1]:-}
	[ -z "$found" ] || return 0
	case $2 in
	'') return 1 ;;
	vm*) [ $vm = no ] || return 1 ;;
	esac
	found="${2#*: } (${2%%: *})"
}

n=0 missing=0
while IFS='|' read -r property reason; do
	property=${property%% *} reason=${reason# }
	case $property in
	'' | \#*) continue ;;
	esac
	n=$((n + 1)) found=
	if [ -n "$reason" ] && ! is_test "${reason#*: }"; then
		echo "$property: there is no test ${reason#*: }"
		missing=$((missing + 1))
		continue
	fi
	case $reason in
	refused*)
		[ $list = no ] || printf '%s\t-\t%s (%s)\n' "$property" "${reason#*: }" "${reason%%: *}"
		continue
		;;
	esac
	if [ -z "${plan[$property]:-}" ]; then
		echo "no golden plan has $property"
		missing=$((missing + 1))
	fi
	if [ -n "$record" ] && ! by_test "$property" "$reason"; then
		echo "no container test has $property${reason:+ ($reason)}"
		missing=$((missing + 1))
	fi
	[ $list = no ] || printf '%s\t%s\t%s\n' "$property" "${plan[$property]:--}" "${found:--}"
done <"$here/properties.txt"
echo "$n properties, $missing missing"
[ $missing = 0 ]
