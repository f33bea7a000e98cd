#!/usr/bin/env bash
# The rules of the source that no compiler checks. Each check prints its findings
# as file:line: text; the exit status is 1 when any rule is broken. Sizes of files
# and functions are a report and never fail.
# The checks are called by name.
# shellcheck disable=SC2317
set -u
cd "$(dirname "$0")/.." || exit 1

failed=0

# check NAME COMMAND...: the command prints findings; none means passed.
check()
{
	local name=$1 findings
	shift
	findings=$("$@" 2>&1)
	if [ -n "$findings" ]; then
		printf 'not ok - lint: %s\n%s\n' "$name" "$findings"
		failed=1
	else
		printf 'ok - lint: %s\n' "$name"
	fi
}

# skip NAME REASON
skip()
{
	printf 'ok - lint: %s # SKIP %s\n' "$1" "$2"
}

# Files of the project: what git knows, or everything in a release tarball.
files()
{
	if git rev-parse --is-inside-work-tree >/dev/null 2>&1; then
		git ls-files -co --exclude-standard -- "$@" | while IFS= read -r f; do [ -e "$f" ] && echo "$f"; done
	else
		local pattern
		for pattern in "$@"; do
			find . -path "./$pattern" -type f -not -path './build*' | sed 's,^\./,,'
		done
	fi
}

mapfile -t c_files < <(files '*.c' '*.h' | sort -u)
mapfile -t scripts < <(files '*.sh' '*.bash' '.ci/run' 'tests/vm/vmrun' | sort -u)

# Code without comments and string literals, line by line with file:line in front.
code_of()
{
	awk '
	FNR == 1 { inside = 0 }
	{
		line = $0; out = ""
		gsub(/\\./, "", line)
		while (line != "") {
			if (inside) {
				p = index(line, "*/")
				if (!p) { line = ""; break }
				line = substr(line, p + 2); inside = 0
				continue
			}
			c = substr(line, 1, 1)
			if (c == "\"") {
				p = index(substr(line, 2), "\"")
				line = p ? substr(line, p + 2) : ""
				out = out "\"\""
			} else if (substr(line, 1, 2) == "/*") {
				inside = 1; line = substr(line, 3)
			} else if (substr(line, 1, 2) == "//") {
				line = ""
			} else {
				out = out c; line = substr(line, 2)
			}
		}
		if (out !~ /^[ \t]*$/) printf "%s:%d: %s\n", FILENAME, FNR, out
	}' "$@"
}

# The figures are a report; the bars that do not hold are findings.
house()
{
	tests/house.py >"$tmp" || sed -n '/^FAIL/,/^ok/p' "$tmp"
}

includes()
{
	tests/lint-includes.sh
}

format()
{
	clang-format --dry-run -Werror "${c_files[@]}"
}

# Files whose functions run in the child between clone and execve: the executors
# of steps (*_run.c, or a *_run_* function) and what they call. They may name
# neither a path that the kernel resolves on its own nor the heap.
child_files()
{
	local f
	for f in $(printf '%s\n' "${c_files[@]}" | grep -E '^(namespaces|libcontainer)/.*\.c$'); do
		case $f in
		*_run.c | */path_in_root.c | */mount_api.c | */mount_attach.c | */mount_userspace.c | */fs_context.c) ;;
		*/stage_child.c | */planrun.c | */home.c | */hook_exec.c | */tty_open.c) ;;
		*) grep -qE '^[a-z_]+_run_[a-z_]+\(struct plan_ctx' "$f" || continue ;;
		esac
		[ ! -e "$f" ] || echo "$f"
	done
}

# Calls that may stand all the same: "file call", each with its reason here.
#   hooks.c: planning the hooks is the parent's half of that file.
poison_whitelist='
libcontainer/process/hooks.c arena_array
'

poison()
{
	local banned='mount|umount|umount2|mkdir|mknod|symlink|link|unlink|rmdir|rename|chmod|chown|lchown|open|creat|fopen|opendir|realpath|stat|lstat|access|readlink'
	local heap='malloc|calloc|realloc|free|strdup|strndup|asprintf|vasprintf|fopen|fprintf|printf|getpwuid|getpwnam|setenv|arena_[a-z_]+'
	local list
	mapfile -t list < <(child_files)
	[ ${#list[@]} -gt 0 ] || return 0
	code_of "${list[@]}" | grep '^namespaces/' | calls "$banned" 'path resolved by the kernel alone: use the form relative to a descriptor'
	code_of "${list[@]}" | calls "$heap" 'not between clone and execve'
}

# calls WORDS REASON: lines of stdin that call one of the words and are not in the whitelist.
calls()
{
	local line call
	while IFS= read -r line; do
		[[ ${line#*:*:} =~ (^|[^a-zA-Z0-9_>.])($1)[[:blank:]]*\( ]] || continue
		call=${BASH_REMATCH[2]}
		grep -qxF "${line%%:*} $call" <<<"$poison_whitelist" || printf '%s   [%s: %s]\n' "$line" "$call" "$2"
	done
}

# Functions that are banned everywhere: unbounded, racy or not reentrant.
banned_calls()
{
	code_of "${c_files[@]}" |
		grep -E '[^a-zA-Z0-9_](strcpy|strcat|sprintf|vsprintf|gets|tmpnam|mktemp|tempnam|alloca|system|popen|strtok|atoi|atol|localtime|gmtime|asctime|ctime)[ \t]*\('
}

# Nothing is opened at run time: the program may be linked statically.
libraries()
{
	code_of "${c_files[@]}" | grep -v '^tests/' | grep -E '[^a-zA-Z0-9_](dlopen|dlmopen|dlsym)[ \t]*\(|[<"]dlfcn\.h'
}

# Nothing below runtime/ prints or ends the process (the child's _exit aside;
# the printer of plans writes to the stream it is given).
prints()
{
	code_of "${c_files[@]}" | grep -E '^(base|plan|oci-spec|namespaces|cgroups|libcontainer)/' |
		grep -E '[^a-zA-Z0-9_](printf|puts|putchar|perror|exit)[ \t]*\('
}

# Marks of unfinished work.
words()
{
	local list
	mapfile -t list < <(files '*.c' '*.h' '*.sh' '*.bash' '*.bats' '*.mk' '*.md' '*.am' '*.ac' '.ci/run' 'tests/vm/vmrun' |
		grep -v '^tests/lint\.sh$' | sort -u)
	grep -nE '\b(TODO|FIXME|XXX|HACK)\b' "${list[@]}"
}

# Plain English in the terms of the field: what is not said, and what is said instead.
unwanted_words=(
	'(?i)\bfolders?\b' directory
	'(?i)\bprocessors?\b' CPU
	'(?i)\bordinary users?\b' 'unprivileged user'
	'(?i)\bfor want of\b' 'out of'
	'(?i)\bforbid(s|den)?\b' 'not permitted, denied'
	'(?i)\b(he|him|his)\b' 'they, them, their'
	'\brights\b' privileges
	'(?<![Tt]here )\b(is|are) no (?!longer\b|more\b|one\b)[a-z]' 'is not a'
	'^/\* Theory of operation: see ' 'how the file works, or nothing'
)

# Where a word may stand all the same: "FILE<TAB>text of the line", each with its reason here.
#   docs/spec-conformance.md is left out: its sentences are those of the specification.
#   spec_process.bats: a directory of the container whose name is /his.
word_exceptions="
tests/bats/spec_process.bats	/his
"

language()
{
	local list i line file
	mapfile -t list < <(files '*.c' '*.h' '*.sh' '*.bash' '*.bats' '*.awk' '*.py' '*.mk' '*.md' '*.am' '*.ac' '.ci/run' 'tests/vm/vmrun' |
		grep -vE '^(tests/lint\.sh|docs/spec-conformance\.md)$' | sort -u)
	for ((i = 0; i < ${#unwanted_words[@]}; i += 2)); do
		grep -nP -- "${unwanted_words[i]}" "${list[@]}" | while IFS= read -r line; do
			file=${line%%:*}
			while IFS=$'\t' read -r except text; do
				[ "$file" != "$except" ] || [[ $line != *"$text"* ]] || continue 2
			done <<<"${word_exceptions:1:-1}"
			printf '%s   [%s]\n' "$line" "${unwanted_words[i + 1]}"
		done
	done
}

# Code that a mutation cannot take out any more: its test would be shown by nothing.
mutations()
{
	tests/spec/mutate.sh --check
}

header_guards()
{
	local f guard
	for f in "${c_files[@]}"; do
		case $f in
		tests/* | *.c) continue ;;
		esac
		guard=KNARR_$(echo "$f" | tr 'a-z/.-' 'A-Z___')
		grep -q "^#ifndef $guard\$" "$f" || echo "$f:1: include guard is not $guard"
	done
}

# Each file starts by saying what it is.
opening_comment()
{
	local f
	for f in "${c_files[@]}"; do
		head -n 1 "$f" | grep -q '^/\*' || echo "$f:1: does not open with a comment"
	done
}

whitespace()
{
	local list
	mapfile -t list < <(files '*.c' '*.h' '*.sh' '*.bash' '*.bats' '*.mk' '*.am' '*.ac' '.ci/run' 'tests/vm/vmrun' | sort -u)
	grep -nE '[ 	]+$' "${list[@]}"
	local f
	for f in "${list[@]}"; do
		[ -z "$(tail -c 1 "$f")" ] || echo "$f: no newline at the end"
	done
}

shell()
{
	shellcheck -x "${scripts[@]}"
}

tidy()
{
	local list flags
	mapfile -t list < <(printf '%s\n' "${c_files[@]}" | grep -E '^(base|plan|oci-spec|namespaces|cgroups|libcontainer|runtime)/.*\.c$')
	# config.h is made by configure; the checks chosen in .clang-tidy do not depend on it.
	flags=(-std=gnu11 -D_GNU_SOURCE -I. '-DPACKAGE_VERSION="0"' '-DPACKAGE_NAME="knarr"')
	printf '%s\n' "${list[@]}" | xargs -P "$(nproc)" -n 8 -- sh -c 'clang-tidy --quiet "$@" -- '"$(printf '%q ' "${flags[@]}")"' 2>/dev/null' sh |
		grep -E '(warning|error):' | sort -u
}

# The longest functions and files, as a report.
sizes()
{
	awk '
	FNR == 1 { name = ""; start = 0 }
	/^[a-z_][a-zA-Z0-9_]*\(/ { name = $0; sub(/\(.*/, "", name) }
	/^{/ { start = FNR }
	/^}/ { if (start && name != "") print FNR - start - 1, FILENAME ":" start, name; start = 0; name = "" }
	' "${c_files[@]}" | sort -rn >"$tmp"
	awk '{ n++; v[n] = $1; if ($1 > 60) over++ }
	END { if (n) printf "# %d functions: median %d lines, nine in ten under %d, %d over 60\n", n, v[int((n + 1) / 2)], v[int(n / 10) + 1] + 1, over }' "$tmp"
	awk '$1 > 60 { printf "#   %s %s() %d lines\n", $2, $3, $1 }' "$tmp"
	wc -l "${c_files[@]}" | awk '$2 != "total" && $1 > 400 { printf "#   %s %d lines\n", $2, $1 }'
}

tmp=$(mktemp)
trap 'rm -f "$tmp"' EXIT

check 'directories include downwards only' includes
check 'circles of calls, prefixes of functions, letters, sizes' house
check 'no path calls and no heap in the child' poison
check 'no banned calls' banned_calls
check 'only runtime/ prints and exits' prints
check 'no library is opened at run time' libraries
check 'no unfinished work' words
check 'plain English' language
check 'mutations change what they name' mutations
check 'include guards' header_guards
check 'every file opens with what it is' opening_comment
check 'white space' whitespace
if command -v clang-format >/dev/null; then
	check 'clang-format' format
else
	skip 'clang-format' 'clang-format is not installed'
fi
if command -v shellcheck >/dev/null; then
	check 'shellcheck' shell
else
	skip 'shellcheck' 'shellcheck is not installed'
fi
if command -v clang-tidy >/dev/null; then
	check 'clang-tidy' tidy
else
	skip 'clang-tidy' 'clang-tidy is not installed'
fi
sizes
exit $failed
