#!/usr/bin/env bats
# runtime.md#lifecycle and #operations: what each command does in each status,
# what it refuses, and that what it refuses has no effect.
load helpers

setup() {
	container_setup
	make_bundle '.root.readonly = false | .linux.namespaces |= map(select(.type != "network"))' sleep 1000
}

teardown() {
	container_teardown
}

create() {
	knarr create -b "$BUNDLE" "$@" "$ID" </dev/null >"$T/out" 2>&1
}

status() {
	knarr state "$ID" | jq -r .status
}

@test "every command refuses a missing and an unknown id" {
	for command in state start kill delete; do
		run -1 knarr $command
		[[ "$output" == *$command*usage* ]]
		run -1 knarr $command "$ID"
		[[ "$output" == *"\"$ID\" does not exist"* ]]
	done
	run -1 knarr create -b "$BUNDLE"
	run -1 knarr run -b "$BUNDLE"
}

@test "created: may be killed and deleted" {
	create
	[ "$(status)" = created ]
	knarr kill "$ID" 0
	knarr kill "$ID" KILL
	wait_status "$ID" stopped
	knarr delete "$ID"
	create
	knarr delete "$ID"
	run ! knarr state "$ID"
}

@test "created: a signal that ends a program ends the container, with the status of that signal" {
	requires_command python3
	# Whoever gets the orphans is told how the process ended.
	python3 - "$KNARR" "$ROOT" "$BUNDLE" "$ID" <<-'END'
		import ctypes, os, signal, subprocess, sys
		knarr, root, bundle, name = sys.argv[1:]
		ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER
		null = subprocess.DEVNULL
		for number in [signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGSEGV, signal.SIGRTMAX, 33]:
		    subprocess.run([knarr, '--root', root, 'create', '-b', bundle, '--pid-file', root + '/../pid', name],
		                   check=True, stdin=null, stdout=null, stderr=null)
		    pid = int(open(root + '/../pid').read())
		    os.kill(pid, number)
		    status = os.waitpid(pid, 0)[1]
		    assert os.WIFEXITED(status) and os.WEXITSTATUS(status) == 128 + number, (number, status)
		    subprocess.run([knarr, '--root', root, 'delete', name], check=True)
	END
}

@test "running: start and delete are refused without effect" {
	create
	knarr start "$ID"
	run -1 knarr start "$ID"
	[ "$(status)" = running ]
	run -1 knarr delete "$ID"
	[ "$(status)" = running ]
	run -1 knarr create -b "$BUNDLE" "$ID"
	[ "$(status)" = running ]
	knarr delete --force "$ID"
}

@test "stopped: start and kill are refused without effect, kill --all is not" {
	bundle_runs true
	create
	knarr start "$ID"
	wait_status "$ID" stopped
	run -1 knarr start "$ID"
	[[ "$output" == *stopped* ]]
	run -1 knarr kill "$ID" KILL
	[[ "$output" == *"container not running"* ]]
	knarr kill --all "$ID" KILL
	[ "$(status)" = stopped ]
	[ "$(knarr state "$ID" | jq .pid)" = 0 ]
	knarr delete "$ID"
}

@test "kill without a signal is SIGTERM" {
	bundle_runs_sh 'trap "exit 7" TERM; touch /ready; while :; do sleep 0.05; done'
	create
	knarr start "$ID"
	until [ -e "$BUNDLE/rootfs/ready" ]; do sleep 0.05; done
	knarr kill "$ID"
	wait_status "$ID" stopped
	knarr delete "$ID"
}

@test "an unknown signal is refused without effect" {
	create
	for signal in NOPE SIG 0x9 65 -1 ''; do
		run -1 knarr kill "$ID" -- "$signal"
	done
	[ "$(status)" = created ]
	knarr delete "$ID"
}

# Without a pid namespace of its own a container has no init that takes the others along.
shared_pid() {
	requires_cgroup2
	edit_bundle_to_run '.linux.namespaces |= map(select(.type != "pid"))' \
		sh -c 'sleep 1000 & sleep 1000 & echo >/ready; wait'
	create
	knarr start "$ID"
	until [ -e "$BUNDLE/rootfs/ready" ]; do sleep 0.05; done
	INIT=$(knarr state "$ID" | jq .pid)
	CGROUP=$(cgroup_mount)$(sed -n 's/^0:://p' "/proc/$INIT/cgroup")
	[ "$(wc -l <"$CGROUP/cgroup.procs")" = 3 ]
}

cgroup_empties() {
	for _ in {1..100}; do
		[ -n "$(cat "$CGROUP/cgroup.procs")" ] || return 0
		sleep 0.05
	done
	return 1
}

@test "shared pid namespace: SIGKILL ends all processes" {
	requires_root
	shared_pid
	knarr kill "$ID" KILL
	cgroup_empties
	wait_status "$ID" stopped
	knarr delete "$ID"
}

@test "shared pid namespace: SIGKILL ends what outlived the init" {
	requires_root
	shared_pid
	kill -KILL "$INIT"
	wait_status "$ID" stopped
	[ -n "$(cat "$CGROUP/cgroup.procs")" ]
	run -1 knarr kill "$ID" TERM
	knarr kill "$ID" KILL
	cgroup_empties
	run -1 knarr kill "$ID" KILL
	knarr delete "$ID"
}

@test "shared pid namespace: delete ends what outlived the init" {
	requires_root
	shared_pid
	kill -KILL "$INIT"
	wait_status "$ID" stopped
	knarr delete "$ID"
	[ ! -e "$CGROUP" ]
}

# ---- errors leave nothing -------------------------------------------------------
# container_teardown looks for cgroups, mounts, processes, state directories, keyrings.

@test "a create that fails leaves nothing, and the id can be used" {
	local good
	good=$(cat "$BUNDLE/config.json")
	for filter in 'del(.ociVersion)' 'del(.root)' '.root.path = "nowhere"' '.process.args = ["/nowhere"]' \
		'.mounts += [{destination: "/x", type: "nofs", source: "x"}]' \
		'.mounts += [{destination: "/x", source: "/nowhere", options: ["bind"]}]' \
		'.mounts += [{destination: "/x", type: "tmpfs", source: "/tmp", options: ["nosuchoption"]}]' \
		'.linux.devices = [{path: "/etc/passwd", type: "c", major: 1, minor: 3}]' \
		'.linux.namespaces += [{type: "user", path: "/proc/self/ns/uts"}]' \
		'.linux.sysctl = {"kernel.nope": "1"}' \
		'.linux.resources.unified = {"nope.max": "1"}' \
		'.hooks = {createRuntime: [{path: "/bin/false"}]}' '.hooks = {createContainer: [{path: "/bin/false"}]}' \
		'.process.apparmorProfile = "no-such-profile"'; do
		echo "$good" >"$BUNDLE/config.json"
		edit_bundle "$filter"
		run -1 knarr create -b "$BUNDLE" --pid-file "$T/pid" "$ID"
		echo "$filter: $output"
		[ ! -e "$T/pid" ]
		[ "${#lines[@]}" -le 2 ]
		run -1 knarr state "$ID"
		[ -z "$(knarr list -q)" ]
	done
	echo "$good" >"$BUNDLE/config.json"
	create
	knarr delete --force "$ID"
}

@test "config.json: missing, broken, a directory" {
	rm "$BUNDLE/config.json"
	run -1 knarr create -b "$BUNDLE" "$ID"
	[[ "$output" == *"$BUNDLE/config.json"*"no such file"* ]]
	echo '{ "ociVersion": ' >"$BUNDLE/config.json"
	run -1 knarr create -b "$BUNDLE" "$ID"
	[[ "$output" == *"config.json:2:1"* ]]
	rm "$BUNDLE/config.json"
	mkdir "$BUNDLE/config.json"
	run -1 knarr create -b "$BUNDLE" "$ID"
	run -1 knarr create -b "$T/nowhere" "$ID"
	[[ "$output" == *nowhere*"no such file"* ]]
}

# ---- config.json as a whole -----------------------------------------------------

@test "ociVersion: own major version, anything up to the own minor one" {
	bundle_runs true
	for version in 1.0.0 1.0.2 1.1.0-rc.1 1.2.0+build 1.3.0 1.3.9; do
		edit_bundle '.ociVersion = $v' --arg v "$version"
		run -0 knarr run -b "$BUNDLE" "$ID"
		[ -z "$output" ]
	done
	for version in invalid '' 2.0.0 0.9.0 1 1.x.0; do
		edit_bundle '.ociVersion = $v' --arg v "$version"
		run -1 knarr run -b "$BUNDLE" "$ID"
		[[ "$output" == *ociVersion* ]]
	done
}

@test "unknown properties and annotations are ignored, platform sections too" {
	bundle_runs true
	edit_bundle '.unknown = 1 | .process.unknown = {a: []} | .linux.unknown = "x" | .hooks.unknown = [{path: "/bin/false"}]
		| .windows = {layerDirectories: [1]} | .solaris = 7 | .vm = null | .annotations = {"org.nobody.knows": ""}'
	run -0 knarr run -b "$BUNDLE" "$ID"
	[ -z "$output" ]
}

@test "a value of the wrong type is an error" {
	local good
	good=$(cat "$BUNDLE/config.json")
	for filter in '.process.terminal = "yes"' '.root.readonly = 1' '.process.user.uid = -1' '.process.user.uid = "0"' \
		'.hostname = 5' '.mounts = {}' '.linux.namespaces = [7]' '.annotations = {a: 1}'; do
		edit_bundle "$filter"
		run -1 knarr create -b "$BUNDLE" "$ID"
		[[ "$output" == *error* ]]
		echo "$good" >"$BUNDLE/config.json"
	done
}

# ---- root and bundle ------------------------------------------------------------

@test "root.path: absolute, relative, a link, and the bundle itself" {
	bundle_runs_sh 'echo /bin/busybox'
	mv "$BUNDLE/rootfs" "$T/elsewhere"
	edit_bundle ".root.path = \"$T/elsewhere\""
	run -0 knarr run -b "$BUNDLE" "$ID"
	edit_bundle '.root.path = "../elsewhere"'
	run -0 knarr run -b "$BUNDLE" "$ID"
	ln -s ../elsewhere "$BUNDLE/rootfs"
	edit_bundle '.root.path = "rootfs"'
	run -0 knarr run -b "$BUNDLE" "$ID"
	cp "$BUNDLE/config.json" "$T/elsewhere/"
	BUNDLE=$T/elsewhere
	edit_bundle '.root.path = "." | .process.args = ["cat", "/config.json"]'
	run -0 knarr run -b "$BUNDLE" "$ID"
	[[ "$output" == *ociVersion* ]]
}

@test "root.readonly" {
	bundle_runs_sh 'touch /made'
	edit_bundle '.root.readonly = true'
	run ! knarr run -b "$BUNDLE" "$ID"
	[[ "$output" == *"Read-only file system"* ]]
	[ ! -e "$BUNDLE/rootfs/made" ]
	edit_bundle 'del(.root.readonly)'
	run -0 knarr run -b "$BUNDLE" "$ID"
	[ -e "$BUNDLE/rootfs/made" ]
}

@test "the bundle: the working directory, a relative path, a path through a link" {
	(cd "$BUNDLE" && knarr create "$ID" </dev/null >/dev/null 2>&1)
	[ "$(knarr state "$ID" | jq -r .bundle)" = "$BUNDLE" ]
	knarr delete "$ID"
	(cd "$T" && knarr create --bundle ./bundle/ "$ID" </dev/null >/dev/null 2>&1)
	[ "$(knarr state "$ID" | jq -r .bundle)" = "$BUNDLE" ]
	knarr delete "$ID"
	ln -s "$BUNDLE" "$T/link"
	(cd / && knarr create --bundle "$T/link" "$ID" </dev/null >/dev/null 2>&1)
	[ "$(knarr state "$ID" | jq -r .bundle)" = "$BUNDLE" ]
	knarr delete "$ID"
}

@test "the pid file is relative to the caller and holds the pid alone" {
	mkdir "$T/there"
	(cd "$T/there" && knarr create -b "$BUNDLE" --pid-file pid "$ID" </dev/null >/dev/null 2>&1)
	[ "$(cat "$T/there/pid")" = "$(knarr state "$ID" | jq .pid)" ]
	[ "$(tr -d 0-9 <"$T/there/pid")" = "" ]
	[ "$(stat -c %a "$T/there/pid")" = 644 ]
	knarr delete "$ID"
	run -1 knarr create -b "$BUNDLE" --pid-file "$T/nowhere/pid" "$ID"
	[[ "$output" == *"$T/nowhere/pid"* ]]
}

@test "long paths: state root, bundle" {
	local long
	long=$T/$(printf 'd%.0s' {1..200})/$(printf 'e%.0s' {1..100})
	mkdir -p "$long"
	mv "$BUNDLE" "$long/bundle"
	BUNDLE=$long/bundle
	bundle_runs echo far away
	ROOT=$long/state
	create
	knarr start "$ID"
	wait_status "$ID" stopped
	[ "$(cat "$T/out")" = "far away" ]
	knarr delete "$ID"
}

@test "names with blanks, quotes and other scripts" {
	mv "$BUNDLE" "$T/bündel "$'\t'"\"x\" 船"
	BUNDLE=$T/bündel\ $'\t'"\"x\" 船"
	create
	[ "$(knarr state "$ID" | jq -r .bundle)" = "$BUNDLE" ]
	[ "$(knarr list --format json | jq -r '.[0].bundle')" = "$BUNDLE" ]
	knarr delete "$ID"
}

@test "ids: letters, digits and _+-., up to the length of a file name" {
	bundle_runs true
	local long
	long=$(printf 'a%.0s' {1..200})
	for id in "$ID.a+b_C-9" ".$ID" "-$ID" "$ID$long"; do
		knarr run -b "$BUNDLE" -- "$id"
	done
	for id in "$ID/x" "../$ID" "$ID x" "ü" "$ID:x" "@$ID" "$ID$long$long" "$ID"$'\n'; do
		run -1 knarr run -b "$BUNDLE" "$id"
	done
}
