#!/usr/bin/env bats
# Bind mounts: what their flags become, and options that are not a bind mount's.
load helpers

setup()
{
	container_setup
	requires_root
	mkdir "$T/volume"
	echo text >"$T/volume/file"
}

teardown()
{
	container_teardown
}

TABLE=$BATS_TEST_DIRNAME/../data/bind-flags.tsv

# rows WHO: source, options, and the columns of runc, crun and knarr, with tabs between them.
rows()
{
	awk -F'\t' -v who="$1" '!/^#/ && $1 == who { print $2 FS $3 FS $4 FS $5 FS $6 }' "$TABLE"
}

# measure WHO FILTER: the rows of the table with what knarr does instead of the last column.
# One container has all the mounts: each kind of source is a tmpfs with those flags.
measure()
{
	local who=$1 filter=$2 sources=()
	mapfile -t sources < <(rows "$who" | cut -f1 | sort -u)
	make_bundle "$filter"
	rows "$who" | jq -R --arg t "$T" 'split("\t") | {destination: "/m/\(input_line_number)", type: "bind",
		source: "\($t)/sources/\(.[0])", options: (.[1] | split(","))}' | jq -s . >"$T/mounts"
	edit_bundle '.mounts += $mounts[0]' --slurpfile mounts "$T/mounts"
	bundle_runs_sh 'cat /proc/self/mountinfo'
	export KNARR ROOT BUNDLE ID T
	# shellcheck disable=SC2016
	unshare --mount --propagation private sh -ec 'for s; do mkdir -p "$T/sources/$s"
		mount -t tmpfs -o "mode=755,size=64k,$(echo "$s" | sed s/plain/rw/)" source "$T/sources/$s"; done
		exec "$KNARR" --root "$ROOT" run -b "$BUNDLE" "$ID"' sh "${sources[@]}" >"$T/mountinfo" 2>"$T/errors" || {
		cat "$T/errors"
		return 1
	}
	rows "$who" | awk -F'\t' 'NR == FNR { split($0, f, " "); flags[f[5]] = f[6]; next }
		{ print $1 FS $2 FS $3 FS $4 FS flags["/m/" FNR] }' "$T/mountinfo" -
}

@test 'the table of flags: source, options and what the mount gets' {
	requires_kernel 5 14
	rows root >"$T/expected"
	[ "$(wc -l <"$T/expected")" -ge 200 ]
	measure root '.root.readonly = false' >"$T/measured"
	diff -u "$T/expected" "$T/measured"
	# With no flag named the source's stay, as with runc; whatever is named is all that is set.
	awk -F'\t' '$5 != $3 && $5 != $4' "$T/measured" >"$T/neither"
	[ ! -s "$T/neither" ]
}

@test 'the table of flags in a user namespace: those of the source stay' {
	requires_kernel 5 14
	rows userns >"$T/expected"
	[ "$(wc -l <"$T/expected")" -ge 40 ]
	measure userns '.root.readonly = false | .linux.namespaces += [{type: "user"}]
		| .linux.uidMappings = [{containerID: 0, hostID: 0, size: 1000}] | .linux.gidMappings = .linux.uidMappings' >"$T/measured"
	diff -u "$T/expected" "$T/measured"
	awk -F'\t' '$5 != $3 && $3 != "refused"' "$T/measured" >"$T/other"
	[ ! -s "$T/other" ]
}

@test 'programs of a volume below a noexec file system run, when flags are named' {
	make_bundle '.root.readonly = false'
	edit_bundle '.mounts += [{destination: "/volume", type: "bind", source: ($t + "/noexec"), options: ["rbind", "rprivate", "rw", "nosuid", "nodev"]}]' --arg t "$T"
	bundle_runs /volume/program
	mkdir "$T/noexec"
	export KNARR ROOT BUNDLE ID T
	# shellcheck disable=SC2016
	run -0 unshare --mount --propagation private sh -ec 'mount -t tmpfs -o noexec,mode=755 t "$T/noexec"
		printf "#!/bin/sh\necho runs\n" >"$T/noexec/program"; chmod 755 "$T/noexec/program"
		exec "$KNARR" --root "$ROOT" run -b "$BUNDLE" "$ID"'
	[ "$output" = runs ]
}

# ---- options that are not a bind mount's -------------------------------------------

# bound OPTION…: a container with one bind of $T/volume with them; it runs, and prints the
# flags of the mount. Its warnings are in $T/warnings.
bound()
{
	make_bundle '.root.readonly = false | .process.capabilities.ambient = []'
	edit_bundle '.mounts += [{destination: "/volume", type: "bind", source: $source, options: $options}]' \
		--arg source "$T/volume" --argjson options "$(jq -nc '$ARGS.positional' --args "$@")"
	bundle_runs_sh 'cat /volume/file && sed -n "s/.* \/volume \([^ ]*\) .*/\1/p" /proc/self/mountinfo'
	knarr run -b "$BUNDLE" "$ID" 2>"$T/warnings"
}

# said_by_both TEXT: run warned of it once, and check says the same, and finds no error.
said_by_both()
{
	[ "$(grep -c "warning: $1\$" "$T/warnings")" = 1 ]
	[ "$(grep -c 'mounts\[[0-9]*\]' "$T/warnings")" = 1 ]
	run -0 knarr check "$BUNDLE"
	grep -q "config.json:[0-9]*:[0-9]*: warning: $1\$" <<<"$output"
	[ "$(grep -c 'mounts\[[0-9]*\]' <<<"$output")" = 1 ]
}

@test 'options of a file system on a bind mount: ignored, with one warning' {
	local option n
	for option in mode=755 size=1m foo copy-symlink z U delegated lowerdir=/a:/b 'context="a:b:c"' loop; do
		run -0 bound rbind rw "$option"
		[ "$output" = $'text\nrw,relatime' ]
		n=$(($(jq '.mounts | length' "$BUNDLE/config.json") - 1))
		said_by_both "mounts\\[$n\\].options: '${option//\"/}' is ignored, a bind mount has no options of a file system"
	done
	run -0 bound rbind size=1m,mode=755 foo ro
	[ "$output" = $'text\nro,relatime' ]
	said_by_both "mounts\\[$n\\].options: 'size=1m', 'mode=755', 'foo' are ignored, a bind mount has no options of a file system"
}

@test 'tmpcopyup on something else than a tmpfs: ignored, with one warning' {
	local n
	run -0 bound rbind tmpcopyup
	[ "$output" = $'text\nrw,relatime' ]
	n=$(($(jq '.mounts | length' "$BUNDLE/config.json") - 1))
	said_by_both "mounts\\[$n\\].options: 'tmpcopyup' is ignored, it is for a new tmpfs"
	make_bundle '.process.capabilities.ambient = [] | .mounts += [{destination: "/tmp", type: "ramfs", source: "ramfs", options: ["tmpcopyup"]}]' grep -c ' /tmp ' /proc/self/mountinfo
	knarr run -b "$BUNDLE" "$ID" >"$T/out" 2>"$T/warnings"
	[ "$(<"$T/out")" = 1 ]
	said_by_both "mounts\\[$n\\].options: 'tmpcopyup' is ignored, it is for a new tmpfs"
}

@test 'a remount with bind ignores options of a file system, too' {
	make_bundle '.root.readonly = false | .process.capabilities.ambient = [] | .mounts += [
		{destination: "/volume", type: "tmpfs", source: "tmpfs"},
		{destination: "/volume", type: "none", options: ["remount", "bind", "ro", "mode=700"]}]'
	bundle_runs_sh 'stat -c %a /volume; sed -n "s/.* \/volume \([^ ]*\) .*/\1/p" /proc/self/mountinfo'
	knarr run -b "$BUNDLE" "$ID" >"$T/out" 2>"$T/warnings"
	[ "$(<"$T/out")" = $'1777\nro,relatime' ]
	said_by_both "mounts\\[$(($(jq '.mounts | length' "$BUNDLE/config.json") - 1))\\].options: 'mode=700' is ignored, a remount with bind has no options of a file system"
}

@test 'a mount that is added to a running container is bound by the same rules' {
	make_bundle '.root.readonly = false' sleep 60
	knarr run -d -b "$BUNDLE" "$ID" </dev/null
	jq -n '[{destination: "/volume", type: "bind", source: $s, options: ["rbind", "nosuid", "mode=755"]}]' --arg s "$T/volume" >"$T/add"
	run -0 knarr mounts add "$ID" "$T/add"
	[[ "$output" == *"'mode=755' is ignored"* ]]
	run -0 knarr exec "$ID" sed -n 's/.* \/volume \([^ ]*\) .*/\1/p' /proc/self/mountinfo
	[ "$output" = rw,nosuid,relatime ]
	knarr delete --force "$ID"
}

# ---- sources that the container makes itself -----------------------------------------

# Four binds, each of what an entry before it makes in the root file system.
inside_binds()
{
	mkdir "$T/volume/deeper"
	edit_bundle '.mounts += [{destination: "/v", type: "bind", source: ($t + "/volume"), options: ["rbind"]},
		{destination: "/w", type: "bind", source: "rootfs/v/file", options: ["rbind", "ro"]},
		{destination: "/new/sub", type: "bind", source: "rootfs/dev/shm", options: ["rbind"]},
		{destination: "/y", type: "bind", source: ($t + "/bundle/rootfs/new"), options: ["rbind"]},
		{destination: "/z", type: "bind", source: "rootfs/v/link", options: ["rbind"]}]' --arg t "$T"
	# It leads to the container's /etc, not to the host's.
	ln -s /etc "$T/volume/link"
	bundle_runs_sh 'cat /w; ls /y; cat /z/hostname; sed -n "s/.* \/\(w\|y\/sub\) \([^ ]*\) .*- \([^ ]*\) .*/\1 \2/p" /proc/self/mountinfo'
	echo container >"$BUNDLE/rootfs/etc/hostname"
}

@test 'a source that an earlier entry of mounts makes in the root file system' {
	make_bundle '.root.readonly = false'
	inside_binds
	run -0 knarr check "$BUNDLE"
	run -0 knarr run -b "$BUNDLE" "$ID"
	[ "$output" = $'text\nsub\ncontainer\nw ro,relatime\ny/sub rw,nosuid,nodev,noexec,relatime' ]
}

@test 'the same in a user namespace' {
	make_bundle '.root.readonly = false | .linux.namespaces += [{type: "user"}]
		| .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}] | .linux.gidMappings = .linux.uidMappings'
	chown -R --no-dereference 100000:100000 "$BUNDLE/rootfs"
	chmod 0755 "$BUNDLE"
	inside_binds
	run -0 knarr run -b "$BUNDLE" "$ID"
	[ "$output" = $'text\nsub\ncontainer\nw ro,relatime\ny/sub rw,nosuid,nodev,noexec,relatime' ]
}

@test 'a source that no entry makes is missing all the same' {
	make_bundle '.mounts += [{destination: "/y", type: "bind", source: "rootfs/nowhere", options: ["rbind"]}]'
	run -1 knarr run -b "$BUNDLE" "$ID"
	[[ "$output" == *".source: '$BUNDLE/rootfs/nowhere', to be bound on '/y': no such file or directory"* ]]
}

# ---- devices, masks ------------------------------------------------------------

@test 'devices that are bound into a user namespace are nosuid and noexec' {
	make_bundle '.linux.namespaces += [{type: "user"}]
		| .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}] | .linux.gidMappings = .linux.uidMappings'
	chown -R --no-dereference 100000:100000 "$BUNDLE/rootfs"
	chmod 0755 "$BUNDLE"
	bundle_runs_sh 'sed -n "s/.* \/dev\/\(null\|zero\|tty\) \([^ ]*\) .*/\1 \2/p" /proc/self/mountinfo; echo x >/dev/null'
	run -0 knarr run -b "$BUNDLE" "$ID"
	local device
	for device in null zero tty; do
		[[ "$output" == *"$device "*nosuid*noexec* ]]
		[[ "$(grep "^$device " <<<"$output")" != *nodev* ]]
	done
}

@test 'a path that is listed twice is masked once, and made read-only once' {
	make_bundle '.linux.maskedPaths = ["/etc/passwd", "/proc/keys", "/proc//keys", "/etc/passwd", "/root", "/root/"]
		| .linux.readonlyPaths = ["/tmp", "/tmp/", "/proc/sys", "/proc/sys"]'
	bundle_runs_sh 'for p in /etc/passwd /proc/keys /root /tmp /proc/sys; do grep -c " $p " /proc/self/mountinfo; done'
	run -0 knarr run -b "$BUNDLE" "$ID"
	[ "$output" = $'1\n1\n1\n1\n1' ]
}
