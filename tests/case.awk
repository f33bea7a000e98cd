# A section of a case: awk -v section='config.json' -f case.awk FILE.case
# A section begins with its line "--- NAME" and ends before the next such line.
/^--- / {
	inside = substr($0, 5) == section
	next
}

inside
