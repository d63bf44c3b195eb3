import type { Backplane, SimGuest, SimIpv4, SimVif } from "../sim/backplane.ts";
import { type Agent, type HttpAnswer, startAgent } from "./agent.ts";
import type { LanNamespaces } from "./namespaces.ts";
import { runScript } from "./shell.ts";

/** Guests of the lab: one network namespace each, plugged into dom0's bridges. */
export interface Guests {
  readonly backplane: Omit<Backplane, "networksChanged">;
  /** What an administrator wrote on the guest's disk; XAPI's own setting wins over it. */
  setAddress(vmName: string, device: string, ipv4: SimIpv4): Promise<void>;
  get(vmName: string, url: string, timeoutMs: number): Promise<HttpAnswer>;
  /** The end of every guest, as when its host goes down. */
  stopAll(): Promise<void>;
}

interface RunningGuest {
  readonly name: string;
  readonly namespace: string;
  readonly agent: Agent;
  readonly vifs: Map<string, SimVif>;
}

/** HTTP ports of every guest. */
const GUEST_PORTS = [80, 8080];

/** Prepares the guests' side of the backplane; `bridgeNoArp` makes internal bridges appear with NOARP. */
export function createGuests(lan: LanNamespaces, bridgeNoArp: boolean): Guests {
  const running = new Map<string, RunningGuest>();
  const byHand = new Map<string, SimIpv4>();
  const inTurn = createTurns();

  const guestOf = (vif: SimVif) => {
    const guest = running.get(vif.guest.uuid);
    if (guest === undefined) throw new Error(`Lab: the guest "${vif.guest.name}" does not run`);
    return guest;
  };
  const configure = (guest: RunningGuest, vif: SimVif, ipv4: SimIpv4 | undefined) => {
    const wanted = ipv4 ?? byHand.get(diskKey(guest.name, vif.device));
    return runScript(lan.enter, addressScript(guest.namespace, vif.device, wanted));
  };

  const backplane: Guests["backplane"] = {
    startGuest: (guest) =>
      inTurn(async () => {
        running.set(guest.uuid, await startGuest(lan, guest));
      }),
    stopGuest: ({ uuid }) =>
      inTurn(async () => {
        const guest = running.get(uuid);
        if (guest !== undefined) await stopGuest(lan, guest);
        running.delete(uuid);
      }),
    plugVif: (vif) =>
      inTurn(async () => {
        const guest = guestOf(vif);
        await runScript(lan.enter, plugScript(vif, guest.namespace, bridgeNoArp));
        guest.vifs.set(vif.device, vif);
        await configure(guest, vif, vif.ipv4);
      }),
    unplugVif: (vif) =>
      inTurn(async () => {
        guestOf(vif).vifs.delete(vif.device);
        await runScript(lan.enter, `ip -n dom0 link del ${portOf(vif)}\n${dropBridge(vif.bridge, vif.internal)}`);
      }),
    moveVif: (vif, fromBridge, fromInternal) =>
      inTurn(async () => {
        guestOf(vif).vifs.set(vif.device, vif);
        const join = `ip -n dom0 link set ${portOf(vif)} master ${vif.bridge}`;
        await runScript(
          lan.enter,
          [makeBridge(vif, bridgeNoArp), join, dropBridge(fromBridge, fromInternal)].join("\n"),
        );
      }),
    removeBridge: (bridge) =>
      inTurn(async () => {
        const isThere = `ip -n dom0 link show ${bridge} >/dev/null 2>&1`;
        await runScript(lan.enter, `! ${isThere} || { ${dropBridge(bridge, true)}; }`);
      }),
    configureIpv4: (vif, ipv4) =>
      inTurn(async () => {
        const guest = guestOf(vif);
        const configured: SimVif = { ...vif, ipv4 };
        guest.vifs.set(vif.device, configured);
        await configure(guest, configured, ipv4);
      }),
  };
  return {
    backplane,
    setAddress: (vmName, device, ipv4) =>
      inTurn(async () => {
        byHand.set(diskKey(vmName, device), ipv4);
        for (const guest of running.values()) {
          const vif = guest.vifs.get(device);
          if (guest.name === vmName && vif !== undefined) await configure(guest, vif, vif.ipv4);
        }
      }),
    get: async (vmName, url, timeoutMs) => {
      const guest = [...running.values()].find(({ name }) => name === vmName);
      if (guest === undefined) throw new Error(`Lab: no guest "${vmName}" runs`);
      return guest.agent.ask("get", { url, timeoutMs });
    },
    stopAll: () =>
      inTurn(async () => {
        await Promise.all([...running.values()].map((guest) => stopGuest(lan, guest)));
        running.clear();
      }),
  };
}

/** Bridges appear and vanish by what was done before, so the backplane does one thing at a time. */
function createTurns(): <T>(action: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (action) => {
    const turn = last.then(action);
    last = turn.catch(() => {});
    return turn;
  };
}

const diskKey = (vmName: string, device: string) => `${vmName}\n${device}`;
const portOf = (vif: SimVif) => `vif${vif.guest.domid}.${vif.device}`;

async function startGuest(lan: LanNamespaces, { name, domid }: SimGuest): Promise<RunningGuest> {
  const namespace = `guest${domid}`;
  await runScript(lan.enter, `ip netns add ${namespace}\nip -n ${namespace} link set lo up`);
  const agent = await startAgent(lan.enterNetwork(namespace));
  await Promise.all(GUEST_PORTS.map((port) => agent.ask("serve", { name, host: "0.0.0.0", port })));
  return { name, namespace, agent, vifs: new Map() };
}

async function stopGuest(lan: LanNamespaces, guest: RunningGuest): Promise<void> {
  await guest.agent.stop();
  await runScript(lan.enter, `ip netns del ${guest.namespace}`);
}

/** As Xen's vif scripts: the port has the MAC of every backend port, no ARP and no multicast. */
function plugScript(vif: SimVif, namespace: string, bridgeNoArp: boolean): string {
  const port = portOf(vif);
  return `${makeBridge(vif, bridgeNoArp)}
ip -n dom0 -batch - <<'BATCH'
link add name ${port} mtu ${vif.mtu} type veth peer name eth${vif.device} address ${vif.mac} mtu ${vif.mtu} netns ${namespace}
link set ${port} address fe:ff:ff:ff:ff:ff arp off multicast off
link set ${port} master ${vif.bridge} up
BATCH`;
}

function makeBridge({ bridge, internal }: SimVif, noArp: boolean): string {
  const exists = `ip -n dom0 link show ${bridge} >/dev/null 2>&1`;
  if (!internal) return exists;
  return `${exists} || ip -n dom0 -batch - <<'BATCH'
link add name ${bridge} type bridge forward_delay 0 stp_state 0
link set ${bridge} ${noArp ? "arp off" : "arp on"} multicast off up
BATCH`;
}

function dropBridge(bridge: string, internal: boolean): string {
  if (!internal) return "true";
  return `[ -n "$(ip -n dom0 -br link show master ${bridge})" ] || ip -n dom0 link del ${bridge}`;
}

function addressScript(namespace: string, device: string, ipv4: SimIpv4 | undefined): string {
  const commands = [`link set eth${device} up`, `addr flush dev eth${device}`];
  if (ipv4 !== undefined) {
    commands.push(`addr add ${ipv4.address} dev eth${device}`);
    if (ipv4.gateway !== "") commands.push(`route replace default via ${ipv4.gateway} dev eth${device}`);
  }
  const batch = `ip -n ${namespace} -batch - <<'BATCH'\n${commands.join("\n")}\nBATCH`;
  return ipv4 === undefined || ipv4.gateway === "" ? batch : `${batch}\n${announce(namespace, ipv4.gateway)}`;
}

/** netfront announces the guest when it connects (netdev_notify_peers); one datagram does as much: its ARP carries the MAC. */
function announce(namespace: string, gateway: string): string {
  return `ip netns exec ${namespace} bash -c 'echo >/dev/udp/${gateway}/9' || true`;
}
