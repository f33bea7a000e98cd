#!/bin/busybox sh
# Runs as the program of a container and prints what the program was given. It
# takes the place of /bin/sh in the root file system, so that a config.json of
# another tool is used as it is. compare.sh reads the output.
# shellcheck shell=dash
busybox()
{
	/bin/busybox "$@"
}
section()
{
	echo "## $1"
}
section environment
busybox env | busybox sort
section user
busybox pwd
busybox id
echo "arguments: $*"
section status
busybox grep -E '^(Uid|Gid|Groups|Umask|Sig(Blk|Ign)|Cap(Inh|Prm|Eff|Bnd|Amb)|NoNewPrivs|Seccomp|Seccomp_filters):' /proc/self/status
busybox cat /proc/self/oom_score_adj
section mounts
busybox cat /proc/self/mountinfo
section limits
busybox cat /proc/self/limits
section devices
busybox ls -ln /dev /dev/pts /dev/shm /dev/mqueue
section descriptors
busybox ls /proc/self/fd
section cgroup
busybox cat /proc/self/cgroup
section names
busybox hostname
busybox cat /proc/sys/kernel/domainname
section network
busybox ip -o link
busybox cat /proc/sys/net/ipv4/ping_group_range /proc/sys/net/ipv4/ip_unprivileged_port_start
section hidden
for f in /proc/kcore /proc/keys /proc/timer_list /proc/sched_debug /proc/acpi /proc/scsi /sys/firmware /sys/dev/block; do
	if [ -d $f ]; then
		echo "$f: $(busybox ls -A $f | busybox wc -l) entries"
	else
		echo "$f: $(busybox head -c 16 $f 2>&1 | busybox wc -c) bytes"
	fi
done
section writable
for f in / /dev /sys /proc/sys/net /proc/sys/kernel /proc/irq /sys/fs/cgroup /tmp; do
	if busybox touch $f/knarr-probe 2>/dev/null; then
		busybox rm -f $f/knarr-probe
		echo "$f: writable"
	else
		echo "$f: $(busybox touch $f/knarr-probe 2>&1 | busybox sed 's/.*: //')"
	fi
done
section processes
busybox ps -o pid,user,args | busybox grep '^ *1 '
section end
