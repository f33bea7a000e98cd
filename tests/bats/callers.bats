#!/usr/bin/env bats
# Texts by which containerd, Docker and Podman recognise an error, as they were seen to
# compare them; and contrib/, the snippets that tell these programs about knarr.
load helpers

setup() {
	container_setup
	make_bundle '.root.readonly = false'
	CONTRIB=$BATS_TEST_DIRNAME/../../contrib
}

teardown() {
	container_teardown
}

# What containerd's shim takes from the log: the text of its last error.
last_error() {
	jq -rse 'map(select(.level == "error")) | last | .msg' "$T/log.json"
}

logged() {
	knarr --log "$T/log.json" --log-format json "$@"
}

# Docker: 127 when the text has the program's name and one of two phrases.
@test "a program that does not exist is named, in the words for exit status 127" {
	bundle_runs nosuch
	run ! logged create -b "$BUNDLE" "$ID"
	[[ "$(last_error)" == *nosuch* ]]
	[[ "$(last_error)" == *'executable file not found in $PATH'* ]]
	bundle_runs /bin/nosuch
	run ! logged create -b "$BUNDLE" "$ID"
	[[ "$(last_error)" == */bin/nosuch* ]]
	[[ "$(last_error)" == *'no such file or directory'* ]]
}

# Docker and Podman: 126.
@test "a program that cannot be executed is named, in the words for exit status 126" {
	echo text >"$BUNDLE/rootfs/text"
	chmod 0644 "$BUNDLE/rootfs/text"
	mkdir "$BUNDLE/rootfs/directory"
	local program
	for program in /text /directory; do
		bundle_runs $program
		run ! logged create -b "$BUNDLE" "$ID"
		[[ "$(last_error)" == *"$program"*'permission denied'* ]]
	done
}

@test "a script whose interpreter is missing, and a file of another format, are told as such" {
	printf '#!/nosuch\n' >"$BUNDLE/rootfs/script"
	printf '\177ELFnonsense' >"$BUNDLE/rootfs/nonsense"
	chmod 0755 "$BUNDLE/rootfs/script" "$BUNDLE/rootfs/nonsense"
	bundle_runs /script
	run ! logged run -b "$BUNDLE" "$ID"
	[[ "$(last_error)" == */script*'no such file or directory'* ]]
	bundle_runs /nonsense
	run ! logged run -b "$BUNDLE" "$ID"
	[[ "$(last_error)" == */nonsense*'exec format error'* ]]
}

# Docker then asks "Are you trying to mount a directory onto a file (or vice-versa)?"
@test "a directory mounted on a file is 'not a directory'" {
	mkdir "$T/directory"
	echo text >"$BUNDLE/rootfs/file"
	edit_bundle '.mounts += [{"destination": "/file", "source": "'"$T/directory"'", "type": "bind", "options": ["rbind"]}]'
	run ! logged create -b "$BUNDLE" "$ID"
	[[ "$(last_error)" == *'/file'*'not a directory'* ]]
}

# containerd: "container not running", "process already finished" and "no such process"
# mean that it is gone; "does not exist" that there is no such container.
@test "kill and exec tell a stopped container from none at all" {
	bundle_runs true
	knarr create -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
	knarr start "$ID"
	wait_status "$ID" stopped
	run ! logged kill "$ID" 15
	[[ "$(last_error)" == *'container not running'* ]]
	run ! logged exec "$ID" true
	[[ "$(last_error)" == *'not running'* ]]
	run ! logged pause "$ID"
	[[ "$(last_error)" == *'container not running'* ]]
	knarr delete "$ID"
	local command
	for command in "kill $ID 9" "exec $ID true" "pause $ID" "start $ID" "delete $ID" "state $ID"; do
		# shellcheck disable=SC2086
		run ! logged $command
		[[ "$(last_error)" == *"$ID"*'does not exist'* ]]
	done
	logged delete --force "$ID"
}

@test "an error of exec has the words for 126 and 127 as well" {
	echo text >"$BUNDLE/rootfs/text"
	chmod 0644 "$BUNDLE/rootfs/text"
	bundle_runs sleep 100
	knarr create -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
	knarr start "$ID"
	run ! logged exec "$ID" nosuch
	[[ "$(last_error)" == *'"nosuch"'*'executable file not found in $PATH'* ]]
	run ! logged exec "$ID" /text
	[[ "$(last_error)" == *'/text'*'permission denied'* ]]
	run ! logged exec --cwd /nosuch "$ID" true
	[[ "$(last_error)" == *'chdir to cwd'*'no such file or directory'* ]]
	knarr delete --force "$ID"
}

# Podman probes: the first line of --version, and whether checkpoint exists.
@test "--version begins with the name and a number" {
	run -0 "$KNARR" --version
	[[ "${lines[0]}" =~ ^knarr\ version\ [0-9]+\.[0-9]+ ]]
}

@test "contrib: Docker's daemon.json" {
	run -0 jq -re '.runtimes.knarr.path' "$CONTRIB/docker/daemon.json"
	[ "$output" = /usr/local/bin/knarr ]
}

@test "contrib: containerd accepts both versions of its config" {
	requires_command containerd
	local version
	for version in 1 2; do
		run -0 containerd --config "$CONTRIB/containerd/config-v$version.toml" config dump
		[[ "$output" == *'BinaryName = "/usr/local/bin/knarr"'* ]]
		[[ "$output" == *'[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.knarr.options]'* ]]
	done
}

@test "contrib: Podman accepts containers.conf and knows knarr by it" {
	requires_command podman
	requires_root
	install -D "$KNARR" "$T/knarr"
	sed "s|/usr/local/bin/knarr|$T/knarr|" "$CONTRIB/podman/containers.conf" >"$T/containers.conf"
	CONTAINERS_CONF=$T/containers.conf run -0 podman --root "$T/store" --runroot "$T/runroot" --tmpdir "$T/tmp" \
		--storage-driver vfs --events-backend none info -f '{{.Host.OCIRuntime.Name}} {{.Host.OCIRuntime.Path}}'
	[ "${lines[-1]}" = "knarr $T/knarr" ]
}

@test "contrib: the drop-in of CRI-O and the RuntimeClass name the handler knarr" {
	grep -qxF '[crio.runtime.runtimes.knarr]' "$CONTRIB/crio/10-knarr.conf"
	grep -qxF 'handler: knarr' "$CONTRIB/kubernetes/runtimeclass.yaml"
	command -v python3 >/dev/null && python3 -c 'import tomllib' 2>/dev/null || skip 'python3 without tomllib'
	run -0 python3 -c 'import sys, tomllib
for name in sys.argv[1:]: tomllib.load(open(name, "rb"))
print("ok")' "$CONTRIB"/crio/10-knarr.conf "$CONTRIB"/podman/containers.conf "$CONTRIB"/containerd/*.toml
	[ "$output" = ok ]
}

# All cases: tests/clients/run.sh slurm.
@test "contrib: Slurm runs containers, cancels them, and leaves nothing" {
	requires_root
	TMPDIR=$T PEER=none CASES='^(two_nodes|cancel|hooks_of_user)$' run "$BATS_TEST_DIRNAME/../clients/slurm.sh"
	[ "$status" != 77 ] || skip "${output##*skip: }"
	[ "$status" = 0 ]
	[ "$(grep -c 'knarr.ok$' <<<"$output")" = 3 ]
}
