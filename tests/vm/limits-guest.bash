#!/usr/bin/env bash
# In the machine of limits-table.sh: runs the cases of limits-cases.bash, as root and as
# an unprivileged user with a delegated cgroup, and prints a row for each limit, separated
# by tabs:
#
#   driver  account  runtime  property  value  file=value…  wrote  held  what was seen
#
# "held" is yes, no, or none: the controller is not to be had by this account, and
# the runtime said so.
#
#   limits-guest.bash DIRECTORY RUNTIME…    the runtimes are programs in the directory
#
# $CASES and $ACCOUNTS, if set: only these. Below a running systemd its driver is
# used, else cgroupfs. Helpers, rootfs and account are those of the container tests.
# shellcheck source=tests/bats/helpers.bash source=tests/vm/limits-cases.bash source=tests/bats/setup_suite.bash
set -u
here=$(dirname "$(realpath "$0")")
source "$here/../bats/helpers.bash"
BATS_SUITE_TMPDIR=$(mktemp -d)
export BATS_SUITE_TMPDIR
source "$here/../bats/setup_suite.bash"
setup_suite
MOUNT=/sys/fs/cgroup
DRIVER=cgroupfs
[ ! -d /run/systemd/system ] || DRIVER=systemd
options=()
[ $DRIVER = cgroupfs ] || options=(--systemd-cgroup)
# Its number as the block device's rules and limits have it.
# shellcheck disable=SC2034 # for the cases
DISK=$(findmnt -nvo MAJ:MIN -T "$BATS_SUITE_TMPDIR" | tr -d ' ')

source "$here/limits-cases.bash"

# ---- accounts -----------------------------------------------------------------

become_root()
{
	ACCOUNT=root
	OWN=$(sed -n 's/^0:://p' /proc/self/cgroup)
	OWN=$MOUNT${OWN%/}
	CGROUPS_PATH=/limits/ID
	[ $DRIVER = cgroupfs ] || CGROUPS_PATH=limits.slice:test:ID
}

# By cgroupfs: a directory that root gave them. By systemd: what their manager has.
become_user()
{
	local file user
	user=$(unprivileged_user)
	ACCOUNT=user
	if [ $DRIVER = systemd ]; then
		user_manager
		return
	fi
	OWN=$MOUNT/given/own
	CGROUPS_PATH=''
	mkdir -p "$OWN"
	for file in . cgroup.procs cgroup.subtree_control cgroup.threads own own/cgroup.procs; do
		chown "$user" "$MOUNT/given/$file"
	done
}

# They call the runtime from within their session, as from a terminal.
user_manager()
{
	local uid
	uid=$(id -u "$(unprivileged_user)")
	systemctl start "user@$uid.service"
	OWN=$MOUNT/user.slice/user-$uid.slice/user@$uid.service/app.slice/session.scope
	CGROUPS_PATH=limits.slice:test:ID
	manager=(env "XDG_RUNTIME_DIR=/run/user/$uid" "DBUS_SESSION_BUS_ADDRESS=unix:path=/run/user/$uid/bus")
	as_user "${manager[@]}" systemd-run --user --scope --quiet --unit session --slice app.slice \
		-p Delegate=yes sleep 10000 >/dev/null 2>&1 &
	for _ in $(seq 100); do [ -n "$(cat "$OWN/cgroup.procs" 2>/dev/null)" ] && break; sleep 0.1; done
}

rt() # rt ARGUMENTS…: the runtime as that account, from within its cgroup
{
	local command=("$DIRECTORY/$RUNTIME" --root "$T/user/$RUNTIME" ${options[@]+"${options[@]}"} "$@")
	(
		[ "$ACCOUNT" != root ] || exec timeout 60 "${command[@]}"
		echo "$BASHPID" >"$OWN/cgroup.procs"
		exec_as_user ${manager[@]+"${manager[@]}"} timeout 60 "${command[@]}"
	)
}

# Whether that account can have the controller.
have()
{
	local where=$MOUNT
	[ "$ACCOUNT" = root ] || where=${OWN%/*}
	[ "$DRIVER$ACCOUNT" != systemduser ] || where=${where%/*}
	grep -qw "$1" "$where/cgroup.controllers"
}

# A fifth of a second, without another process.
pause()
{
	read -rt 0.2 <>"$BATS_SUITE_TMPDIR/fifo"
}

# ---- a container --------------------------------------------------------------

# What is the same for all containers is made once for an account.
make_base()
{
	BUNDLE=$T/user/bundle
	ROOTLESS=$([ "$ACCOUNT" = root ] || echo 1) make_bundle \
		'.root.readonly = false | .process.capabilities |= map_values(. + ["CAP_MKNOD"])'
	[ "$ACCOUNT" = root ] || edit_bundle ".linux.uidMappings[0].hostID = $(id -u "$(unprivileged_user)")
		| .linux.gidMappings[0].hostID = $(id -g "$(unprivileged_user)")"
	cp "$here/../../limits-probe" "$BUNDLE/rootfs/bin/limits-probe"
	dd if=/dev/urandom of="$BUNDLE/rootfs/data" bs=1M count=4 status=none
	cp "$BUNDLE/rootfs/data" "$T/rival-data"
	truncate -s 32M "$BUNDLE/rootfs/large"
	truncate -s 128M "$T/rival-large"
	[ "$ACCOUNT" = root ] || chown -R "$(unprivileged_user):" "$T/user"
	cp "$BUNDLE/config.json" "$T/base.json"
}

# container RESOURCES SCRIPT [JQ-FILTER]: creates and starts it. It says "status N"
# when the script ended, and stays. False, and ERROR, if it cannot be had.
container()
{
	ID=limits-$RUNTIME-$((++count))
	ERROR='' WROTE='' DIR=''
	# The last words of the shell need no second process.
	jq --arg script "($2
		); echo status \$?; exec sleep 1000" --arg path "${CGROUPS_PATH/ID/$ID}" \
		".linux.resources = ($1) | .process.args = [\"/bin/sh\", \"-c\", \$script]
		| if \$path == \"\" then del(.linux.cgroupsPath) else .linux.cgroupsPath = \$path end | ${3:-.}" \
		"$T/base.json" >"$BUNDLE/config.json"
	rm -f "$T/user/pid"
	if ! rt create --pid-file "$T/user/pid" -b "$BUNDLE" "$ID" </dev/null >"$T/out" 2>"$T/err"; then
		ERROR=$(cat "$T/out" "$T/err" | grep . | tail -n 1)
		return 1
	fi
	DIR=$MOUNT$(sed -n 's/^0:://p' "/proc/$(cat "$T/user/pid")/cgroup")
	PARENT=${DIR%/container}
	PARENT=${PARENT%/*}
	rt start "$ID" >"$T/start" 2>&1 || {
		ERROR=$(tail -n 1 "$T/start")
		return 1
	}
}

ended() # the script, within two minutes
{
	for _ in $(seq 600); do
		grep -q '^status' "$T/out" && return
		pause
	done
	return 1
}

said() # said REGULAR-EXPRESSION: a whole line of the container
{
	grep -qxE "$1" "$T/out"
}

count_of() # count_of FILE KEY [DIRECTORY]
{
	awk -v key="$2" '$1 == key { print $2 }' "${3:-$DIR}/$1" 2>/dev/null | grep . || echo 0
}

# Another program beside the container, in a cgroup of its own that wants the same:
# rival FILE=VALUE… -- COMMAND…
rival()
{
	RIVAL=$PARENT/rival
	mkdir "$RIVAL"
	while [ "$1" != -- ]; do
		echo "${1#*=}" >"$RIVAL/${1%%=*}"
		shift
	done
	shift
	(
		echo "$BASHPID" >"$RIVAL/cgroup.procs"
		exec "$@"
	) >/dev/null 2>&1 &
}

finish()
{
	rt delete -f "$ID" >/dev/null 2>&1
	[ -n "$RIVAL" ] || return 0
	echo 1 >"$RIVAL/cgroup.kill"
	for _ in $(seq 50); do rmdir "$RIVAL" 2>/dev/null && break; pause; done
	RIVAL=''
}

# ---- rows ---------------------------------------------------------------------

row() # row PROPERTY VALUE HELD WORDS
{
	local words=${4//[$'\t'|]/ }
	printf '%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n' "$DRIVER" "$ACCOUNT" "$RUNTIME" "$1" "$2" "$FILES" "$WROTE" "$3" "${words:0:200}"
	FILES='' WROTE=''
}

# The values of FILES, in that order; lines joined.
read_files()
{
	local pair list text
	WROTE=''
	IFS=';' read -ra list <<<"$FILES"
	for pair in ${list[@]+"${list[@]}"}; do
		text=$(sed 's/ *$//' "$DIR/${pair%%=*}" 2>/dev/null | paste -sd ,)
		WROTE+="${WROTE:+; }${text:-no file}"
	done
}

# check PROPERTY VALUE FILE=VALUE… GOOD BAD JUDGE…: a row. Files are separated by ";";
# GOOD is what a program was that was held, BAD what else.
check()
{
	local property=$1 value=$2 good=$4 bad=$5
	FILES=$3
	shift 5
	[ -n "$WROTE" ] || read_files
	if "$@"; then row "$property" "$value" yes "$good"; else row "$property" "$value" no "$bad"; fi
}

# The container could not be had, though it should.
failed()
{
	FILES=''
	row "$1" '' no "$ERROR"
	finish
}

# absent CONTROLLER RESOURCES: the account has it not, and the runtime should say so.
absent()
{
	FILES='' WROTE=''
	if container "$2" true; then
		row "$1" 'no controller for this account' no 'ignored'
	else
		row "$1" 'no controller for this account' none "$ERROR"
	fi
	finish
}

# ---- all ----------------------------------------------------------------------

prepare_machine()
{
	modprobe zram && echo 256M >/sys/block/zram0/disksize && mkswap /dev/zram0 >/dev/null && swapon /dev/zram0
	echo 8 >/proc/sys/vm/nr_hugepages
	modprobe -qa dummy rdma_rxe ib_uverbs 2>/dev/null
	ip link add rxe-net type dummy && ip link set rxe-net up && rdma link add rxe-test type rxe netdev rxe-net
	chmod 666 /dev/infiniband/uverbs0 2>/dev/null
	chmod 755 /dev/infiniband 2>/dev/null
	# Every controller is there for what root makes; systemd knows only some.
	sed 's/[^ ]*/+&/g' $MOUNT/cgroup.controllers >$MOUNT/cgroup.subtree_control
}

id "$(unprivileged_user)" >/dev/null 2>&1 || useradd --no-create-home "$(unprivileged_user)"
mkfifo "$BATS_SUITE_TMPDIR/fifo"
count=0 RIVAL='' FILES='' WROTE='' manager=()
prepare_machine >&2
DIRECTORY=$1
shift
for account in ${ACCOUNTS:-root user}; do
	T=$(mktemp -d)
	chmod 0711 "$T"
	as_user true # makes $T/user
	"become_$account"
	make_base >&2
	for RUNTIME in "$@"; do
		for case in ${CASES:-$(sed -n 's/^case_\([a-z_]*\)().*/\1/p' "$here/limits-cases.bash")}; do
			"case_$case"
		done
	done
done
# Rows say how it went; a status here is of the machine.
true
