# Files of the tests that are neither compiled nor run by `make check`.
EXTRA_DIST += tests/lint.sh tests/bats tests/clients tests/data tests/fault tests/perf tests/plan tests/preload \
	tests/race tests/vm
# In `make check`: each rule of the specification has a test, or a reason why not.
dist_check_SCRIPTS += tests/spec/conformance.sh
# In `make check`: each property of the specification has a golden plan.
dist_check_SCRIPTS += tests/spec/properties.sh
EXTRA_DIST += tests/spec
