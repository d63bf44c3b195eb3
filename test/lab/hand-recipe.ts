/** What an administrator types on dom0 for two web servers behind one address; the steps in their order. */
export const HAND_RECIPE = {
  dnat: `sysctl -qw net.ipv4.ip_forward=1
iptables -t nat -A PREROUTING -p tcp -i xenbr0 --dport 80 -j DNAT --to 192.168.100.11
iptables -t nat -A PREROUTING -p tcp -i xenbr0 --dport 8080 -j DNAT --to 192.168.100.12`,
  address: "ip link set xapi1 arp on && ip addr add 192.168.100.1/24 dev xapi1",
  appendedAccept: "iptables -A FORWARD -i xenbr0 -d 192.168.100.0/24 -o xapi1 -j ACCEPT",
  insertedAccepts: `iptables -I FORWARD -i xapi1 -d 192.168.1.0/24 -o xenbr0 -j ACCEPT
iptables -I FORWARD -i xenbr0 -d 192.168.100.0/24 -o xapi1 -j ACCEPT`,
  snat: "iptables -t nat -A POSTROUTING -o xenbr0 -j SNAT --to-source 192.168.1.10",
} as const;
