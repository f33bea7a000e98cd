# Rows of limits-guest.bash to tables, one for each driver and account; the two
# runtimes stand beside each other.
BEGIN { FS = "\t" }

{
	table = $1 SUBSEP $2
	key = table SUBSEP $4 SUBSEP $5
	if (!(table in tables)) {
		tables[table] = 1
		order[++n_tables] = table
	}
	if (!(key in keys)) {
		keys[key] = 1
		row[table, ++n_rows[table]] = key
		property[key] = $4
		value[key] = $5
		files[key] = $6
	}
	wrote[key, $3] = $7
	held[key, $3] = $8
	seen[key, $3] = $9
}

# "memory.max=1;cpu.max=2" without the names.
function values(text)
{
	gsub(/(^|;)[a-z0-9A-Z_.]+=/, "; ", text)
	return substr(text, 3)
}

function names(text)
{
	gsub(/=[^;]*/, "", text)
	gsub(/;/, "`, `", text)
	return text == "" ? "" : "`" text "`"
}

function what_was_written(key, runtime)
{
	if (!((key, runtime) in held) || files[key] == "")
		return ""
	return wrote[key, runtime] == values(files[key]) ? "same" : "**" wrote[key, runtime] "**"
}

function verdict(key, runtime)
{
	if (!((key, runtime) in held))
		return "*not run*"
	return (held[key, runtime] == "no" ? "**no**: " : held[key, runtime] == "none" ? "*none*: " : "") seen[key, runtime]
}

END {
	for (t = 1; t <= n_tables; t++) {
		table = order[t]
		split(table, name, SUBSEP)
		printf "\n## %s, %s\n\n", name[1], name[2] == "root" ? "root" : "an unprivileged user with delegation"
		print "| property | value | file | must hold | knarr wrote | runc wrote | with knarr | with runc |"
		print "|---|---|---|---|---|---|---|---|"
		for (i = 1; i <= n_rows[table]; i++) {
			key = row[table, i]
			printf "| %s | %s | %s | %s | %s | %s | %s | %s |\n", property[key], value[key], names(files[key]),
				values(files[key]), what_was_written(key, "knarr"), what_was_written(key, "runc"),
				verdict(key, "knarr"), verdict(key, "runc")
		}
	}
}
