#!/bin/sh
# Directories include downwards only (ARCHITECTURE.md): a file may include headers of its
# own directory and of those named beside it here. Part of `make check`; also says when a
# header is included by a path that is not from the top.
set -eu
cd "${top_srcdir:-$(dirname "$0")/..}"

# The directories from the lowest to the highest; "below" is all that a room of
# libcontainer/ may use outside it.
below='namespaces namespaces/mount namespaces/user namespaces/net cgroups oci-spec plan base'
rooms='base plan oci-spec
	namespaces namespaces/user namespaces/net namespaces/mount
	cgroups cgroups/systemd
	libcontainer/state libcontainer/seccomp libcontainer/process libcontainer/stage libcontainer/launch
	libcontainer/exec libcontainer/checkpoint libcontainer
	runtime'

allowed()
{
	case $1 in
	base) echo ;;
	plan) echo 'base' ;;
	oci-spec) echo 'base' ;;
	namespaces) echo 'oci-spec plan base' ;;
	namespaces/*) echo 'namespaces namespaces/user oci-spec plan base' ;;
	cgroups) echo 'cgroups/systemd oci-spec plan base' ;;
	cgroups/systemd) echo 'cgroups oci-spec plan base' ;;
	libcontainer/state) echo "$below" ;;
	libcontainer/seccomp) echo 'oci-spec plan base' ;;
	libcontainer/process) echo "libcontainer/state $below" ;;
	libcontainer/stage) echo "libcontainer/process libcontainer/state libcontainer/seccomp $below" ;;
	libcontainer/launch) echo "libcontainer libcontainer/stage libcontainer/process libcontainer/state libcontainer/seccomp $below" ;;
	libcontainer/exec | libcontainer/checkpoint)
		echo "libcontainer libcontainer/launch libcontainer/stage libcontainer/process libcontainer/state libcontainer/seccomp $below"
		;;
	libcontainer)
		echo "libcontainer/launch libcontainer/stage libcontainer/process libcontainer/state libcontainer/seccomp $below"
		;;
	runtime)
		echo "libcontainer libcontainer/exec libcontainer/checkpoint libcontainer/launch libcontainer/stage libcontainer/process" \
			"libcontainer/state libcontainer/seccomp $below cgroups/systemd"
		;;
	esac
}

failed=0
for room in $rooms; do
	for file in "$room"/*.[ch]; do
		[ -e "$file" ] || continue
		# shellcheck disable=SC2013 # names of headers have no blanks
		for header in $(sed -n 's/^[ \t]*#[ \t]*include[ \t]*"\([^"]*\)".*/\1/p' "$file"); do
			target=${header%/*}
			case " $room $(allowed "$room") " in
			*" $target "*) ;;
			*)
				echo "$file: includes \"$header\"; $room/ may include only: $(allowed "$room")"
				failed=1
				;;
			esac
		done
	done
done
exit $failed
