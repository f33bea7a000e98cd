#!/bin/bash
# Process 1 of the guest, or a service of its systemd: runs the command, tells its
# status, and switches the machine off. The two ports are qemu's: output, status.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8

port()
{
	local device
	for device in /dev/vport*p"$1"; do echo "$device"; done
}

mkfifo /run/knarr-vm/output
cat /run/knarr-vm/output >"$(port 1)" &
copy=$!
bash /run/knarr-vm/command </dev/null >/run/knarr-vm/output 2>&1
status=$?
# A process left behind may hold the output open.
(sleep 2 && kill $copy) 2>/dev/null &
wait $copy
echo $status >"$(port 2)"
sync
echo o >/proc/sysrq-trigger
sleep 60
