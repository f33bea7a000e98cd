#!/bin/sh
# gen-options.sh KNARR OPTIONS.TSV: prints docs/options.md, the table of the commands and
# options of other runtimes and of what knarr does with them.
#
# The last column is the sentence of knarr's own help. An option that the program
# does not know gives an exit status other than 0 and a line on stderr: every one
# that another runtime has is to be done, or refused with a reason.
set -eu
knarr=$1
list=$2

# rows TITLE [COMMAND]: of a help text.
rows() {
	title=$1
	shift
	"$knarr" help "$@" 2>/dev/null | awk -v title="$title" -f "$(dirname "$0")/help-rows.awk"
}

# Lines "option<TAB>sentence" of a command's help, one for each of its names.
options_of() {
	rows ptions: "$@" | awk -F '\t' '{
		n = split($1, names, /, /)
		for (i = 1; i <= n; i++) {
			sub(/ .*/, "", names[i])
			print names[i] "\t" $2
		}
	}'
}

all_options() {
	rows ommands | sed 's/^/command	/'
	options_of | sed 's/^/global	/'
	# Letters that crun has for these two; the parser knows them, the help has its own.
	! "$knarr" -V >/dev/null 2>&1 || printf 'global\t-V\tprint the version\n'
	! "$knarr" '-?' >/dev/null 2>&1 || printf 'global\t-?\tprint help\n'
	# shellcheck disable=SC2013 # words
	for command in $(cut -f1 "$list" | grep -v '^#' | sort -u); do
		if [ "$command" = global ] || [ "$command" = command ]; then
			continue
		elif "$knarr" help "$command" >/dev/null 2>&1; then
			options_of "$command" | sed "s/^/$command	/"
		else
			printf '%s\n' "$command"
		fi
	done
}

cat <<'END'
# Options of other runtimes, and what knarr does with them

Made by docs/gen-options.sh from docs/options.tsv and the help of the program; `make check` fails when it is out of
date (`make options-doc` makes it again). The other runtimes are those of August 2026.

The text of an option that does not do what its name says begins with "refused" or "accepted".
END

all_options | awk -F '\t' -v list="$list" '
	NF == 1 { absent[$1] = 1 }
	{ sentence[$1 SUBSEP $2] = $3 }
	END {
		while ((getline line <list) > 0) {
			if (line ~ /^#/) continue
			split(line, f, "\t") # which empties the rest of f
			if (f[1] != last) {
				printf "\n## %s\n\n| %s | crun | runc | youki | knarr |\n|---|---|---|---|---|\n", \
					f[1] == "global" ? "Global options" : f[1] == "command" ? "Commands" : "knarr " f[1], \
					f[1] == "command" ? "command" : "option"
				last = f[1]
			}
			text = f[1] in absent ? "refused: this version has no such command" : sentence[f[1] SUBSEP f[2]]
			if (text == "") text = f[6]
			if (text == "") {
				print "gen-options.sh: knarr does not know: " f[1] " " f[2] >"/dev/stderr"
				missing = 1
			}
			gsub(/\|/, "\\|", text)
			printf "| `%s` | %s | %s | %s | %s |\n", f[2], f[3], f[4], f[5], text
		}
		exit missing
	}'
