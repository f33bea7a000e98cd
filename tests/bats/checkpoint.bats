#!/usr/bin/env bats
# checkpoint and restore: options, errors, and what CRIU is asked, with a program that
# only speaks its protocol (fake-criu). tests/vm/criu.bats does it with CRIU.
load helpers

setup() {
	container_setup
	requires_root
	make_bundle . sleep 1000
	IMAGE=$T/image
}

teardown() {
	"$KNARR" --root "$ROOT" delete --force "$ID" 2>/dev/null
	container_teardown
}

fake_criu() {
	requires_command python3
	mkdir "$T/bin"
	cp "$BATS_TEST_DIRNAME/fake-criu" "$T/bin/criu"
	PATH=$T/bin:$PATH
	export FAKE_CRIU=$T
}

start_container() {
	knarr run -d -b "$BUNDLE" "$ID" </dev/null >"$T/log" 2>&1
}

# asked FIELD: values of this option in the last request, one to a line.
asked() {
	tail -n 1 "$T/request.json" | jq -r --arg f "$1" '.[$f] // [] | if type == "array" then .[] else . end'
}

an_image() {
	mkdir -p "$IMAGE"
	touch "$IMAGE/inventory.img"
}

@test "without criu: one error that names the package" {
	start_container
	# shellcheck disable=SC2016
	run -1 unshare -m bash -c '
		for dir in /usr/local/sbin /usr/local/bin /usr/sbin /usr/bin /sbin /bin; do
			[ ! -e $dir/criu ] || mount --bind /dev/null $dir/criu
		done
		exec "$KNARR" --root "$ROOT" checkpoint --image-path "$1" "$ID"' - "$IMAGE"
	echo "$output"
	[ "${#lines[@]}" = 1 ]
	[[ "$output" == *"'criu' is not installed"*"package criu"* ]]
	[ ! -e "$IMAGE" ]
	[ "$(knarr state "$ID" | jq -r .status)" = running ]
}

@test "checkpoint: no container, not running, bad options" {
	fake_criu
	run -1 knarr checkpoint nobody
	[[ "$output" == *'container "nobody" does not exist'* ]]
	knarr create -b "$BUNDLE" "$ID" </dev/null >"$T/log" 2>&1
	run -1 knarr checkpoint --image-path "$IMAGE" "$ID"
	[[ "$output" == *'in state created: container not running'* ]]
	knarr start "$ID"
	run -1 knarr checkpoint --image-path "$T/no/directory" "$ID"
	[[ "$output" == *"image path '$T/no/directory': no such file or directory"* ]]
	run -1 knarr checkpoint --image-path "$IMAGE" --page-server nonsense "$ID"
	[[ "$output" == *"--page-server"*"ADDRESS:PORT"*nonsense* ]]
	run -1 knarr checkpoint --image-path "$IMAGE" --page-server host:70000 "$ID"
	[[ "$output" == *"--page-server"* ]]
	run -1 knarr checkpoint --image-path "$IMAGE" --parent-path /abs "$ID"
	[[ "$output" == *"--parent-path"*relative* ]]
	run -1 knarr checkpoint --image-path "$IMAGE" --parent-path ../none "$ID"
	[[ "$output" == *"--parent-path"*"no such file or directory"* ]]
	run -1 knarr checkpoint --image-path "$IMAGE" --status-fd 77 "$ID"
	[[ "$output" == *"--status-fd"*"descriptor 77"* ]]
	run -1 knarr checkpoint --manage-cgroups-mode none "$ID"
	[[ "$output" == *manage-cgroups-mode*soft* ]]
	[ ! -e "$T/request.json" ]
	[ "$(knarr state "$ID" | jq -r .status)" = running ]
}

@test "checkpoint: every option reaches CRIU; the container is deleted only at the end" {
	fake_criu
	start_container
	local pid
	pid=$(knarr state "$ID" | jq .pid)
	mkdir -p "$T/earlier"
	knarr checkpoint --image-path "$IMAGE" --pre-dump "$ID"
	[ "$(asked type)" = 4 ]
	[ "$(asked 15)" = 1 ]
	knarr checkpoint --image-path "$IMAGE" --leave-running "$ID"
	[ "$(asked type)" = 1 ]
	[ "$(asked 2)" = "$pid" ]
	[ "$(asked 3)" = 1 ]
	[ "$(asked 10)" = dump.log ]
	[ "$(asked 34)" = 3 ]
	for field in 4 5 7 8 14 15 16 17 18 38 46 48; do
		[ -z "$(asked $field)" ]
	done
	knarr checkpoint --image-path "$IMAGE" --work-path "$T/work" --parent-path ../earlier --tcp-established --ext-unix-sk \
		--shell-job --file-locks --lazy-pages --auto-dedup --link-remap --tcp-skip-in-flight --empty-ns network \
		--manage-cgroups-mode ignore --network-lock nftables --page-server '[::1]:1234' --status-fd 1 "$ID"
	for field in 4 5 7 8 15 16 18 46 48; do
		[ "$(asked $field)" = 1 ]
	done
	[ "$(asked 14)" = ../earlier ]
	[ "$(asked 34)" = 0 ]
	[ "$(asked 38)" = $((0x40000000)) ]
	[ "$(asked 64)" = 2 ]
	tail -n 1 "$T/request.json" | jq -e '."11" | length == 1'
	[ -n "$(asked 17)" ]
	[ -d "$T/work" ]
	run -1 knarr state "$ID"
}

@test "checkpoint: what is outside is named: binds, masks, standard descriptors, namespaces, config file" {
	fake_criu
	allow_annotations
	mkdir -p "$T/data/sub"
	edit_bundle '.mounts += [{destination: "/link/data", type: "bind", source: "'"$T"'/data", options: ["rbind"]}] | .annotations["org.criu.config"] = "/x.conf"'
	ln -s tmp "$BUNDLE/rootfs/link"
	knarr run -d -b "$BUNDLE" "$ID" </dev/null 2>"$T/log" | cat >"$T/out" &
	for _ in $(seq 100); do
		[ ! -e "$ROOT/$ID/state.json" ] || [ "$(knarr state "$ID" | jq -r .status)" != running ] || break
		sleep 0.05
	done
	knarr checkpoint --image-path "$IMAGE" "$ID"
	asked 37
	asked 37 | grep -qxF 'mnt[/tmp/data]:/link/data'
	asked 37 | grep -qxF 'mnt[/proc/keys]:/proc/keys'
	[ "$(asked 37 | grep -cE '^file\[[0-9a-f]+:[0-9a-f]+\]$')" = 2 ]
	jq -e '.[0] | test("^file\\[")' "$IMAGE/descriptors.json"
	jq -e '.[1] | test("^pipe:\\[[0-9]+\\]$")' "$IMAGE/descriptors.json"
	[ "$(asked 51)" = /x.conf ]
	wait
}

@test "a network with devices of others is left out, and lo set up again" {
	fake_criu
	requires_command ip
	start_container
	knarr checkpoint --image-path "$IMAGE" --leave-running "$ID"
	[ -z "$(asked 38)" ]
	nsenter -t "$(knarr state "$ID" | jq .pid)" -n ip link add knarr0 type veth || skip 'the kernel has no veth'
	knarr checkpoint --image-path "$IMAGE" "$ID"
	[ "$(asked 38)" = $((0x40000000)) ]
	touch "$IMAGE/inventory.img"
	printf '%s' 12345678 >"$IMAGE/netdev-9.img"
	# Of a fake CRIU, the restored process is in the namespace of its caller.
	run -0 unshare -n bash -c '"$KNARR" --root "$ROOT" restore -d -b "$BUNDLE" --image-path "$1" "$ID" </dev/null >"$2" 2>&1; cat /sys/class/net/lo/flags' - "$IMAGE" "$T/log"
	[ $((output & 1)) = 1 ]
	[ "$(asked 38)" = $((0x40000000)) ]
	knarr delete -f "$ID"
	echo more >>"$IMAGE/netdev-9.img"
	knarr restore -d -b "$BUNDLE" --image-path "$IMAGE" "$ID" </dev/null >"$T/log" 2>&1
	[ -z "$(asked 38)" ]
}

@test "checkpoint: an id-mapped mount is refused" {
	fake_criu
	requires_kernel 5 19
	mkdir "$T/data"
	edit_bundle '.linux.namespaces += [{type: "user"}] | .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}] | .linux.gidMappings = .linux.uidMappings | .mounts += [{destination: "/data", type: "bind", source: "'"$T"'/data", options: ["bind", "idmap"]}]'
	chmod 711 "$BUNDLE"
	chown -R --no-dereference 100000:100000 "$BUNDLE/rootfs"
	knarr run -d -b "$BUNDLE" "$ID" </dev/null >"$T/log" 2>&1
	run -1 knarr checkpoint --image-path "$IMAGE" "$ID"
	[[ "$output" == *'mounts['*'id-mapped'* ]]
}

@test "CRIU's failure: the errors of its log and where that is; the container runs on" {
	fake_criu
	start_container
	cat >"$T/fail" <<-'END'
		(00.000001) Version: 3.17
		(00.000002) Error (criu/one.c:1): first: cause
		(00.000003) Warn  (criu/two.c:2): no matter
		(00.000004)      1: Error (criu/three.c:3): then this
		(00.000005) Error (criu/three.c:3): then this
		(00.000006) Error (criu/four.c:4): Dumping FAILED.
	END
	run -1 knarr checkpoint --image-path "$IMAGE" "$ID"
	[ "$output" = "knarr: checkpoint container \"$ID\": criu failed: first: cause; then this; Dumping FAILED. (see $IMAGE/dump.log)" ]
	[ "$(knarr state "$ID" | jq -r .status)" = running ]
	printf '#!/bin/sh\nexit 1\n' >"$T/bin/criu"
	run -1 knarr checkpoint --image-path "$IMAGE" "$ID"
	[ "$output" = "knarr: checkpoint container \"$ID\": criu failed: it exited without a reply" ]
	printf '#!/none\n' >"$T/bin/criu"
	run -1 knarr checkpoint --image-path "$IMAGE" "$ID"
	[[ "$output" == *"execute '$T/bin/criu': no such file or directory" ]]
}

@test "an answer that cannot be sent to CRIU ends the call" {
	fake_criu
	requires_command strace
	requires_no_sanitizer 'a traced program cannot look for leaks'
	start_container
	run -1 timeout 20 strace -qq -e trace=sendto -e signal=none -o /dev/null -e inject=sendto:error=EIO:when=2 \
		"$KNARR" --root "$ROOT" checkpoint --image-path "$IMAGE" "$ID" 2>&1
	[[ "$output" == *'send a request to criu: input/output error' ]]
	[ "$(knarr state "$ID" | jq -r .status)" = running ]
}

@test "restore: errors before anything is made" {
	fake_criu
	run -1 knarr restore -b "$BUNDLE" --image-path "$T/none" "$ID"
	[[ "$output" == *"image path '$T/none': no such file or directory"* ]]
	mkdir "$IMAGE"
	run -1 knarr restore -b "$BUNDLE" --image-path "$IMAGE" "$ID"
	[[ "$output" == *"no checkpoint in the image path '$IMAGE': inventory.img: no such file or directory"* ]]
	run -1 knarr restore -b "$T" --image-path "$IMAGE" "$ID"
	[[ "$output" == *config.json* ]]
	an_image
	edit_bundle '.process.terminal = true'
	run -1 knarr restore -d -b "$BUNDLE" --image-path "$IMAGE" "$ID"
	[[ "$output" == *--console-socket* ]]
	edit_bundle '.process.terminal = false'
	echo 5 >"$IMAGE/descriptors.json"
	run -1 knarr restore -d -b "$BUNDLE" --image-path "$IMAGE" "$ID"
	[[ "$output" == *descriptors.json*array* ]]
	echo '["file[1a:2f]"]' >"$IMAGE/descriptors.json"
	run -1 bash -c 'true | "$KNARR" --root "$ROOT" restore -d -b "$BUNDLE" --image-path "$1" "$ID"' - "$IMAGE"
	[[ "$output" == *'descriptor 0 was a file'* ]]
	edit_bundle '.linux.namespaces += [{type: "user"}] | .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}] | .linux.gidMappings = .linux.uidMappings'
	install -m 600 /dev/null "$T/roots"
	run -1 knarr restore -d -b "$BUNDLE" --image-path "$IMAGE" "$ID" <"$T/roots"
	[[ "$output" == *"descriptor 0 is a file that root of the container's user namespace may not open"* ]]
	run -1 knarr restore --preserve-fds 3 "$ID"
	[[ "$output" == *preserve-fds* ]]
	[ ! -e "$T/request.json" ]
	[ -z "$(ls "$ROOT")" ]
}

@test "restore: how a descriptor is open cannot be asked for: an error, not a yes" {
	fake_criu
	requires_command strace
	requires_no_sanitizer 'a traced program cannot look for leaks'
	local number
	an_image
	echo '["file[1a:2f]"]' >"$IMAGE/descriptors.json"
	edit_bundle '.linux.namespaces += [{type: "user"}] | .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}] | .linux.gidMappings = .linux.uidMappings'
	install -m 600 /dev/null "$T/roots"
	strace -qq -e trace=fcntl -e signal=none -o "$T/trace" "$KNARR" --root "$ROOT" restore -d -b "$BUNDLE" --image-path "$IMAGE" "$ID" <"$T/roots" || true
	number=$(grep '^fcntl' "$T/trace" | grep -n '^fcntl(0, F_GETFL' | tail -n 1 | cut -d: -f1)
	run -1 strace -qq -e trace=fcntl -e signal=none -o /dev/null -e "inject=fcntl:error=EIO:when=$number" \
		"$KNARR" --root "$ROOT" restore -d -b "$BUNDLE" --image-path "$IMAGE" "$ID" <"$T/roots"
	[[ "$output" == *'descriptor 0: input/output error' ]]
	[ ! -e "$T/request.json" ]
}

@test "restore: a process that no pidfd is to be had of is an error, and is not left" {
	fake_criu
	requires_command strace
	requires_no_sanitizer 'a traced program cannot look for leaks'
	an_image
	run -1 strace -qq -e trace=pidfd_open -e signal=none -o "$T/trace" -e inject=pidfd_open:error=EIO \
		"$KNARR" --root "$ROOT" restore -d -b "$BUNDLE" --image-path "$IMAGE" "$ID"
	grep -q EIO "$T/trace"
	[[ "$output" == *'input/output error'* ]]
	[ -z "$(ls "$ROOT")" ]
}

@test "restore: options, the caller's config, and a container that is there afterwards" {
	fake_criu
	an_image
	mkdir "$T/data"
	echo '["pipe:[123]","file[1a:2f]","file[1a:2f]", "/etc/passwd"]' >"$IMAGE/descriptors.json"
	edit_bundle '.mounts += [{destination: "/data", type: "bind", source: "'"$T"'/data", options: ["bind"]}]'
	knarr restore -d -b "$BUNDLE" --image-path "$IMAGE" --work-path "$T/work" --tcp-established --tcp-close --ext-unix-sk \
		--shell-job --file-locks --lazy-pages --auto-dedup --empty-ns network --network-lock iptables \
		--lsm-profile apparmor:x --lsm-mount-context y --no-subreaper --no-pivot --manage-cgroups-mode strict \
		--pid-file "$T/pid" "$ID" \
		</dev/null >"$T/log" 2>&1
	[ "$(asked type)" = 2 ]
	for field in 4 5 7 8 16 26 48 52; do
		[ "$(asked $field)" = 1 ]
	done
	[ "$(asked 34)" = 5 ]
	[ "$(asked 38)" = $((0x40000000)) ]
	[ "$(asked 53)" = apparmor:x ]
	[ "$(asked 63)" = y ]
	[ "$(asked 64)" = 1 ]
	[ "$(asked 13)" = "$BUNDLE/rootfs" ]
	[ "$(asked 10)" = restore.log ]
	asked 37 | grep -qxF "mnt[/data]:$T/data"
	asked 37 | grep -qxF 'mnt[/proc/keys]:/dev/null'
	# The first two names, each once.
	[ "$(tail -n 1 "$T/request.json" | jq '."27" | length')" = 2 ]
	[ -d "$BUNDLE/rootfs/data" ]
	[ "$(knarr state "$ID" | jq -r .status)" = running ]
	[ "$(cat "$T/pid")" = "$(knarr state "$ID" | jq .pid)" ]
	run -1 grep "$BUNDLE" /proc/self/mountinfo
	kill -KILL "$(cat "$T/pid")"
	wait_status "$ID" stopped
	knarr delete "$ID"
}

@test "restore: mount points that are gone are made again, also in what another bind mount shows" {
	fake_criu
	an_image
	mkdir -p "$T/data" "$T/sub" "$T/readonly" "$T/volume/kept"
	echo kept >"$T/volume/kept/file"
	edit_bundle '.mounts += [{destination: "/data", type: "bind", source: ($t + "/data"), options: ["rbind"]},
		{destination: "/data/sub/deep", type: "none", source: ($t + "/sub"), options: ["bind"]},
		{destination: "/data/sub/deep/er", type: "bind", source: "config.json", options: ["bind"]},
		{destination: "/data/file", type: "bind", source: "config.json", options: ["bind", "ro"]},
		{destination: "/link", type: "bind", source: ($t + "/volume"), options: ["bind"]},
		{destination: "/link/kept", type: "bind", source: ($t + "/sub"), options: ["bind"]},
		{destination: "/readonly", type: "bind", source: ($t + "/readonly"), options: ["bind", "ro"]},
		{destination: "/readonly/sub", type: "bind", source: ($t + "/sub"), options: ["bind"]},
		{destination: "/dev/shm/sub", type: "bind", source: ($t + "/sub"), options: ["bind"]},
		{destination: "/file", type: "none", source: "config.json", options: ["rbind"]}]' --arg t "$T"
	# A link in a volume leads to nothing outside of it.
	ln -s /outside "$T/data/sub"
	knarr restore -d -b "$BUNDLE" --image-path "$IMAGE" "$ID" </dev/null >"$T/log" 2>&1
	[ -d "$T/data/outside/deep" ]
	[ ! -e /outside ]
	[ -f "$T/sub/er" ]
	[ -f "$T/data/file" ]
	[ -f "$BUNDLE/rootfs/file" ]
	[ "$(cat "$T/volume/kept/file")" = kept ]
	# run could not make it there either.
	[ ! -e "$T/readonly/sub" ]
	[ ! -e "$BUNDLE/rootfs/data/sub" ]
	[ ! -e "$BUNDLE/rootfs/dev/shm/sub" ]
	knarr delete --force "$ID"
}

@test "restore: a source like BUNDLE/. is named as the mount table has it" {
	requires_root
	fake_criu
	an_image
	edit_bundle '.mounts += [{destination: "/bundle", type: "bind", source: ".", options: ["rbind"]},
		{destination: "/up", type: "bind", source: "../data", options: ["bind"]}]'
	mkdir -p "$T/data" "$BUNDLE/below"
	export KNARR ROOT BUNDLE ID IMAGE T
	# shellcheck disable=SC2016
	unshare --mount --propagation private sh -ec 'mount -t tmpfs t "$BUNDLE/below"
		exec "$KNARR" --root "$ROOT" restore -d -b "$BUNDLE" --image-path "$IMAGE" "$ID" </dev/null' >"$T/log" 2>&1
	asked 37 | grep -qxF "mnt[/bundle]:$(realpath "$BUNDLE")"
	asked 37 | grep -qxF "mnt[/bundle/below]:$(realpath "$BUNDLE")/below"
	asked 37 | grep -qxF "mnt[/up]:$(realpath "$T")/data"
	knarr delete --force "$ID"
}

@test "restore in the foreground: waits, exit status of the signal, deletes" {
	fake_criu
	an_image
	knarr restore -b "$BUNDLE" --image-path "$IMAGE" "$ID" </dev/null >"$T/log" 2>&1 &
	local restore=$!
	for _ in $(seq 100); do
		[ "$(knarr state "$ID" 2>/dev/null | jq -r .status)" != running ] || break
		sleep 0.05
	done
	kill -KILL "$(knarr state "$ID" | jq .pid)"
	local status=0
	wait $restore || status=$?
	[ $status = 137 ]
	run -1 knarr state "$ID"
}

@test "restore that fails leaves nothing: CRIU, a hook, the pid file" {
	fake_criu
	an_image
	echo '(00.1) Error (criu/x.c:1): no good' >"$T/fail"
	run -1 knarr restore -d -b "$BUNDLE" --image-path "$IMAGE" --pid-file "$T/pid" "$ID"
	[ "$output" = "knarr: restore container \"$ID\": criu failed: no good (see $IMAGE/restore.log)" ]
	[ -z "$(ls "$ROOT")" ]
	[ -z "$(test_cgroups)" ]
	[ ! -e "$T/pid" ]
	rm "$T/fail"
	edit_bundle '.hooks.createRuntime = [{path: "/bin/false"}]'
	run -1 knarr restore -d -b "$BUNDLE" --image-path "$IMAGE" "$ID"
	[[ "$output" == *'hooks.createRuntime[0]'* ]]
	[ -z "$(ls "$ROOT")" ]
	edit_bundle 'del(.hooks)'
	run -1 knarr restore -d -b "$BUNDLE" --image-path "$IMAGE" --pid-file "$T/no/pid" "$ID"
	[[ "$output" == *"$T/no/pid"* ]]
	[ -z "$(ls "$ROOT")" ]
	[ -z "$(test_cgroups)" ]
	[ -z "$(test_processes)" ]
}

@test "unprivileged users are told" {
	requires_unprivileged_user
	knarr_for_user
	an_image
	chmod 755 "$BUNDLE"
	run -1 as_user "$KNARR" --root "$T/user/state" restore -b "$BUNDLE" --image-path "$IMAGE" "$ID"
	[[ "$output" == *'needs root'* ]]
	run -1 as_user "$KNARR" --root "$T/user/state" checkpoint "$ID"
	[[ "$output" == *'needs root'* ]]
}
