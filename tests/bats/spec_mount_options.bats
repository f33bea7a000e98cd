#!/usr/bin/env bats
# config.md#linux-mount-options: each option of the specification's table, as the
# container's mountinfo(5) shows it or as what the program may do.
load helpers

setup() {
	container_setup
	make_bundle '.root.readonly = false | .linux.namespaces |= map(select(.type != "network"))'
}

teardown() {
	container_teardown
}

# on FLAGS... in a tmpfs: one container with a mount for each list, /t0, /t1…; prints
# the options of mount and file system, as in mountinfo, one line for each.
on_tmpfs() {
	local options n=0
	for options in "$@"; do
		edit_bundle '.mounts += [{destination: $d, type: "tmpfs", source: "tmpfs", options: ($o | split(" "))}]' --arg d "/t$n" --arg o "$options"
		n=$((n + 1))
	done
	bundle_runs_sh 'sed -n "s/^[^ ]* [^ ]* [^ ]* [^ ]* \(\/t[0-9]*\) \([^ ]*\) .*- tmpfs tmpfs \(.*\)/\1 \2 \3/p" /proc/self/mountinfo'
	run -0 knarr run -b "$BUNDLE" "$ID"
	echo "$output"
}

# has NUMBER WORD…: the mount /tNUMBER shows each of them, or not when it begins with a "!".
has() {
	local line word
	line=$(sed -n "s/^\/t$1 //p" <<<"$output" | tr ' ' ',')
	[ -n "$line" ]
	for word in "${@:2}"; do
		if [[ ",$line," == *",${word#!},"* ]]; then
			[[ $word != !* ]]
		else
			[[ $word == !* ]]
		fi || {
			echo "/t$1: $word, but it is $line"
			return 1
		}
	done
}

@test "nosuid, nodev, noexec, nodiratime, ro, and suid, dev, exec, diratime, rw after them" {
	on_tmpfs nosuid nodev noexec nodiratime ro 'nosuid suid' 'nodev dev' 'noexec exec' 'nodiratime diratime' 'ro rw' defaults
	has 0 nosuid !nodev !noexec !nodiratime rw
	has 1 nodev !nosuid
	has 2 noexec !nodev
	has 3 nodiratime !noexec
	has 4 ro
	has 5 !nosuid
	has 6 !nodev
	has 7 !noexec
	has 8 !nodiratime
	has 9 rw !ro
	has 10 rw !nosuid !nodev !noexec !nodiratime relatime
}

@test "noatime, atime, relatime, norelatime, strictatime, nostrictatime" {
	on_tmpfs noatime atime relatime norelatime strictatime nostrictatime 'noatime atime' 'strictatime relatime'
	has 0 noatime !relatime
	has 1 relatime !noatime
	has 2 relatime
	has 3 relatime !noatime
	has 4 !relatime !noatime
	has 5 relatime
	has 6 relatime !noatime
	has 7 relatime
}

@test "nosymfollow and symfollow" {
	requires_kernel 5 14
	on_tmpfs nosymfollow 'nosymfollow symfollow'
	has 0 nosymfollow
	has 1 !nosymfollow
}

@test "sync, async, dirsync, lazytime, nolazytime: flags of the file system" {
	on_tmpfs sync 'sync async' dirsync lazytime 'lazytime nolazytime' 'sync dirsync'
	has 0 sync
	has 1 !sync
	has 2 dirsync !sync
	has 3 lazytime
	has 4 !lazytime
	has 5 sync dirsync
}

@test "silent, loud, iversion, noiversion, defaults: known, without an effect to see" {
	on_tmpfs silent loud iversion noiversion defaults
	local n
	for n in 0 1 2 3 4; do has $n rw relatime !nosuid; done
	run ! grep -E 'silent|loud|version' <<<"$output"
}

@test "propagation: each kind, for the mount and for those below" {
	requires_root
	local kind n=0
	local kinds=(shared rshared slave rslave private rprivate unbindable runbindable)
	for kind in "${kinds[@]}"; do
		edit_bundle '.mounts += [{destination: $d, source: $s, options: ["rbind", $o]}]' --arg d "/p$n" --arg s "$T/tree" --arg o "$kind"
		n=$((n + 1))
	done
	bundle_runs_sh 'sed -n "s/^[^ ]* [^ ]* [^ ]* [^ ]* \(\/p[0-9][^ ]*\) [^ ]* \([^-]*\)- .*/\1 \2/p" /proc/self/mountinfo | sed "s/:[0-9]*//g; s/ $//"'
	export KNARR ROOT BUNDLE ID T
	# shellcheck disable=SC2016
	run -0 unshare --mount --propagation private sh -ec 'mkdir "$T/tree"; mount -t tmpfs top "$T/tree"; mount --make-shared "$T/tree"
		mkdir "$T/tree/sub"; mount -t tmpfs below "$T/tree/sub"; exec "$KNARR" --root "$ROOT" run -b "$BUNDLE" "$ID"'
	echo "$output"
	# What is bound begins as a slave of the host's.
	[ "$output" = "/p0 shared master
/p0/sub master
/p1 shared master
/p1/sub shared master
/p2 master
/p2/sub master
/p3 master
/p3/sub master
/p4
/p4/sub master
/p5
/p5/sub
/p6 unbindable
/p6/sub master
/p7 unbindable
/p7/sub unbindable" ]
}

@test "recursive flags reach the mounts below, plain ones do not" {
	requires_root
	requires_kernel 5 14
	local option n=0
	# The tree below has none of the flags at all, that of the second half has all.
	local set=(rro rnosuid rnodev rnoexec rnodiratime rnosymfollow rnoatime rstrictatime ro)
	local clear=(rrw rsuid rdev rexec rdiratime rsymfollow ratime rnoatime rrelatime rnostrictatime rnorelatime rw)
	for option in "${set[@]}"; do
		edit_bundle '.mounts += [{destination: $d, source: $s, options: ["rbind", $o]}]' --arg d "/set/$option" --arg s "$T/plain" --arg o "$option"
	done
	for option in "${clear[@]}"; do
		edit_bundle '.mounts += [{destination: $d, source: $s, options: ["rbind", $o]}]' --arg d "/clear/$option" --arg s "$T/strict" --arg o "$option"
	done
	bundle_runs_sh 'sed -n "s/^[^ ]* [^ ]* [^ ]* [^ ]* \/\([sc][el][^ ]*\) \([^ ]*\) .*/\1 \2/p" /proc/self/mountinfo'
	export KNARR ROOT BUNDLE ID T
	# shellcheck disable=SC2016
	run -0 unshare --mount --propagation private sh -ec 'for t in plain strict; do mkdir "$T/$t"; mount -t tmpfs t "$T/$t"; mkdir "$T/$t/sub"
			mount -t tmpfs t "$T/$t/sub"; done
		for m in "$T/strict/sub" "$T/strict"; do mount -o remount,bind,ro,nosuid,nodev,noexec,nodiratime,noatime,nosymfollow "$m"; done
		exec "$KNARR" --root "$ROOT" run -b "$BUNDLE" "$ID"'
	echo "$output"
	# below OPTION WORD: the mount below shows the word.
	below() { [[ ",$(sed -n "s,^$1/sub ,,p" <<<"$output")," == *",$2,"* ]]; }
	top() { [[ ",$(sed -n "s,^$1 ,,p" <<<"$output")," == *",$2,"* ]]; }
	for option in rro rnosuid rnodev rnoexec rnodiratime rnosymfollow rnoatime; do
		top set/$option "${option#r}"
		below set/$option "${option#r}"
	done
	below set/rro ro && ! below set/rnosuid ro
	! below set/rstrictatime relatime && ! below set/rstrictatime noatime
	top set/ro ro && below set/ro rw
	below clear/rrw rw && top clear/rrw rw && below clear/rsuid ro
	for option in suid dev exec diratime symfollow; do
		top clear/r$option "no$option" && return 1
		below clear/r$option "no$option" && return 1
		below clear/rrw "no$option"
	done
	below clear/ratime relatime && ! below clear/ratime noatime
	below clear/rrelatime relatime
	below clear/rnoatime noatime
	top clear/rw rw && below clear/rw ro
}

@test "bind and rbind: without and with the mounts below" {
	requires_root
	edit_bundle '.mounts += [{destination: "/one", source: $s, options: ["bind"]}, {destination: "/all", source: $s, options: ["rbind"]}]' --arg s "$T/tree"
	bundle_runs_sh 'ls /one/sub /all/sub'
	export KNARR ROOT BUNDLE ID T
	# shellcheck disable=SC2016
	run -0 unshare --mount --propagation private sh -ec 'mkdir -p "$T/tree/sub"; mount -t tmpfs t "$T/tree/sub"; : >"$T/tree/sub/seen"
		exec "$KNARR" --root "$ROOT" run -b "$BUNDLE" "$ID"'
	[ "$output" = $'/all/sub:\nseen\n\n/one/sub:' ]
}

@test "remount changes the mount that is there" {
	edit_bundle '.mounts += [{destination: "/m", type: "tmpfs", source: "first", options: ["size=64k"]},
		{destination: "/m", type: "tmpfs", source: "second", options: ["remount", "ro", "nosuid", "size=128k"]}]'
	bundle_runs_sh 'grep " /m " /proc/mounts'
	run -0 knarr run -b "$BUNDLE" "$ID"
	[ "${#lines[@]}" = 1 ]
	[[ "$output" == "first /m tmpfs ro,nosuid"*size=128k* ]]
	edit_bundle '.mounts[-1].destination = "/bin"'
	run -1 knarr run -b "$BUNDLE" "$ID"
	[[ "$output" == *"mounts["*/bin* ]]
}

@test "options that the runtime does not know go to the file system" {
	on_tmpfs 'size=64k mode=0711 nr_inodes=17' 'size=64k,mode=0700,nosuid'
	has 0 size=64k mode=711 nr_inodes=17
	has 1 size=64k mode=700 nosuid
	edit_bundle '.mounts[-1].options = ["nosuchoption"]'
	run -1 knarr run -b "$BUNDLE" "$ID"
	[[ "$output" == *nosuchoption* ]]
}

@test "options that only mount(8) acts on are left to it" {
	on_tmpfs 'nofail _netdev noauto x-systemd.automount' user
	has 0 rw !nofail !noauto
	has 1 nosuid nodev noexec
	edit_bundle '.mounts[-1].options = ["loop"]'
	run -1 knarr run -b "$BUNDLE" "$ID"
	[[ "$output" == *"loop"*"mount(8)"* ]]
}

# fsconfig(2) takes 255 bytes; mount(2), which is used for more, makes them in a private place.
long_size() { # long_size SIZE
	printf 'size=%0300d%s' "${1%?}" "${1: -1}"
}

long_options_hold() {
	edit_bundle_to_run '.mounts |= map(select(.destination != "/long")) + [{destination: "/long", type: "tmpfs", source: "tmpfs", options: ["size=1m", "nosuid", "nodev", "noexec", "ro", "tmpcopyup"]}]' \
		sh -c 'grep " /long " /proc/self/mountinfo; cut -d" " -f5 /proc/self/mountinfo | grep -cx "/\|.*/mount"; cat /long/file; pwd'
	edit_bundle '(.mounts[] | select(.destination == "/long") | .options[0]) = $size' --arg size "$(long_size 4m)"
	run -0 "$@"
	echo "$output"
	[[ "${lines[0]}" == *' ro,nosuid,nodev,noexec'*' - tmpfs '*size=4096k* ]]
	[ "${lines[1]}" = 1 ] # of the private place nothing is left
	[ "${lines[2]}" = copied ]
	[ "${lines[3]}" = / ]
}

@test "an option of more than 255 bytes: the mount has it, its flags, and the directory's content" {
	mkdir "$BUNDLE/rootfs/long"
	echo copied >"$BUNDLE/rootfs/long/file"
	long_options_hold knarr run -b "$BUNDLE" "$ID"
	# In a user namespace, too.
	edit_bundle '.linux.namespaces += [{type: "user"}] | .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}]
		| .linux.gidMappings = .linux.uidMappings'
	chown -R --no-dereference 100000:100000 "$BUNDLE/rootfs"
	long_options_hold knarr run -b "$BUNDLE" "$ID"
}
