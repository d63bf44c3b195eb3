import { Config } from "@pulumi/pulumi";
import { HostForwarding, listXenVifsOutput, PortForward, XenNetwork, XenVif } from "pulumi-xennet";

// What was typed by hand all over the recipe; write your own.
const external = { interface: "xenbr0", address: "192.168.1.10", network: "192.168.1.0/24" };
const dom0 = "192.168.100.1";

// Each by name, by UUID, or by the first 8 or more characters of its UUID: `pulumi config set server1 <text>`.
const config = new Config();
const server1 = { vm: config.get("server1") ?? "Fedora server 1", address: "192.168.100.11" };
const server2 = { vm: config.get("server2") ?? "Fedora server 2", address: "192.168.100.12" };

// XenCenter shall not add the external network to new VMs.
new XenNetwork("network0", {
  adopt: { nameLabel: "Pool-wide network associated with eth0" },
  automatic: false,
});

// `xe network-create`
const internal = new XenNetwork("internal", {
  nameLabel: "Internal network",
  nameDescription: "Internal network",
});

// `xe vif-destroy` and `xe vif-create`; inside the guest, the address and the default route.
const vif = (name: string, { vm, address }: typeof server1) =>
  new XenVif(name, {
    vm,
    network: internal,
    device: 0,
    onDeviceConflict: "takeOver",
    ipv4: { address: `${address}/24`, gateway: dom0 },
  });
const vifs = [vif("server1", server1), vif("server2", server2)];

const nat = new HostForwarding("nat", {
  network: internal,
  // `ip addr add … dev xapi1`
  address: `${dom0}/24`,
  externalInterface: external.interface,
  externalAddress: external.address,
  // /etc/sysctl.conf: ip_forward = 1, send_redirects = 1, arp_filter = 1
  forwardingScope: "global",
  sendRedirects: true,
  arpFilter: true,
  // `ip link set xapi1 arp on`
  arp: true,
  // `sysctl -w net.ipv4.conf.xapi1.proxy_arp=1`
  proxyArp: true,
  // `iptables -I FORWARD -i xapi1 -d <external network> -o xenbr0 -j ACCEPT`, which leaves no host of it out
  outbound: [external.network],
  outboundToInfrastructure: true,
  // `iptables -I FORWARD -i xenbr0 -d <internal network> -o xapi1 -j ACCEPT`
  inbound: "network",
  // `iptables -A POSTROUTING -t nat -o xenbr0 -j SNAT --to-source <external address>`
  snat: "address",
  // What the recipe left as the stock firewall has it: guests reach dom0's SSH and web ports, and routing is not closed.
  guestAccessToHost: [22, 80, 443].map((port) => ({ protocol: "tcp" as const, port })),
  isolation: false,
  clampMss: "off",
  // The script that cron ran every minute, and rc.local's part in it.
  persistence: "auto",
});

// `iptables -A PREROUTING -t nat -p tcp -i xenbr0 --dport … -j DNAT --to …`
const forward = (name: string, externalPort: number, target: string) =>
  new PortForward(name, { forwarding: nat, protocol: "tcp", externalPort, target, targetPort: 80 });
const http = forward("http", 80, server1.address);
const alternate = forward("alternate", 8080, server2.address);

export const bridge = internal.bridge;
export const rules = [nat.rules, http.rules, alternate.rules];

// `xe vif-list params=vm-name-label,network-name-label,uuid,device`
export const table = listXenVifsOutput({}, { dependsOn: vifs }).apply((rows) =>
  rows.map(({ vmNameLabel, networkNameLabel, uuid, device, mac, currentlyAttached }) =>
    [vmNameLabel, networkNameLabel, uuid, device, mac, currentlyAttached ? "attached" : "not attached"].join(" | "),
  ),
);
