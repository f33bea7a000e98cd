#!/usr/bin/env bash
# Runs the container tests as on kernels without some system calls, one kind after
# the other.
#
#   tests/inject/enosys.sh [--keep DIRECTORY] [MODE…] [-- FILE.bats…]
#
# MODE: openat2, clone3, mount_setattr, mounts (open_tree, fsopen, fsconfig, fsmount,
# fspick, move_mount), pidfd_open, close_range, cgroup.kill; without any: all of them.
# FILE: tests of tests/bats; without any: all. --keep: reports and recorded errors stay
# there. KNARR is the program, and KNARR_SHARED the same with shared libraries if KNARR is
# static (for cgroup.kill, which preloads one). Needs root, a C compiler, libseccomp, and what the tests
# need.
#
# Where knarr has another way (close_range, cgroup.kill) every test must pass. The
# other calls are required: a test that does not pass counts as "needs Linux X.Y" if a
# knarr in it ended with the one error that names call and version, and as failed if
# none did, or if any knarr, mount, cgroup or state directory is left, which each test looks
# for at its end. The filter is around bats itself, so that an unprivileged user's knarr,
# which root's tests start, needs no no_new_privs. The last line of a mode is
# "MODE: N passed, N failed, N skipped, N need Linux X.Y"; the exit status is 1 if any failed,
# or if a mode came to nothing.
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)

[ "$(id -u)" = 0 ] || {
	echo 'enosys.sh needs root' >&2
	exit 2
}

# The call that knarr's error names, and the first Linux with it; none: there is another way.
declare -A needed=([openat2]='openat2 5.6' [clone3]='clone3 5.7' [mount_setattr]='mount_setattr 5.12'
	[mounts]='open_tree 5.2' [pidfd_open]='pidfd_open 5.3' [close_range]='' [cgroup.kill]='')
modes=() files=() keep=
while [ $# -gt 0 ]; do
	case $1 in
	--keep)
		mkdir -p "$2" && keep=$(realpath "$2") || exit 2
		shift
		;;
	--)
		shift
		files=("$@")
		break
		;;
	-*)
		sed -n '2,/^set/{/^#/s/^# \{0,1\}//p}' "$0" >&2
		exit 2
		;;
	*)
		[ -n "${needed[$1]+known}" ] || {
			echo "no such mode: $1" >&2
			exit 2
		}
		modes+=("$1")
		;;
	esac
	shift
done
[ ${#modes[@]} -gt 0 ] || modes=(openat2 clone3 mount_setattr mounts pidfd_open close_range cgroup.kill)
[ ${#files[@]} -gt 0 ] || files=("$top"/tests/bats/*.bats)

T=$(mktemp -d /tmp/knarr-enosys.XXXXXX)
trap 'rm -rf "$T"' EXIT
chmod 0755 "$T"
knarr=${KNARR:-$top/build/knarr}
install -D -m 0755 "$(realpath "$knarr")" "$T/real/knarr" || exit 2
install -D -m 0755 "$(realpath "${KNARR_SHARED:-$knarr}")" "$T/shared/knarr" || exit 2
mkdir "$T/record"

# compile NAME OUTPUT ARGUMENTS…
compile()
{
	local name=$1 output=$2
	shift 2
	"${CC:-cc}" -O1 -D_GNU_SOURCE -o "$T/$output" "$top/tests/inject/$name.c" "$@" || exit 2
}
compile without without -lseccomp
compile record record/knarr "-DREAL=\"$T/real/knarr\"" "-DERRORS=\"$T/errors\""
compile no_cgroup_kill no_cgroup_kill.so -shared -fPIC

# with_mode MODE COMMAND…
with_mode()
{
	local mode=$1
	shift
	case $mode in
	cgroup.kill) KNARR_HIDDEN=$T/hidden LD_PRELOAD=$T/no_cgroup_kill.so "$@" ;;
	mounts) "$T/without" open_tree,fsopen,fsconfig,fsmount,fspick,move_mount "$@" ;;
	*) "$T/without" "$mode" "$@" ;;
	esac
}

# report MODE STATUS [CALL VERSION]: reads what bats said, prints what is wrong in it and the last line.
report()
{
	local mode=$1 status=$2 call=${3:-} version=${4:-} message
	message="knarr needs Linux $version ($call), or a seccomp profile around it that lets the call pass"
	# The tests, by their numbers, in which it was the error.
	(cd "$T/errors" && grep -slF "$message" -- *) >"$T/recorded"
	awk -v mode="$mode" -v status="$status" -v version="$version" -v message="$message" '
		# What is said below a test that failed stands until the next test.
		function judge() {
			if (!number)
				return
			# A caller that clears the environment of knarr hides the number, not the error.
			if ((number in recorded || index(text, "knarr: " message)) && !left)
				need++
			else {
				failed++
				printf "%s", text
			}
			number = 0
		}
		FILENAME ~ /recorded$/ { recorded[$1]; next }
		/^1\.\.[0-9]+$/ { planned = substr($0, 4); next }
		/^(not )?ok [0-9]+ / { judge(); text = "" }
		/^ok [0-9]+ .*# skip/ { skipped++; next }
		/^ok [0-9]+ / { passed++; next }
		/^not ok [0-9]+ / { number = $3; text = $0 "\n"; left = list = 0; next }
		{ text = text $0 "\n" }
		# Programs that a test itself started and that wait for a container may be left.
		/^# left processes:/ { list = 1; next }
		list && /^# [0-9]+ / { if ($3 ~ /(^|\/)knarr[^\/]*$/) left = 1; next }
		{ list = 0 }
		/^# left / { left = 1 }
		END {
			judge()
			seen = passed + skipped + need + failed
			if (!seen || seen < planned || (status != 0 && !need && !failed)) {
				printf "%s: %d of %d tests reported, exit status %d\n%s", mode, seen, planned, status, text
				failed += seen < planned ? planned - seen : 1
			}
			if (version && !need) {
				print mode ": no test came to the error, so the mode proves nothing"
				failed++
			}
			printf "%s: %d passed, %d failed, %d skipped", mode, passed, failed, skipped
			if (version)
				printf ", %d need Linux %s", need, version
			print ""
			exit failed > 0
		}' "$T/recorded" "$T/tap"
}

run_mode()
{
	local mode=$1 knarr=$T/real/knarr status=0 verdict=0 call version
	read -r call version <<<"${needed[$mode]}"
	rm -rf "$T/errors"
	mkdir "$T/errors"
	: >"$T/hidden"
	chmod 0777 "$T/errors"
	chmod 0666 "$T/hidden"
	[ -z "$call" ] || knarr=$T/record/knarr
	[ "$mode" != cgroup.kill ] || knarr=$T/shared/knarr
	with_mode "$mode" env KNARR="$knarr" bats --tap --print-output-on-failure "${files[@]}" >"$T/tap" 2>&1 </dev/null || status=$?
	if [ "$mode" = cgroup.kill ] && [ ! -s "$T/hidden" ]; then
		echo "$mode: no knarr looked for it, so the mode proves nothing"
		verdict=1
	fi
	report "$mode" $status "$call" "$version" || verdict=1
	[ -z "$keep" ] || {
		rm -rf "${keep:?}/$mode"
		mkdir "$keep/$mode"
		cp -r "$T/tap" "$T/errors" "$keep/$mode"
	}
	return $verdict
}

bad=0
for mode in "${modes[@]}"; do
	run_mode "$mode" || bad=1
done
exit $bad
