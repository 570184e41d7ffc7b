#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The guest's process 1 in the machine's root: runs /run/vm/command and tells its exit status.

export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export HOME=/root LC_ALL=C.UTF-8 TERM=dumb

mount -t proc proc /proc
mount -t sysfs sysfs /sys
mkdir -p /dev/pts /dev/shm /run/netns /run/lock
mount -t devpts devpts /dev/pts
mount -t tmpfs tmpfs /dev/shm
mount -t tracefs tracefs /sys/kernel/tracing
mount -t securityfs securityfs /sys/kernel/security
mount -t bpf bpf /sys/fs/bpf
mount -t cgroup2 cgroup2 /sys/fs/cgroup
ln -sfn /proc/self/fd /dev/fd
ln -sfn /proc/self/fd/0 /dev/stdin
ln -sfn /proc/self/fd/1 /dev/stdout
ln -sfn /proc/self/fd/2 /dev/stderr
stty -onlcr -echo cols 200 </dev/console
hostname vm
ip link set lo up

mapfile -d '' -t command </run/vm/command
read -r directory </run/vm/directory
cd "$directory" || echo "guest: no $directory"
echo 'fibtrace-vm: begin'
# In a session of its own, so that it ends as one.
setsid -w -- "${command[@]}" </dev/null
status=$?
echo "fibtrace-vm: exit status $status"
# Waits until the line is out.
stty sane </dev/console
echo o >/proc/sysrq-trigger
while :; do sleep 1; done
