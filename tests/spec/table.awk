# Makes docs/spec-conformance.md of requirements.tsv (see there): awk -f table.awk requirements.tsv
# Works in any awk, in the locale C.
BEGIN {
	FS = "\t"
	n_documents = 0
}

/^#/ || /^$/ { next }

# The text of a reference as the document shows it.
function shown(ref,    kind, rest)
{
	kind = ref
	sub(/: .*/, "", kind)
	rest = substr(ref, length(kind) + 3)
	if (ref ~ /^broken\//)
		return "`test_broken_configs.c`: " substr(ref, 8)
	if (kind ~ /\.(bats|c)$/)
		return "`" kind "`: " rest
	if (kind == "not applicable" || kind == "not here")
		return "*" kind ":* " rest
	return rest
}

function escaped(text)
{
	gsub(/\|/, "\\|", text)
	gsub(/</, "\\&lt;", text)
	return text
}

{
	document = $3
	sub(/#.*/, "", document)
	if (!(document in first)) {
		first[document] = 1
		documents[++n_documents] = document
	}
	text = ""
	tested = 0
	absent = 0
	for (i = 5; i <= NF; i++) {
		if ($i ~ /\.(bats|c): / || $i ~ /^broken\//)
			tested = 1
		if ($i ~ /^not (applicable|here): /)
			absent = 1
		text = text (i > 5 ? "<br>" : "") escaped(shown($i))
	}
	rows++
	if (absent)
		without++
	else if (tested)
		with_test++
	anchor = $3
	sub(/.*#/, "", anchor)
	lines[document] = lines[document] "| " $1 " | " $2 " | " escaped($4) " | " text " |\n"
}

END {
	print "# Conformance to the OCI runtime specification 1.3.0"
	print ""
	print "<!-- Made by `make spec-table` of tests/spec/requirements.tsv: change that. -->"
	print ""
	print "Each sentence with a MUST, MUST NOT, SHOULD, SHOULD NOT, REQUIRED or NOT RECOMMENDED of the parts that concern the"
	print "Linux runtime, and the test that shows what knarr does, or why there is none. `make check` fails when a test that is"
	print "named here does not exist, and `./check.sh` when one failed or did not run. The words in the third column are from the"
	print "specification, (c) Open Container Initiative, Apache-2.0."
	print ""
	printf "%d rules: %d with a test, %d that do not apply to this runtime.\n", rows, with_test, without
	for (d = 1; d <= n_documents; d++) {
		print ""
		print "## " documents[d]
		print ""
		print "| id | level | requirement | shown by |"
		print "|---|---|---|---|"
		printf "%s", lines[documents[d]]
	}
}
