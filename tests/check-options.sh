#!/bin/sh
# docs/options.md is what docs/gen-options.sh makes of the program, and the program
# knows every option of the other runtimes. Part of `make check`.
set -eu
top=${top_srcdir:-$(dirname "$0")/..}
knarr=${KNARR:-./knarr}
new=$(mktemp)
trap 'rm -f "$new"' EXIT

"$top/docs/gen-options.sh" "$knarr" "$top/docs/options.tsv" >"$new"
cmp -s "$new" "$top/docs/options.md" && exit 0
diff -u "$top/docs/options.md" "$new" || :
echo 'docs/options.md is out of date: run make options-doc'
exit 1
