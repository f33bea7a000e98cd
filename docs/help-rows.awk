# The rows of two columns that a help text has below a title:
#
#	  -b, --bundle DIR          directory of the bundle, with further
#	                            lines of the second column below
#
# One line for each: the first column, a tab, the second column in one line. Shared by
# gen-man.sh and gen-options.sh; -v title=… is a part of the title, "ptions:" (of a
# command, and the global ones) or "ommands" (all groups of them).
function flush()
{
	if (names != "")
		print names "\t" text
	names = text = ""
}
/^(Global o|O)ptions:$/ || /^(Other c|C)ommands.*:$/ { on = index($0, title) > 0; next }
$0 == "" { flush(); on = 0 }
!on { next }
{
	line = $0
	sub(/^ +/, "", line)
	if (substr($0, 1, 30) ~ /^ *$/) {
		text = text (text == "" ? "" : " ") line
		next
	}
	flush()
	if (match(line, /  +/)) {
		text = substr(line, RSTART + RLENGTH)
		line = substr(line, 1, RSTART - 1)
	}
	names = line
}
END { flush() }
