#!/usr/bin/env bash
# run.sh [--vm] [--at-once] [--markdown FILE] [CLIENT...]: real callers of a runtime (podman,
# podman-user, containerd, cri, docker, buildah, slurm; all of them by default) with knarr and, side by
# side, with runc. Prints a table of client, feature, knarr, runc, and below it why a
# case failed with runc, or was not tried. Needs root. KNARR names the program; a client
# that is not installed is left out. Status 1: something failed with knarr.
#
#   --vm             the cases that need a controller which this machine has not in
#                    cgroup2 are tried in a virtual machine (tests/vm/vmrun), meanwhile
#   --at-once        all clients at the same time
#   --markdown FILE  writes the table there, too, as docs/clients.md has it
#   --lines FILE     no run: the table of what an earlier run said (see $LINES_FILE)
#
# $LINES_FILE keeps the lines that the scripts printed.
set -u
began_in=$PWD
cd "$(dirname "$0")" || exit 1
# shellcheck source=tests/clients/lib.bash
. ./lib.bash
vm=no at_once=no markdown='' given=''
while [ $# -gt 0 ]; do
	case $1 in
	--vm) vm=yes ;;
	--at-once) at_once=yes ;;
	--markdown) markdown=$(cd "$began_in" && realpath "$2") && shift ;;
	--lines) given=$(cd "$began_in" && realpath "$2") && shift ;;
	*) break ;;
	esac
	shift
done
[ $# -gt 0 ] || set -- podman podman-user containerd cri docker buildah slurm

find_knarr()
{
	if [ -z "${KNARR:-}" ]; then
		for KNARR in ../../build/knarr ../../knarr "$(command -v knarr)"; do
			[ ! -x "$KNARR" ] || break
		done
	fi
	KNARR=$(realpath "$KNARR")
	export KNARR
}

# What still runs here was started by a run that somebody ended.
end_all()
{
	local pids
	mapfile -t pids < <(jobs -p)
	[ ${#pids[@]} = 0 ] || kill "${pids[@]}" 2>/dev/null
	wait
	remove_user
	rm -rf "$work"
	[ -n "${LINES_FILE:-}" ] || rm -f "$lines"
}

run_clients()
{
	local client pids=()
	for client; do
		"./$client.sh" >"$work/$client" </dev/null &
		pids+=($!)
		[ $at_once = yes ] || wait $!
	done
	wait "${pids[@]}"
	for client; do
		cat "$work/$client"
	done
}

# Lines of both runs: those of the virtual machine count for a case that had none.
merge_lines()
{
	awk -F '\t' -v OFS='\t' '
	NR == FNR { if ($4 != "-" && $4 !~ /^skip/) vm[$1, $2, $3] = $4 OFS $5; next }
	($1, $2, $3) in vm { split(vm[$1, $2, $3], r, OFS); $4 = r[1] "*"; $5 = r[2] }
	{ print }' "$1" "$2" >"$2.merged" && mv "$2.merged" "$2"
}

# The cases of a client that ask for a controller which cgroup2 has not here.
controller_cases()
{
	awk -v have=" $(cat "$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)/cgroup.controllers") " '
		/^case_/ { name = $1; sub(/^case_/, "", name); sub(/\(\).*/, "", name) }
		$1 == "need_controller" {
			missing = 0
			for (i = 2; i <= NF; i++)
				missing = missing || !index(have, " " $i " ")
			if (missing)
				print name
		}' "$1.sh" | paste -sd '|'
}

# in_machine DIRECTORY CLIENT...: DIRECTORY/lines is what they say in a machine with all
# controllers. The guest has neither /tmp nor the directory of the build: all goes into one
# of its own.
in_machine()
{
	local guest=$1 client cases
	shift
	mkdir "$guest"
	cp "$KNARR" "$guest/knarr"
	cp -- *.sh *.py *.bash "$guest"
	: >"$guest/todo"
	for client; do
		cases=$(controller_cases "$client")
		[ -z "$cases" ] || printf '%s ^(%s)$\n' "$client" "$cases" >>"$guest/todo"
	done
	cat >"$guest/inside" <<-'END'
		mkdir -p /scratch/tmp && chmod 1777 /scratch/tmp && cp -r "$1" /scratch/clients && chmod -R go+rX /scratch/clients
		export TMPDIR=/scratch/tmp KNARR=/scratch/clients/knarr CLIENT_SECONDS=300
		while read -r client CASES; do
			export CASES
			"/scratch/clients/$client.sh" </dev/null 2>>"$1/errors" >>"$1/lines"
		done <"$1/todo"
	END
	../vm/vmrun --timeout 1800 --memory 3072 --writable "$guest" -- bash "$guest/inside" "$guest" >&2
}

if [ -n "$given" ]; then
	lines=$given
else
	find_knarr
	lines=${LINES_FILE:-$(mktemp)}
	trap end_all EXIT
	trap 'exit 143' TERM INT HUP
	# Here, or the first script to end would take the user away from the others.
	make_user
	work=$(mktemp -d)
	[ $vm = no ] || in_machine "$work/guest" "$@" &
	run_clients "$@" >"$lines"
	wait
	cat "$work/guest/errors" >&2 2>/dev/null
	[ ! -s "$work/guest/lines" ] || merge_lines "$work/guest/lines" "$lines"
fi

# table FORMAT: of the lines; text or markdown.
table()
{
	awk -F '\t' -v format="$1" '
	function row(a, b, c, d) {
		if (format == "text")
			printf "%-11s %-26s %-7s %s\n", a, b, c, d
		else
			printf "| %s | %s | %s | %s |\n", a, b, c, d
	}
	function note(text) { notes = notes (format == "text" ? "" : "- ") text "\n" }
	$4 ~ /^skip/ { note($1 ": " $4); next }
	{ gsub(/[|<>]/, " ", $5) }
	!(($1, $2) in seen) { seen[$1, $2]; order[++n] = $1 SUBSEP $2 }
	{ result[$1, $2, $3] = $4; runtimes[$3]; count[$3, $4]++; if ($3 != "knarr") peer = $3 }
	$4 ~ /FAIL/ { note($1 " " $2 ", " $3 " failed: " $5) }
	$4 == "-" && $3 == "knarr" { note($1 " " $2 ", not tried: " $5) }
	$4 ~ /[*]/ { vm = 1 }
	END {
		row("client", "feature", "knarr", peer)
		if (format != "text")
			row("---", "---", "---", "---")
		for (i = 1; i <= n; i++) {
			split(order[i], key, SUBSEP)
			row(key[1], key[2], result[order[i], "knarr"], result[order[i], peer])
		}
		printf "\n%s", notes
		if (notes != "")
			print ""
		if (vm)
			print "*: in a virtual machine that has all controllers in cgroup2.\n"
		printf "knarr: %d ok, %d failed, %d not tried; %s: %d ok, %d failed, %d not tried.\n",
			count["knarr", "ok"] + count["knarr", "ok*"], count["knarr", "FAIL"] + count["knarr", "FAIL*"], count["knarr", "-"],
			peer, count[peer, "ok"] + count[peer, "ok*"], count[peer, "FAIL"] + count[peer, "FAIL*"], count[peer, "-"]
	}' "$lines"
}

table text
if [ -n "$markdown" ]; then
	sed '/^<!-- table -->$/q' "$markdown" >"$markdown.tmp"
	{
		cat "$markdown.tmp"
		echo
		table markdown
	} >"$markdown"
	rm -f "$markdown.tmp"
fi
! awk -F '\t' '$3 == "knarr" && $4 ~ /FAIL/ { bad = 1 } END { exit !bad }' "$lines"
