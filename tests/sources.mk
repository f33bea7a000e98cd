# Files of the tests that are neither compiled nor run by `make check`.
EXTRA_DIST += tests/lint.sh tests/bats tests/fault tests/data tests/perf tests/plan tests/preload
EXTRA_DIST += tests/vm
EXTRA_DIST += tests/lint.sh tests/bats tests/data
EXTRA_DIST += tests/clients
