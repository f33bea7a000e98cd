# Shared by the tests of real callers (podman.sh, containerd.sh, docker.sh,
# buildah.sh). A script of a client says
#
#	. "$(dirname "$0")/lib.bash"
#	client_begin NAME PROGRAMS...	# namespaces of its own; makes $T and an image in it
#	runtime_begin() ... runtime_end() ...	# around all cases of one runtime; optional
#	case_<feature>() ...			# status 0 when all was right
#	client_run				# runs each case with each runtime
#
# Everything happens in a private mount namespace: /run is a fresh tmpfs, so that
# the default folders of client and runtime are nobody else's, and cgroup2 alone lies
# on /sys/fs/cgroup, so that neither runtime finds a v1 hierarchy. Nothing is
# downloaded. Cgroups that were not there before are removed, if they bear the names
# that the clients give.
#
# Each case prints one line: client, feature, runtime, "ok" or "FAIL", with tabs between.
# What a failed case said goes to stderr. Status 1: a case failed with knarr; 77:
# nothing was tried.
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
	mount -t tmpfs -o mode=755 tmpfs /run
	mkdir -p /run/lock /run/user
	[ "$CGROUP2" = /sys/fs/cgroup ] || mount --bind "$CGROUP2" /sys/fs/cgroup
	make_image
}

# The half in the caller's namespaces: makes $T and removes all in the end. None of
# the mounts of the inner half are seen here, so removing cannot follow them.
begin_outside()
{
	local status=0
	KNARR=$(command -v "${KNARR:-knarr}") || skip_client 'no knarr: set KNARR'
	KNARR=$(realpath "$KNARR")
	CLIENTS_INSIDE=$(mktemp -d /tmp/knarr-clients.XXXXXX)
	chmod 0711 "$CLIENTS_INSIDE"
	CGROUPS_BEFORE=$(client_cgroups)
	MADE_USER=
	trap end_outside EXIT
	trap 'exit 143' TERM INT HUP
	if ! id knarr-test >/dev/null 2>&1; then
		useradd --no-create-home --shell /usr/sbin/nologin --comment 'tests of knarr' knarr-test && MADE_USER=yes
	fi
	export KNARR CLIENTS_INSIDE
	unshare --mount --propagation private -- "$0" || status=$?
	exit $status
}

end_outside()
{
	end_leftovers
	remove_cgroups "$CGROUPS_BEFORE"
	[ -z "$MADE_USER" ] || userdel knarr-test
	rm -rf --one-file-system "$CLIENTS_INSIDE"
}

# Processes that work in $T or name it: those of the client that did not end.
end_leftovers()
{
	local file pid
	for file in /proc/[0-9]*/cmdline; do
		pid=${file#/proc/}
		pid=${pid%/cmdline}
		case " $$ $BASHPID " in
		*" $pid "*) continue ;;
		esac
		case "$(tr '\0' ' ' 2>/dev/null <"$file") $(readlink "/proc/$pid/cwd")" in
		*"$CLIENTS_INSIDE"*) kill -KILL "$pid" 2>/dev/null ;;
		esac
	done
	return 0
}

# Top-level cgroups that the clients make: ours, and those whose names they fix.
client_cgroups()
{
	find "$CGROUP2" -mindepth 1 -maxdepth 1 -type d \
		\( -name "knarr-clients-${CLIENTS_INSIDE##*.}" -o -name libpod_parent -o -name docker -o -name knarr-test \)
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

# $T/root: a folder with busybox. $T/root.tar: the same.
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
	echo from-host >"$T/volume/file"
	chmod 0644 "$T/root.tar"
}

# expect STATUS REGEX COMMAND...: the exit status, and an extended regular expression
# that a line of output must match. Ends the case (a subshell) if not.
expect()
{
	local want=$1 regex=$2 status=0
	shift 2
	timeout 60 "$@" >"$T/out" 2>&1 || status=$?
	if [ $status != "$want" ] || { [ -n "$regex" ] && ! tr -d '\r' <"$T/out" | grep -qE -- "$regex"; }; then
		printf '%s: exit status %s, wanted %s and "%s"; it said:\n' "$*" $status "$want" "$regex"
		cat "$T/out"
		exit 1
	fi
}

# until_says REGEX COMMAND...: within 5 s the output matches.
until_says()
{
	local regex=$1
	shift
	for _ in $(seq 25); do
		[[ ! $("$@" 2>/dev/null) =~ $regex ]] || return 0
		sleep 0.2
	done
	echo "$* did not come to say '$regex' but: $("$@" 2>&1)"
	exit 1
}

# on_terminal COMMAND...: with a terminal on its three descriptors.
on_terminal()
{
	script -qec "$(printf '%q ' "$@")" /dev/null </dev/null
}

runtime_begin() { :; }
runtime_end() { :; }

# Runs the cases in the order in which they stand in the script.
client_run()
{
	local name failed=0 log=$T/case.log cases result
	mapfile -t cases < <(sed -n 's/^case_\([a-z0-9_]*\)().*/\1/p' "$0")
	for NAME in knarr runc; do
		RUNTIME=$KNARR
		[ $NAME = knarr ] || RUNTIME=$(command -v runc) || continue
		runtime_begin
		for name in "${cases[@]}"; do
			result=ok
			if ! ("case_$name") >"$log" 2>&1; then
				result=FAIL
				printf -- '--- %s %s %s\n' "$CLIENT" "$name" "$NAME" >&2
				cat "$log" >&2
				[ $NAME != knarr ] || failed=1
			fi
			printf '%s\t%s\t%s\t%s\n' "$CLIENT" "$name" "$NAME" "$result"
		done
		runtime_end
	done
	exit $failed
}
