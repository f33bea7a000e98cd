#!/bin/sh
# Folders include downwards only (ARCHITECTURE.md): a file may include headers
# of its own folder and of those named beside it here. Part of `make check`;
# also says when a header is included by a path that is not from the top.
set -eu
cd "${top_srcdir:-$(dirname "$0")/..}"

allowed()
{
	case $1 in
	base) echo "base" ;;
	oci-spec) echo "oci-spec base" ;;
	namespaces) echo "namespaces oci-spec base" ;;
	cgroups) echo "cgroups oci-spec base" ;;
	libcontainer) echo "libcontainer namespaces cgroups oci-spec base" ;;
	runtime) echo "runtime libcontainer namespaces cgroups oci-spec base" ;;
	esac
}

failed=0
for folder in base oci-spec namespaces cgroups libcontainer runtime; do
	for file in "$folder"/*.[ch]; do
		[ -e "$file" ] || continue
		# shellcheck disable=SC2013 # names of headers have no blanks
		for header in $(sed -n 's/^[ \t]*#[ \t]*include[ \t]*"\([^"]*\)".*/\1/p' "$file"); do
			target=${header%%/*}
			case " $(allowed "$folder") " in
			*" $target "*) ;;
			*)
				echo "$file: includes \"$header\"; $folder/ may include only: $(allowed "$folder")"
				failed=1
				;;
			esac
		done
	done
done
exit $failed
