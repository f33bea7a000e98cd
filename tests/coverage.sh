#!/bin/sh
# Builds with line counts in the directory BUILD, runs the unit tests and the seeds of the fuzzers,
# with COVERAGE_BATS=1 also the tests of whole containers (or the files that it names), and prints
# what tests/coverage.py makes of the counts: its exit status is 1 below a bar. `make
# coverage` calls it.
#
#   tests/coverage.sh BUILD
set -eu
src=$(cd "$(dirname "$0")/.." && pwd)
build=$1

mkdir -p "$build"
cd "$build"
clang=${COVERAGE_CC:-clang}
[ -e Makefile ] || "$src/configure" CC="$clang" CFLAGS='-g -O0' --enable-coverage >configure.log
make -s -j"$(nproc)"
# Counts of an earlier run are not this one's. Tests become other users, who count, too.
umask 0
rm -rf counts
mkdir counts
make -s -k -j"$(nproc)" check >check.log 2>&1 || { grep -E '^(FAIL|ERROR)' check.log || tail -n 20 check.log; }
case ${COVERAGE_BATS:-} in
'') ;;
1) KNARR=$build/knarr bats "$src/tests/bats" >bats.log 2>&1 || grep '^not ok' bats.log || tail -n 20 bats.log ;;
*)
	for file in $COVERAGE_BATS; do
		KNARR=$build/knarr bats "$src/tests/bats/$file" >bats.log 2>&1 || grep '^not ok' bats.log || tail -n 20 bats.log
	done
	;;
esac
# That of the compiler, "llvm-" or "…/llvm-".
LLVM_TOOLS=$("$clang" -print-prog-name=llvm-cov)
export LLVM_TOOLS="${LLVM_TOOLS%cov}"
exec "$src/tests/coverage.py" ${COVERAGE_BATS:+--all} "$build" "$src"
