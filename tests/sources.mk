# Files of the tests that are neither compiled nor run by `make check`.
EXTRA_DIST += tests/README.md tests/case.awk tests/house.py tests/lint.sh tests/attack tests/bats tests/clients tests/data tests/inject tests/perf tests/plan tests/vm tests/coverage.list tests/coverage.py tests/coverage.sh
# In `make check`: each rule of the specification has a test, or a reason why not.
dist_check_SCRIPTS += tests/spec/conformance.sh
# In `make check`: each property of the specification has a golden plan.
dist_check_SCRIPTS += tests/spec/properties.sh
# File by file: in the build directory the same directory holds the logs of the two, and a log
# that travels makes the next `make check` believe that the test ran already.
EXTRA_DIST += tests/spec/mutate.sh tests/spec/mutations.tsv tests/spec/properties.jq tests/spec/properties.txt \
	tests/spec/requirements.tsv tests/spec/table.awk
