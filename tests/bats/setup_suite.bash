# Once before all container tests: an account for those that need an unprivileged user,
# of this run alone, so that several may go on at the same time. Once after them: no
# keyring of any test is left.
# shellcheck shell=bash

# A run that was killed leaves its account: the number in the name is that of its shell.
remove_stale_accounts()
{
	local name
	while IFS=: read -r name _; do
		[[ $name =~ ^knarr-t[0-9]+$ ]] || continue
		[ -e "/proc/${name#knarr-t}" ] || userdel "$name" 2>/dev/null || true # processes of it may be left, too
	done </etc/passwd
	return 0
}

# The files of accounts are locked while another run adds its own.
add_account()
{
	local name=$1
	for _ in {1..50}; do
		! useradd --no-create-home --shell /usr/sbin/nologin --comment 'tests of knarr' "$name" 2>/dev/null || return 0
		sleep 0.1
	done
	return 1
}

setup_suite()
{
	KNARR_TEST_USER=
	if [ "$(id -u)" = 0 ] && command -v useradd >/dev/null; then
		remove_stale_accounts
		! add_account "knarr-t$$" || KNARR_TEST_USER=knarr-t$$
	fi
	export KNARR_TEST_USER
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
	if [ -n "$KNARR_TEST_USER" ]; then
		for _ in {1..50}; do
			! userdel "$KNARR_TEST_USER" 2>/dev/null || break
			sleep 0.1
		done
	fi
	[ -e "$BATS_RUN_TMPDIR/knarr-ids" ] || return 0
	for _ in {1..100}; do
		found=$(left_keyrings)
		[ -n "$found" ] || return 0
		sleep 0.1
	done
	echo "$found"
	return 1
}
