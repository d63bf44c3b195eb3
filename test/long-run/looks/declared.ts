import { addressOf, type Program, SLOTS, type Slot, type StackName } from "../stacks/program.ts";
import { keysOf, type Look, text, type XapiRecord } from "./look.ts";

/** Keys of the networks that were there before us. */
export const OLD_NETWORK: Readonly<Record<string, string>> = { automatic: "true", theirs: "kept" };

/** A stack whose declaration the host is to equal. */
export interface Wanted {
  readonly stack: StackName;
  readonly program: Program;
}

/** The network that a stack has in a slot. */
export function networkIn(look: Look, { stack, program }: Wanted, slot: Slot): XapiRecord | undefined {
  const part = program.networks[slot];
  if (part === undefined) return undefined;
  const owner = `urn:pulumi:${stack}::shop::pulumi-nodejs:dynamic/xennet:XenNetwork::${part.name}`;
  return look.networks.find((network) => keysOf(network)["xennet:owner"] === owner);
}

/** What XAPI and dom0's interfaces have otherwise than declared. */
export function wrongObjects(look: Look, wanted: Wanted): string[] {
  return [...SLOTS.flatMap((slot) => wrongNetwork(look, wanted, slot)), ...wrongVifs(look, wanted)];
}

function wrongNetwork(look: Look, wanted: Wanted, slot: Slot): string[] {
  const part = wanted.program.networks[slot];
  if (part === undefined) return [];
  const found = networkIn(look, wanted, slot);
  const who = `${wanted.stack}: network ${part.name}`;
  if (found === undefined) return [`${who} is not there`];
  const { label, description, mtu = 1500, bridge, tags, adopt } = part;
  const differing = [
    [found["name_label"], label],
    [found["name_description"], description],
    [Number(found["MTU"]), mtu],
    [[...((found["tags"] ?? []) as string[])].sort(), [...tags].sort()],
    [keysOf(found)["automatic"], adopt === undefined ? "false" : OLD_NETWORK["automatic"]],
    ...(bridge === undefined ? [] : [[found["bridge"], bridge]]),
  ].filter(([is, should]) => JSON.stringify(is) !== JSON.stringify(should));
  return differing.map(([is, should]) => `${who} has ${JSON.stringify(is)}, declared is ${JSON.stringify(should)}`);
}

function wrongVifs(look: Look, wanted: Wanted): string[] {
  const { stack, program } = wanted;
  return program.vifs.flatMap((part) => {
    const vm = look.vms.find((record) => text(record, "name_label") === part.vm && record["is_a_snapshot"] !== true);
    const vif = look.vifs.find((one) => text(one, "VM") === vm?.ref && text(one, "device") === part.device);
    const who = `${stack}: VIF ${part.name}`;
    if (vif === undefined) return [`${who} is not there`];
    const network = networkIn(look, wanted, part.slot);
    const runs = text(vm, "power_state") === "Running";
    const rate = (vif["qos_algorithm_params"] as Record<string, string>)["kbps"];
    return [
      ...(text(vif, "network") === network?.ref ? [] : [`${who} is on another network than declared`]),
      ...(vif["currently_attached"] === (runs && part.plugged)
        ? []
        : [`${who}: plugged is ${vif["currently_attached"]}`]),
      ...(part.rate === undefined || rate === String(part.rate) ? [] : [`${who} has the rate ${rate}`]),
      ...(part.mac === undefined || text(vif, "MAC") === part.mac ? [] : [`${who} has the MAC ${text(vif, "MAC")}`]),
    ];
  });
}

/** What dom0's interfaces have otherwise than all forwardings together ask for. */
export function wrongInterfaces(look: Look, wanted: readonly Wanted[]): string[] {
  return wanted.flatMap((one) => SLOTS.flatMap((slot) => wrongBridge(look, one, slot)));
}

function wrongBridge(look: Look, one: Wanted, slot: Slot): string[] {
  const part = one.program.forwardings[slot];
  const bridge = text(networkIn(look, one, slot), "bridge");
  if (part === undefined || !look.links.has(bridge)) return [];
  const who = `${one.stack}: forwarding ${part.name}`;
  const address = addressOf(one.stack, slot, part);
  const found = look.addresses.get(bridge) ?? [];
  const settings = [
    [`${bridge}/forwarding`, true],
    ["xenbr0/forwarding", true],
    [`${bridge}/rp_filter`, true],
    ...(part.scope === "global" ? [["all/forwarding", true] as const] : []),
    [`${bridge}/proxy_arp`, part.proxyArp],
    [`${bridge}/send_redirects`, part.sendRedirects],
  ] as const;
  return [
    ...(found.includes(address) ? [] : [`${who}: its bridge ${bridge} has not ${address}`]),
    ...found.filter((other) => other !== address).map((other) => `${who}: its bridge ${bridge} has ${other}`),
    ...settings.flatMap(([key, value]) =>
      value === undefined || look.conf.get(key) === (value ? "1" : "0")
        ? []
        : [`${who}: ${key} is ${look.conf.get(key)}`],
    ),
    // Without IPv6 in the kernel there is nothing to switch off.
    ...[bridge, "default"]
      .filter((name) => look.conf.get(`${name}/disable_ipv6`) === "0")
      .map((name) => `${who}: ${name} has IPv6`),
    ...(look.links.get(bridge) === true ? [] : [`${who}: ${bridge} is down`]),
  ];
}

/** Where no forwarding asks for all of the host, the host does not forward more than it did. */
export function wrongScope(look: Look, wanted: readonly Wanted[], bare: Look): string[] {
  const forwardings = wanted.flatMap(({ program }) => Object.values(program.forwardings));
  const [is, was] = [look.conf.get("all/forwarding"), bare.conf.get("all/forwarding")];
  if (is === was || forwardings.some(({ scope }) => scope === "global")) return [];
  return [`nobody asks for the whole host, but all/forwarding is ${is}`];
}

/** Hooks are there while a forwarding persists. */
export function wrongHooks(look: Look, wanted: readonly Wanted[]): string[] {
  const persists = wanted.some(({ program }) =>
    Object.values(program.forwardings).some(({ persistence }) => persistence === "auto"),
  );
  if (persists === look.hooks.length > 0) return [];
  return [persists ? "a forwarding persists, but there are no hooks" : `nothing persists, but ${look.hooks} are there`];
}
