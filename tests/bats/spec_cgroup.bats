#!/usr/bin/env bats
# config-linux.md#control-groups: a cgroup that is not fit is refused, the owner of one
# that is delegated, files of `unified`. Only what cgroup v2 has without any controller
# is needed, or hugetlb, so that it is tested on every machine.
load helpers

setup() {
	container_setup
	requires_root
	requires_cgroup2
	make_bundle '.root.readonly = false | .linux.namespaces |= map(select(.type != "network"))'
	edit_bundle '.linux.cgroupsPath = $p' --arg p "/knarr-$ID/inner"
	bundle_runs sleep 1000
	CG=$(cgroup_mount)/knarr-$ID/inner
}

teardown() {
	[ -z "${HOLDER:-}" ] || { kill -KILL "$HOLDER" && wait "$HOLDER"; } 2>/dev/null || true
	container_teardown
}

create() {
	knarr create -b "$BUNDLE" "$ID" </dev/null >"$T/out" 2>&1
}

# ---- fit for a container? -----------------------------------------------------------

@test "a frozen cgroup is refused, and stays what it was" {
	own_cgroups "${CG%/inner}" "$CG"
	[ -e "$CG/cgroup.freeze" ] || skip 'the kernel cannot freeze a cgroup'
	for frozen in "$CG" "${CG%/inner}"; do
		echo 1 >"$frozen/cgroup.freeze"
		for command in create run; do
			run -1 knarr $command -b "$BUNDLE" "$ID"
			[[ "$output" == *"/knarr-$ID/inner"*"is frozen"* ]]
			run -1 knarr state "$ID"
		done
		[ "$(cat "$frozen/cgroup.freeze")" = 1 ]
		[ -z "$(cat "$CG/cgroup.procs")" ]
		echo 0 >"$frozen/cgroup.freeze"
	done
	create
	knarr delete "$ID"
	rmdir "$CG" "${CG%/inner}"
}

@test "a cgroup that holds processes is refused, and they go on" {
	own_cgroups "${CG%/inner}" "$CG"
	sleep 1000 &
	HOLDER=$!
	echo "$HOLDER" >"$CG/cgroup.procs"
	run -1 knarr create -b "$BUNDLE" "$ID"
	[[ "$output" == *"/knarr-$ID/inner"*"holds processes"* ]]
	[ "$(cat "$CG/cgroup.procs")" = "$HOLDER" ]
	kill -0 "$HOLDER"
	kill -KILL "$HOLDER"
	wait "$HOLDER" || true
	rmdir "$CG" "${CG%/inner}"
}

@test "exec into a frozen container is refused" {
	knarr run -d -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
	[ -e "$CG/cgroup.freeze" ] || skip 'the kernel cannot freeze a cgroup'
	echo 1 >"$CG/cgroup.freeze"
	run -255 knarr exec "$ID" true
	[[ "$output" == *paused* ]]
	echo 0 >"$CG/cgroup.freeze"
	knarr exec "$ID" true
	knarr delete --force "$ID"
}

@test "start of a container whose cgroup was frozen is refused without effect" {
	create
	[ -e "$CG/cgroup.freeze" ] || skip 'the kernel cannot freeze a cgroup'
	echo 1 >"$CG/cgroup.freeze"
	run -1 knarr start "$ID"
	[[ "$output" == *paused* ]]
	echo 0 >"$CG/cgroup.freeze"
	[ "$(knarr state "$ID" | jq -r .status)" = created ]
	knarr start "$ID"
	knarr delete --force "$ID"
}

# ---- the owner ----------------------------------------------------------------------

# A cgroup that is to be the container's: a user namespace, a cgroup namespace, and the
# mount not read-only.
delegated_bundle() {
	edit_bundle '(.mounts[] | select(.destination == "/sys/fs/cgroup") | .options) |= map(select(. != "ro"))
		| .linux.namespaces += [{type: "user"}] | .linux.uidMappings = [{containerID: 0, hostID: 300000, size: 65536}]
		| .linux.gidMappings = .linux.uidMappings'
	chown -R --no-dereference 300000:300000 "$BUNDLE"
}

# owned: the names in the container's cgroup that belong to its root, sorted; "." is
# the directory.
owned() {
	(cd "$CG" && find . -maxdepth 1 -uid 300000 | sed 's,^\./,,' | sort | paste -sd ' ')
}

# with_delegate_file TEXT: creates the container where /sys/kernel/cgroup/delegate has
# that text; "-": where there is no such file.
with_delegate_file() {
	export KNARR ROOT BUNDLE ID T
	printf "$1" >"$T/delegate"
	# shellcheck disable=SC2016
	unshare --mount --propagation private sh -ec 'if [ "$(cat "$T/delegate")" = - ]; then mount -t tmpfs none /sys/kernel/cgroup
		else mount --bind "$T/delegate" /sys/kernel/cgroup/delegate; fi
		exec "$KNARR" --root "$ROOT" create -b "$BUNDLE" "$ID"' </dev/null >"$T/out" 2>&1
}

@test "delegation: the directory and the files that the kernel lists, nothing else" {
	[ -e /sys/kernel/cgroup/delegate ] || skip 'the kernel has no list'
	delegated_bundle
	create
	local expected=.
	while read -r name; do
		[ ! -e "$CG/$name" ] || expected+=" $name"
	done < <(sort /sys/kernel/cgroup/delegate)
	[ "$(owned)" = "$expected" ]
	[ "$(stat -c %u "${CG%/inner}" "$CG/cgroup.freeze" | paste -sd ' ')" = "0 0" ]
	knarr delete "$ID"
}

@test "delegation: a listed file that is not there is passed over" {
	delegated_bundle
	with_delegate_file 'cgroup.procs\nno.such.file\ncgroup.freeze\n'
	[ "$(owned)" = ". cgroup.freeze cgroup.procs" ]
	knarr delete "$ID"
}

@test "delegation: without the kernel's list the three files of the specification" {
	delegated_bundle
	with_delegate_file -
	[ "$(owned)" = ". cgroup.procs cgroup.subtree_control cgroup.threads" ]
	knarr delete "$ID"
}

@test "delegation: not with ro, no such mount, another source, or the cgroup namespace of the host" {
	local good filter
	delegated_bundle
	good=$(cat "$BUNDLE/config.json")
	for filter in '(.mounts[] | select(.destination == "/sys/fs/cgroup") | .options) += ["ro"]' \
		'.mounts |= map(select(.destination != "/sys/fs/cgroup"))' \
		'(.mounts[] | select(.destination == "/sys/fs/cgroup") | .source) = "other"' \
		'.linux.namespaces |= map(select(.type != "cgroup"))' \
		'.linux.namespaces |= map(if .type == "cgroup" then .path = "/proc/self/ns/cgroup" else . end)'; do
		echo "$good" >"$BUNDLE/config.json"
		edit_bundle "$filter"
		create || {
			cat "$T/out"
			return 1
		}
		[ -z "$(owned)" ]
		knarr delete "$ID"
	done
}

# ---- unified ------------------------------------------------------------------------

@test "unified: what the runtime knows nothing of is written" {
	edit_bundle '.linux.resources.unified = {"cgroup.max.depth": "7", "cgroup.max.descendants": "9"}'
	create
	[ "$(cat "$CG/cgroup.max.depth" "$CG/cgroup.max.descendants" | paste -sd ' ')" = "7 9" ]
	knarr delete "$ID"
}

@test "unified: the controller of a file is enabled on the way down" {
	requires_controller hugetlb
	[ -e "$(echo /sys/kernel/mm/hugepages/hugepages-2048kB)" ] || skip 'no huge pages of 2 MB'
	edit_bundle '.linux.resources.unified = {"hugetlb.2MB.max": "4194304"}'
	create
	[ "$(cat "$CG/hugetlb.2MB.max")" = 4194304 ]
	grep -qw hugetlb "${CG%/inner}/cgroup.subtree_control"
	knarr delete "$ID"
}

@test "unified: a controller that is not there, or a value that is none, is an error" {
	local good filter
	good=$(cat "$BUNDLE/config.json")
	for filter in '{"nope.max": "1"}' '{"cgroup.max.depth": "deep"}' '{"cgroup.no.such.file": "1"}'; do
		echo "$good" >"$BUNDLE/config.json"
		edit_bundle ".linux.resources.unified = $filter"
		run -1 knarr create -b "$BUNDLE" "$ID"
		echo "$output"
		[[ "$output" == *'linux.resources.unified["'* ]]
		[ ! -e "$CG" ]
	done
}
