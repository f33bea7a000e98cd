# Once before all container tests: an account for those that need an ordinary user.
# Once after them: no keyring of any test is left.
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

left_keyrings()
{
	local id title
	while read -r id title; do
		grep -qF "_ses.$id:" /proc/keys && echo "left keyring of test: $title"
	done <"$BATS_RUN_TMPDIR/knarr-ids"
	return 0
}

teardown_suite()
{
	local found=
	[ -z "$KNARR_TEST_MADE_USER" ] || userdel knarr-test
	[ -e "$BATS_RUN_TMPDIR/knarr-ids" ] || return 0
	for _ in {1..100}; do
		found=$(left_keyrings)
		[ -n "$found" ] || return 0
		sleep 0.1
	done
	echo "$found"
	return 1
}
