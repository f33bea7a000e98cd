#!/usr/bin/env bats
# Every command of README.md, docs/*.md and the man pages that a reader could type is run,
# but for those that docs-special.tsv names with a reason. The commands of a page run one
# after another in a directory of their own, with what the page takes for granted: bundles,
# and the running container web1.
load helpers

setup() {
	container_setup
	requires_root
	requires_command python3
	TOP=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
	SPECIAL=$BATS_TEST_DIRNAME/docs-special.tsv
	mkdir "$T/page"
	cd "$T/page" || return 1
}

teardown() {
	container_teardown
}

pages() {
	(cd "$TOP" && printf '%s\n' README.md docs/*.md docs/man/*.md)
}

commands_of() { # commands_of PAGE...
	(cd "$TOP" && awk -f tests/bats/docs-commands.awk "$@")
}

# The page's words for places and containers become those of this test.
here() {
	sed -E "s#(^|[ '\"=>])/(srv|run|layers|var/lib/prometheus/node-exporter)(/|$| )#\1$T/page/\2\3#g
		s#\b(web1|job|first|hello|app1)\b#$ID-\1#g" <<<"$1"
}

# special FIELD COMMAND: the second or third field of its row in the list; nothing: it is not there.
special() {
	awk -F '\t' -v field="$1" -v command="$(sed 's/\\/&&/g' <<<"$2")" '$1 == command { print $field }' "$SPECIAL"
}

# on_terminal COMMAND: on a terminal of its own, on which somebody types exit.
on_terminal() {
	export -f knarr record_properties
	timeout 60 python3 - "$1" <<-'X'
		import os, pty, select, sys
		pid, master = pty.fork()
		if pid == 0:
		    os.execvp('bash', ['bash', '-c', sys.argv[1]])
		while True:
		    if not select.select([master], [], [], 0.2)[0]:
		        os.write(master, b'exit\n')
		        continue
		    try:
		        if not os.read(master, 4096):
		            break
		    except OSError:
		        break
		sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
	X
}

has_controllers() {
	local name
	[ -n "$(cgroup_mount)" ] || return 1
	for name in "$@"; do grep -qw "$name" "$(cgroup_mount)/cgroup.controllers" || return 1; done
}

kernel_is() { # kernel_is MAJOR MINOR: or newer
	printf '%s\n' "$1.$2" "$(uname -r)" | sort -CV
}

# run_command COMMAND: as its row in the list says.
run_command() {
	local how
	how=$(special 2 "$1")
	# shellcheck disable=SC2086 # words
	case $how in
	no) return 0 ;;
	terminal) on_terminal "$(here "$1")" ;;
	'controller '*) has_controllers ${how#* } || return 0 ;;&
	'kernel '*) kernel_is ${how#* } || return 0 ;;&
	*) eval "$(here "$1")" ;;
	esac
}

# run_page PAGE: stops at the first command that fails, or prints something else than the
# page, which may well be an error.
run_page() {
	local kind place text shown='' printed='' asked=''
	while IFS=$'\t' read -r kind place text <&9; do
		if [ "$kind" = O ]; then
			shown+=$place${text:+$'\t'$text}$'\n'
			continue
		fi
		compare_output "$asked" "$shown" "$printed" || return 1
		shown='' asked=''
		run_command "$text" >"$T/printed" 2>&1 </dev/null || [ "$kind" = S ] || {
			echo "$place: '$text' failed:"
			cat "$T/printed"
			return 1
		}
		[ "$kind" = C ] || asked="$place: '$text'" printed=$(<"$T/printed")
	done 9< <(commands_of "$1"; printf 'E\tend\ttrue\n')
}

compare_output() { # compare_output COMMAND SHOWN PRINTED
	[ -z "$1" ] || [ "$3" = "$(here "${2%$'\n'}")" ] || {
		echo "$1 prints something else than the page:"
		diff <(here "${2%$'\n'}") <(printf '%s\n' "$3")
		return 1
	}
}

# web_bundle NAME [COMMAND...]
web_bundle() {
	local BUNDLE=$1
	shift
	make_bundle '.root.readonly = false' "$@"
}

# start_container NAME [SECONDS]
start_container() {
	web_bundle "$T/bundle" sleep "${2:-60}"
	knarr run --detach --bundle "$T/bundle" "$ID-$1"
}

@test "README.md: the commands run, and print what it shows" {
	run_page README.md
}

@test "docs/*.md: the commands run" {
	local page
	for page in $(pages | grep '^docs/[^/]*$'); do
		mkdir -p "$T/page/$page"
		cd "$T/page/$page"
		run_page "$page"
	done
}

@test "man pages of bundles: check, plan, spec, completion" {
	web_bundle "$PWD/web"
	cp web/config.json new.json
	# shellcheck disable=SC2034 # in knarr-completion.md
	fpath=(. "$PWD")
	mkdir -p .config/fish/completions
	HOME=$PWD
	for page in check plan spec completion features version help; do run_page "docs/man/knarr-$page.md"; done
	[ -s _knarr ]
	[ -s .config/fish/completions/knarr.fish ]
}

@test "man pages of containers: create, start, run, delete, list, wait" {
	mkdir run
	web_bundle "$PWD/srv/web" sleep 60
	run_page docs/man/knarr-create.md
	[ "$(knarr state "$ID-web1" | jq -r .status)" = running ]
	[ -s run/web.pid ]
	run_page docs/man/knarr-list.md
	[ -z "$(knarr list --quiet)" ]

	web_bundle "$PWD/layers/base"
	mv layers/base/config.json .
	mv layers/base/rootfs/* layers/base/
	jq '.process.args = ["true"]' config.json >new.json && mv new.json config.json
	mkdir layers/app
	run_page docs/man/knarr-run.md

	jq '.process.args = ["sh", "-c", "sleep 0.5; exit 3"]' config.json >new.json && mv new.json config.json
	mkdir rootfs && cp -a layers/base/* rootfs/
	run_page docs/man/knarr-wait.md
	for page in start delete kill state; do run_page "docs/man/knarr-$page.md"; done
}

@test "man pages of a running container: exec, ps, mounts, pause, resume, update, stats" {
	start_container web1
	printf '#!/bin/sh\necho checked "$@" "$DEBUG" "$(id -u)"\n' >"$T/bundle/rootfs/check"
	chmod 755 "$T/bundle/rootfs/check"
	mkdir -p srv/data var/lib/prometheus/node-exporter
	for page in exec ps mounts pause resume update stats; do run_page "docs/man/knarr-$page.md"; done
	[ -s knarr.prom ]
	knarr delete --force "$ID-web1"
}

@test "man page of events" {
	start_container web1 2
	run_page docs/man/knarr-events.md
	knarr delete --force "$ID-web1"
}

@test "man pages of checkpoint, restore and knarr itself" {
	for page in knarr knarr-checkpoint knarr-restore; do run_page "docs/man/$page.md"; done
}

@test "the tests above have every page, and the list names only commands that a page has" {
	local page command all
	for page in $(pages | sed -n 's,^docs/man/knarr-\(.*\)\.md$,\1,p'); do
		grep -qE "(for page in .*\b|knarr-)$page\b" "$BATS_TEST_FILENAME" || {
			echo "no test runs the commands of docs/man/knarr-$page.md"
			return 1
		}
	done
	# shellcheck disable=SC2046 # words
	all=$(commands_of $(pages) | awk -F '\t' '$1 != "O" { sub(/^[^\t]*\t[^\t]*\t/, ""); print }')
	[ "$(wc -l <<<"$all")" -gt 40 ]
	while IFS=$'\t' read -r command _; do
		grep -qxF -- "$command" <<<"$all" || {
			echo "docs-special.tsv: in no document: $command"
			return 1
		}
	done < <(grep -v '^#' "$SPECIAL")
}

# named_tests: "FILE<TAB>WORDS OF A TITLE" of each that the table of docs/security.md names, and
# "attack<TAB>NAME", "unit<TAB>NAME".
named_tests() {
	awk -F '|' '
		/^\| attack \| known as/ { inside = 1; next }
		!inside || /^\|---/ { next }
		!/^\|/ { exit }
		{
			n = split($5, parts, ";")
			for (i = 1; i <= n; i++) {
				part = parts[i]
				gsub(/^ +| +$|`/, "", part)
				if (part == "rootfs") { print "unit\ttest_rootfs_attacks"; continue }
				if (part ~ /^unit /) { sub(/^unit /, "", part); print "unit\t" part; continue }
				file = part
				sub(/:.*/, "", file)
				sub(/^[a-z_]*: */, "", part)
				if (file == "attack") {
					m = split(part, names, ", *")
					for (j = 1; j <= m; j++) print "attack\t" names[j]
					continue
				}
				m = split(part, names, "*")
				if (m < 3) print "no test\t" $5
				for (j = 2; j <= m; j += 2) print file "\t" names[j]
			}
		}' "$TOP/docs/security.md"
}

@test "docs/security.md: each attack names a test that there is" {
	local file words
	[ "$(named_tests | wc -l)" -gt 60 ]
	while IFS=$'\t' read -r file words; do
		has_test "$file" "$words" || {
			echo "docs/security.md: no such test: $file: $words"
			return 1
		}
	done < <(named_tests)
}

has_test() { # has_test FILE WORDS
	case $1 in
	unit) [ -f "$TOP/tests/unit/$2.c" ] ;;
	attack) "$TOP/tests/attack/run.sh" --list | awk '{ print $1 }' | grep -q "^${2//\*/.*}\$" ;;
	*) grep -F -- "$2" "$TOP/tests/bats/$1.bats" | grep -q '^@test' ;;
	esac
}
