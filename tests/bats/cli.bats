#!/usr/bin/env bats
# The command line: help, options, messages, exit statuses, and that parser, help,
# man pages and completion tell the same story. Needs no root.
load helpers

setup() {
	program_setup
	TOP=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
}

teardown() {
	rm -rf --one-file-system "$T"
}

commands() {
	"$KNARR" help | sed -n '/ommands.*:$/,/^$/s/^  \([a-z][a-z-]*\) .*/\1/p'
}

# Long options in the help of a command; of knarr itself without an argument.
options() {
	# shellcheck disable=SC2086
	"$KNARR" help $1 | sed -n 's/^  \(-., \|    \)--\([a-z0-9-]*\).*/\2/p'
}

@test "version: the lines that callers parse" {
	run -0 "$KNARR" --version
	[[ "${lines[0]}" =~ ^knarr\ version\ [0-9]+\.[0-9]+\.[0-9]+$ ]]
	[[ "${lines[1]}" =~ ^spec:\ 1\.[0-9]+\.[0-9]+$ ]]
	[[ "${lines[2]}" =~ ^libseccomp:\ [0-9.]+$ ]]
	local version=$output
	run -0 "$KNARR" -v
	[ "$output" = "$version" ]
	run -0 "$KNARR" version
	[ "$output" = "$version" ]
}

@test "help in all its forms" {
	run -0 "$KNARR" help
	local text=$output
	run -0 "$KNARR" --help
	[ "$output" = "$text" ]
	run -0 "$KNARR"
	[ "$output" = "$text" ]
	run -0 "$KNARR" --root "$ROOT" --debug
	[ "$output" = "$text" ]
	run -0 "$KNARR" help run
	text=$output
	[ "${lines[0]}" = 'Usage: knarr [GLOBAL OPTION]... run [OPTION]... ID' ]
	run -0 "$KNARR" run --help
	[ "$output" = "$text" ]
	run -0 "$KNARR" -h run
	[ "$output" = "$text" ]
	run -1 --separate-stderr "$KNARR" help bogus
	[ "$stderr" = "knarr: unknown command 'bogus' (see knarr help)" ]
}

@test "help: no line is longer than 80 bytes, and none ends in a blank" {
	local command
	for command in '' $(commands); do
		# shellcheck disable=SC2086
		"$KNARR" help $command | awk -v c="$command" 'length > 80 || / $/ { print c ": " $0; bad = 1 } END { exit bad }'
	done
}

@test "usage errors exit with 1, say what is wrong, and print nothing on stdout" {
	local expected
	while IFS='|' read -r words expected; do
		# shellcheck disable=SC2086
		run -1 --separate-stderr "$KNARR" --root "$ROOT" $words
		[ -z "$output" ]
		[ "$stderr" = "knarr: $expected" ] || {
			printf '%s\n' "$words" "found:    $stderr" "expected: knarr: $expected"
			return 1
		}
	done <<-'END'
		bogus|unknown command 'bogus' (see knarr help)
		xyn|unknown command 'xyn' (see knarr help)
		ruun c|unknown command 'ruun', did you mean 'run'?
		dlete x|unknown command 'dlete', did you mean 'delete'?
		run --bundel x c|unknown option '--bundel', did you mean '--bundle'? (see knarr help run)
		--rot x list|unknown option '--rot', did you mean '--root'? (see knarr help)
		run -Z c|unknown option '-Z' (see knarr help run)
		plan --xyz|unknown option '--xyz' (see knarr help plan)
		run c --bundle|option '--bundle' needs a value: --bundle DIR
		run --preserve-fds x c|option '--preserve-fds': expected a number from 0 to 2147483647, found 'x'
		run --detach=maybe c|option '--detach': expected true or false, found 'maybe'
		list -f yaml|option '--format': expected table|json, found 'yaml'
		--cgroup-manager x list|option '--cgroup-manager': expected cgroupfs|systemd|disabled, found 'x'
		state|state: missing argument, usage: knarr [GLOBAL OPTION]... state ID
		state a b|state: too many arguments, usage: knarr [GLOBAL OPTION]... state ID
		kill a KIL|unknown signal 'KIL', did you mean 'KILL'?
		run --upper tmpfs c|option '--upper' needs at least one --layer below it
		completion csh|completion: expected bash|zsh|fish, found 'csh'
		--root= list|option '--root': the directory name is empty
		state a/b|container id 'a/b': only letters, digits and _ + - . are allowed
		state nowhere|container "nowhere" does not exist
		start nowhere|container "nowhere" does not exist
		kill nowhere|container "nowhere" does not exist
		delete nowhere|container "nowhere" does not exist
	END
	[ ! -e "$ROOT" ]
}

@test "global options before and after the command, with blank and =" {
	local words
	while read -r words; do
		# shellcheck disable=SC2086
		run -0 "$KNARR" $words
		[ "$output" = '[]' ]
	done <<-END
		--root $ROOT --log-format json --systemd-cgroup --rootless=true list -f json
		--root=$ROOT --rootless auto --systemd-cgroup=false list --format=json
		list --root $ROOT -fjson
		list -f json --root=$ROOT --debug=true
	END
}

@test "an empty list" {
	run -0 "$KNARR" --root "$ROOT" list
	[ "$output" = 'ID          PID         STATUS      BUNDLE      CREATED     OWNER' ]
	run -0 "$KNARR" --root "$ROOT" list --quiet
	[ -z "$output" ]
	[ ! -e "$ROOT" ]
}

@test "delete --force of what is not there is no error" {
	run -0 "$KNARR" --root "$ROOT" delete --force nowhere
	[ -z "$output" ]
	[ ! -e "$ROOT" ]
}

@test "a container whose creator died can be listed and deleted" {
	mkdir -p "$ROOT/dead"
	[ "$("$KNARR" --root "$ROOT" state dead | jq -r '.status, .pid' | tr '\n' ' ')" = 'stopped 0 ' ]
	[ "$("$KNARR" --root "$ROOT" list -f json | jq -r '.[].id')" = dead ]
	run -1 "$KNARR" --root "$ROOT" kill dead
	[[ "$output" == *'container not running'* ]]
	"$KNARR" --root "$ROOT" delete dead
	[ ! -e "$ROOT/dead" ]
}

@test "a damaged state does not hide the others, and can be deleted by force" {
	mkdir -p "$ROOT/a" "$ROOT/b"
	echo '{"id":' >"$ROOT/a/state.json"
	run -0 --separate-stderr "$KNARR" --root "$ROOT" list -f json
	[ "$(jq -r '.[].id' <<<"$output")" = b ]
	[[ "$stderr" == 'knarr: warning: '*'is damaged'* ]]
	run -1 "$KNARR" --root "$ROOT" delete a
	[ -d "$ROOT/a" ]
	run -0 "$KNARR" --root "$ROOT" delete --force a
	[ ! -e "$ROOT/a" ]
}

@test "the log: JSON lines, appended, and stderr as well" {
	run -1 "$KNARR" --log "$T/log" --log-format json --root "$ROOT" state nowhere
	[ "$output" = 'knarr: container "nowhere" does not exist' ]
	run -1 "$KNARR" --log "$T/log" --log-format json --root "$ROOT" state $'no\n"where\xff'
	run -1 "$KNARR" --log "$T/log" --log-format json bogus
	run -1 "$KNARR" --log="$T/log" --log-format=json run --bogus
	[ "$(jq -rs 'length' "$T/log")" = 4 ]
	[ "$(wc -l <"$T/log")" = 4 ]
	[ "$(jq -r 'select(.level == "error") | .msg' "$T/log" | head -n1)" = 'container "nowhere" does not exist' ]
	jq -r .time "$T/log" | grep -Exc '[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\.[0-9]{9}Z' | grep -qx 4
	rm "$T/log"
	run -1 "$KNARR" --log "$T/log" --root "$ROOT" state nowhere
	grep -Eq '^time="[^"]+Z" level=error msg="container \\"nowhere\\" does not exist"$' "$T/log"
	run -1 "$KNARR" --log "$T/no/log" list
	[ "$output" = "knarr: open the log file '$T/no/log': no such file or directory" ]
}

@test "an unwritable stdout is an error" {
	[ -e /dev/full ] || skip 'no /dev/full'
	run -1 --separate-stderr bash -c "'$KNARR' features >/dev/full"
	[ "$stderr" = 'knarr: write to standard output: no space left on device' ]
	run -1 --separate-stderr bash -c "'$KNARR' help >&-"
	[[ "$stderr" == 'knarr: write to standard output: '* ]]
	run -1 --separate-stderr bash -c "set -o pipefail; { sleep 0.2; '$KNARR' help; } | true"
	[ "$stderr" = 'knarr: write to standard output: broken pipe' ]
}

@test "spec: writes a config that check accepts, and overwrites none" {
	mkdir "$T/b" "$T/c"
	run -0 "$KNARR" spec --bundle "$T/b"
	[ -z "$output" ]
	run -0 "$KNARR" check "$T/b"
	[ "$output" = "$T/b/config.json: 0 errors, 0 warnings" ]
	echo mine >"$T/b/config.json"
	run -1 "$KNARR" spec -b "$T/b"
	[ "$output" = "knarr: '$T/b/config.json' exists, remove it first" ]
	[ "$(cat "$T/b/config.json")" = mine ]
	cd "$T/c"
	run -0 "$KNARR" spec --rootless
	[ "$(jq -r '.linux.namespaces[].type' config.json | grep -x user)" = user ]
	run -0 "$KNARR" check
	run -1 "$KNARR" spec --bundle "$T/nowhere"
	[ "$output" = "knarr: create '$T/nowhere/config.json': no such file or directory" ]
}

@test "check: every error with its place, exit status 1" {
	mkdir "$T/b"
	"$KNARR" spec --bundle "$T/b"
	jq '.process.user.uid = "abc" | .process.noNewPrivileges = "true" | .processes = 1' "$T/b/config.json" >"$T/broken"
	run -1 --separate-stderr "$KNARR" check --config "$T/broken" "$T/b"
	[ -z "$stderr" ]
	[[ "$output" == *"$T/broken:"*': error: process.user.uid: '*'"abc"'* ]]
	[[ "$output" == *': error: process.noNewPrivileges: '* ]]
	[[ "$output" == *': note: '*'processes'* ]]
	[ "${lines[-1]}" = "$T/broken: 2 errors, 0 warnings" ]
	run -1 "$KNARR" check "$T/nowhere"
	[ "$output" = "knarr: read '$T/nowhere/config.json': no such file or directory" ]
}

@test "a directory without config.json: how to write one; not where another file is missing" {
	local command
	mkdir "$T/b"
	for command in "check $T/b" "plan $T/b" "run --bundle $T/b c" "create --bundle $T/b c"; do
		# shellcheck disable=SC2086
		run -1 "$KNARR" --root "$ROOT" $command
		[ "$output" = "knarr: read '$T/b/config.json': no such file or directory (knarr spec --bundle $T/b writes one)" ]
		# shellcheck disable=SC2086
		run -1 "$KNARR" --root "$ROOT" $command --config "$T/other.json"
		[ "$output" = "knarr: read '$T/other.json': no such file or directory" ]
	done
	"$KNARR" spec --bundle "$T/b"
	run -1 "$KNARR" --root "$ROOT" run --bundle "$T/b" c
	[[ "$output" == *'no such file or directory'* && "$output" != *'knarr spec'* ]]
}

@test "exec: errors of the command line are not called failures of exec" {
	run -255 "$KNARR" --root "$ROOT" exec c
	[ "$output" = 'knarr: exec: missing command (or --process FILE)' ]
	run -255 "$KNARR" --root "$ROOT" exec c true
	[ "$output" = 'knarr: exec failed: container "c" does not exist' ]
}

@test "help: every command is in one group of the overview" {
	[ "$("$KNARR" help | grep -c 'ommands.*:$')" = 5 ]
	[ "$(commands | sort)" = "$(commands | sort -u)" ]
	[ "$(commands | wc -l)" = 25 ]
}

@test "a broken config: all errors on stderr, one per line, and in the log" {
	mkdir -p "$T/b/rootfs"
	"$KNARR" spec --bundle "$T/b"
	jq '.process.user.uid = "abc" | .process.cwd = "x"' "$T/b/config.json" >"$T/broken"
	mv "$T/broken" "$T/b/config.json"
	local command
	for command in run create; do
		run -1 --separate-stderr "$KNARR" --root "$ROOT" --log "$T/log" --log-format json $command -b "$T/b" c
		[ -z "$output" ]
		[ "${#stderr_lines[@]}" = 2 ]
		[[ "${stderr_lines[0]}" == "knarr: $T/b/config.json:"*'error: process.'* ]]
		[[ "${stderr_lines[1]}" == "knarr: $T/b/config.json:"*'error: process.'* ]]
	done
	[ "$(jq -s 'map(.msg | split("\n") | length) | tostring' "$T/log")" = '"[2,2]"' ]
	[ ! -e "$ROOT" ]
}

@test "plan: prints steps, for a reference host too" {
	mkdir -p "$T/b/rootfs"
	"$KNARR" spec --bundle "$T/b"
	run -0 "$KNARR" plan --for root "$T/b"
	[[ "$output" == *'change root how=pivot'* ]]
	run -1 "$KNARR" plan --for nobody "$T/b"
	[ ! -e "$ROOT" ]
}

@test "features: a JSON document" {
	"$KNARR" features | jq -e '.ociVersionMax and (.hooks | length == 6) and .linux.seccomp.enabled' >/dev/null
}

@test "every option of the help is known to the parser" {
	local command option
	for command in $(commands); do
		for option in $(options "$command") $(options ''); do
			# A flag takes help=...; an unknown option would be named as such.
			run "$KNARR" --root "$ROOT" "$command" "--$option=" --help
			[[ "$output" != *"unknown option"* ]]
		done
	done
}

@test "every command has a man page source, and no page is without command" {
	local command page
	for command in $(commands); do
		page=$TOP/docs/man/knarr-$command.md
		[ -f "$page" ]
		if [ -n "$(options "$command")" ]; then
			grep -qx '@OPTIONS@' "$page"
		fi
	done
	for page in "$TOP"/docs/man/knarr-*.md; do
		page=$(basename "$page" .md)
		commands | grep -qx "${page#knarr-}"
	done
}

@test "man pages name every option" {
	command -v pandoc >/dev/null || skip 'no pandoc'
	local command option page
	for command in '' run list; do
		page=$("$TOP/docs/gen-man.sh" "$KNARR" "$TOP/docs/man/knarr${command:+-$command}.md")
		for option in $(options "$command"); do
			# man has \- for a dash
			grep -qF -e "--$option" <<<"${page//\\-/-}"
		done
		[ "$(grep -c '^\.SH' <<<"$page")" -ge 4 ]
	done
}

@test "man shows the page of every command, and has nothing to complain of" {
	command -v man >/dev/null || skip 'no man'
	local pages page
	pages=$(dirname "$KNARR")/docs/man
	[ -e "$pages/knarr.1" ] || skip 'no pages beside the program'
	mkdir -p "$T/man/man1"
	cp "$pages"/*.1 "$T/man/man1"
	for page in knarr $(commands | sed 's/^/knarr-/'); do
		MANPATH=$T/man MANPAGER=cat MANWIDTH=100 LC_ALL=C.UTF-8 run -0 --separate-stderr man --warnings "$page"
		[ -z "$stderr" ]
		[[ "$output" == *"$page - "* ]]
	done
}

@test "completion scripts are valid and name every command and option" {
	local shell command option script
	for shell in bash zsh fish; do
		script=$("$KNARR" completion "$shell")
		[ "$("$KNARR" completion --shell "$shell")" = "$script" ]
		if command -v "$shell" >/dev/null; then
			"$shell" -n <<<"$script"
		fi
		for command in $(commands); do
			grep -qw -- "$command" <<<"$script"
			for option in $(options "$command"); do
				grep -qe "--$option\b" -e "-l $option\b" <<<"$script"
			done
		done
	done
}

# complete WORD...: what bash offers for the last word.
complete_words() {
	local words=("$@")
	PATH=$(dirname "$KNARR"):$PATH bash -c '
		source <("$1" completion bash)
		shift
		COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
		compopt() { :; }
		_knarr
		printf "%s\n" "${COMPREPLY[@]}"' bash "$KNARR" "${words[@]}" | sort | tr '\n' ' '
}

@test "bash completion offers commands, options, values and ids" {
	mkdir -p "$ROOT/one" "$ROOT/two"
	[ "$(complete_words knarr st)" = 'start state stats ' ]
	[ "$(complete_words knarr --root x st)" = 'start state stats ' ]
	[ "$(complete_words knarr run --no-p)" = '--no-pivot ' ]
	[ "$(complete_words knarr list --format '')" = 'json table ' ]
	[ "$(complete_words knarr --log-format j)" = 'json ' ]
	[ "$(complete_words knarr --root "$ROOT" state '')" = 'one two ' ]
	[ "$(complete_words knarr help kil)" = 'kill ' ]
}

@test "--debug tells of the plan, the init and the end" {
	container_setup
	make_bundle . true
	run -0 "$KNARR" --root "$ROOT" --debug run -b "$BUNDLE" "$ID"
	[[ "$output" == *"knarr: debug: bundle '$BUNDLE': a plan of "*" steps"* ]]
	[[ "$output" == *"knarr: debug: container '$ID': its init is process "* ]]
	[[ "$output" == *"knarr: debug: container '$ID' is deleted"* ]]
	"$KNARR" --root "$ROOT" --debug --log "$T/log" --log-format json run -b "$BUNDLE" "$ID"
	[ "$(jq -r .level "$T/log" | sort -u)" = debug ]
	container_teardown
}
