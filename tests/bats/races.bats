#!/usr/bin/env bats
# Attacks that need luck: somebody exchanges files, or watches processes, while
# containers are created. Each runs for a few seconds and then looks at what must
# not have happened. RACE_SECONDS makes them longer.
load helpers

setup_file() {
	export RACE=$BATS_FILE_TMPDIR
	local p
	for p in exchange watch; do
		command -v gcc >/dev/null || return 0
		gcc -D_GNU_SOURCE -O2 -static -o "$RACE/$p" "$BATS_TEST_DIRNAME/../inject/$p.c" 2>/dev/null ||
			gcc -D_GNU_SOURCE -O2 -o "$RACE/$p" "$BATS_TEST_DIRNAME/../inject/$p.c"
	done
}

setup() {
	container_setup
	requires_root
	requires_command gcc
	make_bundle '.root.readonly = false' true
	SECONDS_=${RACE_SECONDS:-4}
	CANARY=$T/canary
	mkdir "$CANARY"
	echo treasure >"$T/treasure"
	chmod 600 "$T/treasure"
}

teardown() {
	container_teardown
}

# run_while PID: containers, one after the other, until the attacker ends. Counts
# in OK and FAILED; a failure must be one error of knarr and not a signal.
run_while() {
	OK=0 FAILED=0
	while kill -0 "$1" 2>/dev/null; do
		if timeout 20 "$KNARR" --root "$ROOT" run -b "$BUNDLE" "$ID" </dev/null >"$T/out" 2>&1; then
			OK=$((OK + 1))
			${CHECK:-:} "$T/out"
		else
			[ $? = 1 ]
			FAILED=$((FAILED + 1))
		fi
	done
	wait "$1"
	echo "# $OK containers ran, $FAILED were refused" >&3
	[ $((OK + FAILED)) -ge 5 ]
}

canary_is_untouched() {
	[ -z "$(ls -A "$CANARY")" ]
	[ "$(cat "$T/treasure")" = treasure ]
	[ "$(stat -c %a%t "$T/treasure")" = 6000 ]
	[ "$(grep -c " $T/" /proc/self/mountinfo)" = 0 ]
}

# CVE-2021-30465, CVE-2024-45310: a volume of two containers; the one exchanges a
# directory below it with a link while the other is created with mounts there.
@test "a volume's directory that turns into a link to the host" {
	local target
	mkdir -p "$T/source"
	echo file >"$T/source/file"
	edit_bundle '.mounts += [
		{destination: "/vol", type: "bind", source: ($t + "/vol"), options: ["rbind"]},
		{destination: "/vol/x/a/b", type: "tmpfs", source: "tmpfs"},
		{destination: "/vol/x/c", type: "bind", source: ($t + "/source"), options: ["rbind"]},
		{destination: "/vol/x/f", type: "bind", source: ($t + "/source/file"), options: ["bind"]}]' --arg t "$T"
	for target in "$CANARY" "../../../../../../../../..$CANARY"; do
		rm -rf "$T/vol"
		mkdir -p "$T/vol/x"
		ln -s "$target" "$T/vol/link"
		"$RACE/exchange" "$SECONDS_" "$T/vol/x" "$T/vol/link" >"$T/exchanges" 3>&- &
		run_while $!
		canary_is_untouched
		# The exchange happened while they were made: more often than containers.
		[ "$(cat "$T/exchanges")" -gt 1000 ]
	done
}

# CVE-2026-41579, CVE-2026-47766, as a race: /dev of the image.
@test "a /dev that turns into a link to the host" {
	edit_bundle '.mounts |= map(select(.destination | startswith("/dev") | not))'
	ln -s "$CANARY" "$BUNDLE/rootfs/link"
	"$RACE/exchange" "$SECONDS_" "$BUNDLE/rootfs/dev" "$BUNDLE/rootfs/link" >"$T/exchanges" 3>&- &
	run_while $!
	canary_is_untouched
}

# CVE-2023-27561, as a race. The directory may be exchanged after procfs was mounted
# on it, and takes the mount along: /proc is then what the attacker likes, but
# procfs has its masks wherever it is.
procfs_is_masked() {
	! grep -vx 1:3 "$1"
}

@test "a /proc that turns into a link" {
	ln -s /tmp "$BUNDLE/rootfs/link"
	bundle_runs sh -c 'for d in /proc /link; do (cd $d && [ -e self/stat ] && stat -c %t:%T keys); done 2>/dev/null; true'
	"$RACE/exchange" "$SECONDS_" "$BUNDLE/rootfs/proc" "$BUNDLE/rootfs/link" >"$T/exchanges" 3>&- &
	CHECK=procfs_is_masked run_while $!
	canary_is_untouched
}

# CVE-2025-31133, CVE-2025-52565: the null and the console of a /dev that somebody
# else can write to.
@test "a /dev/null and a /dev/console that turn into links to procfs" {
	mkdir "$T/dev"
	mknod -m 666 "$T/dev/null" c 1 3
	ln -s /proc/sys/kernel/core_pattern "$T/dev/link"
	: >"$T/dev/console"
	ln -s /proc/sysrq-trigger "$T/dev/link2"
	edit_bundle '.mounts = [{destination: "/proc", type: "proc", source: "proc"},
			{destination: "/dev", type: "bind", source: ($t + "/dev"), options: ["rbind"]}]
		| .process.terminal = true' --arg t "$T"
	bundle_runs sh -c 'stat -f -c %T /proc; stat -c %t:%T /proc/keys; test ! -w /proc/sysrq-trigger || grep -q " /proc/sysrq-trigger ro" /proc/mounts || echo writable'
	"$RACE/exchange" "$SECONDS_" "$T/dev/null" "$T/dev/link" >"$T/exchanges" 3>&- &
	local first=$!
	"$RACE/exchange" "$SECONDS_" "$T/dev/console" "$T/dev/link2" >/dev/null 3>&- &
	CHECK=terminal_shows_masks run_while $first
	wait
	canary_is_untouched
}

terminal_shows_masks() {
	[ "$(tr -d '\r' <"$1")" = "proc
1:3" ]
}

# CVE-2016-9962, CVE-2019-5736: a container that looks at all processes of its pid
# namespace while others are created in it.
@test "processes of the runtime are closed to a container in their pid namespace" {
	local pid
	mkdir -p "$BUNDLE/rootfs/results"
	cp "$RACE/watch" "$BUNDLE/rootfs/watch"
	bundle_runs sh -c "/watch $SECONDS_ >/results/watch 2>&1; sleep 1000"
	knarr run -d -b "$BUNDLE" "$ID-w" </dev/null >/dev/null 2>&1
	pid=$(knarr state "$ID-w" | jq .pid)
	bundle_runs true
	edit_bundle ".linux.namespaces |= map(if .type == \"pid\" then .path = \"/proc/$pid/ns/pid\" else . end)"
	sleep "$SECONDS_" 3>&- &
	run_while $!
	[ "$OK" -ge 5 ]
	sleep 0.5
	knarr delete --force "$ID-w"
	sort "$BUNDLE/rootfs/results/watch" | cut -d" " -f1,2 | uniq -c
	run ! grep -q opened "$BUNDLE/rootfs/results/watch"
	[ "$(sed -n 's/^seen //p' "$BUNDLE/rootfs/results/watch")" -gt 0 ]
}

# ---- flags of mounts in a volume whose directories are exchanged -----------------

# make_exchanged_volume: /vol/x and /vol/y, each with a directory m to mount on.
make_exchanged_volume() {
	mkdir -p "$T/vol/x/m" "$T/vol/y/m"
	edit_bundle '.mounts += [{destination: "/vol", type: "bind", source: ($t + "/vol"), options: ["rbind"]}]' --arg t "$T"
	bundle_runs cat /proc/self/mountinfo
}

# Runs containers while the attacker exchanges the two. CHECK has each one's mountinfo.
race_of_volume() {
	"$RACE/exchange" "$SECONDS_" "$T/vol/x" "$T/vol/y" >"$T/exchanges" 3>&- &
	CHECK=$1 run_while $!
	[ "$(cat "$T/exchanges")" -gt 1000 ]
	# Neither attack is a reason for a container not to start.
	[ "$FAILED" = 0 ]
}

overlay_has_its_flags() {
	awk '/ - overlay / { n++; if ($6 !~ /nosuid/ || $6 !~ /nodev/ || $6 !~ /noexec/) bad = 1 }
		END { exit bad || n != 1 }' "$1" || {
		cat "$1"
		return 1
	}
}

# mount(2) returns no descriptor: it must not be looked up again where it was mounted.
@test "a mount with long options has its flags though its directory is exchanged" {
	local long i lower=
	# Longer than fsconfig(2) takes for one layer, too.
	long=$(printf 'n%.0s' {1..150})
	long=$T/$long/$long
	for i in 1 2; do
		mkdir -p "$long$i"
		lower=$lower${lower:+:}$long$i
	done
	make_exchanged_volume
	edit_bundle '.mounts += [
		{destination: "/vol/y/m", type: "tmpfs", source: "tmpfs"},
		{destination: "/vol/x/m", type: "overlay", source: "overlay", options: ["lowerdir=" + $l, "nosuid", "nodev", "noexec"]}]' --arg l "$lower"
	race_of_volume overlay_has_its_flags
}

sizes_have_their_flags() {
	awk '/ - tmpfs .*size=4096k/ { n++; if ($6 !~ /^ro/) bad = 1 }
		/ - tmpfs .*size=8192k/ { n++; if ($6 ~ /^ro/) bad = 1 }
		END { exit bad || n != 2 }' "$1" || {
		cat "$1"
		return 1
	}
}

# A tmpfs becomes read-only after all mounts were made, since there may be mount points in it.
@test "a read-only tmpfs is read-only though its directory is exchanged" {
	make_exchanged_volume
	edit_bundle '.mounts += [
		{destination: "/vol/y/m", type: "tmpfs", source: "tmpfs", options: ["size=8m"]},
		{destination: "/vol/x/m", type: "tmpfs", source: "tmpfs", options: ["size=4m", "ro"]}]'
	race_of_volume sizes_have_their_flags
}

# The same for options that say "remount": they are of the mount that the config makes there.
@test "a remount changes the mount of the config though its directory is exchanged" {
	make_exchanged_volume
	edit_bundle '.mounts += [
		{destination: "/vol/y/m", type: "tmpfs", source: "tmpfs", options: ["size=8m"]},
		{destination: "/vol/x/m", type: "tmpfs", source: "tmpfs", options: ["size=4m"]},
		{destination: "/vol/x/m", type: "none", source: "none", options: ["remount", "bind", "ro"]}]'
	race_of_volume sizes_have_their_flags
}

# ---- a namespace that is another one when it is joined ---------------------------

# A path /proc/PID/ns/uts may be a process's of the host by the time it is joined: then nothing
# may be set there. A uts namespace of the test's own plays the host.
@test "a path of a namespace that turns into the runtime's own" {
	local holder host first
	unshare --uts sleep 1000 3>&- &
	holder=$!
	unshare --uts sh -c 'hostname the-host; exec sleep 1000' 3>&- &
	host=$!
	until [ "$(nsenter --uts="/proc/$host/ns/uts" hostname)" = the-host ] &&
		[ "$(readlink "/proc/$holder/ns/uts")" != "$(readlink /proc/self/ns/uts)" ]; do sleep 0.05; done
	printf '#!/bin/sh\nexec nsenter --uts=/proc/%s/ns/uts %s "$@"\n' "$host" "$KNARR" >"$T/knarr"
	chmod 0755 "$T/knarr"
	KNARR=$T/knarr
	ln -s "/proc/$holder/ns/uts" "$T/path"
	ln -s "/proc/$host/ns/uts" "$T/other"
	edit_bundle '.hostname = "changed" | .linux.namespaces |= map(if .type == "uts" then .path = $path else . end)' --arg path "$T/path"
	"$RACE/exchange" "$SECONDS_" "$T/path" "$T/other" >"$T/exchanges" 3>&- &
	first=$!
	run_while $first
	[ "$(cat "$T/exchanges")" -gt 1000 ]
	[ "$(nsenter --uts="/proc/$host/ns/uts" hostname)" = the-host ]
	[ "$(nsenter --uts="/proc/$holder/ns/uts" hostname)" = changed ]
	kill $holder $host
	wait $holder $host || true
}
