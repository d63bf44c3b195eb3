import type { EventAction } from "./actions.ts";
import { networkIn } from "./looks/declared.ts";
import { keysOf, type Look, look, text, type XapiRecord } from "./looks/look.ts";
import type { Machine } from "./machine.ts";
import { type Model, vmStarted } from "./model.ts";
import { STACKS, type VmName } from "./stacks/program.ts";

/** Lets something happen; the model then says what it means. */
export async function happen(action: EventAction, model: Model, machine: Machine): Promise<void> {
  switch (action.do) {
    case "vm":
      return vmEvent(action, model, machine);
    case "hot plug":
      return hotPlug(action, model, machine);
    case "hot unplug":
      return removeStrangers(machine, action.vm);
    case "bridge":
      return bridgeEvent(action, model, machine);
    case "xe":
      return xeEvent(action, model, machine);
    case "console":
      return consoleEvent(action, model, machine);
    default:
      return dom0Event(action.what, model, machine);
  }
}

type Of<Kind extends EventAction["do"]> = Extract<EventAction, { do: Kind }>;

async function vmEvent({ what, vm }: Of<"vm">, model: Model, machine: Machine): Promise<void> {
  const ref = await machine.vm(vm);
  if (what === "start") {
    await machine.xe("VM.start", ref, false, false);
    vmStarted(model, vm);
  } else if (what === "stop") {
    await machine.xe("VM.hard_shutdown", ref);
    model.running[vm] = false;
  } else if (what === "reboot") {
    await machine.xe("VM.hard_reboot", ref);
    vmStarted(model, vm);
  } else if (what === "clone") {
    if (model.running[vm]) return;
    await machine.xe("VM.clone", ref, "a clone");
  } else {
    await snapshotAndRevert(ref, vm, model, machine);
  }
}

/** The VIFs are made anew as they were a moment ago: same marks, other UUIDs. */
async function snapshotAndRevert(ref: string, vm: VmName, model: Model, machine: Machine): Promise<void> {
  if (model.running[vm]) return;
  const snapshot = await machine.xe<string>("VM.snapshot", ref, "a snapshot", []);
  await machine.xe("VM.revert", snapshot);
  await machine.xe("VM.destroy", snapshot);
  for (const stack of STACKS) {
    if (model.programs[stack].vifs.some((vif) => vif.vm === vm)) model.settled[stack] = false;
  }
}

const STRANGER = "5";

/** Somebody else's VIF on a network of ours: the network cannot go while it is there. */
async function hotPlug(
  { vm, stack, slot }: Of<"hot plug" | "hot unplug">,
  model: Model,
  machine: Machine,
): Promise<void> {
  const now = await look(machine.host);
  const network = networkIn(now, { stack, program: model.programs[stack] }, slot);
  const ref = await machine.vm(vm);
  const isTaken = now.vifs.some((vif) => text(vif, "VM") === ref && text(vif, "device") === STRANGER);
  if (network === undefined || isTaken) return;
  const vif = await machine.xe<string>("VIF.create", {
    ...{ device: STRANGER, network: network.ref, VM: ref, MAC: "", MTU: 1500, other_config: {} },
    ...{ qos_algorithm_type: "", qos_algorithm_params: {} },
  });
  if (model.running[vm]) await machine.xe("VIF.plug", vif);
}

async function removeStrangers(machine: Machine, vm?: VmName): Promise<void> {
  const { vifs } = await look(machine.host);
  const ref = vm === undefined ? undefined : await machine.vm(vm);
  for (const vif of vifs.filter(
    (one) => text(one, "device") === STRANGER && (ref ?? text(one, "VM")) === text(one, "VM"),
  )) {
    if (vif["currently_attached"] === true) await machine.xe("VIF.unplug", vif.ref);
    await machine.xe("VIF.destroy", vif.ref);
  }
}

/** Copies of VMs that somebody made. */
async function removeCopies(machine: Machine): Promise<void> {
  const { vms } = await look(machine.host);
  for (const vm of vms.filter((one) => /^a (clone|snapshot)/.test(text(one, "name_label")))) {
    await machine.xe("VM.destroy", vm.ref);
  }
}

/** The bridge comes back, with the ports it had, under another number; or, as after a pool join, under another name. */
async function bridgeEvent({ what, stack, slot }: Of<"bridge">, model: Model, machine: Machine): Promise<void> {
  const now = await look(machine.host);
  const network = networkIn(now, { stack, program: model.programs[stack] }, slot);
  const bridge = text(network, "bridge");
  if (network === undefined || !now.links.has(bridge)) return;
  // A name that is declared stays.
  const name = what === "name" && slot !== "named" ? `xapi${90 + (Number(bridge.slice(4)) % 9)}x` : bridge;
  if (name !== bridge) await renameBridge(network, name, now, machine);
  await machine.console(`ports=$(ls /sys/class/net/${bridge}/brif); ip link del ${bridge}
ip link add name ${name} type bridge forward_delay 0 stp_state 0; ip link set ${name} multicast off up
for port in $ports; do ip link set $port master ${name} up; done`);
}

async function renameBridge(network: XapiRecord, name: string, now: Look, machine: Machine): Promise<void> {
  machine.host.simulator.admin.modify("network", network.ref, { bridge: name });
  const names = now.networks.map((one) => ({
    uuid: one.uuid,
    bridge: one === network ? name : text(one, "bridge"),
  }));
  await machine.host.lab.backplane.networksChanged(names);
}

async function xeEvent({ what, stack, pick }: Of<"xe">, model: Model, machine: Machine): Promise<void> {
  const now = await look(machine.host);
  const isOurs = (record: XapiRecord) => keysOf(record)["xennet:owner"]?.startsWith(`urn:pulumi:${stack}::`) === true;
  const vms = new Set(now.vms.filter((vm) => /^Fedora server \d$/.test(text(vm, "name_label"))).map(({ ref }) => ref));
  const own = now.vifs.filter((vif) => isOurs(vif) && vms.has(text(vif, "VM")));
  const networks = now.networks.filter(isOurs);
  const isNetworkDeed =
    what === "rename network" || what === "destroy network" || (what === "marks removed" && pick % 2 === 0);
  const target = isNetworkDeed ? networks[pick % networks.length] : own[pick % own.length];
  if (target === undefined) return;
  model.settled[stack] = false;
  await deed(what, target, isNetworkDeed ? "network" : "VIF", now.vifs, machine);
}

async function deed(
  what: Of<"xe">["what"],
  target: XapiRecord,
  kind: "network" | "VIF",
  vifs: readonly XapiRecord[],
  machine: Machine,
): Promise<void> {
  if (what === "rename network") return machine.xe("network.set_name_label", target.ref, "renamed by hand");
  if (what === "marks removed") return machine.xe(`${kind}.remove_from_other_config`, target.ref, "xennet:owner");
  // What was there before us is not destroyed: nobody could give it back.
  const isFormer = keysOf(target)["xennet:former"] !== undefined;
  const attached = target["currently_attached"] === true;
  if (what === "plug") return attached ? machine.xe("VIF.unplug", target.ref) : undefined;
  if (kind === "VIF") {
    if (isFormer) return;
    if (attached) await machine.xe("VIF.unplug", target.ref);
    return machine.xe("VIF.destroy", target.ref);
  }
  const users = vifs.filter((vif) => text(vif, "network") === target.ref);
  if (users.length === 0) await machine.xe("network.destroy", target.ref);
}

/** A rule that an administrator has put at the end of the firewall's own chain. */
const THEIR_RULE = "INPUT -p tcp -m tcp --dport 9999 -j ACCEPT";

async function consoleEvent({ what, pick }: Of<"console">, model: Model, machine: Machine): Promise<void> {
  const now = await look(machine.host);
  const wanted = STACKS.flatMap((stack) => model.slots.map((slot) => [stack, slot] as const)).flatMap(([stack, slot]) =>
    text(networkIn(now, { stack, program: model.programs[stack] }, slot), "bridge"),
  );
  const bridges = wanted.filter((name) => now.links.has(name));
  const bridge = bridges[pick % Math.max(1, bridges.length)];
  const scripts: Readonly<Record<typeof what, string>> = {
    flush: "iptables -F",
    "flush nat": "iptables -t nat -F",
    "flush ours": "iptables -F XENNET-FORWARD; iptables -F XENNET-INPUT",
    "rule of theirs": `iptables -C ${THEIR_RULE} 2>/dev/null || iptables -A ${THEIR_RULE}`,
    "firewall restart": "/etc/init.d/iptables restart",
    address: bridge === undefined ? "" : `ip -4 addr flush dev ${bridge}`,
    "link down": bridge === undefined ? "" : `ip link set dev ${bridge} down`,
    off: "[ ! -x /usr/local/sbin/xennet ] || xennet off",
    on: "[ ! -x /usr/local/sbin/xennet ] || xennet on",
    remove: "[ ! -x /usr/local/sbin/xennet ] || xennet remove",
    "run wiped": "rm -rf /run/xennet",
    "forwarding off": "for f in /proc/sys/net/ipv4/conf/xapi*/forwarding; do [ ! -e $f ] || echo 0 >$f; done",
    "clock jump":
      "touch -d '2031-01-01' /etc/xennet/* 2>/dev/null; touch -d '2001-01-01' /run/xennet/* 2>/dev/null; true",
  };
  const said = await machine.console(scripts[what]);
  if (now.installed && what === "off" && /is off/.test(said)) model.off = true;
  if (what === "on") model.off = false;
  if (what === "remove" && now.installed) {
    model.off = false;
    for (const stack of STACKS)
      if (Object.keys(model.programs[stack].forwardings).length > 0) model.settled[stack] = false;
  }
}

async function dom0Event(what: Of<"dom0">["what"], model: Model, machine: Machine): Promise<void> {
  if (what === "toolstack restart") return machine.host.simulator.restart();
  await (what === "reboot" ? machine.host.rebootDom0() : machine.host.powerCut());
  for (const vm of Object.keys(model.running) as VmName[]) model.running[vm] = false;
}

/** Everything that happened beside the stacks is undone: nobody's VMs run, nobody's things are left. */
export async function undoEvents(model: Model, machine: Machine): Promise<void> {
  for (const vm of Object.keys(model.running) as VmName[]) {
    if (model.running[vm]) await vmEvent({ do: "vm", what: "stop", vm }, model, machine);
  }
  await removeStrangers(machine);
  await removeCopies(machine);
  await machine.console(
    `[ ! -x /usr/local/sbin/xennet ] || xennet on; /etc/init.d/iptables restart; iptables -D ${THEIR_RULE} 2>/dev/null`,
  );
  model.off = false;
}
