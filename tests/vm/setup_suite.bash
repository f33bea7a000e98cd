# The account that the container tests use.
# shellcheck shell=bash source=tests/bats/setup_suite.bash
source "${BASH_SOURCE[0]%/*}/../bats/setup_suite.bash"
