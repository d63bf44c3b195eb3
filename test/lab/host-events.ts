import type { Lab } from "./lab.ts";
import { run } from "./shell.ts";

/** What happens to a dom0 without Pulumi; each fails when dom0 does not do it. */
const FIREWALL = {
  systemd: (action: string) => `systemctl ${action} iptables`,
  sysvinit: (action: string) => `/etc/init.d/iptables ${action}`,
};

/** The firewall's own service: as an administrator calls it on this dom0. */
export async function firewall(lab: Lab, action: "start" | "stop" | "restart" | "reload"): Promise<void> {
  const systemd = await lab.runInDom0("test -d /run/systemd/system");
  await onDom0(lab, FIREWALL[systemd.status === 0 ? "systemd" : "sysvinit"](action));
}

/** As the plugin `firewall-port open` does: a rule of its own, then every live rule, whoever made it, goes into the saved file. */
export async function openPortAndSave(lab: Lab, port: number): Promise<void> {
  await onDom0(
    lab,
    `iptables -N xapi-INPUT; iptables -I INPUT -j xapi-INPUT
iptables -I xapi-INPUT -p tcp --dport ${port} -j ACCEPT
iptables-save > /etc/sysconfig/iptables.new
chmod 600 /etc/sysconfig/iptables.new; mv /etc/sysconfig/iptables.new /etc/sysconfig/iptables`,
  );
}

/** The stock table again, over what is live: other tables stay. */
export async function loadSavedFirewall(lab: Lab): Promise<void> {
  await onDom0(lab, "iptables-restore < /etc/sysconfig/iptables");
}

/** The network's bridge comes back under another number, with the same ports; XAPI names the new one. */
export async function remakeBridge(lab: Lab, network: string, from: string, to: string): Promise<void> {
  await lab.backplane.networksChanged([{ uuid: network, bridge: to }]);
  await onDom0(
    lab,
    `ports=$(ls /sys/class/net/${from}/brif); ip link del ${from}
ip link add name ${to} type bridge forward_delay 0 stp_state 0; ip link set ${to} multicast off up
for port in $ports; do ip link set $port master ${to} up; done`,
  );
}

/** DHCP hands out another address for the management interface. */
export async function changeExternalAddress(lab: Lab, from: string, to: string): Promise<void> {
  await onDom0(
    lab,
    `ip addr del ${from} dev xenbr0; ip addr add ${to} dev xenbr0 valid_lft 3600 preferred_lft 3600
ip route replace default via 192.168.1.50`,
  );
}

/** The LAN's client gets a second address, which it uses from now on; connections that stand keep the first. */
export async function moveClient(lab: Lab, to: string): Promise<void> {
  const script = `ip addr add ${to}/24 dev lan0; ip route replace 192.168.1.0/24 dev lan0 proto kernel scope link src ${to}`;
  const { status, stderr } = await run([...lab.enterLan, "sh", "-ec", script]);
  if (status !== 0) throw new Error(`the LAN's client ended with status ${status}: ${stderr}`);
}

async function onDom0(lab: Lab, script: string): Promise<string> {
  const { status, stdout, stderr } = await lab.runInDom0(`set -e\n${script}`);
  if (status !== 0) throw new Error(`dom0 ended with status ${status}: ${stderr}\n${script}`);
  return stdout;
}
