#!/bin/sh
# gen-man.sh KNARR PAGE.md: prints PAGE as a man page.
#
# The prose is written by hand; what the program knows about itself is taken from
# its help text, so that a page cannot tell another story:
#	@NAME@		name and summary of the command
#	@SYNOPSIS@	its usage line
#	@OPTIONS@	its options
#	@COMMANDS@	the list of commands (knarr.md)
set -eu
knarr=$1
page=$2
name=$(basename "$page" .md)
command=${name#knarr}
command=${command#-}

# The help text of the command; of knarr itself for knarr.md.
# shellcheck disable=SC2086 # no command is not an argument
help=$("$knarr" help $command)
version=$("$knarr" --version | sed -n '1s/.* //p')

name_section() {
	printf '%s\n' "$help" | sed -n "s/^knarr $command: \(.*\)\.\$/$name - \1/p"
}

synopsis_section() {
	# shellcheck disable=SC2016 # Markdown, no command
	printf '%s\n' "$help" | sed -n '1s/^Usage: \(.*\)/`\1`/p'
}

# The rows below a title of the help text, as a list of definitions.
rows() {
	printf '%s\n' "$help" | awk -v title="$1" -f "$(dirname "$0")/help-rows.awk" | awk -F '\t' '
		function mark(words,   n, list, i, out, comma) {
			n = split(words, list, " ")
			for (i = 1; i <= n; i++) {
				comma = sub(/,$/, "", list[i]) ? "," : ""
				out = out (i > 1 ? " " : "") (list[i] ~ /^[-a-z]/ ? "**" list[i] "**" : "*" list[i] "*") comma
			}
			return out
		}
		{ printf "%s\n:   %s\n\n", mark($1), $2 }'
}

markdown() {
	printf '%% %s(1) knarr %s | knarr\n\n' "$(printf %s "$name" | tr '[:lower:]' '[:upper:]')" "$version"
	while IFS= read -r line; do
		case $line in
		@NAME@) name_section ;;
		@SYNOPSIS@) synopsis_section ;;
		@OPTIONS@) rows ptions: ;;
		@COMMANDS@) rows ommands ;;
		*) printf '%s\n' "$line" ;;
		esac
	done <"$page"
}

markdown | "${PANDOC:-pandoc}" -s -f markdown-smart-tex_math_dollars-raw_tex -t man
