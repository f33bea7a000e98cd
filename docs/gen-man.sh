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
# shellcheck disable=SC2086 # no command is no argument
help=$("$knarr" help $command)
version=$("$knarr" --version | sed -n '1s/.* //p')

name_section() {
	printf '%s\n' "$help" | sed -n "s/^knarr $command: \(.*\)\.\$/$name - \1/p"
}

synopsis_section() {
	# shellcheck disable=SC2016 # Markdown, no command
	printf '%s\n' "$help" | sed -n '1s/^Usage: \(.*\)/`\1`/p'
}

# Rows of two columns below a title: "  -b, --bundle DIR   what it does", with
# further lines of the second column below.
rows() {
	printf '%s\n' "$help" | awk -v title="$1" '
		function flush() {
			if (names != "") printf "%s\n:   %s\n\n", names, text
			names = ""
		}
		function mark(words,   n, list, i, out, comma) {
			n = split(words, list, " ")
			for (i = 1; i <= n; i++) {
				comma = sub(/,$/, "", list[i]) ? "," : ""
				out = out (i > 1 ? " " : "") (list[i] ~ /^[-a-z]/ ? "**" list[i] "**" : "*" list[i] "*") comma
			}
			return out
		}
		$0 ~ "^(Global o|O)ptions:$" || $0 == "Commands:" { on = index($0, title) > 0; next }
		$0 == "" { flush(); on = 0 }
		!on { next }
		{
			line = $0
			sub(/^ +/, "", line)
			if (substr($0, 1, 30) ~ /^ *$/) { text = text (text == "" ? "" : " ") line; next }
			flush()
			text = ""
			if (match(line, /  +/)) {
				text = substr(line, RSTART + RLENGTH)
				line = substr(line, 1, RSTART - 1)
			}
			names = mark(line)
		}
		END { flush() }'
}

markdown() {
	printf '%% %s(1) knarr %s | knarr\n\n' "$(printf %s "$name" | tr '[:lower:]' '[:upper:]')" "$version"
	while IFS= read -r line; do
		case $line in
		@NAME@) name_section ;;
		@SYNOPSIS@) synopsis_section ;;
		@OPTIONS@) rows ptions: ;;
		@COMMANDS@) rows Commands: ;;
		*) printf '%s\n' "$line" ;;
		esac
	done <"$page"
}

markdown | "${PANDOC:-pandoc}" -s -f markdown-smart-tex_math_dollars-raw_tex -t man
