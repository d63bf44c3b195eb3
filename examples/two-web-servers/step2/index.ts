import { HostForwarding, PortForward, XenNetwork, XenVif } from "pulumi-xennet";

// The network both guests live on; nothing but the host connects it to the outside.
const internal = new XenNetwork("internal", {
  nameLabel: "Internal network",
  nameDescription: "Web servers behind the host's address",
});

// dom0 as their router: 192.168.100.1 on the bridge, forwarding, SNAT.
const nat = new HostForwarding("nat", { network: internal, address: "192.168.100.1/24" });

// Each VM has a VIF on device 0 already; it is moved here, and given back on destroy.
const vif = (name: string, vm: string, address: string) =>
  new XenVif(name, {
    vm,
    network: internal,
    onDeviceConflict: "takeOver",
    ipv4: { address: `${address}/24`, gateway: "192.168.100.1" },
  });

const server1 = "192.168.100.11";
const server2 = "192.168.100.12";
vif("server1", "Fedora server 1", server1);
vif("server2", "Fedora server 2", server2);

// Step 2: port 8080 moves to the first server as well, to the second web server that runs there.
const http = new PortForward("http", { forwarding: nat, externalPort: 80, target: server1 });
const alternate = new PortForward("alternate", {
  forwarding: nat,
  externalPort: 8080,
  target: server1,
  targetPort: 8080,
});

export const bridge = internal.bridge;
export const address = nat.resolvedExternalAddress;
export const rules = [nat.rules, http.rules, alternate.rules];
