/** `/etc/sysconfig/iptables` as XCP-ng 7.5 to 8.3 ship it (xcp-ng-release.spec). */
export const STOCK_FIREWALL = `*filter
:INPUT ACCEPT [0:0]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:RH-Firewall-1-INPUT - [0:0]
-A INPUT -j RH-Firewall-1-INPUT
-A FORWARD -j RH-Firewall-1-INPUT
-A RH-Firewall-1-INPUT -i lo -j ACCEPT
-A RH-Firewall-1-INPUT -p icmp --icmp-type any -j ACCEPT
-A RH-Firewall-1-INPUT -p udp -m udp -i xenapi --dport 67 -j ACCEPT
-A RH-Firewall-1-INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
-A RH-Firewall-1-INPUT -m conntrack --ctstate NEW -m udp -p udp --dport 694 -j ACCEPT
-A RH-Firewall-1-INPUT -m conntrack --ctstate NEW -m tcp -p tcp --dport 22 -j ACCEPT
-A RH-Firewall-1-INPUT -m conntrack --ctstate NEW -m tcp -p tcp --dport 80 -j ACCEPT
-A RH-Firewall-1-INPUT -m conntrack --ctstate NEW -m tcp -p tcp --dport 443 -j ACCEPT
-A RH-Firewall-1-INPUT -p tcp -m tcp --dport 21064 -j ACCEPT
-A RH-Firewall-1-INPUT -p udp -m multiport --dports 5404,5405 -j ACCEPT
-A RH-Firewall-1-INPUT -j REJECT --reject-with icmp-host-prohibited
COMMIT
`;

/**
 * The firewall's script, of sysvinit and behind the systemd unit: stop and restart empty every loaded table, nat too; a reload leaves the tables alone
 * that the file does not have; save writes down what is live, whoever made it.
 */
export const IPTABLES_INIT = `#!/bin/sh
# iptables  Loads the stock firewall.
#
# chkconfig: 2345 08 92
# description: loads /etc/sysconfig/iptables
load() { iptables-restore </etc/sysconfig/iptables; }
flush() {
  for table in $(iptables-save | sed -n 's/^[*]//p'); do
    iptables -t "$table" -F
    iptables -t "$table" -X
    for chain in $(iptables-save -t "$table" | sed -n 's/^:\\([A-Z]*\\) .*/\\1/p'); do iptables -t "$table" -P "$chain" ACCEPT; done
  done
}
mark() { [ ! -d /var/lock/subsys ] || "$@" /var/lock/subsys/iptables; }
case "$1" in
  start) load && mark touch ;;
  restart) flush; load && mark touch ;;
  reload) load ;;
  stop) flush; mark rm -f ;;
  save) iptables-save >/etc/sysconfig/iptables.new && chmod 600 /etc/sysconfig/iptables.new && mv /etc/sysconfig/iptables.new /etc/sysconfig/iptables ;;
  status) iptables -n -L ;;
  *) echo "Usage: $0 {start|stop|restart|reload|save|status}"; exit 2 ;;
esac
`;

/** Cron's script where links say what starts; FAKETIME names the library with which its clock runs faster. */
export const CROND_INIT = `#!/bin/sh
# crond  Runs what is due every minute.
#
# chkconfig: 2345 90 60
# description: runs /usr/sbin/cron
case "$1" in
  start)
    if [ -e /run/faketime ]; then
      LD_PRELOAD=$(cat /run/faketime) FAKETIME='+0 x60' FAKETIME_DONT_RESET=1 /usr/sbin/cron -f </dev/null >/dev/null 2>&1 &
    else
      /usr/sbin/cron
    fi
    touch /var/lock/subsys/crond ;;
  stop) kill "$(cat /var/run/crond.pid)"; rm -f /var/lock/subsys/crond ;;
  *) echo "Usage: $0 {start|stop}"; exit 2 ;;
esac
`;

/** Stand-in for \`xe\`: bridge names by network UUID, from the table that the simulator's backplane keeps up to date. */
export const XE = `#!/bin/bash
# Knows two commands:
#   xe network-list uuid=<uuid> params=bridge --minimal
#   xe network-param-get uuid=<uuid> param-name=bridge
table=/opt/xensource/lab/networks
command=\${1-}
[ $# -eq 0 ] || shift
for argument; do
  case $command,$argument in
    network-list,uuid=*|network-param-get,uuid=*) uuid=\${argument#uuid=} ;;
    network-list,params=bridge|network-list,--minimal|network-param-get,param-name=bridge) seen="\${seen-} $argument" ;;
    *) echo "xe (lab): '$command' with '$argument' is not supported by this stand-in" >&2; exit 2 ;;
  esac
done
case "$command:\${seen-}" in
  'network-list: params=bridge --minimal'|'network-list: --minimal params=bridge'|'network-param-get: param-name=bridge') ;;
  *) echo "xe (lab): '$command\${seen-}' is not supported by this stand-in" >&2; exit 2 ;;
esac
[ -n "\${uuid-}" ] || { echo "xe (lab): $command needs uuid=" >&2; exit 2; }
while read -r known bridge; do
  [ "$known" != "$uuid" ] || { echo "$bridge"; exit 0; }
done < "$table"
[ "$command" = network-list ] || { echo "The uuid you supplied was invalid." >&2; echo "type: network"; exit 1; }
echo
`;
