#!/bin/busybox sh
# /init of the guest's initramfs: mounts everything and starts process 1. A failure
# ends it, and with it the machine, by the kernel's panic.
# shellcheck shell=sh disable=SC1091,SC2154,SC2162
set -e
/bin/busybox --install -s /bin
export PATH=/bin
. /settings # systemd, modules

mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
for module in /modules/*; do insmod "$module"; done

# ---- the root: the host's, read-only, below a tmpfs

p9=trans=virtio,version=9p2000.L,msize=512000
mount -t 9p -o $p9,ro,cache=loose host /host
mount -t tmpfs tmpfs /memory
mkdir /memory/upper /memory/work
mount -t overlay -o lowerdir=/host,upperdir=/memory/upper,workdir=/memory/work overlay /new

add() # add TYPE DIRECTORY OPTIONS [SOURCE]
{
	mkdir -p "/new$2"
	mount -t "$1" -o "$3" "${4:-$1}" "/new$2"
}

add ext4 /scratch rw /dev/vda
chmod 755 /new/scratch
add tmpfs /tmp mode=1777
add tmpfs /run mode=755
add none /lib/modules bind "/host$modules"
n=0
while read directory; do
	[ -n "$directory" ] || continue
	add 9p "$directory" $p9,cache=mmap "writable$n"
	n=$((n + 1))
done </writable

# ---- devices and kernel file systems

for directory in proc sys dev; do mount --move /$directory /new/$directory; done
cd /new/dev
ln -s /proc/self/fd fd
ln -s fd/0 stdin
ln -s fd/1 stdout
ln -s fd/2 stderr
add devpts /dev/pts gid=5,mode=620,ptmxmode=666
ln -sf pts/ptmx ptmx
add tmpfs /dev/shm mode=1777
add mqueue /dev/mqueue rw
add cgroup2 /sys/fs/cgroup nsdelegate,memory_recursiveprot
add bpf /sys/fs/bpf mode=700
mkdir -p net
mknod -m 666 net/tun c 10 200
mknod -m 666 fuse c 10 229
ifconfig lo up
hostname knarr-vm

mkdir /new/run/knarr-vm
cp /command /run /settings /new/run/knarr-vm/
: >/new/etc/fstab

if [ "$systemd" = no ]; then
	# As systemd does: every controller is there for cgroups of the first level.
	cd /new/sys/fs/cgroup
	sed 's/[^ ]*/+&/g' cgroup.controllers >cgroup.subtree_control
	exec switch_root /new /usr/bin/setsid /bin/bash /run/knarr-vm/run
fi

# ---- systemd: our command, without the services that take long and change nothing here

rm -f /new/.dockerenv # else systemd believes to be in a container
[ -s /new/etc/machine-id ] || tr -d - </proc/sys/kernel/random/uuid >/new/etc/machine-id
cd /new
[ -e proc/sys ] || exit 1
mkdir -p run/systemd/system
cd run/systemd/system
for unit in systemd-udevd.service systemd-udev-trigger.service systemd-journal-flush.service \
	systemd-timesyncd.service systemd-sysusers.service systemd-hwdb-update.service ldconfig.service \
	systemd-journal-catalog-update.service kmod-static-nodes.service modprobe@.service timers.target; do
	ln -s /dev/null "$unit"
done
cat >knarr-vm.service <<'END'
[Unit]
Wants=dbus.socket systemd-logind.service systemd-user-sessions.service
After=dbus.socket systemd-logind.service systemd-user-sessions.service
[Service]
Delegate=yes
TasksMax=infinity
ExecStart=/bin/bash /run/knarr-vm/run
END
exec switch_root /new /sbin/init
