# A unit test is one program: tests/unit/test_<module>.c, exit 0 = passed.
# check_PROGRAMS += tests/unit/test_arena
# tests_unit_test_arena_LDADD = $(knarr_LDADD)
check_PROGRAMS += tests/unit/test_host
tests_unit_test_host_LDADD = $(knarr_LDADD)
check_PROGRAMS += tests/unit/test_seccomp
tests_unit_test_seccomp_LDADD = $(knarr_LDADD)
