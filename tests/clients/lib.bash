# Shared by the tests of real callers (podman.sh, containerd.sh, docker.sh,
# buildah.sh). A script of a client says
#
#	. "$(dirname "$0")/lib.bash"
#	client_begin NAME PROGRAMS...	# namespaces of its own; makes $T and an image in it
#	runtime_begin() ... runtime_end() ...	# around all cases of one runtime; optional
#	case_<feature>() ...			# status 0 when all was right
#	client_run				# runs each case with each runtime
#
# Everything happens in a private mount namespace (and in those that $NAMESPACES asks
# unshare(1) for): /run is a fresh tmpfs, so that the default directories of client and
# runtime are nobody else's, and cgroup2 alone lies on /sys/fs/cgroup, so that neither
# runtime finds a v1 hierarchy. Nothing is downloaded. Cgroups that were not there before are removed, if they bear the names
# that the clients give.
#
# Each case prints one line: client, feature, runtime, "ok", "FAIL" or "-", and for the
# latter two the reason, with tabs between. "-" is a case that cannot be tried on this
# machine, whatever the runtime (it called `unable`). What a failed case said goes to
# stderr. Status 1: a case failed with knarr; 77: nothing was tried. $CASES is a regular
# expression of the cases to run, $PEER the other runtime (runc).
# shellcheck shell=bash disable=SC2034

skip_client()
{
	printf '%s\t-\t-\tskip: %s\n' "$CLIENT" "$1"
	exit 77
}

# client_begin NAME PROGRAMS...: starts the script again in new namespaces and
# returns there.
client_begin()
{
	local program
	CLIENT=$1
	[ "$(id -u)" = 0 ] || skip_client 'needs root'
	for program in busybox "${@:2}"; do
		command -v "$program" >/dev/null || skip_client "$program is not installed"
	done
	CGROUP2=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
	[ -n "$CGROUP2" ] || skip_client 'cgroup2 is not mounted'
	[ -n "${CLIENTS_INSIDE:-}" ] || begin_outside
	T=$CLIENTS_INSIDE
	CGROUP=knarr-clients-${T##*.}
	mkdir "$T/shared"
	mount -t tmpfs tmpfs "$T/shared"
	mount --make-shared "$T/shared"
	mount -t tmpfs -o mode=755 tmpfs /run
	mkdir -p /run/lock /run/user
	[ "$CGROUP2" = /sys/fs/cgroup ] || mount --bind "$CGROUP2" /sys/fs/cgroup
	make_image
}

# The half in the caller's namespaces: makes $T and removes all in the end. None of
# the mounts of the inner half are seen here, so removing cannot follow them.
begin_outside()
{
	local status=0 inner
	KNARR=$(command -v "${KNARR:-knarr}") || skip_client 'no knarr: set KNARR'
	KNARR=$(realpath "$KNARR")
	CLIENTS_INSIDE=$(mktemp -d "${TMPDIR:-/tmp}/knarr-clients.XXXXXX")
	chmod 0711 "$CLIENTS_INSIDE"
	CGROUPS_BEFORE=$(client_cgroups)
	trap end_outside EXIT
	trap 'kill "$inner" 2>/dev/null; exit 143' TERM INT HUP
	make_user
	export KNARR CLIENTS_INSIDE
	# In the background, for bash heeds a signal only after a program in the foreground.
	# shellcheck disable=SC2086
	unshare --mount --propagation private ${NAMESPACES:-} -- "$0" &
	inner=$!
	wait $inner || status=$?
	exit $status
}

end_outside()
{
	end_leftovers
	remove_cgroups "$CGROUPS_BEFORE"
	remove_user
	rm -rf --one-file-system "$CLIENTS_INSIDE" && return
	# Something that was about to end wrote into it.
	sleep 1
	rm -rf --one-file-system "$CLIENTS_INSIDE"
}

# The unprivileged user $CLIENTS_USER, who has a range in /etc/subuid: that of the container tests, or
# one of this run alone, since another run may end at any moment and take its own along.
make_user()
{
	MADE_USER=
	[ "$(id -u)" = 0 ] || return
	export CLIENTS_USER=${CLIENTS_USER:-${KNARR_TEST_USER:-}}
	[ -z "$CLIENTS_USER" ] || ! id "$CLIENTS_USER" >/dev/null 2>&1 || return
	CLIENTS_USER=knarr-c$$
	# The files of accounts are locked while another run adds its own.
	for _ in {1..50}; do
		! useradd --no-create-home --shell /usr/sbin/nologin --comment 'tests of knarr' "$CLIENTS_USER" 2>/dev/null || {
			MADE_USER=yes
			return
		}
		sleep 0.1
	done
}

remove_user()
{
	[ -n "$MADE_USER" ] || return 0
	for _ in {1..50}; do
		! userdel "$CLIENTS_USER" 2>/dev/null || break
		sleep 0.1
	done
}

# Processes that work in $T or name it, on the command line or in the environment: those of
# the client that did not end.
end_leftovers()
{
	local file pid
	for file in /proc/[0-9]*/cmdline; do
		pid=${file#/proc/}
		pid=${pid%/cmdline}
		case " $$ $BASHPID " in
		*" $pid "*) continue ;;
		esac
		case "$(cat "$file" "/proc/$pid/environ" 2>/dev/null | tr '\0' ' ') $(readlink "/proc/$pid/cwd")" in
		*"$CLIENTS_INSIDE"*) kill -KILL "$pid" 2>/dev/null ;;
		esac
	done
	return 0
}

# Top-level cgroups that the client makes: ours, and those whose names it fixes.
client_cgroups()
{
	local fixed=libpod_parent
	[ "$CLIENT" != docker ] || fixed=docker
	find "$CGROUP2" -mindepth 1 -maxdepth 1 -type d \
		\( -name "knarr-clients-${CLIENTS_INSIDE##*.}" -o -name $fixed -o -name knarr-test \)
}

# remove_cgroups BEFORE: those that were not there; a cgroup in use stays.
remove_cgroups()
{
	local dir
	sleep 0.2
	client_cgroups | while read -r dir; do
		grep -qxF "$dir" <<<"$1" || find "$dir" -depth -type d -exec rmdir {} \; 2>/dev/null
	done
	return 0
}

# $T/root: a directory with busybox. $T/root.tar: the same.
make_image()
{
	local applet
	mkdir -p "$T"/root/{bin,dev,etc,proc,sys,tmp,root,run,home,mnt}
	cp "$(command -v busybox)" "$T/root/bin/busybox"
	for applet in $(busybox --list); do
		[ "$applet" = busybox ] || ln -s busybox "$T/root/bin/$applet"
	done
	printf 'root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000:user:/home:/bin/sh\n' >"$T/root/etc/passwd"
	printf 'root:x:0:\nuser:x:1000:\nmore:x:2000:user\n' >"$T/root/etc/group"
	echo text >"$T/root/etc/plain"
	tar -C "$T/root" -cf "$T/root.tar" .
	mkdir "$T/volume"
	make_helpers
	echo from-host >"$T/volume/file"
	chmod 0644 "$T/root.tar"
}

# $T/seccomp.json: all system calls but mkdir are allowed. $T/on-terminal COMMAND...:
# with a terminal on its three descriptors.
make_helpers()
{
	cat >"$T/on-terminal" <<-'END'
		#!/usr/bin/env bash
		exec script -qec "$(printf '%q ' "$@")" /dev/null </dev/null
	END
	chmod 0755 "$T/on-terminal"
	cat >"$T/seccomp.json" <<-END
		{"defaultAction": "SCMP_ACT_ALLOW", "syscalls":
		[{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 95}]}
	END
}

# unable REASON: ends the case; the machine does not let it be tried.
unable()
{
	echo "$1"
	exit 78
}

need_program()
{
	command -v "$1" >/dev/null || unable "$1 is not installed"
}

# need_controller NAME...: limits need the controllers in cgroup2.
need_controller()
{
	local name
	for name; do
		grep -qw "$name" /sys/fs/cgroup/cgroup.controllers || unable "cgroup2 has no $name controller here"
	done
}

# The same image as an OCI archive, $T/oci.tar, with the tag bb.
make_layout()
{
	umoci init --layout "$T/oci"
	umoci new --image "$T/oci:bb"
	umoci unpack --image "$T/oci:bb" "$T/unpacked" 2>/dev/null
	cp -a "$T/root/." "$T/unpacked/rootfs/"
	umoci repack --image "$T/oci:bb" "$T/unpacked" 2>/dev/null
	umoci config --image "$T/oci:bb" --config.env PATH=/bin --config.cmd /bin/sleep --config.cmd 1000
	tar -C "$T/oci" -cf "$T/oci.tar" .
}

# $T/runc-without-cpu: runc with configs that do not ask for shares of cpu.
runc_without_cpu()
{
	cat >"$T/runc-without-cpu" <<-END
		#!/bin/sh
		case " \$* " in
		*' create '*) [ ! -f config.json ] || { jq 'del(.linux.resources.cpu)' config.json >c.json && mv c.json config.json; } ;;
		esac
		exec $(command -v runc) "\$@"
	END
	chmod 0755 "$T/runc-without-cpu"
}

# expect STATUS REGEX COMMAND...: the exit status, and an extended regular expression
# that a line of output must match. ctr hands SIGTERM on, so -k. Ends the case (a subshell) if not.
expect()
{
	local want=$1 regex=$2 status=0
	shift 2
	timeout -k 5 "${CLIENT_SECONDS:-60}" "$@" >"$T/out" 2>&1 || status=$?
	if [ $status != "$want" ] || { [ -n "$regex" ] && ! tr -d '\000\004\010\r' <"$T/out" | sed 's/^\^[@D]//' | grep -qE -- "$regex"; }; then
		printf '%s: exit status %s, wanted %s and "%s"; it said:\n' "$*" $status "$want" "$regex"
		cat "$T/out"
		exit 1
	fi
}

# until_says REGEX COMMAND...: within 12 s the output matches.
until_says()
{
	local regex=$1
	shift
	for _ in $(seq "${CLIENT_SECONDS:-60}"); do
		[[ ! $("$@" 2>/dev/null) =~ $regex ]] || return 0
		sleep 0.2
	done
	echo "$* did not come to say '$regex' but: $("$@" 2>&1)"
	exit 1
}

runtime_begin() { :; }
runtime_end() { :; }

# The reason of a failure in one line: the last that the log says.
reason_of()
{
	sed -e "s|$T|T|g" -e 's/\r//g' -e 's/\t/ /g' "$1" | grep -v '^ *$' | tail -n 1 | cut -c 1-220
}

# Runs the cases in the order in which they stand in the script.
client_run()
{
	local name failed=0 log=$T/case.log cases result status peer=${PEER:-runc}
	mapfile -t cases < <(sed -n 's/^case_\([a-z0-9_]*\)().*/\1/p' "$0" | grep -E "${CASES:-.}")
	for NAME in knarr "$peer"; do
		RUNTIME=$KNARR
		[ "$NAME" = knarr ] || RUNTIME=$(command -v "$peer") || continue
		runtime_begin
		for name in "${cases[@]}"; do
			result=ok status=0
			("case_$name") >"$log" 2>&1 || status=$?
			case $status in
			0) result=ok ;;
			78) result="-	$(reason_of "$log")" ;;
			*)
				result="FAIL	$(reason_of "$log")"
				printf -- '--- %s %s %s\n' "$CLIENT" "$name" "$NAME" >&2
				cat "$log" >&2
				[ "$NAME" != knarr ] || failed=1
				;;
			esac
			printf '%s\t%s\t%s\t%s\n' "$CLIENT" "$name" "$NAME" "$result"
		done
		runtime_end
	done
	exit $failed
}
