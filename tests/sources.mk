# Files of the tests that are neither compiled nor run by `make check`.
EXTRA_DIST += tests/lint.sh tests/bats tests/clients tests/data tests/fault tests/perf tests/plan tests/preload \
	tests/race tests/vm
# In `make check`: each rule of the specification has a test, or a reason why not.
dist_check_SCRIPTS += tests/spec/conformance.sh
# In `make check`: each property of the specification has a golden plan.
dist_check_SCRIPTS += tests/spec/properties.sh
# File by file: in the build folder the same folder holds the logs of the two, and a log
# that travels makes the next `make check` believe that the test ran already.
EXTRA_DIST += tests/spec/mutate.sh tests/spec/mutations.tsv tests/spec/properties.jq tests/spec/properties.txt \
	tests/spec/requirements.tsv tests/spec/table.awk
