#!/bin/sh
# The pictures docs/check.svg and docs/plan.svg show what the program prints. Part of
# `make check`.
set -eu
top=${top_srcdir:-$(dirname "$0")/..}
new=$(mktemp -d)
trap 'rm -rf "$new"' EXIT
status=0

"$top/docs/gen-screens.sh" "${KNARR:-./knarr}" "$new"
for picture in check.svg plan.svg; do
	cmp -s "$new/$picture" "$top/docs/$picture" && continue
	diff -u "$top/docs/$picture" "$new/$picture" || :
	echo "docs/$picture is out of date: run make screens"
	status=1
done
exit $status
