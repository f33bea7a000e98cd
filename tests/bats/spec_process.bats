#!/usr/bin/env bats
# config.md#process and the parts of config-linux.md that set up the process,
# rule by rule, as the container's program sees them.
load helpers

setup() {
	container_setup
	make_bundle '.root.readonly = false | .linux.namespaces |= map(select(.type != "network"))'
}

teardown() {
	container_teardown
}

# ---- cwd ------------------------------------------------------------------------

@test "cwd that is missing is made, and entered" {
	run -0 sees '.process.cwd = "/made/for/me"' 'pwd; stat -c %a:%u:%g /made /made/for/me'
	[ "$output" = $'/made/for/me\n755:0:0\n755:0:0' ]
}

@test "cwd is made with the usual mode whatever the umask of the caller" {
	umask 077
	run -0 sees '.process.cwd = "/made"' 'stat -c %a /made'
	[ "$output" = 755 ]
}

@test "cwd through links stays in the container" {
	ln -s /tmp "$BUNDLE/rootfs/link"
	run -0 sees '.process.cwd = "/link"' 'pwd -P'
	[ "$output" = /tmp ]
	ln -s ../../../../../../etc "$BUNDLE/rootfs/climb"
	run -0 sees '.process.cwd = "/climb"' 'pwd -P'
	[ "$output" = /etc ]
	ln -s /dangling "$BUNDLE/rootfs/lost"
	run -0 sees '.process.cwd = "/lost"' 'pwd -P'
	[ "$output" = /dangling ]
	[ ! -e /dangling ]
}

@test "cwd that only the user, or only root, may enter" {
	requires_root
	mkdir -m 0700 "$BUNDLE/rootfs/his" "$BUNDLE/rootfs/roots"
	chown 42:42 "$BUNDLE/rootfs/his"
	run -0 sees '.process.cwd = "/his" | .process.user = {uid: 42, gid: 42} | .process.capabilities = {}' pwd
	[ "$output" = /his ]
	run -0 sees '.process.cwd = "/roots"' pwd
	[ "$output" = /roots ]
}

@test "cwd must be absolute, present and a directory" {
	refuses '.process.cwd = "tmp"' process.cwd 'absolute path'
	refuses '.process.cwd = ""' process.cwd
	refuses 'del(.process.cwd)' process.cwd
	refuses '.process.cwd = "/etc/passwd"' process.cwd '/etc/passwd'
}

# ---- args, PATH -----------------------------------------------------------------

@test "args[0] is looked up in the PATH of the container, an empty entry is cwd" {
	printf '#!/bin/sh\necho mine\n' >"$BUNDLE/rootfs/tmp/mine"
	chmod 755 "$BUNDLE/rootfs/tmp/mine"
	for path in :/bin /nowhere::/bin /bin: /nowhere:/etc/passwd:/tmp; do
		edit_bundle '.process.cwd = "/tmp" | .process.env = ["PATH='"$path"'"] | .process.args = ["mine"]'
		run -0 knarr run -b "$BUNDLE" "$ID"
		[ "$output" = mine ]
	done
	edit_bundle '.process.args = ["./mine"] | .process.env = []'
	run -0 knarr run -b "$BUNDLE" "$ID"
	[ "$output" = mine ]
}

@test "a file in PATH that may not be executed is passed over" {
	mkdir "$BUNDLE/rootfs/first"
	echo plain >"$BUNDLE/rootfs/first/env"
	edit_bundle '.process.env = ["PATH=/first:/bin"] | .process.args = ["env"]'
	run -0 knarr run -b "$BUNDLE" "$ID"
	[[ "$output" == *PATH=/first:/bin* ]]
}

@test "without PATH programs are found where execvp looks" {
	edit_bundle '.process.env = [] | .process.args = ["env"]'
	run -0 knarr run -b "$BUNDLE" "$ID"
	[ "$output" = HOME=/root ]
}

@test "arguments arrive as they are" {
	bundle_runs printf '[%s]' '' 'a b' "it's" $'new\nline' 'ünï' '-x' '%s'
	run -0 knarr run -b "$BUNDLE" "$ID"
	[ "$output" = $'[][a b][it\'s][new\nline][ünï][-x][%s]' ]
}

@test "args must have an entry" {
	refuses '.process.args = []' process.args
	refuses '.process.args = [""]' process.args 'no such file or directory'
	refuses '.process.args = ["sh", 1]' 'process.args[1]'
}

@test "an error of execve says which file and why" {
	printf '#!/no/such\n' >"$BUNDLE/rootfs/bin/script"
	printf 'echo no magic' >"$BUNDLE/rootfs/bin/text"
	chmod 755 "$BUNDLE"/rootfs/bin/{script,text}
	refuses '.process.args = ["script"]' /bin/script interpreter
	refuses '.process.args = ["text"]' /bin/text 'exec format error'
	chmod 644 "$BUNDLE/rootfs/bin/text"
	refuses '.process.args = ["text"]' 'permission denied'
}

# ---- env ------------------------------------------------------------------------

@test "a variable that is given twice has its last value, once" {
	edit_bundle '.process.env = ["ONE=two", "PATH=/bin", "ONE=", "ONE=three", "ONELY=1", "E=a=b"] | .process.args = ["env"]'
	run -0 knarr run -b "$BUNDLE" "$ID"
	[ "$output" = $'ONE=three\nPATH=/bin\nONELY=1\nE=a=b\nHOME=/root' ]
	edit_bundle '.process.env = ["PATH=/nowhere", "PATH=/bin"]'
	run -0 knarr run -b "$BUNDLE" "$ID"
	[ "${lines[0]}" = PATH=/bin ]
}

@test "values may hold anything but NUL" {
	edit_bundle '.process.env = ["PATH=/bin", "NL=\n", "U=ünï 💥", "EMPTY="] | .process.args = ["env"]'
	run -0 knarr run -b "$BUNDLE" "$ID"
	[[ "$output" == *$'NL=\n\n'* || "$output" == *$'NL=\n'* ]]
	[[ "$output" == *'U=ünï 💥'* && "$output" == *EMPTY=* ]]
	refuses '.process.env = ["A=\u0000b"]' 'process.env[0]'
}

@test "HOME: as given, else from the container's passwd, else /" {
	edit_bundle '.process.args = ["sh", "-c", "echo $HOME"]'
	run -0 knarr run -b "$BUNDLE" "$ID"
	[ "$output" = /root ]
	edit_bundle '.process.env += ["HOME=/given"]'
	run -0 knarr run -b "$BUNDLE" "$ID"
	[ "$output" = /given ]
	edit_bundle '.process.env += ["HOME="]'
	run -0 knarr run -b "$BUNDLE" "$ID"
	[ "$output" = /root ]
	edit_bundle '.process.user = {uid: 1000, gid: 1000}'
	run -0 knarr run -b "$BUNDLE" "$ID"
	[ "$output" = /home ]
	edit_bundle '.process.user = {uid: 4242, gid: 1000}'
	run -0 knarr run -b "$BUNDLE" "$ID"
	[ "$output" = / ]
	rm "$BUNDLE/rootfs/etc/passwd"
	run -0 knarr run -b "$BUNDLE" "$ID"
	[ "$output" = / ]
}

@test "LISTEN_FDS and LISTEN_PID of the config give way to those of the caller" {
	edit_bundle_to_run '.process.env += ["LISTEN_PID=77", "LISTEN_FDS=9"]' sh -c 'env | grep LISTEN | sort'
	run -0 knarr_with_fds 'exec 3</dev/null; export LISTEN_FDS=1' run -b "$BUNDLE" "$ID"
	[ "$output" = $'LISTEN_FDS=1\nLISTEN_PID=1' ]
}

# ---- user -----------------------------------------------------------------------

@test "uid, gid, additional groups and no others" {
	requires_root
	run -0 sees '.process.user = {uid: 1000, gid: 1001, additionalGids: [5, 6, 70000]}' \
		'grep -E "^(Uid|Gid|Groups)" /proc/self/status'
	[ "${lines[0]}" = $'Uid:\t1000\t1000\t1000\t1000' ]
	[ "${lines[1]}" = $'Gid:\t1001\t1001\t1001\t1001' ]
	[ "${lines[2]% }" = $'Groups:\t5 6 70000' ]
	run -0 sees '.process.user = {uid: 0, gid: 0}' 'grep ^Groups /proc/self/status'
	[ "${output%% }" = $'Groups:\t' ]
}

@test "HOME is that of /etc/passwd: long lines, long homes, a file for root alone" {
	requires_root
	local filter='.process.env |= map(select(startswith("HOME=") | not)) | .process.user = {uid: 1000, gid: 1000}' long
	# shellcheck disable=SC2016
	home() {
		run -0 sees "$filter" 'echo "$HOME"'
		[ "$output" = "$1" ]
	}
	long=$(head -c 20000 /dev/zero | tr '\0' x)
	printf '%s\n' "a:x:1:1:$long:/a:/" "user:x:1000:1000:$long:/long:/" >"$BUNDLE/rootfs/etc/passwd"
	home /long
	printf '%s' "user:x:1000:1000::/unfinished" >"$BUNDLE/rootfs/etc/passwd"
	home /unfinished
	printf '%s\n' "user:x:1000:1000::/$long:/" >"$BUNDLE/rootfs/etc/passwd"
	home "/$long"
	printf '%s\n' "user:x:1000:1000::/closed:/" >"$BUNDLE/rootfs/etc/passwd"
	chmod 0600 "$BUNDLE/rootfs/etc/passwd"
	home /closed
	rm "$BUNDLE/rootfs/etc/passwd"
	home /
	printf '%s\n' "user:x:1000:1000::/$long$long$long$long$long$long$long:/" >"$BUNDLE/rootfs/etc/passwd"
	run -1 knarr run -b "$BUNDLE" "$ID"
	[ "$output" = "knarr: process.env: look up HOME in '/etc/passwd': that of uid 1000 is longer than a variable can be" ]
}

@test "umask: as given, unset 0022" {
	run -0 sees '.process.user.umask = 63' umask
	[ "$output" = 0077 ]
	umask 027
	run -0 sees 'del(.process.user.umask)' umask
	[ "$output" = 0022 ]
}

# ---- capabilities ---------------------------------------------------------------

caps() { # caps UID SETS -> the five masks
	sees ".process.noNewPrivileges = false | .process.user = {uid: $1, gid: $1} | .process.capabilities = $2" 'sed -n "s/^Cap[A-Z][a-z]*:\t0*//p" /proc/self/status | tr "\n" " "'
}

@test "a user without uid and gid is root, an ioPriority without a level has 0" {
	edit_bundle_to_run '.process.user = {} | .process.ioPriority = {class: "IOPRIO_CLASS_IDLE"}' id
	run -0 --separate-stderr knarr run -b "$BUNDLE" "$ID"
	[[ "$output" == 'uid=0(root) gid=0(root)'* ]]
	[ -z "$stderr" ]
	run -0 "$KNARR" check "$BUNDLE"
	[[ "$output" == *'warning: process.user.uid: required property is missing, 0 is taken'* ]]
	[[ "$output" == *'warning: process.user.gid: required property is missing, 0 is taken'* ]]
	[[ "$output" == *'warning: process.ioPriority.priority: required property is missing, 0 is taken'* ]]
	[[ "$output" == *'0 errors, 3 warnings' ]]
	# The schema requires this one, and there is no level without a class.
	refuses '.process.ioPriority = {priority: 4}' process.ioPriority.class
}

# CAP_KILL is bit 5, CAP_CHOWN bit 0. The order in /proc: Inh Prm Eff Bnd Amb.
@test "capability sets of root and of an ordinary uid" {
	requires_root
	run -0 caps 0 '{bounding: ["CAP_KILL", "CAP_CHOWN"], permitted: ["CAP_KILL"], effective: ["CAP_KILL"]}'
	[ "$(echo $output)" = "21 21 21" ] # execve gives root the bounding set
	# … but nothing that it had not, under no_new_privs.
	edit_bundle '.process.noNewPrivileges = true'
	run -0 knarr run -b "$BUNDLE" "$ID"
	[ "$(echo $output)" = "20 20 21" ]
	run -0 caps 7 '{bounding: ["CAP_KILL", "CAP_CHOWN"], permitted: ["CAP_KILL"], effective: ["CAP_KILL"], inheritable: ["CAP_KILL"], ambient: ["CAP_KILL"]}'
	[ "$(echo $output)" = "20 20 20 21 20" ]
	run -0 caps 7 '{}'
	[ -z "$(echo $output)" ]
}

@test "without capabilities there are none" {
	run -0 sees 'del(.process.capabilities)' 'grep -c "^Cap.*0000000000000000" /proc/self/status'
	[ "$output" = 5 ]
}

@test "a capability that is unknown or cannot be had is a warning, not an error" {
	run -0 caps 7 '{bounding: ["CAP_NO_SUCH", "CAP_KILL"], effective: ["CAP_CHOWN"]}'
	[[ "$output" == *warning*CAP_NO_SUCH* ]]
	[[ "$output" == *warning*CAP_CHOWN* ]]
	[[ "$output" == *20* ]]
	# One that the runtime itself lacks.
	[ "$(id -u)" = 0 ] && command -v setpriv >/dev/null || return 0
	edit_bundle '.process.capabilities = {bounding: ["CAP_SYS_TIME", "CAP_KILL"]}'
	run -0 setpriv --bounding-set=-sys_time "$KNARR" --root "$ROOT" run -b "$BUNDLE" "$ID"
	[[ "$output" == *warning*CAP_SYS_TIME*'the runtime does not have it'*20* ]]
}

# What buildah asks for with each RUN.
@test "ambient capabilities without inheritable ones: a warning of check and of the log file" {
	edit_bundle_to_run '.process.capabilities = {bounding: ["CAP_KILL"], permitted: ["CAP_KILL"], effective: ["CAP_KILL"], inheritable: [], ambient: ["CAP_KILL"]}' \
		sed -n 's/^CapAmb:[[:space:]]*0*//p' /proc/self/status
	run -0 --separate-stderr knarr run -b "$BUNDLE" "$ID"
	[ -z "$output" ]
	# shellcheck disable=SC2154
	[ -z "$stderr" ]
	run -0 --separate-stderr knarr --log "$T/log" run -b "$BUNDLE" "$ID"
	[ -z "$stderr" ]
	[ "$(grep -c 'level=warning.*process.capabilities.ambient: left out CAP_KILL' "$T/log")" = 1 ]
	run -0 "$KNARR" check "$BUNDLE"
	[[ "$output" == *'warning: process.capabilities.ambient: left out CAP_KILL: not in both'* ]]
	[[ "$output" == *'0 errors, 1 warning' ]]
}

# ---- limits and attributes ------------------------------------------------------

@test "rlimits are what getrlimit says" {
	run -0 sees '.process.rlimits = [{type: "RLIMIT_NOFILE", soft: 100, hard: 200}, {type: "RLIMIT_CORE", soft: 0, hard: 0}]' \
		'ulimit -n; ulimit -Hn; ulimit -c'
	[ "$output" = $'100\n200\n0' ]
}

# The kernel's names of the limits, as /proc/self/limits has them, and those of the config.
rlimit_names() {
	cat <<-'END'
		Max cpu time|RLIMIT_CPU
		Max file size|RLIMIT_FSIZE
		Max data size|RLIMIT_DATA
		Max stack size|RLIMIT_STACK
		Max core file size|RLIMIT_CORE
		Max resident set|RLIMIT_RSS
		Max processes|RLIMIT_NPROC
		Max open files|RLIMIT_NOFILE
		Max locked memory|RLIMIT_MEMLOCK
		Max address space|RLIMIT_AS
		Max file locks|RLIMIT_LOCKS
		Max pending signals|RLIMIT_SIGPENDING
		Max msgqueue size|RLIMIT_MSGQUEUE
		Max nice priority|RLIMIT_NICE
		Max realtime priority|RLIMIT_RTPRIO
		Max realtime timeout|RLIMIT_RTTIME
	END
}

# Nobody need raise a hard limit: each is what it is here, or large where there is none.
@test "rlimits: every type" {
	local name type hard wanted=''
	edit_bundle '.process.rlimits = []'
	while IFS='|' read -r name type; do
		hard=$(sed -n "s/^$name  *[^ ]*  *\([^ ]*\).*/\1/p" /proc/self/limits)
		[ "$hard" != unlimited ] || hard=$((1 << 41))
		edit_bundle '.process.rlimits += [{type: $t, soft: $s, hard: $h}]' --arg t "$type" --argjson s $((hard / 2)) --argjson h "$hard"
		wanted+="$name $((hard / 2)) $hard"$'\n'
	done < <(rlimit_names)
	run -0 sees . 'sed "s/  */ /g" /proc/self/limits'
	while read -r name; do
		[[ "$output" == *"$name "* ]] || {
			echo "not '$name' in $output"
			return 1
		}
	done <<<"${wanted%$'\n'}"
}

@test "rlimits that are not in the config are those of the caller" {
	ulimit -Sn 333
	run -0 sees 'del(.process.rlimits)' 'ulimit -n'
	[ "$output" = 333 ]
}

@test "an unknown, duplicate or impossible rlimit is an error" {
	refuses '.process.rlimits = [{type: "RLIMIT_NOPE", soft: 1, hard: 1}]' 'process.rlimits[0].type' RLIMIT_NOPE
	refuses '.process.rlimits = [{type: "RLIMIT_CORE", soft: 0, hard: 0}, {type: "RLIMIT_CORE", soft: 0, hard: 0}]' \
		'process.rlimits[1]' duplicate
	refuses '.process.rlimits = [{type: "RLIMIT_NOFILE", soft: 10, hard: 5}]' 'process.rlimits[0]'
	refuses '.process.rlimits = [{type: "RLIMIT_NOFILE", soft: -1, hard: 5}]' 'process.rlimits[0].soft'
}

@test "noNewPrivileges" {
	run -0 sees '.process.noNewPrivileges = true' 'sed -n "s/^NoNewPrivs:\t//p" /proc/self/status'
	[ "$output" = 1 ]
	run -0 sees '.process.noNewPrivileges = false' 'sed -n "s/^NoNewPrivs:\t//p" /proc/self/status'
	[ "$output" = 0 ]
	run -0 sees 'del(.process.noNewPrivileges)' 'sed -n "s/^NoNewPrivs:\t//p" /proc/self/status'
	[ "$output" = 0 ]
}

@test "oomScoreAdj: written when set, unchanged when not" {
	echo 300 >/proc/$BASHPID/oom_score_adj
	run -0 sees 'del(.process.oomScoreAdj)' 'cat /proc/self/oom_score_adj'
	[ "$output" = 300 ]
	run -0 sees '.process.oomScoreAdj = 555' 'cat /proc/self/oom_score_adj'
	[ "$output" = 555 ]
	refuses '.process.oomScoreAdj = 1001' process.oomScoreAdj
}

@test "scheduler and ioPriority" {
	run -0 sees '.process.scheduler = {policy: "SCHED_BATCH", nice: 5} | .process.ioPriority = {class: "IOPRIO_CLASS_BE", priority: 6}' \
		'cut -d" " -f19,41 /proc/self/stat; ionice -p $$'
	[ "${lines[0]}" = "5 3" ]
	[ "${lines[1]}" = "best-effort: prio 6" ]
	run -0 sees 'del(.process.scheduler) | .process.ioPriority = {class: "IOPRIO_CLASS_IDLE", priority: 0}' 'ionice -p $$'
	[[ "$output" == idle* ]]
	refuses '.process.scheduler = {policy: "SCHED_NOPE"}' process.scheduler.policy
	refuses '.process.ioPriority = {class: "IOPRIO_CLASS_BE", priority: 9}' process.ioPriority
}

@test "personality" {
	[ "$(uname -m)" = x86_64 ] || skip 'knows what uname says on x86_64 only'
	run -0 sees '.linux.personality = {domain: "LINUX32"}' 'uname -m'
	[ "$output" = i686 ]
	run -0 sees '.linux.personality = {domain: "LINUX"}' 'uname -m'
	[ "$output" = x86_64 ]
	refuses '.linux.personality = {domain: "LINUX64"}' linux.personality
}

@test "a session of its own" {
	bundle_runs cut -d' ' -f1,5,6 /proc/self/stat
	run -0 knarr run -b "$BUNDLE" "$ID"
	[ "$output" = "1 1 1" ]
}
