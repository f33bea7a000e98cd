# The commands that a reader of a Markdown page could type: the lines of indented blocks, and
# of ```sh and ```console blocks. In the latter a line that begins with "$ " is a command and
# the others are what it prints. One line for each:
#
#	C<TAB>FILE:LINE<TAB>COMMAND	a command
#	S<TAB>FILE:LINE<TAB>COMMAND	a command whose output the page shows
#	O<TAB>LINE			a line of that output
#
# Lines that go on below (with | or \ or && at their end) are joined, comments left out.
function command(kind, text)
{
	sub(/[ \t][ \t]+#.*$/, "", text)
	sub(/^#.*$/, "", text)
	sub(/[ \t]+$/, "", text)
	if (held != "")
		text = held " " text
	else
		place = FILENAME ":" FNR
	held = ""
	if (text == "")
		return
	if (text ~ /(\||&&)$/ || sub(/[ \t]*\\$/, "", text)) {
		held = text
		return
	}
	print kind "\t" place "\t" text
}
FNR == 1 { fence = ""; indented = 0; blank = 1 }
/^```/ {
	fence = fence == "" ? substr($0, 4) "." : ""
	blank = 1
	next
}
fence == "sh." { command("C", $0); next }
fence == "console." {
	if (sub(/^\$ /, ""))
		command("S", $0)
	else
		print "O\t" $0
	next
}
fence != "" { next }
/^    / && (blank || indented) {
	indented = 1
	sub(/^ +/, "")
	command("C", $0)
	next
}
{ blank = $0 == ""; indented = indented && blank }
