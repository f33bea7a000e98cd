#!/usr/bin/env bats
# Rules of config.md and bundle.md that no other file shows.
load helpers

setup() {
	container_setup
	make_bundle '.root.readonly = false | .linux.namespaces |= map(select(.type != "network"))' true
}

teardown() {
	container_teardown
}

# refuses FILTER WORD...: the config is an error that holds the words.
refuses() {
	local before word
	before=$(cat "$BUNDLE/config.json")
	edit_bundle "$1"
	run -1 knarr create -b "$BUNDLE" "$ID"
	echo "$1: $output"
	shift
	for word in "$@"; do [[ "$output" == *"$word"* ]]; done
	run ! knarr state "$ID"
	echo "$before" >"$BUNDLE/config.json"
}

@test "the config is the file config.json in the root of the bundle" {
	mkdir "$BUNDLE/sub"
	mv "$BUNDLE/config.json" "$BUNDLE/sub/config.json"
	run -1 knarr create -b "$BUNDLE" "$ID"
	[[ "$output" == *"$BUNDLE/config.json"* ]]
	mv "$BUNDLE/sub/config.json" "$BUNDLE/Config.json"
	run -1 knarr create -b "$BUNDLE" "$ID"
	mv "$BUNDLE/Config.json" "$BUNDLE/config.json"
	run -0 knarr run -b "$BUNDLE" "$ID"
}

@test "root must be there, with a path to a directory" {
	refuses 'del(.root)' root
	refuses 'del(.root.path)' root.path
	refuses '.root.path = "config.json"' config.json
	refuses '.root.path = "missing"' missing
}

@test "consoleSize without a terminal is ignored, with one both numbers must be there" {
	edit_bundle_to_run '.process.consoleSize = {height: 11, width: 22}' sh -c '[ -t 0 ] || echo none'
	run -0 knarr run -b "$BUNDLE" "$ID" </dev/null
	[ "$output" = none ]
	refuses '.process.consoleSize = {height: 11}' process.consoleSize.width
	refuses '.process.consoleSize = {width: 11}' process.consoleSize.height
}

@test "annotations: a map, with keys that are not empty and values that are strings" {
	refuses '.annotations = []' annotations
	refuses '.annotations = {"": "x"}' annotations
	refuses '.annotations = {a: 1}' annotations
	edit_bundle '.annotations = {"org.opencontainers.image.os": "linux", "org.opencontainers.image.nobody": "knows", "x y": ""}'
	run -0 knarr run --keep -b "$BUNDLE" "$ID"
	[ -z "$output" ]
	[ "$(knarr state "$ID" | jq '.annotations | length')" = 3 ]
	knarr delete "$ID"
}

@test "only one of uidMappings and gidMappings of a mount is an error" {
	refuses '.mounts += [{destination: "/x", source: "/tmp", options: ["bind", "idmap"], uidMappings: [{containerID: 0, hostID: 0, size: 1}]}]' gidMappings
	refuses '.mounts += [{destination: "/x", source: "/tmp", options: ["bind", "idmap"], gidMappings: [{containerID: 0, hostID: 0, size: 1}]}]' uidMappings
}

@test "idmap and ridmap without any mapping and user namespace are errors" {
	refuses '.mounts += [{destination: "/x", source: "/tmp", options: ["bind", "idmap"]}]' 'mounts[7].options' 'id-mapped'
	refuses '.mounts += [{destination: "/x", source: "/tmp", options: ["rbind", "ridmap"]}]' 'mounts[7].options' 'id-mapped'
}

@test "mappings of a user namespace leave the files as they are" {
	requires_root
	edit_bundle '.linux.namespaces += [{type: "user"}] | .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}]
		| .linux.gidMappings = .linux.uidMappings | .mounts += [{destination: "/volume", source: $v, options: ["bind"]}]' --arg v "$T/volume"
	mkdir "$T/volume" "$BUNDLE/rootfs/volume"
	echo x | tee "$T/volume/file" "$BUNDLE/rootfs/mine" >"$BUNDLE/rootfs/tmp/file"
	chown 100005:100006 "$BUNDLE/rootfs/mine"
	local before after
	before=$(find "$BUNDLE/rootfs" "$T/volume" -printf '%p %U:%G %m\n' | sort)
	bundle_runs_sh 'stat -c %u:%g /mine /tmp/file /volume/file'
	run -0 knarr run -b "$BUNDLE" "$ID"
	[ "$output" = $'5:6\n65534:65534\n65534:65534' ]
	after=$(find "$BUNDLE/rootfs" "$T/volume" -printf '%p %U:%G %m\n' | sort)
	diff <(echo "$before") <(echo "$after")
}

@test "links in /dev are made where their source exists after the mounts" {
	edit_bundle '.mounts |= map(select(.destination == "/dev" or .destination == "/dev/pts"))'
	edit_bundle '.linux.maskedPaths = [] | .linux.readonlyPaths = []'
	rmdir "$BUNDLE/rootfs/proc"
	bundle_runs_sh 'for l in fd stdin stdout stderr; do [ ! -e /dev/$l ] || echo $l; done; echo end'
	run -0 knarr run -b "$BUNDLE" "$ID"
	[ "$output" = end ]
}

@test "the state fits its schema in every status" {
	local pid
	check() { # check STATUS JQ-TEST
		knarr state "$ID" | jq -e --arg s "$1" --arg id "$ID" '(.ociVersion | type) == "string" and .id == $id and .status == $s and
			(.bundle | type == "string" and startswith("/")) and ((.annotations // {}) | type) == "object" and
			all((.annotations // {})[]; type == "string") and (.pid | type == "number" and . >= 0 and . == floor) and ('"$2"')'
	}
	edit_bundle '.annotations = {a: "b"} | .process.args = ["sleep", "1000"]'
	knarr create -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
	check created '.pid > 0'
	knarr start "$ID"
	check running '.pid > 0'
	if knarr pause "$ID" 2>/dev/null; then
		check paused '.pid > 0'
		knarr resume "$ID"
	fi
	knarr kill "$ID" KILL
	wait_status "$ID" stopped
	check stopped true
	knarr delete "$ID"
}

@test "resctrl is left alone without linux.intelRdt" {
	requires_command strace
	ASAN_OPTIONS=detect_leaks=0 strace -f -qq -o "$T/trace" -e trace=%file,mount,openat2 "$KNARR" --root "$ROOT" run -b "$BUNDLE" "$ID"
	grep -q config.json "$T/trace"
	run ! grep resctrl "$T/trace"
}

# The document depends on how knarr was built, not on who asks and where.
@test "features: the same for everybody, everywhere" {
	requires_unprivileged_user
	knarr_for_user
	local first
	first=$("$KNARR" features)
	[ "$(cd / && env -i "$KNARR" features)" = "$first" ]
	[ "$(as_user "$KNARR" features)" = "$first" ]
	[ "$(unshare --mount --net --ipc "$KNARR" features)" = "$first" ]
	# null would say "unknown".
	jq -e '[.. | select(. == null)] == []' <<<"$first"
}

@test "features: both versions of the specification are accepted" {
	local min max
	min=$(knarr features | jq -r .ociVersionMin) max=$(knarr features | jq -r .ociVersionMax)
	[ "$(printf '%s\n' "$min" "$max" | sort -V | head -n 1)" = "$min" ]
	for version in "$min" "$max"; do
		edit_bundle '.ociVersion = $v' --arg v "$version"
		run -0 knarr run -b "$BUNDLE" "$ID"
		[ -z "$output" ]
	done
}

# accepted FILTER VALUE: `knarr check` of the config that the filter makes with $v.
accepted() {
	(
		cd "$BUNDLE" && mkdir -p "$T/one" && jq --arg v "$2" "$1" config.json >"$T/one/config.json"
	)
	knarr check "$T/one" >"$T/check" 2>&1
}

@test "features: everything that is listed is accepted, and nothing else" {
	local features list filter value nodes='{mode: $v} + (if $v | test("BIND|INTERLEAVE|PREFERRED") then {nodes: "0"} else {} end)'
	features=$(knarr features)
	while IFS='|' read -r list names filter; do
		[ "$(jq "$list | length" <<<"$features")" -gt 0 ]
		while read -r value; do
			accepted "$filter" "$value" || {
				echo "$list: $value: $(cat "$T/check")"
				return 1
			}
		done < <(jq -r "$list[]" <<<"$features")
		# Names of the specification that are not listed, and names of nobody. (An architecture
		# that libseccomp lacks is refused by run: features.bats.)
		while read -r value; do
			! accepted "$filter" "$value" || [[ "$list" == *apabilities ]] || {
				echo "$list: $value was accepted"
				return 1
			}
		done < <(jq -r --arg names "$names" "$list as \$listed | (\$names | split(\" \")) - \$listed + [\$listed[0] + \"X\", \"NOPE\", \"\"] | .[]" <<<"$features")
		# An unknown capability is a warning.
		[[ "$list" != *apabilities ]] || grep -q warning "$T/check"
	done <<-END
		.linux.namespaces|pid network mount ipc uts user cgroup time|.linux.namespaces = [{type: \$v}, {type: "mount"}, {type: "user"}, {type: "uts"}] | .linux.namespaces |= unique_by(.type) | .linux.uidMappings = [{containerID: 0, hostID: 0, size: 1}] | .linux.gidMappings = .linux.uidMappings | .linux.sysctl = {}
		.linux.capabilities||.process.capabilities = {bounding: [\$v]}
		.linux.seccomp.actions|SCMP_ACT_KILL SCMP_ACT_KILL_PROCESS SCMP_ACT_KILL_THREAD SCMP_ACT_TRAP SCMP_ACT_ERRNO SCMP_ACT_TRACE SCMP_ACT_ALLOW SCMP_ACT_LOG SCMP_ACT_NOTIFY|.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", listenerPath: "/x", syscalls: [{names: ["mkdir"], action: \$v}]}
		.linux.seccomp.operators|SCMP_CMP_NE SCMP_CMP_LT SCMP_CMP_LE SCMP_CMP_EQ SCMP_CMP_GE SCMP_CMP_GT SCMP_CMP_MASKED_EQ|.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["mkdir"], action: "SCMP_ACT_ERRNO", args: [{index: 0, value: 1, op: \$v}]}]}
		.linux.seccomp.archs||.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", architectures: [\$v]}
		.linux.seccomp.knownFlags|SECCOMP_FILTER_FLAG_TSYNC SECCOMP_FILTER_FLAG_LOG SECCOMP_FILTER_FLAG_SPEC_ALLOW SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV|.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", listenerPath: "/x", flags: [\$v], syscalls: [{names: ["mkdir"], action: "SCMP_ACT_NOTIFY"}]}
		.linux.seccomp.supportedFlags|SECCOMP_FILTER_FLAG_TSYNC SECCOMP_FILTER_FLAG_LOG SECCOMP_FILTER_FLAG_SPEC_ALLOW SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV|.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", listenerPath: "/x", flags: [\$v], syscalls: [{names: ["mkdir"], action: "SCMP_ACT_NOTIFY"}]}
		.linux.memoryPolicy.modes|MPOL_DEFAULT MPOL_BIND MPOL_INTERLEAVE MPOL_WEIGHTED_INTERLEAVE MPOL_PREFERRED MPOL_PREFERRED_MANY MPOL_LOCAL|.linux.memoryPolicy = ($nodes)
		.linux.memoryPolicy.flags|MPOL_F_NUMA_BALANCING MPOL_F_RELATIVE_NODES MPOL_F_STATIC_NODES|.linux.memoryPolicy = {mode: "MPOL_BIND", nodes: "0", flags: [\$v]}
	END
	[ "$(jq .linux.mountExtensions.idmap.enabled <<<"$features")" = true ]
}

@test "features: only properties of the specification, no option of a file system, annotations are strings" {
	knarr features >"$T/features"
	jq -e '(keys - ["ociVersionMin", "ociVersionMax", "hooks", "mountOptions", "linux", "annotations", "potentiallyUnsafeConfigAnnotations"]) == []
		and (.linux | keys - ["namespaces", "capabilities", "cgroup", "seccomp", "apparmor", "selinux", "intelRdt", "memoryPolicy", "mountExtensions", "netDevices"]) == []
		and (.linux.cgroup | keys - ["v1", "v2", "systemd", "systemdUser", "rdma"]) == []
		and (.linux.seccomp | keys - ["enabled", "actions", "operators", "archs", "knownFlags", "supportedFlags"]) == []
		and (.linux.intelRdt | keys - ["enabled", "schemata", "monitoring"]) == []
		and (.linux.memoryPolicy | keys - ["modes", "flags"]) == []
		and all(.linux.apparmor, .linux.selinux, .linux.netDevices, .linux.mountExtensions.idmap; keys == ["enabled"])
		and (.linux.mountExtensions | keys) == ["idmap"]' "$T/features"
	jq -e '(.mountOptions - ["mode", "size", "uid", "gid", "lowerdir", "hidepid"]) == .mountOptions
		and all(.mountOptions[]; contains("=") | not)' "$T/features"
	jq -e '.annotations | type == "object" and all(to_entries[]; (.key | length > 0) and (.value | type) == "string")' "$T/features"
}

@test "a warning of the config says so once" {
	edit_bundle_to_run '.process.env += ["LONELY"]' true
	run -0 knarr run -b "$BUNDLE" "$ID"
	[[ "$output" == "knarr: warning: $BUNDLE/config.json:"*": process.env["*"]: expected NAME=value, found \"LONELY\"" ]]
	[ "$(grep -o warning <<<"$output" | wc -l)" = 1 ]
}
