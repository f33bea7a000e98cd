#!/bin/sh
# Builds the fuzzers with clang in the directory BUILD and runs each for SECONDS, one after the
# other; or those that are named, without "fuzz_". `make fuzz` calls it.
#
#   tests/fuzz/run.sh BUILD SECONDS [NAME…]
#
# What they find new lies in BUILD/corpus/NAME and is used again by the next run, what failed in
# BUILD/failed/. The exit status is 1 if anything failed.
set -eu
src=$(cd "$(dirname "$0")/../.." && pwd)
build=$1 seconds=$2
shift 2

mkdir -p "$build/failed" "$build/seeds"
cd "$build"
[ -e Makefile ] || "$src/configure" CC="${FUZZ_CC:-clang}" CFLAGS='-g -O1' --enable-fuzzing
make -s -j"$(nproc)" fuzz-targets
# The broken configs are seeds, too.
for case in "$src"/tests/data/broken/*.case; do
	sed '1,/^--- config.json$/d' "$case" >"seeds/$(basename "$case")"
done

# options NAME: what libFuzzer is told besides the time.
options()
{
	case $1 in
	spec) echo "-max_len=24000 -dict=$src/tests/fuzz/spec.dict" ;;
	# Nearly all of its time is libseccomp's.
	seccomp) echo '-max_len=500 -len_control=0 -timeout=60' ;;
	*) echo "-max_len=4096 -timeout=10 -dict=$src/tests/fuzz/text.dict" ;;
	esac
}

status=0
[ $# -gt 0 ] || set -- spec seccomp kernel files messages words
for name; do
	extra=
	[ "$name" != spec ] || extra=seeds
	mkdir -p "corpus/$name"
	# shellcheck disable=SC2046,SC2086 # words
	if "tests/fuzz/fuzz_$name" $(options "$name") -max_total_time="$seconds" -print_final_stats=1 \
		-artifact_prefix="failed/$name-" "corpus/$name" "$src/tests/fuzz/corpus/$name" $extra >"$name.log" 2>&1; then
		echo "ok     $name: $(sed -n 's/^stat::number_of_executed_units: *//p' "$name.log") inputs in $seconds s"
	else
		tail -n 40 "$name.log"
		echo "FAILED $name: $build/$name.log"
		status=1
	fi
done
exit $status
