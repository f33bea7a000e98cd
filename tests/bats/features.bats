#!/usr/bin/env bats
# The features document: valid after the specification's schema (features-schema.json
# and features-linux.json, Apache-2.0, put into jq here), each item that it lists is
# honoured, and what it does not list is refused or does nothing.
load helpers

setup() {
	container_setup
	"$KNARR" features >"$T/features"
}

teardown() {
	container_teardown
}

feature() {
	jq -r "$1" "$T/features"
}

# accepted JQ-FILTER: check finds nothing wrong, nothing unknown.
accepted() {
	make_config "$1"
	run knarr check "$BUNDLE"
	[ "$status" = 0 ] && [[ "$output" != *unknown* && "$output" == *" 0 warnings" ]] || {
		echo "$1: $output"
		return 1
	}
}

# refused JQ-FILTER TEXT: check says so.
refused() {
	make_config "$1"
	run -1 knarr check "$BUNDLE"
	[[ "$output" == *"$2"* ]] || {
		echo "$1: $output"
		return 1
	}
}

# The config of `knarr spec` and a change.
make_config() {
	mkdir -p "$BUNDLE/rootfs"
	[ -e "$T/config" ] || (cd "$T" && "$KNARR" spec && mv config.json config)
	jq --slurpfile f "$T/features" "$1" "$T/config" >"$BUNDLE/config.json"
}

@test "features is valid after the schema, and says nothing that it does not know" {
	jq -e '
		def only($names): (keys - $names) == [];
		def strings: type == "array" and all(.[]; type == "string") and (length == (unique | length));
		def each($pattern): strings and all(.[]; test($pattern));
		def flags($names): type == "object" and only($names) and all(.[]; type == "boolean");
		only(["ociVersionMin", "ociVersionMax", "hooks", "mountOptions", "linux", "annotations", "potentiallyUnsafeConfigAnnotations"])
		and (.ociVersionMin | test("^[0-9]+\\.[0-9]+\\.[0-9]+"))
		and (.ociVersionMax | test("^[0-9]+\\.[0-9]+\\.[0-9]+"))
		and ((.ociVersionMin | split(".") | map(tonumber)) <= (.ociVersionMax | split(".") | map(tonumber)))
		and (.hooks | each("^(prestart|create(Runtime|Container)|startContainer|post(start|stop))$"))
		and (.mountOptions | each("^[a-z-]+$"))
		and (.annotations | type == "object" and all(.[]; type == "string"))
		and (.potentiallyUnsafeConfigAnnotations | strings)
		and (.linux |
			only(["namespaces", "capabilities", "cgroup", "seccomp", "apparmor", "selinux", "memoryPolicy", "intelRdt",
				"mountExtensions", "netDevices"])
			and (.namespaces | each("^(mount|pid|network|uts|ipc|user|cgroup|time)$"))
			and (.capabilities | each("^CAP_[A-Z_]+$"))
			and (.cgroup | flags(["v1", "v2", "systemd", "systemdUser", "rdma"]))
			and (.seccomp | only(["enabled", "actions", "operators", "archs", "knownFlags", "supportedFlags"])
				and (.enabled | type == "boolean")
				and (.actions | each("^SCMP_ACT_(KILL|KILL_PROCESS|KILL_THREAD|TRAP|ERRNO|TRACE|ALLOW|LOG|NOTIFY)$"))
				and (.operators | each("^SCMP_CMP_(NE|LT|LE|EQ|GE|GT|MASKED_EQ)$"))
				and (.archs | each("^SCMP_ARCH_(X86|X86_64|X32|ARM|AARCH64|MIPS|MIPS64|MIPS64N32|MIPSEL|MIPSEL64|MIPSEL64N32|PPC|PPC64|PPC64LE|S390|S390X|PARISC|PARISC64|RISCV64|LOONGARCH64|M68K|SH|SHEB)$"))
				and ([.knownFlags, .supportedFlags] | all(.[]; each("^SECCOMP_FILTER_FLAG_(TSYNC|LOG|SPEC_ALLOW|WAIT_KILLABLE_RECV)$")))
				and (.supportedFlags - .knownFlags == []))
			and ([.apparmor, .selinux, .netDevices] | all(.[]; flags(["enabled"])))
			and (.memoryPolicy | only(["modes", "flags"]) and (.modes | each("^MPOL_[A-Z_]+$")) and (.flags | each("^MPOL_F_[A-Z_]+$")))
			and (.intelRdt | flags(["enabled", "schemata", "monitoring"]))
			and (.mountExtensions | only(["idmap"]) and (.idmap | flags(["enabled"]))))' "$T/features"
}

@test "features: it does not depend on the host, nor on who asks" {
	requires_root
	run -0 env -i unshare -muinp -f "$KNARR" features
	[ "$output" = "$(cat "$T/features")" ]
	requires_unprivileged_user
	knarr_for_user
	run -0 as_user "$KNARR" features
	[ "$output" = "$(cat "$T/features")" ]
}

@test "features: versions" {
	accepted '.ociVersion = $f[0].ociVersionMin'
	accepted '.ociVersion = $f[0].ociVersionMax'
	refused '.ociVersion = "2.0.0"' ociVersion
	refused '.ociVersion = "0.9.0"' ociVersion
}

@test "features: each hook runs, one that is not listed is reported and does not" {
	requires_root
	make_bundle . true
	edit_bundle '.hooks = ([$f[0].hooks[] | {key: ., value: [{path: (if . == "startContainer" then "/bin/touch" else "/usr/bin/touch" end),
		args: ["touch", (if . == "startContainer" then "/\(.)" else $t + "/hook-\(.)" end)]}]}] +
		[("prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop", "preStop") | select(IN($f[0].hooks[]) | not) |
		{key: ., value: [{path: "/usr/bin/touch", args: ["touch", $t + "/hook-\(.)"]}]}] | from_entries) | .root.readonly = false' \
		--slurpfile f "$T/features" --arg t "$T"
	run knarr check "$BUNDLE"
	[[ "$output" == *'hooks.preStop: unknown property'* ]]
	[ "$(grep -c 'hooks\.[A-Za-z]*: unknown property' <<<"$output")" = "$(feature '7 - (.hooks | length)')" ]
	run -0 knarr run -b "$BUNDLE" "$ID"
	[ "$(cd "$T" && ls -d hook-* | sort)" = "$(feature '.hooks - ["startContainer"] | sort | .[] | "hook-" + .')" ]
	[ -e "$BUNDLE/rootfs/startContainer" ]
}

@test "features: each mount option is recognized, none goes to the file system" {
	requires_root
	make_bundle
	# Those that mean something only for a mount that is bound, each with the plan's word for it.
	edit_bundle '.mounts += [$f[0].mountOptions[] | {destination: "/m/\(.)",
		source: (if test("bind$|idmap$|-nofollow$") then "/tmp" else "tmpfs" end),
		type: (if test("bind$|idmap$|-nofollow$") then "bind" else "tmpfs" end),
		options: (if test("idmap$") then ["bind", .] elif test("-nofollow$") then ["bind", .] elif . == "remount" then ["bind", .] else [.] end)}
		| if .destination == "/m/remount" then .destination = "/proc" | .type = "bind" else . end
		| if .destination | test("idmap$") then .uidMappings = [{containerID: 0, hostID: 1000, size: 1}] | .gidMappings = .uidMappings else . end]' \
		--slurpfile f "$T/features"
	run -0 knarr check "$BUNDLE"
	[[ "$output" != *unknown* ]]
	run knarr plan "$BUNDLE"
	[ "$status" = 0 ] || { echo "$output"; return 1; }
	# These four are the superblock's, which fsconfig(2) takes by name.
	[ "$(sed -nE 's|^.*dest="/m/.* options=\["(.*)"\].*$|\1|p' <<<"$output" | sort | tr '\n' ' ')" = 'dirsync lazytime mand sync ' ]
	# An option that is not listed is the file system's, which refuses it.
	for option in acl nouser nonsense; do
		! grep -qx "$option" <(feature '.mountOptions[]') || continue
		edit_bundle '.mounts[-1] = {destination: "/m", type: "tmpfs", source: "tmpfs", options: [$o]}' --arg o "$option"
		[ "$option" = nouser ] || {
			run -1 knarr run -b "$BUNDLE" "$ID"
			[[ "$output" == *"$option"* ]]
		}
	done
}

@test "features: mount options have their effect" {
	requires_root
	make_bundle
	edit_bundle '.mounts += [("ro", "nosuid", "nodev", "noexec", "noatime", "nodiratime", "relatime", "nosymfollow", "sync", "dirsync",
		"rro", "rnosuid", "rnodev", "rnoexec", "rnoatime", "rnodiratime", "rnosymfollow", "rrelatime", "lazytime") | {destination: "/m/\(.)", type: "tmpfs", source: "tmpfs", options: [.]}]'
	bundle_runs_sh 'grep " /m/" /proc/self/mountinfo'
	run -0 knarr run -b "$BUNDLE" "$ID"
	local option mount fs
	while read -r option mount fs; do
		[[ ",$mount,$fs," == *",${option#r},"* || ",$mount,$fs," == *",$option,"* ]] || {
			echo "$option: $mount $fs"
			return 1
		}
	done < <(sed -E 's|^.* /m/([a-z]+) ([^ ]+) (.* )?- [^ ]+ [^ ]+ ([^ ]+)$|\1 \2 \4|' <<<"$output")
	[ "${#lines[@]}" = 19 ]
}

@test "features: namespaces" {
	accepted '.linux.namespaces = [$f[0].linux.namespaces[] | {type: .}] | .linux.uidMappings = [{containerID: 0, hostID: 0, size: 1}] |
		.linux.gidMappings = .linux.uidMappings'
	run -0 knarr plan --for root "$BUNDLE"
	[[ "${lines[0]}" == "namespaces: new="* ]]
	for name in net pid network mnt ipc uts user cgroup time; do
		case $name in
		net | mnt) ;;
		*) [[ "${lines[0]}" == *[=,]"${name/network/net}"* ]] ;;
		esac
	done
	refused '.linux.namespaces += [{type: "net"}]' 'unknown namespace type "net"'
	refused '.linux.namespaces += [{type: "syslog"}]' 'unknown namespace type'
}

@test "features: capabilities" {
	requires_root
	make_bundle
	edit_bundle '.process.capabilities = ($f[0].linux.capabilities as $c | {bounding: $c, permitted: $c, effective: $c, inheritable: [], ambient: []})' \
		--slurpfile f "$T/features"
	run knarr check "$BUNDLE"
	[[ "$output" != *unknown* ]]
	bundle_runs_sh 'grep CapEff /proc/self/status'
	run -0 --separate-stderr knarr run -b "$BUNDLE" "$ID"
	# All that are listed and that the caller has.
	[ "$((16#${output#CapEff:?}))" = "$((16#$(sed -n 's/^CapEff:\t//p' /proc/self/status) & ((1 << $(feature '.linux.capabilities | length')) - 1)))" ]
	# One that is not listed is left out, with a warning that names it.
	edit_bundle '.process.capabilities.bounding = ["CAP_NONSENSE"] | .process.capabilities.permitted = [] | .process.capabilities.effective = []'
	run -0 knarr run -b "$BUNDLE" "$ID"
	[[ "$output" == *CAP_NONSENSE*left\ out*CapEff:?0000000000000000 ]]
}

@test "features: seccomp actions, operators, architectures and flags" {
	requires_root
	make_bundle . /bin/busybox true
	# All architectures, operators, flags and actions in one profile that the kernel takes. The
	# call is one that the program does not make.
	edit_bundle '($f[0].linux.seccomp) as $s | .linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", architectures: $s.archs, flags: $s.supportedFlags,
		syscalls: ([$s.operators[] | {names: ["reboot"], action: "SCMP_ACT_KILL", args: [{index: 0, value: 1, valueTwo: 1, op: .}]}] +
			[$s.actions | map(select(. != "SCMP_ACT_ALLOW" and . != "SCMP_ACT_NOTIFY")) | to_entries[] |
				{names: [["acct", "swapon", "swapoff", "sethostname", "setdomainname", "init_module", "delete_module", "quotactl"][.key]], action: .value}])}' \
		--slurpfile f "$T/features"
	run -0 knarr check "$BUNDLE"
	run -0 knarr run -b "$BUNDLE" "$ID"
	edit_bundle '.linux.seccomp.syscalls += [{names: ["vhangup"], action: "SCMP_ACT_NOTIFY"}] | .linux.seccomp.listenerPath = "/nowhere"'
	run -1 knarr run -b "$BUNDLE" "$ID"
	[[ "$output" == *listenerPath*"'/nowhere'"* ]]
	local s='.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW"'
	refused "$s, architectures: [\"SCMP_ARCH_VAX\"]}" 'linux.seccomp.architectures[0]'
	refused "$s, flags: [\"SECCOMP_FILTER_FLAG_NEW_LISTENER\"]}" 'linux.seccomp.flags[0]'
	refused '.linux.seccomp = {defaultAction: "SCMP_ACT_NONSENSE"}' 'linux.seccomp.defaultAction'
	refused "$s, syscalls: [{names: [\"read\"], action: \"SCMP_ACT_NONSENSE\"}]}" 'linux.seccomp.syscalls[0].action'
	refused "$s, syscalls: [{names: [\"read\"], action: \"SCMP_ACT_LOG\", args: [{index: 0, value: 1, op: \"SCMP_CMP_NONSENSE\"}]}]}" '.op'
	# One that the specification knows and this build's libseccomp does not.
	for arch in SCMP_ARCH_LOONGARCH64 SCMP_ARCH_M68K SCMP_ARCH_SH SCMP_ARCH_SHEB; do
		! grep -qx "$arch" <(feature '.linux.seccomp.archs[]') || continue
		edit_bundle ".linux.seccomp = {defaultAction: \"SCMP_ACT_ALLOW\", architectures: [\"$arch\"]}"
		run -1 knarr run -b "$BUNDLE" "$ID"
		[[ "$output" == *"linux.seccomp.architectures[0]"*"$arch"* ]]
	done
}

@test "features: memory policies" {
	for mode in $(feature '.linux.memoryPolicy.modes[]'); do
		case $mode in
		MPOL_DEFAULT | MPOL_LOCAL) nodes=null ;;
		*) nodes='"0"' ;;
		esac
		accepted '.linux.memoryPolicy = ({mode: "'"$mode"'", nodes: '"$nodes"'} | del(.[] | nulls))'
		run -0 knarr plan "$BUNDLE"
		[[ "$output" == *"memory policy"* ]]
	done
	for flag in $(feature '.linux.memoryPolicy.flags[]'); do
		accepted '.linux.memoryPolicy = {mode: "MPOL_BIND", nodes: "0", flags: ["'"$flag"'"]}'
	done
	refused '.linux.memoryPolicy = {mode: "MPOL_NONSENSE"}' linux.memoryPolicy.mode
	refused '.linux.memoryPolicy = {mode: "MPOL_BIND", nodes: "0", flags: ["MPOL_F_NONSENSE"]}' 'linux.memoryPolicy.flags[0]'
}

@test "features: what is enabled is planned" {
	requires_root
	[ "$(feature '[.linux.intelRdt[], .linux.mountExtensions.idmap.enabled, .linux.netDevices.enabled, .linux.cgroup.v2, .linux.cgroup.rdma,
		.linux.apparmor.enabled, .linux.selinux.enabled, .linux.seccomp.enabled] | all')" = true ]
	accepted '.linux.intelRdt = {schemata: ["L3:0=f"], enableMonitoring: true} | .linux.netDevices = {eth9: {name: "eth0"}} |
		.linux.resources.rdma = {mlx5_1: {hcaHandles: 3}} | .process.apparmorProfile = "p" | .process.selinuxLabel = "u:r:t:s0" |
		.mounts += [{destination: "/i", type: "bind", source: "/tmp", options: ["bind", "idmap"], uidMappings: [{containerID: 0, hostID: 1, size: 1}],
			gidMappings: [{containerID: 0, hostID: 1, size: 1}]}]'
	run -0 knarr plan --for root "$BUNDLE"
	for text in 'resctrl: group=' monitored eth9 rdma 'u:r:t:s0' 'id-mapped'; do
		[[ "$output" == *"$text"* ]] || {
			echo "no '$text' in $output"
			return 1
		}
	done
	# Cgroups of version 1 are not touched: the container has none there.
	[ "$(feature .linux.cgroup.v1)" = false ]
	[ "$(feature .linux.cgroup.systemd)" = true ] || {
		make_bundle
		run -1 knarr --systemd-cgroup run -b "$BUNDLE" "$ID"
		[[ "$output" == *systemd-cgroup* ]]
	}
}

@test "features: annotations that change something are listed" {
	feature '.potentiallyUnsafeConfigAnnotations[]' | grep -qx org.opencontainers.image.stopSignal
	# No other annotation is read: they are the words in the source that look like one.
	local source=$BATS_TEST_DIRNAME/../..
	[ -d "$source/runtime" ] || skip 'the sources are not here'
	while read -r word; do
		feature '.potentiallyUnsafeConfigAnnotations[]' | grep -qxF -e "$word" || {
			echo "$word is not listed"
			return 1
		}
	done < <(grep -rhoE '"(org|run|com)\.[a-z]+\.[A-Za-z.-]+"' "$source"/{runtime,libcontainer,cgroups,namespaces} --include='*.[ch]' |
		tr -d '"' | grep -v '^org\.freedesktop\.')
}
