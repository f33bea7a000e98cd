#!/usr/bin/env bats
# check and run agree: what run will refuse, check reports, with the same words; and a config
# that check finds no error in runs. Over every config in the tree, and over faults that
# only a part of a config's properties together make.
load helpers

setup()
{
	container_setup
}

teardown()
{
	container_teardown
}

DATA=$BATS_TEST_DIRNAME/../data
PLANS=$BATS_TEST_DIRNAME/../plan

# Every config in the tree that is to be good, as far as it can be told by itself.
configs()
{
	find "$DATA/configs" "$DATA/spec" "$DATA/bundles" -name '*.json' | sort
	find "$PLANS" -name '*.case' | sort
}

# section NAME CASE
section()
{
	awk -v section="$1" -f "$BATS_TEST_DIRNAME/../case.awk" "$2"
}

# config_of FILE: the config, which may be a part of a case.
config_of()
{
	case $1 in
	*.case) section config.json "$1" ;;
	*) cat "$1" ;;
	esac
}

# bundle_of CONFIG: a bundle of it in $BUNDLE, with whatever of the host it mentions and this
# one lacks: run may not refuse because of that. Samples without a version are not configs.
bundle_of()
{
	rm -rf --one-file-system "$BUNDLE"
	mkdir -p "$BUNDLE"/{rootfs,volume,lower}
	local name source missing=() config=$T/config.json
	config_of "$1" >"$config"
	[[ $1 != *.case ]] || while read -r name; do
		case $name in
		*/) mkdir -p "$BUNDLE/$name" ;;
		*) touch "$BUNDLE/$name" ;;
		esac
	done < <(section bundle "$1")
	while read -r source; do
		[ -e "$(cd "$BUNDLE" && realpath -m "$source")" ] || missing+=("$source")
	done < <(jq -r '.mounts[]? | select(.options // [] | any(. == "bind" or . == "rbind")) | .source' "$config")
	jq --argjson missing "$(jq -nc '$ARGS.positional' --args "${missing[@]}")" '
		(if .root then .root.path = "rootfs" else . end)
		| (.mounts[]? | select(.source as $s | $missing | index($s)) | .source) = "volume"' "$config" >"$BUNDLE/config.json"
}

# verdicts CONFIG: runs check and plan over $BUNDLE; status and text of both are in variables.
verdicts()
{
	local file=$BUNDLE/config.json
	check_status=0 plan_status=0
	check_text=$("$KNARR" --root "$ROOT" check "$BUNDLE" 2>&1) || check_status=$?
	plan_text=$("$KNARR" --root "$ROOT" plan --for root "$BUNDLE" 2>&1 >/dev/null) || plan_status=$?
	check_text=${check_text//"$file"/FILE} plan_text=${plan_text//"$file"/FILE}
}

# agree NAME: neither finds an error, or both do, and the first that plan names is one of check's.
agree()
{
	local first
	verdicts
	# What only create takes.
	[[ $check_text != *': note: process: required to run'* ]] || [[ $plan_text != 'knarr: process: required to run'* ]] || return 0
	if [ $check_status != $plan_status ]; then
		printf '%s: check %s, plan %s\n%s\n%s\n' "$1" $check_status $plan_status "$check_text" "$plan_text"
		return 1
	fi
	[ $check_status != 0 ] || return 0
	# "knarr: [FILE:L:C: error: ]PROPERTY: TEXT"; several lines when the parser found several.
	first=$(grep '^knarr: ' <<<"$plan_text" | grep -v 'warning: ' | head -n 1)
	first=${first#knarr: }
	first=${first#FILE:*: error: }
	[[ $check_text == *": error: $first"* ]] || {
		printf '%s: plan says\n%s\ncheck says\n%s\n' "$1" "$plan_text" "$check_text"
		return 1
	}
}

@test 'every config in the tree: check says what plan says' {
	local config n=0 failed=0
	while read -r config; do
		bundle_of "$config"
		agree "${config#"$BATS_TEST_DIRNAME/../"}" || failed=1
		n=$((n + 1))
	done < <(configs)
	echo "$n configs"
	[ $n -ge 60 ]
	[ $failed = 0 ]
}

@test 'every broken config in the tree: check and run refuse it' {
	local config n=0 check run
	mkdir -p "$BUNDLE/rootfs"
	for config in "$DATA"/broken/*.case; do
		config_of "$config" >"$BUNDLE/config.json"
		check=0 run=0
		"$KNARR" --root "$ROOT" check "$BUNDLE" >"$T/check" 2>&1 || check=$?
		"$KNARR" --root "$ROOT" run -b "$BUNDLE" "$ID" >"$T/run" 2>&1 </dev/null || run=$?
		[ "$check $run" = '1 1' ] || {
			echo "${config##*/}: check $check, run $run"
			cat "$T/check" "$T/run"
			return 1
		}
		[ ! -e "$ROOT/$ID" ]
		# The first line of run's errors is one of check's.
		[[ $(<"$T/check") == *"$(sed -n '1s/^knarr: //p' "$T/run")"* ]]
		n=$((n + 1))
	done
	[ $n -ge 250 ]
}

# What a host may not have is taken out: limits, cgroup paths, and raising what only
# CAP_SYS_RESOURCE may raise.
# shellcheck disable=SC2016
AS_HERE='.process.args = ["true"] | del(.linux.resources, .linux.cgroupsPath, .process.rlimits, .process.oomScoreAdj)
	| (.process.env) += ["KNARR_TEST_MARK=\($mark)"]'

@test 'configs as engines write them run, and check finds no error in them' {
	requires_root
	local config n=0
	for config in "$DATA"/configs/*.json; do
		bundle_of "$config"
		run -0 knarr check "$BUNDLE"
		make_rootfs "$BUNDLE/rootfs"
		edit_bundle "$AS_HERE" --arg mark "$T"
		if jq -e '.linux.uidMappings' "$BUNDLE/config.json" >/dev/null; then
			chmod 0755 "$BUNDLE"
			chown -Rh 100000:100000 "$BUNDLE/rootfs"
		fi
		# shellcheck disable=SC2154 # set by bats
		run knarr run -b "$BUNDLE" "$ID" </dev/null
		echo "${config##*/}: $output"
		[[ $output != *'cannot have mapped ids on this kernel'* ]] || continue
		[ "$status" = 0 ]
		n=$((n + 1))
	done
	[ $n -ge 13 ]
}

# ---- faults --------------------------------------------------------------------------

# One filter per line for a config that runs; what check and plan say of it. `mount` is a function
# that appends one.
FAULTS='
mount({type: "bind", options: ["rbind"]})	mounts[7].source: required for a bind mount
mount({type: "bind", source: "volume"})	mounts[7]: neither a file system type nor '\''bind'\'' or '\''rbind'\'' in the options
mount({source: "volume"})	mounts[7]: neither a file system type nor '\''bind'\'' or '\''rbind'\'' in the options
mount({type: "none", source: "volume", options: ["ro"]})	mounts[7]: neither a file system type nor '\''bind'\'' or '\''rbind'\'' in the options
mount({type: "tmpfs", options: ["src-nofollow"]})	mounts[7].options: '\''src-nofollow'\'' is for bind mounts
mount({type: "tmpfs", options: ["loop"]})	mounts[7].options: '\''loop'\'' needs mount(8)
mount({type: "tmpfs", options: ["idmap=uids=0-0-1;gids=0-0-1"]})	mounts[7].options: only a bind mount can be id-mapped
mount({type: "bind", source: "volume", options: ["bind", "idmap=uids=0-0-1"]})	mounts[7].options: idmap: uids and gids go together
mount({type: "bind", source: "volume", options: ["bind", "shared", "slave", "shared", "slave", "private"]})	mounts[7].options: '\''private'\'' is one propagation too many
mount({destination: "/proc/self", type: "tmpfs"})	mounts[7].destination: '\''/proc/self'\'' is inside /proc
mount({destination: "/proc", type: "tmpfs"})	mounts[7]: on /proc only type
mount({type: "overlay", source: "overlay"})	mounts[7]
mount({destination: "/", type: "overlay", options: ["lowerdir=lower", "rshared"]})	mounts[7].options: the propagation of
mount({destination: "/", type: "overlay", options: ["lowerdir=lower"]}) | mount({destination: "/", type: "overlay", options: ["lowerdir=lower"]})	mounts[8]: a second overlay on
del(.linux.namespaces[] | select(.type == "mount"))	linux.namespaces: mounts needs a mount namespace
.linux.namespaces += [{type: "user"}]	linux.uidMappings: required with a new user namespace
userns | .process.user.uid = 5000	process.user.uid: 5000 is not mapped by linux.uidMappings
userns | .process.user.additionalGids = [7, 5000]	process.user.additionalGids[1]: 5000 is not mapped by linux.gidMappings
.linux.cgroupsPath = "/"	linux.cgroupsPath: '\''/'\'' is the root cgroup
.linux.resources.cpu.realtimeRuntime = 1000	linux.resources.cpu.realtimeRuntime: cgroup v2 has no realtime limits
'

@test 'faults that only the whole config shows: check names them as run does' {
	local filter text n=0 failed=0
	while IFS=$'\t' read -r filter text; do
		[ -n "$filter" ] || continue
		make_bundle 'def mount(m): .mounts += [{destination: "/volume"} + m];
			def userns: .linux.namespaces += [{type: "user"}] | .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 1000}]
				| .linux.gidMappings = .linux.uidMappings;
			'"$filter"
		mkdir -p "$BUNDLE/volume" "$BUNDLE/lower"
		verdicts
		if [ $check_status != 1 ] || [ $plan_status != 1 ] || [[ $check_text != *": error: $text"* ]] || [[ $plan_text != *"knarr: $text"* ]]; then
			printf '%s\ncheck %s: %s\nplan %s: %s\n' "$filter" $check_status "$check_text" $plan_status "$plan_text"
			failed=1
		fi
		agree "$filter" || failed=1
		n=$((n + 1))
	done <<<"$FAULTS"
	[ $n -ge 20 ]
	[ $failed = 0 ]
}

@test 'check names every fault at its place, run the first' {
	make_bundle '.mounts += [{destination: "/a", type: "bind", options: ["rbind"]}, {destination: "/b", type: "tmpfs", options: ["src-nofollow"]}]
		| .linux.cgroupsPath = "/" | .linux.resources.cpu = {realtimeRuntime: 1}'
	run -1 --separate-stderr knarr check "$BUNDLE"
	[ "$(grep -c ': error: ' <<<"$output")" = 4 ]
	[[ $output == *'4 errors, '* ]]
	local line
	line=$(grep -n '"src-nofollow"' "$BUNDLE/config.json" | cut -d: -f1)
	# The place is that of the list of options, which begins one line before.
	[[ $output == *"config.json:$((line - 1)):"*": error: mounts[8].options: 'src-nofollow' is for bind mounts"* ]]
	[[ $output == *": error: mounts[7].source: required for a bind mount"* ]]
	# In the order of the file.
	grep ': error: ' <<<"$output" | cut -d: -f2 | sort -nc
	requires_root
	run -1 knarr run -b "$BUNDLE" "$ID"
	[ "${#lines[@]}" -le 2 ]
}

@test 'check looks at the config alone: sources and layers need not be there' {
	make_bundle '.root.path = "/nowhere/rootfs" | .mounts += [{destination: "/a", type: "bind", source: "/nowhere", options: ["rbind"]},
		{destination: "/b", type: "overlay", source: "overlay", options: ["lowerdir=/nowhere:/neither"]}]'
	run -0 knarr check "$BUNDLE"
	[[ $output == *' 0 errors, '* ]]
}

@test 'a config without a process: check notes that only create takes it' {
	make_bundle 'del(.process)'
	run -0 knarr check "$BUNDLE"
	[[ $output == *': note: process: required to run a container'* ]]
}
