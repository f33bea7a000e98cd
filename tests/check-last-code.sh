#!/bin/sh
# The code of the last steps runs where nothing else is mapped: it must refer to nothing
# outside of its section, whatever the compiler and its options. Part of `make check`.
set -eu
object=libcontainer/stage/stage_last_code.o
refers=$(readelf -rW "$object" | awk '/^Relocation section/ { shown = $3 ~ /^.\.rela?stage_last_code/ } shown')
[ -n "$refers" ] || exit 0
echo "$object refers to code or data of its own program:"
echo "$refers"
exit 1
