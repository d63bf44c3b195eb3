#!/bin/bash
# Pid 1 of dom0: mounts its disk, brings up its network, runs what a dom0 runs at boot, says "booted" on its standard
# output, then waits. Its standard input is the power cord: when that closes, pid 1 ends and everything in dom0 with it.
set -eu
lab=$1 faketime=$2
disk=$lab/disk
exec 3>&1 >>"$disk/var/log/boot.log" 2>&1
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root
exec 8<"$lab/inside/udevd.pl"

mount --make-rprivate /
# The workstation's own files are read-only here; dom0 writes to its disk only.
while read -r _ _ _ _ point options _; do
  case $point in /proc* | /sys* | /dev* | /run* | /tmp) continue ;; esac
  case $options in ro | ro,*) continue ;; esac
  mount -o remount,bind,ro "$(printf %b "$point")"
done </proc/self/mountinfo
mount -t overlay overlay -o "lowerdir=$disk/usr/bin:/usr/bin" /usr/bin
for directory in etc root var opt usr/local; do mount --bind "$disk/$directory" "/$directory"; done
ip link add name eth0 address 52:54:00:a1:b2:c3 type veth peer name lan-dom0 netns lan
ip -n lan link set lan-dom0 master lan0 up
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p /run/lock/subsys /run/sshd
mount -t tmpfs tmpfs /tmp
[ ! -d /dev/shm ] || mount -t tmpfs tmpfs /dev/shm
mount -t sysfs sysfs /sys
mount -t proc proc /proc
cat /proc/sys/kernel/random/uuid >/run/boot_id
mount --bind /run/boot_id /proc/sys/kernel/random/boot_id
hostname "$(cat /etc/hostname)"

perl /dev/fd/8 </dev/null >>/var/log/udev.log 2>&1 3>&- &
exec 8<&-
timeout 20 sh -c 'until [ -e /run/udevd.listening ]; do sleep 0.05; done'
# 1 is the default of every new network namespace where br_netfilter is in; guests of one bridge would cross FORWARD.
[ ! -e /proc/sys/net/bridge/bridge-nf-call-iptables ] || echo 0 >/proc/sys/net/bridge/bridge-nf-call-iptables
ip -batch - <<'BATCH'
link set lo up
link add name xenbr0 type bridge
link set eth0 master xenbr0 up
addr add 192.168.1.10/24 dev xenbr0
link set xenbr0 up
route add default via 192.168.1.50
BATCH

# Where links say what starts, cron has one.
start_cron() {
  if [ -z "$faketime" ]; then /usr/sbin/cron 3>&-; return; fi
  LD_PRELOAD=$faketime FAKETIME='+0 x60' FAKETIME_DONT_RESET=1 /usr/sbin/cron -f </dev/null 3>&- &
}

# From here on a failure is what it is on a host: an entry in the log.
set +e
sysctl -q -p /etc/sysctl.conf

[ -z "$faketime" ] || echo "$faketime" >/run/faketime
if [ -d /etc/rc.d/rc3.d ]; then
  for script in /etc/rc.d/rc3.d/S*; do timeout 60 "$script" start </dev/null 3>&-; done
else
  # Without links: what has "# chkconfig: <levels with 3> <start> <stop>", in the order of the start numbers.
  grep -sHoE '^# chkconfig: *[0-9]*3[0-9]* +[0-9]+ +[0-9]+' /etc/init.d/* | sed -E 's/^([^:]*):.* ([0-9]+) +[0-9]+$/\2 \1/' |
    sort -n | while read -r _ script; do
      [ ! -x "$script" ] || timeout 60 "$script" start </dev/null 3>&-
    done
fi
/usr/sbin/sshd -E /var/log/sshd.log 3>&-
[ -d /etc/rc.d/rc3.d ] || start_cron
[ ! -x /etc/rc.d/rc.local ] || timeout 60 /etc/rc.d/rc.local </dev/null 3>&-
echo booted >&3
exec 3>&- perl -e '$SIG{CHLD} = "IGNORE"; $0 = "init [3]"; do { } while sysread STDIN, my $byte, 1'
