#!/usr/bin/env bats
# checkpoint and restore, for real: with CRIU on Debian's kernel. (Debian's CRIU
# cannot dump the vdso of newer kernels, so these do not run on the host.)
load ../bats/helpers
load criu_helpers

setup() {
	container_setup
	requires_root
	requires_command criu
	IMAGE=$T/image
	make_bundle '.root.readonly = false'
}

teardown() {
	container_teardown
}

@test "a counter goes on counting, with the same id and with another" {
	counter_runs
	checkpoint "$ID"
	nothing_left_of "$ID"
	local n
	n=$(count)
	sleep 0.5
	[ "$(count)" = "$n" ]
	restore_detached --pid-file "$T/pid" "$ID"
	counter_goes_on "$n"
	[ "$(cat "$T/pid")" = "$(knarr state "$ID" | jq .pid)" ]
	[ "$(knarr state "$ID" | jq -r .status)" = running ]
	grep -q "knarr-$ID\$" "/proc/$(cat "$T/pid")/cgroup"

	rm -rf "$IMAGE"
	checkpoint "$ID"
	n=$(count)
	restore_detached "$ID-b"
	counter_goes_on "$n"
	[ "$(knarr list -q)" = "$ID-b" ]
	grep -q "knarr-$ID-b\$" "/proc/$(knarr state "$ID-b" | jq .pid)/cgroup"
	knarr kill "$ID-b" KILL
	wait_status "$ID-b" stopped
	knarr delete "$ID-b"
	nothing_left_of "$ID"
}

@test "a restored container is one like others: exec, ps, pause, kill, limits, masks" {
	edit_bundle '.linux.resources.pids.limit = 33 | .mounts += [{destination: "/data", type: "bind", source: "'"$T"'/data", options: ["rbind", "ro"]}]'
	mkdir -p "$T/data/deeper"
	echo hello >"$T/data/file"
	counter_runs
	knarr exec "$ID" cat /proc/self/mountinfo | awk '{ print $5, $6 }' >"$T/before"
	checkpoint "$ID"
	restore_detached "$ID"
	knarr exec "$ID" cat /proc/self/mountinfo | awk '{ print $5, $6 }' >"$T/after"
	diff <(sort "$T/before") <(sort "$T/after")
	[ "$(knarr exec "$ID" cat /data/file)" = hello ]
	run knarr exec "$ID" touch /data/new
	[ "$status" != 0 ]
	[ -z "$(knarr exec "$ID" cat /proc/keys)" ]
	run -0 knarr exec "$ID" cat /sys/fs/cgroup/pids.max
	[ "$output" = 33 ]
	run -0 knarr exec "$ID" readlink /proc/1/fd/0
	[ "$output" = /dev/null ]
	[ "$(knarr ps --format json "$ID" | jq length)" -ge 1 ]
	knarr pause "$ID"
	knarr resume "$ID"
	knarr exec "$ID" sh -c 'echo x >/dev/null; test -c /dev/null; test -w /dev/shm'
	knarr delete -f "$ID"
	nothing_left_of "$ID"
}

@test "the session keyring of a restored container is not the caller's" {
	counter_runs
	checkpoint "$ID"
	restore_detached "$ID"
	knarr exec "$ID" true
	grep -q "_ses.$ID" /proc/keys
	knarr delete -f "$ID"
}

@test "leave-running: the container counts on, and its image is good as well" {
	counter_runs
	checkpoint --leave-running "$ID"
	[ "$(knarr state "$ID" | jq -r .status)" = running ]
	counter_goes_on "$(count)"
	knarr delete -f "$ID"
	# The image knows the count of that time and the file as long as it was.
	local n
	n=$(count)
	restore_detached "$ID"
	for _ in $(seq 100); do
		[ "$(count)" -le "$n" ] || break
		sleep 0.1
	done
	[ "$(count)" -gt "$n" ]
	knarr delete -f "$ID"
}

@test "a paused container: checkpoint between pause and resume, as containerd does" {
	counter_runs
	knarr pause "$ID"
	mkdir "$IMAGE"
	checkpoint --work-path "$T/work" --file-locks --leave-running "$ID"
	[ -f "$T/work/dump.log" ]
	[ ! -e "$IMAGE/dump.log" ]
	[ "$(knarr state "$ID" | jq -r .status)" = paused ]
	knarr resume "$ID"
	counter_goes_on "$(count)"
	rm -rf "$IMAGE"
	knarr pause "$ID"
	checkpoint "$ID"
	nothing_left_of "$ID"
	local n
	n=$(count)
	restore_detached "$ID"
	counter_goes_on "$n"
	knarr delete -f "$ID"
}

@test "pre-dump and parent-path: the second image has what has changed" {
	counter_runs
	IMAGE=$T/first
	checkpoint --pre-dump "$ID"
	[ "$(knarr state "$ID" | jq -r .status)" = running ]
	ls "$T"/first/pages-*.img
	IMAGE=$T/second
	run -1 checkpoint --parent-path /absolute "$ID"
	[[ "$output" == *--parent-path*relative* ]]
	run -1 checkpoint --parent-path ../none "$ID"
	[[ "$output" == *--parent-path*"no such file or directory"* ]]
	rm -rf "$IMAGE"
	checkpoint --parent-path ../first "$ID"
	[ "$(readlink "$T/second/parent")" = ../first ]
	local n
	n=$(count)
	restore_detached "$ID"
	counter_goes_on "$n"
	knarr delete -f "$ID"
}

@test "TCP: a connection needs --tcp-established and lives on; a listener does not need it" {
	# shellcheck disable=SC2016
	bundle_runs_sh 'sleep 10000 | nc -l -p 5000 >/count & sleep 2; n=0; while :; do n=$((n + 1)); echo $n; sleep 0.1; done | nc 127.0.0.1 5000'
	knarr run -d -b "$BUNDLE" "$ID" </dev/null >"$T/log" 2>&1
	counter_goes_on 0
	run -1 checkpoint "$ID"
	echo "$output"
	[[ "$output" == *tcp-established* ]]
	[ "$(knarr state "$ID" | jq -r .status)" = running ]
	counter_goes_on "$(count)"
	rm -rf "$IMAGE"
	checkpoint --tcp-established "$ID"
	local n
	n=$(count)
	restore_detached --tcp-established "$ID"
	counter_goes_on "$n"
	knarr delete -f "$ID"

	rm -rf "$IMAGE"
	listener_runs
	checkpoint "$ID"
	restore_detached "$ID"
	listener_answers
	knarr delete -f "$ID"
}

@test "a listener in a network namespace given by path" {
	ip netns add "knarr-$$"
	ip -n "knarr-$$" link set lo up
	edit_bundle '(.linux.namespaces[] | select(.type == "network")) += {path: "/run/netns/knarr-'$$'"}'
	listener_runs
	checkpoint "$ID"
	restore_detached "$ID"
	[ "$(ip netns exec "knarr-$$" busybox nc 127.0.0.1 5000 </dev/null)" = answer ]
	knarr delete -f "$ID"
	ip netns delete "knarr-$$"
	umount /run/netns
}

wait_for_text() { # TEXT FILE
	for _ in $(seq 200); do
		grep -q "$1" "$2" 2>/dev/null && return
		sleep 0.1
	done
	cat "$2"
	return 1
}

@test "a terminal: the restored container has a new one" {
	edit_bundle '.process.terminal = true'
	# shellcheck disable=SC2016
	bundle_runs_sh 'while read -r line; do echo "got $line on $(tty)"; done'
	receive_console "$T/one" first >"$T/out1" &
	local first=$!
	wait_for_file "$T/one"
	knarr run -d --console-socket "$T/one" -b "$BUNDLE" "$ID" </dev/null >"$T/log" 2>&1
	wait_for_text 'got first on /dev/' "$T/out1"
	checkpoint "$ID"
	wait $first
	receive_console "$T/two" first >"$T/out2" &
	local second=$!
	wait_for_file "$T/two"
	restore_detached --console-socket "$T/two" "$ID"
	wait_for_text 'got first on /dev/' "$T/out2"
	knarr delete -f "$ID"
	wait $second
}

@test "in the foreground: stdin and stdout are the caller's pipes, exit status, container deleted" {
	# shellcheck disable=SC2016
	bundle_runs_sh 'echo >/ready; while read -r line; do echo "got $line"; [ "$line" != end ] || exit 7; done'
	sleep 1000 | knarr run -b "$BUNDLE" "$ID" 2>&1 | cat >"$T/out1" &
	for _ in $(seq 200); do [ -e "$BUNDLE/rootfs/ready" ] && break; sleep 0.1; done
	checkpoint "$ID"
	jq -c . "$IMAGE/descriptors.json"
	pkill -x -P $$ sleep || true
	run bash -c '(echo one; echo end) | "$KNARR" --root "$ROOT" restore --image-path "$1" -b "$BUNDLE" "$ID" | cat; exit "${PIPESTATUS[1]}"' - "$IMAGE"
	echo "$output"
	[ "$status" = 7 ]
	[ "$output" = $'got one\ngot end' ]
	nothing_left_of "$ID"
}

@test "an overlay of layers as the root" {
	mkdir -p "$T/lower" "$T/upper"
	mv "$BUNDLE/rootfs"/* "$T/lower"
	bundle_runs_sh 'n=0; while :; do n=$((n + 1)); echo $n >>/count; sleep 0.1; done'
	knarr run -d --layer "$T/lower" --upper "$T/upper/u" -b "$BUNDLE" "$ID" </dev/null >"$T/log" 2>&1
	local file
	for _ in $(seq 100); do
		file=$(find "$T/upper" -name count)
		[ -z "$file" ] || break
		sleep 0.1
	done
	checkpoint "$ID"
	ln -s "$file" "$BUNDLE/rootfs/count"
	local n
	n=$(count)
	rm "$BUNDLE/rootfs/count"
	restore_detached --layer "$T/lower" --upper "$T/upper/u" "$ID"
	ln -s "$file" "$BUNDLE/rootfs/count" || true
	for _ in $(seq 100); do
		[ "$(wc -l <"$file")" -le $((n + 2)) ] || break
		sleep 0.1
	done
	[ "$(wc -l <"$file")" -gt $((n + 2)) ]
	knarr delete -f "$ID"
}

@test "a mount point in another bind mount that is gone is made again; a source like BUNDLE/." {
	mkdir -p "$T/data" "$T/sub"
	echo hello >"$T/sub/file"
	edit_bundle '.mounts += [{destination: "/data", type: "bind", source: ($t + "/data"), options: ["rbind"]},
		{destination: "/data/sub", type: "bind", source: ($t + "/sub"), options: ["rbind"]},
		{destination: "/bundle", type: "bind", source: ".", options: ["bind", "ro"]},
		{destination: "/all", type: "bind", source: "./", options: ["rbind", "ro"]}]' --arg t "$T"
	counter_runs
	[ -d "$T/data/sub" ]
	checkpoint "$ID"
	rmdir "$T/data/sub"
	restore_detached "$ID"
	[ "$(knarr exec "$ID" cat /data/sub/file)" = hello ]
	knarr exec "$ID" test -f /bundle/config.json
	knarr exec "$ID" test -f /all/config.json
	knarr exec "$ID" test -f /all/rootfs/bin/busybox
	knarr delete --force "$ID"
}

@test "in a user namespace" {
	edit_bundle '.linux.namespaces += [{type: "user"}] | .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}] | .linux.gidMappings = .linux.uidMappings'
	chown -R 100000:100000 "$BUNDLE/rootfs"
	chmod 711 "$BUNDLE"
	# CRIU opens a standard descriptor that is a file anew, as the container's root.
	install -m 600 -o 100000 /dev/null "$T/log"
	counter_runs
	checkpoint "$ID"
	local n
	n=$(count)
	: >"$T/other"
	run -1 bash -c '"$KNARR" --root "$ROOT" restore -d --image-path "$1" -b "$BUNDLE" "$ID" </dev/null 2>&1 >"$2"' - "$IMAGE" "$T/other"
	[[ "$output" == *'descriptor 1 '*"root of the container's user namespace"* ]]
	restore_detached "$ID"
	counter_goes_on "$n"
	[ "$(stat -c %u "/proc/$(knarr state "$ID" | jq .pid)")" = 100000 ]
	knarr delete -f "$ID"
}

@test "hooks: those for the network run at restore, one that fails leaves nothing" {
	counter_runs
	checkpoint "$ID"
	edit_bundle '.hooks = {createRuntime: [{path: "/bin/sh", args: ["sh", "-c", "jq -c [.status,.pid] >'"$T"'/hook"]}], poststop: [{path: "/bin/touch", args: ["touch", "'"$T"'/poststop"]}]}'
	restore_detached "$ID"
	[ "$(jq -r .[0] "$T/hook")" = creating ]
	[ "$(jq -r .[1] "$T/hook")" = "$(knarr state "$ID" | jq .pid)" ]
	knarr delete -f "$ID"
	[ -e "$T/poststop" ]
	edit_bundle '.hooks.createRuntime[0].args[2] = "exit 3"'
	run -1 restore_detached "$ID"
	[[ "$output" == *'hooks.createRuntime[0]'*'status 3'* ]]
	nothing_left_of "$ID"
}

@test "org.criu.config: its options win" {
	allow_annotations
	echo 'log-file from-config.log' >"$T/criu.conf"
	edit_bundle '.annotations["org.criu.config"] = "'"$T"'/criu.conf"'
	counter_runs
	checkpoint "$ID"
	[ -f "$IMAGE/from-config.log" ]
}

@test "manage-cgroups-mode: each of them ends in the new container's cgroup" {
	local mode n
	counter_runs
	for mode in soft full ignore; do
		rm -rf "$IMAGE"
		checkpoint --manage-cgroups-mode "$mode" "$ID"
		n=$(count)
		restore_detached --manage-cgroups-mode "$mode" "$ID"
		counter_goes_on "$n"
		grep -q "knarr-$ID\$" "/proc/$(knarr state "$ID" | jq .pid)/cgroup"
	done
	knarr delete -f "$ID"
}

@test "a failed restore says what CRIU says, and leaves nothing" {
	counter_runs
	checkpoint "$ID"
	rm "$IMAGE"/core-1.img
	run -1 restore_detached --pid-file "$T/pid" "$ID"
	echo "$output"
	[[ "$output" == *"restore container \"$ID\": criu failed: "*"Restoring FAILED"*"(see $IMAGE/restore.log)"* ]]
	[ ! -e "$T/pid" ]
	nothing_left_of "$ID"
	run -1 grep "$BUNDLE" /proc/self/mountinfo
}

@test "a failed checkpoint says what CRIU says, and the container runs on" {
	# busybox has no flock.
	ldd /usr/bin/flock | grep -o '/[^ ]*' | xargs cp -L --parents -t "$BUNDLE/rootfs" /usr/bin/flock
	bundle_runs_sh 'exec 9>/lock; /usr/bin/flock 9; '"$COUNTER"
	knarr run -d -b "$BUNDLE" "$ID" </dev/null >"$T/log" 2>&1
	counter_goes_on 0
	run -1 checkpoint "$ID"
	echo "$output"
	[[ "$output" == *"checkpoint container \"$ID\": criu failed: "*file-locks*"(see $IMAGE/dump.log)"* ]]
	counter_goes_on "$(count)"
	rm -rf "$IMAGE"
	checkpoint --file-locks "$ID"
	local n
	n=$(count)
	restore_detached --file-locks "$ID"
	counter_goes_on "$n"
	knarr delete -f "$ID"
}

@test "lazy pages: memory comes from the page server when it is needed" {
	counter_runs
	mkfifo "$T/status"
	knarr checkpoint --image-path "$IMAGE" --work-path "$T/work" --lazy-pages --page-server 127.0.0.1:27277 \
		--status-fd 8 "$ID" 8>"$T/status" >"$T/dump" 2>&1 &
	local dump=$! pages
	[ "$(head -c 1 "$T/status" | wc -c)" = 1 ]
	mkdir "$T/lazy"
	criu lazy-pages --page-server --address 127.0.0.1 --port 27277 -D "$IMAGE" -W "$T/lazy" -vv -o lazy.log &
	pages=$!
	for _ in $(seq 100); do [ -S "$T/lazy/lazy-pages.socket" ] && break; sleep 0.1; done
	local n
	n=$(count)
	restore_detached --work-path "$T/lazy" --lazy-pages "$ID-b"
	wait $pages
	wait $dump || {
		cat "$T/dump"
		return 1
	}
	counter_goes_on "$n"
	[ "$(knarr list -q)" = "$ID-b" ]
	knarr delete -f "$ID-b"
}
