#!/usr/bin/env bats
# linux.intelRdt. No machine of the tests has a resctrl: what is written is seen in a
# directory that a preloaded library passes off as one; that knarr itself takes nothing
# else for a resctrl is tested first.
load helpers

setup() {
	container_setup
	requires_root
	make_bundle '.process.args = ["/bin/sleep", "1000"]'
}

teardown() {
	container_teardown
}

fake_resctrl() {
	requires_command "${CC:-cc}"
	requires_preload
	requires_no_sanitizer 'the allocator must be the first library'
	"${CC:-cc}" -shared -fPIC -O1 -D_GNU_SOURCE -o "$T/fake.so" "$BATS_TEST_DIRNAME/../inject/fake_resctrl.c"
	R=$T/resctrl
	mkdir -p "$R/info" "$R/mon_groups"
	: >"$R/tasks"
	printf '    L3:0=7ff;1=7ff\n    MB:0=100;1=100\n' >"$R/schemata"
	echo ok >"$R/info/last_cmd_status"
}

fknarr() {
	FAKE_RESCTRL=$R LD_PRELOAD=$T/fake.so "$KNARR" --root "$ROOT" "$@"
}

@test "without a resctrl, intelRdt is one error and nothing is made" {
	! grep -q ' - resctrl ' /proc/self/mountinfo || skip 'there is one'
	for rdt in '{}' '{"closID": "/"}' '{"enableMonitoring": true}'; do
		edit_bundle ".linux.intelRdt = $rdt"
		run -1 knarr create -b "$BUNDLE" "$ID"
		[[ "$output" == "knarr: linux.intelRdt: no resctrl is mounted"* ]]
		[ ! -e "$ROOT/$ID" ]
	done
	# Another file system in its place is none, nor is one that the environment names.
	FAKE_RESCTRL=$T run -1 knarr run -b "$BUNDLE" "$ID"
	# shellcheck disable=SC2016
	run -1 unshare -m sh -c 'mount -t tmpfs resctrl /mnt && exec "$@"' sh "$KNARR" --root "$ROOT" run -b "$BUNDLE" "$ID"
	[[ "$output" == "knarr: linux.intelRdt: no resctrl is mounted"* ]]
}

@test "a resctrl that cannot be opened is said to be that, and not to be missing" {
	fake_resctrl
	local call n said=
	"${CC:-cc}" -O1 -D_GNU_SOURCE -o "$T/inject" "$BATS_TEST_DIRNAME/../inject/inject.c" -lseccomp
	bundle_runs true
	edit_bundle '.linux.intelRdt = {}'
	for call in openat fstatfs; do
		for n in {1..30}; do
			run env FAKE_RESCTRL="$R" LD_PRELOAD="$T/fake.so" "$T/inject" $call "$n" EIO "$KNARR" --root "$ROOT" \
				run -b "$BUNDLE" "$ID"
			[[ "$output" != *"no resctrl is mounted"* ]] || { echo "$call $n: $output"; return 1; }
			said+="$call: $output"$'\n'
			# What the failed call was to remove.
			[ ! -e "$ROOT/$ID" ] || fknarr delete --force "$ID"
		done
	done
	echo "$said"
	[[ "$said" == *"openat: knarr: linux.intelRdt: open the resctrl on '$R': input/output error"* ]]
	[[ "$said" == *"fstatfs: knarr: linux.intelRdt: open the resctrl on '$R': input/output error"* ]]
}

@test "a group of its own: schemata in order, the processes of create and exec, gone with delete" {
	fake_resctrl
	edit_bundle '.linux.intelRdt = {l3CacheSchema: "L3:0=7f0", memBwSchema: "MB:0=20;1=70", schemata: ["L2:0=f", "L2:1=f"], enableMonitoring: true}'
	fknarr create -b "$BUNDLE" "$ID" </dev/null >"$T/out" 2>&1
	[ "$(cat "$R/$ID/schemata")" = "$(printf 'L3:0=7f0\nMB:0=20;1=70\nL2:0=f\nL2:1=f')" ]
	pid=$(fknarr state "$ID" | jq .pid)
	[ "$(cat "$R/$ID/tasks")" = "$pid" ]
	[ "$(cat "$R/$ID/mon_groups/$ID/tasks")" = "$pid" ]
	fknarr start "$ID"
	fknarr exec -d --pid-file "$T/pid" "$ID" sleep 1000 </dev/null >"$T/out" 2>&1
	[ "$(head -n 1 "$R/$ID/tasks")" = "$(cat "$T/pid")" ]
	[ "$(head -n 1 "$R/$ID/mon_groups/$ID/tasks")" = "$(cat "$T/pid")" ]
	[ "$(jq -r .resctrlGroup "$ROOT/$ID/state.json")" = "$ID" ]
	fknarr delete --force "$ID"
	[ ! -e "$R/$ID" ]
	[ "$(ls "$R")" = "$(printf 'info\nmon_groups\nschemata\ntasks')" ]
}

@test "restore puts what it makes into the group" {
	fake_resctrl
	requires_command python3
	mkdir "$T/bin" "$T/image"
	cp "$BATS_TEST_DIRNAME/fake-criu" "$T/bin/criu"
	touch "$T/image/inventory.img"
	edit_bundle '.linux.intelRdt = {l3CacheSchema: "L3:0=7f0"}'
	FAKE_CRIU=$T PATH=$T/bin:$PATH fknarr restore -d -b "$BUNDLE" --image-path "$T/image" --pid-file "$T/pid" "$ID" \
		</dev/null >"$T/out" 2>&1
	[ "$(cat "$R/$ID/tasks")" = "$(cat "$T/pid")" ]
	fknarr delete --force "$ID"
	[ ! -e "$R/$ID" ]
	edit_bundle '.hooks.createRuntime = [{path: "/bin/false"}]'
	FAKE_CRIU=$T PATH=$T/bin:$PATH run -1 fknarr restore -d -b "$BUNDLE" --image-path "$T/image" "$ID"
	[ ! -e "$R/$ID" ]
}

@test "a named group is made, shared and stays; other schemata are an error" {
	fake_resctrl
	edit_bundle '.linux.intelRdt = {closID: "gold"}'
	run -1 fknarr run -b "$BUNDLE" "$ID"
	[[ "$output" == *"linux.intelRdt.closID"*"'gold'"* ]]
	# With a hook it gives up nothing: the kernel removes the files of a group, here the runtime must.
	edit_bundle '.linux.intelRdt = {closID: "gold", schemata: ["L3:0=f"], enableMonitoring: true} | .process.args = ["/bin/true"] | .hooks.poststop = [{path: "/bin/true"}]'
	fknarr run -b "$BUNDLE" "$ID"
	[ "$(cat "$R/gold/schemata")" = "L3:0=f" ]
	[ -z "$(ls "$R/gold/mon_groups")" ]
	fknarr run -b "$BUNDLE" "$ID"
	edit_bundle '.linux.intelRdt.schemata = ["L3:0=e"]'
	run -1 fknarr run -b "$BUNDLE" "$ID"
	[[ "$output" == *"linux.intelRdt.schemata: 'L3:0=e'"*"'gold'"* ]]
	# One that fails takes back only what it made.
	edit_bundle '.linux.intelRdt = {closID: "silver", schemata: ["L3:0=f"]} | .process.args = ["/no/such/program"]'
	run -1 fknarr run -b "$BUNDLE" "$ID"
	[ ! -e "$R/silver" ] && [ -d "$R/gold" ]
	edit_bundle '.linux.intelRdt = {closID: "gold", enableMonitoring: true}'
	run -1 fknarr create -b "$BUNDLE" "$ID"
	[ -d "$R/gold" ] && [ -z "$(ls "$R/gold/mon_groups")" ]
}

@test "run in the foreground, which has given up what it does not need, removes the group" {
	fake_resctrl
	edit_bundle '.linux.intelRdt = {l3CacheSchema: "L3:0=7f0"} | .process.args = ["/bin/sleep", "1000"]'
	fknarr run --pid-file "$T/pid" -b "$BUNDLE" "$ID" </dev/null >"$T/out" 2>&1 &
	local runtime=$!
	for _ in {1..100}; do [ ! -s "$T/pid" ] || break; sleep 0.1; done
	sleep 0.3
	rm "$R/$ID/"{tasks,schemata}
	rmdir "$R/$ID/mon_groups"
	kill -KILL "$(cat "$T/pid")"
	done_with_error $runtime
	[ ! -e "$R/$ID" ] || { cat "$T/out"; return 1; }
}

@test "the default group, and the program sees its group before it runs" {
	fake_resctrl
	edit_bundle '.linux.intelRdt = {closID: "/"} | .mounts += [{destination: "/mnt", type: "bind", source: "'"$R"'", options: ["bind", "ro"]}]'
	mkdir -p "$BUNDLE/rootfs/mnt"
	bundle_runs_sh 'cat /mnt/tasks'
	run -0 fknarr run --pid-file "$T/pid" -b "$BUNDLE" "$ID"
	[ "$output" = "$(cat "$T/pid")" ]
	[ -e "$R/schemata" ]
}

@test "update writes schemata to the group of the container, and to no other" {
	fake_resctrl
	edit_bundle '.linux.intelRdt = {l3CacheSchema: "L3:0=7f0"}'
	fknarr create -b "$BUNDLE" "$ID" </dev/null >"$T/out" 2>&1
	: >"$R/$ID/schemata"
	fknarr update --l3-cache-schema 'L3:0=f;1=f' --mem-bw-schema MB:0=50 "$ID"
	[ "$(cat "$R/$ID/schemata")" = "$(printf 'L3:0=f;1=f\nMB:0=50')" ]
	# What the kernel says of a line that it refuses is in the message.
	echo 'Mask 0 out of range' >"$R/info/last_cmd_status"
	rm "$R/$ID/schemata" && ln -s /dev/full "$R/$ID/schemata"
	run -1 fknarr update --l3-cache-schema L3:0=0 "$ID"
	[[ "$output" == *"l3CacheSchema: write 'L3:0=0'"*'Mask 0 out of range'* ]]
	rm "$R/$ID/schemata"
	fknarr delete --force "$ID"

	edit_bundle '.linux.intelRdt = {closID: "/"}'
	fknarr create -b "$BUNDLE" "$ID" </dev/null >"$T/out" 2>&1
	run -1 fknarr update --mem-bw-schema MB:0=50 "$ID"
	[[ "$output" == *'default group of resctrl'* ]]
	grep -q 'MB:0=100;1=100' "$R/schemata"
	fknarr delete --force "$ID"
}
