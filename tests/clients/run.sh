#!/usr/bin/env bash
# run.sh [CLIENT...]: real callers of a runtime (podman, containerd, docker, buildah;
# all of them by default) with knarr and, side by side, with runc. Prints a table of
# client, feature, knarr, runc. Needs root. KNARR names the program; a client that is
# not installed is left out. Status 1: something failed with knarr.
set -u
cd "$(dirname "$0")" || exit 1
[ $# -gt 0 ] || set -- podman containerd docker buildah
if [ -z "${KNARR:-}" ]; then
	for KNARR in ../../build/knarr ../../knarr "$(command -v knarr)"; do
		[ ! -x "$KNARR" ] || break
	done
fi
KNARR=$(realpath "$KNARR")
export KNARR

lines=$(mktemp)
trap 'rm -f "$lines"' EXIT
status=0
for client; do
	"./$client.sh" >>"$lines" </dev/null
	case $? in
	0 | 77) ;;
	*) status=1 ;;
	esac
done
awk -F '\t' '
$4 ~ /^skip/ { skipped = skipped sprintf("%s: %s\n", $1, $4); next }
!(($1, $2) in seen) { seen[$1, $2]; order[++n] = $1 SUBSEP $2 }
{ result[$1, $2, $3] = $4; count[$3, $4]++ }
END {
	printf "%-11s %-26s %-6s %s\n", "client", "feature", "knarr", "runc"
	for (i = 1; i <= n; i++) {
		split(order[i], key, SUBSEP)
		printf "%-11s %-26s %-6s %s\n", key[1], key[2], result[order[i], "knarr"], result[order[i], "runc"]
	}
	printf "%s", skipped
	printf "knarr: %d ok, %d failed; runc: %d ok, %d failed\n", count["knarr", "ok"], count["knarr", "FAIL"],
		count["runc", "ok"], count["runc", "FAIL"]
}' "$lines"
exit $status
