#!/bin/sh
# gen-screens.sh KNARR DIRECTORY: writes check.svg and plan.svg to DIRECTORY, pictures of a
# terminal in which the commands below were typed. The text is what KNARR prints, so
# tests/check-screens.sh fails when a picture shows something else than the program
# (`make screens` makes them again). Needs no root and nothing but awk.
set -eu
knarr=$(realpath "$1")
to=$(realpath "$2")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

mkdir -p bin web/rootfs
ln -s "$knarr" bin/knarr
PATH=$work/bin:$PATH

cat >web/config.json <<'JSON'
{
	"ociVersion": "1.3.0",
	"root": { "path": "rootfs" },
	"process": {
		"args": [ "httpd", "-f" ],
		"cwd": "/srv",
		"user": { "uid": "www", "gid": 33 },
		"noNewPrivileges": "true",
		"rlimits": [ { "type": "RLIMIT_NOFILES", "soft": 64, "hard": 64 } ]
	},
	"mounts": [ { "destination": "/proc", "type": "proc" } ],
	"linux": {
		"namespaces": [ { "type": "pid" }, { "type": "mount" }, { "type": "net" } ],
		"maskedPath": [ "/proc/kcore" ]
	}
}
JSON

# screen COMMAND...: each command line with a prompt, and what it prints.
screen() {
	for line in "$@"; do
		printf '$ %s\n' "$line"
		sh -c "$line" 2>&1 || :
	done | awk '
	function escape(text)
	{
		gsub(/&/, "\\&amp;", text)
		gsub(/</, "\\&lt;", text)
		gsub(/>/, "\\&gt;", text)
		return text
	}
	{
		lines[NR] = $0
		if (length($0) > longest)
			longest = length($0)
	}
	END {
		width = 7.8 * longest + 32
		height = 18 * NR + 28
		printf "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\">\n", width, height, width, height
		print "<style>text { font: 13px monospace; fill: #d8dee9; white-space: pre } .prompt { fill: #a3be8c } .error { fill: #ebcb8b }</style>"
		print "<rect width=\"100%\" height=\"100%\" rx=\"6\" fill=\"#20242c\"/>"
		for (i = 1; i <= NR; i++) {
			class = lines[i] ~ /^\$ / ? " class=\"prompt\"" : lines[i] ~ /: error: / ? " class=\"error\"" : ""
			printf "<text x=\"16\" y=\"%d\"%s xml:space=\"preserve\">%s</text>\n", 18 * i + 10, class, escape(lines[i])
		}
		print "</svg>"
	}'
}

screen 'knarr check web' >"$to/check.svg"
sed -i 's/"www"/33/; s/"true"/true/; s/NOFILES/NOFILE/; s/"net"/"network"/; s/maskedPath"/maskedPaths"/' web/config.json
screen 'knarr check web' 'knarr plan --for root web | tail -n 11' >"$to/plan.svg"
