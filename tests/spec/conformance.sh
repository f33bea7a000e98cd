#!/usr/bin/env bash
# Is each rule of the specification shown by a test? The rules and their tests are in
# requirements.tsv, which is kept by hand.
#
#   conformance.sh           every row is well-formed, every test that it names exists, and
#                            docs/spec-conformance.md is what the rows make; for `make check`
#   conformance.sh --table   prints that document
#   conformance.sh --ran REPORT.tap…
#                            every bats test that is named ran and passed, as these reports of
#                            bats say. A skipped one is printed with its reason; of those in
#                            tests/vm, for which the reports may have no line, likewise.
#
# Prints what is wrong; the status is 1 if anything is.
set -u
export LC_ALL=C
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
rows=$here/requirements.tsv
status=0

wrong()
{
	printf '%s\n' "$*"
	status=1
}

table()
{
	awk -f "$here/table.awk" "$rows"
}

# Lines "ID<tab>REFERENCE" of all rows.
references()
{
	awk -F '\t' '!/^#/ && NF { for (i = 5; i <= NF; i++) printf "%s\t%s\n", $1, $i }' "$rows"
}

# Lines "FILE.bats: NAME" of every bats test that there is.
bats_tests()
{
	local file
	for file in "$top"/tests/bats/*.bats "$top"/tests/vm/*.bats; do
		sed -n "s/^@test [\"']\(.*\)[\"'] *{\$/${file##*/}: \1/p" "$file"
	done
}

# Lines "FILE.c: FUNCTION" of every function of every unit test program that runs.
unit_tests()
{
	local name
	sed -n '/^check_PROGRAMS/p' "$top/tests/unit/sources.mk" | grep -o 'test_[a-z_0-9]*' | while read -r name; do
		sed -n "s/^\([a-z_0-9]*\)(.*/$name.c: \1/p" "$top/tests/unit/$name.c"
	done
}

check_rows()
{
	awk -F '\t' '
		/^#/ || /^$/ { next }
		NF < 5 { print FILENAME ":" FNR ": fewer than five columns" }
		seen[$1]++ { print FILENAME ":" FNR ": the id " $1 " is there twice" }
		$2 !~ /^(MUST|SHOULD|REQUIRED)( NOT)?|^NOT RECOMMENDED/ { print FILENAME ":" FNR ": level " $2 }
		{
			shown = 0
			for (i = 5; i <= NF; i++)
				shown += $i ~ /\.(bats|c): / || $i ~ /^broken\// || $i ~ /^not (applicable|here): ./
			if (!shown)
				print FILENAME ":" FNR ": " $1 ": neither a test nor a reason why there is none"
		}' "$rows"
}

check_names()
{
	local known id ref
	known=$(bats_tests; unit_tests)
	while IFS=$'\t' read -r id ref; do
		case $ref in
		broken/*) [ -e "$top/tests/data/$ref.case" ] || printf '%s: there is no tests/data/%s.case\n' "$id" "$ref" ;;
		*.bats:\ * | *.c:\ *) printf '%s\t%s\n' "$ref" "$id" ;;
		'not applicable: '* | 'not here: '* | 'note: '*) ;;
		*) printf '%s: what is "%s"?\n' "$id" "$ref" ;;
		esac
	done < <(references) | awk -F '\t' -v known="$known" '
		BEGIN { n = split(known, lines, "\n"); for (i = 1; i <= n; i++) there[lines[i]] = 1 }
		NF < 2 { print; next }
		!($1 in there) { print $2 ": there is no test " $1 }'
}

check()
{
	local found
	found=$(check_rows; check_names)
	[ -z "$found" ] || wrong "$found"
	table | cmp -s - "$top/docs/spec-conformance.md" ||
		wrong 'docs/spec-conformance.md is not what tests/spec/requirements.tsv makes (make spec-table)'
	[ $status != 0 ] || echo "$(grep -vc '^#' "$rows") rules, each with a test or a reason"
}

# A report names tests without their file; the names that the table uses need be unique
# among those of the file only, so one that ran in any file counts for that file when
# both have it: what did not run at all is what is looked for.
ran()
{
	references | awk -F '\t' -v vm="$(cd "$top/tests/vm" && echo *.bats)" '
		FNR == 1 { file++ }
		file == 1 {
			if ($2 ~ /\.bats: /)
				wanted[$2] = wanted[$2] " " $1
			next
		}
		/^(not )?ok [0-9]+ / {
			verdict = /^not / ? "failed" : "passed"
			name = $0
			sub(/^(not )?ok [0-9]+ (- )?/, "", name)
			if (match(name, / # skip/)) {
				verdict = "skipped: " substr(name, RSTART + 8)
				name = substr(name, 1, RSTART - 1)
			}
			# With sanitizers or again in a virtual machine: one that passed is enough.
			if (got[name] != "passed" && !(got[name] == "failed" && verdict != "passed"))
				got[name] = verdict
		}
		END {
			for (ref in wanted) {
				name = ref
				sub(/^[^:]*: /, "", name)
				source = substr(ref, 1, length(ref) - length(name) - 2)
				if (!(name in got) && index(" " vm " ", " " source " "))
					got[name] = "skipped: it needs the virtual machine"
				if (!(name in got)) {
					print "did not run: " ref " (" substr(wanted[ref], 2) ")"
					bad = 1
				} else if (got[name] == "failed") {
					print "failed: " ref " (" substr(wanted[ref], 2) ")"
					bad = 1
				} else if (got[name] != "passed")
					print "SKIP " ref " (" substr(wanted[ref], 2) "):" substr(got[name], 9)
			}
			exit bad
		}' - "$@" || status=1
}

case ${1:-} in
'') check ;;
--table) table ;;
--ran)
	shift
	ran "$@"
	;;
*)
	sed -n '2,/^$/s/^# \{0,1\}//p' "$0" >&2
	exit 2
	;;
esac
exit $status
