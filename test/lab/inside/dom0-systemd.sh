#!/bin/bash
# Switches on a dom0 whose pid 1 is systemd: a container over dom0's disk. This shell becomes systemd-nspawn; dom0's network namespace is there.
set -eu
lab=$1 packages=$2 cgroup=$3
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

# A control group of its own: the systemd in there takes the one it is started in for the root of all.
for hierarchy in /sys/fs/cgroup /sys/fs/cgroup/unified /sys/fs/cgroup/systemd; do
  [ -e "$hierarchy/cgroup.procs" ] || continue
  mkdir -p "$hierarchy/$cgroup"
  echo 0 >"$hierarchy/$cgroup/cgroup.procs"
done

ip -n dom0 link add name eth0 address 52:54:00:a1:b2:c3 type veth peer name lan-dom0 netns lan
ip link set lan-dom0 master lan0 up

mkdir -p /run/dom0-work /run/dom0-root
mount -t overlay overlay -o "lowerdir=$packages,upperdir=$lab/disk,workdir=/run/dom0-work" /run/dom0-root
# /sys must be writable for udevd to run.
export SYSTEMD_NSPAWN_API_VFS_WRITABLE=yes
exec systemd-nspawn --quiet --register=no --keep-unit --directory=/run/dom0-root --network-namespace-path=/run/netns/dom0 \
  --capability=all --console=pipe --resolv-conf=off --timezone=off --link-journal=no --hostname=xenserver-lab /opt/xensource/lab/init
