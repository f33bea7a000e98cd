#!/usr/bin/env bash
# Builds knarr and runs one container, so that you see it work. Installs the
# missing packages first (Debian and its kin; as root or with sudo). Everything
# it makes lies in build-try/; remove that directory and nothing is left.
set -euo pipefail
cd "$(dirname "$0")"
exec </dev/null

build=$PWD/build-try
packages=(autoconf automake make gcc libc6-dev pkg-config libseccomp-dev libyajl-dev libcap-dev busybox-static)

say()
{
	printf '\n== %s\n' "$*"
}

as_root()
{
	if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

install_packages()
{
	local missing=() p
	if ! command -v dpkg-query >/dev/null; then
		echo "No dpkg here: please have ${packages[*]} (or what your system calls them) installed."
		return
	fi
	for p in "${packages[@]}"; do
		[ "$(dpkg-query -W -f='${db:Status-Status}' "$p" 2>/dev/null)" = installed ] || missing+=("$p")
	done
	[ ${#missing[@]} -gt 0 ] || return 0
	say "Installing ${missing[*]}"
	if [ "$(id -u)" != 0 ] && ! command -v sudo >/dev/null; then
		echo "try.sh: these packages are missing and there is no sudo; as root: apt-get install ${missing[*]}" >&2
		exit 1
	fi
	mkdir -p "$build"
	{
		as_root apt-get -q update || true # the lists at hand may do
		as_root env DEBIAN_FRONTEND=noninteractive apt-get -qy install --no-install-recommends "${missing[@]}"
	} >"$build/apt.log" 2>&1 || {
		tail -n 20 "$build/apt.log" >&2
		echo "try.sh: apt-get failed (all of it: $build/apt.log)" >&2
		exit 1
	}
}

# A tree that was configured in place cannot be built elsewhere too; use it then.
build_knarr()
{
	local dir=$build
	mkdir -p "$build"
	[ -x configure ] || ./autogen.sh >"$build/autogen.log" 2>&1 || {
		cat "$build/autogen.log" >&2
		exit 1
	}
	if [ -e config.status ]; then
		dir=$PWD
	elif [ ! -e "$build/config.status" ]; then
		say 'Configuring'
		(cd "$build" && ../configure -q) || exit 1
	fi
	say 'Building'
	make -s -C "$dir" -j"$(nproc)" || exit 1
	knarr=$dir/knarr
}

make_rootfs()
{
	local busybox applet root=$build/bundle/rootfs
	busybox=$(command -v busybox)
	mkdir -p "$root"/{bin,dev,etc,proc,sys,tmp,root}
	cp -f "$busybox" "$root/bin/busybox"
	for applet in sh cat grep hostname id ls mount ps sed true; do
		ln -sf busybox "$root/bin/$applet"
	done
	echo 'root:x:0:0:root:/root:/bin/sh' >"$root/etc/passwd"
	echo 'root:x:0:' >"$root/etc/group"
	cat >"$root/bin/show" <<'END'
#!/bin/sh
echo "pid 1     $(cat /proc/1/comm), which is this script (pid $$); all processes:"
ps -o pid,user,args | sed 's/^/          /'
echo "hostname  $(hostname)"
echo "user      $(id), ids mapped $(sed 's/  */ /g; s/^ //; s/\([^ ]*\) \([^ ]*\) \([^ ]*\)/\1 -> \2 (\3)/' /proc/self/uid_map)"
echo "mounts    $(grep -c . /proc/self/mountinfo):"
sed 's/^[0-9]* [0-9]* [^ ]* [^ ]* \([^ ]*\) \([^ ]*\) .*- \([^ ]*\) .*/\1 \3 \2/; s/^/          /' /proc/self/mountinfo
echo "limits    $(grep -E 'open files|core file' /proc/self/limits | sed 's/  */ /g; s/^/          /' | sed '1s/^ *//')"
for f in memory.max pids.max; do
	[ -r /sys/fs/cgroup/$f ] && echo "          $f $(cat /sys/fs/cgroup/$f)"
done
echo "cgroup    $(cat /proc/self/cgroup | grep '^0::')"
grep -E '^(CapEff|NoNewPrivs|Seccomp):' /proc/self/status | sed 's/:[[:space:]]*/ /; s/^/          /' | sed '1s/^ *\(.*\)/caps      \1/'
END
	chmod 755 "$root/bin/show"
}

# Limits only where the controllers are there to keep them: knarr refuses to
# start a container whose limits it could not honour.
cgroup_limits()
{
	local mount
	[ $rootless = no ] || return 0
	mount=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
	case " $(cat "${mount:-/nowhere}/cgroup.controllers" 2>/dev/null) " in
	*' memory '*' pids '*)
		echo '"resources": { "memory": { "limit": 67108864 }, "pids": { "limit": 64 } },'
		;;
	esac
}

# write_config ARGS: ARGS is the inside of a JSON array.
write_config()
{
	local userns='' maps='' ptsgid=', "gid=5"'
	if [ $rootless = yes ]; then
		userns=', { "type": "user" }' ptsgid=''
		maps='"uidMappings": [ { "containerID": 0, "hostID": '$(id -u)', "size": 1 } ],
		"gidMappings": [ { "containerID": 0, "hostID": '$(id -g)', "size": 1 } ],'
	fi
	cat >"$build/bundle/config.json" <<END
{
	"ociVersion": "1.0.2",
	"root": { "path": "rootfs", "readonly": true },
	"hostname": "longship",
	"process": {
		"args": [ $1 ],
		"env": [ "PATH=/bin", "HOME=/root" ],
		"cwd": "/",
		"user": { "uid": 0, "gid": 0 },
		"capabilities": {
			"bounding": [ "CAP_KILL", "CAP_NET_BIND_SERVICE" ],
			"effective": [ "CAP_KILL", "CAP_NET_BIND_SERVICE" ],
			"permitted": [ "CAP_KILL", "CAP_NET_BIND_SERVICE" ]
		},
		"rlimits": [ { "type": "RLIMIT_NOFILE", "soft": 256, "hard": 256 }, { "type": "RLIMIT_CORE", "soft": 0, "hard": 0 } ],
		"noNewPrivileges": true
	},
	"mounts": [
		{ "destination": "/proc", "type": "proc", "source": "proc" },
		{ "destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": [ "nosuid", "mode=755", "size=64k" ] },
		{ "destination": "/dev/pts", "type": "devpts", "source": "devpts",
		  "options": [ "nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"$ptsgid ] },
		{ "destination": "/sys", "type": "sysfs", "source": "sysfs", "options": [ "nosuid", "noexec", "nodev", "ro" ] },
		{ "destination": "/tmp", "type": "tmpfs", "source": "tmpfs", "options": [ "nosuid", "nodev", "size=1m" ] }
	],
	"linux": {
		$maps
		$(cgroup_limits)
		"namespaces": [ { "type": "pid" }, { "type": "mount" }, { "type": "ipc" }, { "type": "uts" },
			{ "type": "network" }$userns ],
		"maskedPaths": [ "/proc/kcore", "/proc/keys" ],
		"readonlyPaths": [ "/proc/sys" ],
		"seccomp": {
			"defaultAction": "SCMP_ACT_ALLOW",
			"syscalls": [ { "names": [ "reboot", "kexec_load", "init_module" ], "action": "SCMP_ACT_ERRNO" } ]
		}
	}
}
END
}

# timed COMMAND...: sets ms.
timed()
{
	local t0=${EPOCHREALTIME/[.,]/} status=0
	"$@" || status=$?
	ms=$(((${EPOCHREALTIME/[.,]/} - t0 + 50) / 100))
	ms=$((ms / 10)).$((ms % 10))
	return $status
}

install_packages
build_knarr
make_rootfs

# An unprivileged user's container has a user namespace; where the system does not allow
# that, sudo runs it.
rootless=no
via=()
if [ "$(id -u)" != 0 ]; then
	if unshare --user true 2>/dev/null; then
		rootless=yes
	else
		echo 'This system does not let unprivileged users create user namespaces: running as root through sudo.'
		via=(sudo)
	fi
fi

id=try-$$
run=("${via[@]}" "$knarr" --root "$build/state" run --bundle "$build/bundle" "$id")

say "knarr run --bundle build-try/bundle $id"
write_config '"/bin/show"'
timed "${run[@]}"
first=$ms

write_config '"/bin/true"'
best=999999
for _ in 1 2 3 4 5 6 7 8 9 10; do
	timed "${run[@]}"
	best=$(printf '%s\n' "$best" "$ms" | sort -n | head -n 1)
done
echo "time      $first ms for all this, $best ms for the best of ten that only run /bin/true"

say "Now try it yourself: $knarr --help"
