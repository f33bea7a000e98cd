# Once before all container tests: an account for those that need an ordinary user.
# shellcheck shell=bash

setup_suite()
{
	KNARR_TEST_MADE_USER=
	if [ "$(id -u)" = 0 ] && ! id knarr-test >/dev/null 2>&1 && command -v useradd >/dev/null; then
		if useradd --no-create-home --shell /usr/sbin/nologin --comment 'tests of knarr' knarr-test 2>/dev/null; then
			KNARR_TEST_MADE_USER=1
		fi
	fi
	export KNARR_TEST_MADE_USER
}

teardown_suite()
{
	[ -z "$KNARR_TEST_MADE_USER" ] || userdel knarr-test
}
