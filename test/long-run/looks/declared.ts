import { addressOf, type Program, SLOTS, type Slot, type StackName } from "../stacks/program.ts";
import { keysOf, type Look, text, type XapiRecord } from "./look.ts";

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
  const { label, description, mtu = 1500, bridge, tags } = part;
  const differing = [
    [found["name_label"], label],
    [found["name_description"], description],
    [Number(found["MTU"]), mtu],
    [[...((found["tags"] ?? []) as string[])].sort(), [...tags].sort()],
    [keysOf(found)["automatic"], "false"],
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
  return wanted.flatMap((one) =>
    SLOTS.flatMap((slot) => {
      const part = one.program.forwardings[slot];
      const bridge = text(networkIn(look, one, slot), "bridge");
      if (part === undefined || !look.links.has(bridge)) return [];
      const who = `${one.stack}: forwarding ${part.name}`;
      const address = addressOf(one.stack, slot, part);
      const found = look.addresses.get(bridge) ?? [];
      const proxyArp = part.proxyArp === undefined ? undefined : part.proxyArp ? "1" : "0";
      return [
        ...(found.includes(address) ? [] : [`${who}: its bridge ${bridge} has not ${address}`]),
        ...found.filter((other) => other !== address).map((other) => `${who}: its bridge ${bridge} has ${other}`),
        ...(look.conf.get(`${bridge}/forwarding`) === "1" ? [] : [`${who}: ${bridge} does not forward`]),
        ...(look.conf.get("xenbr0/forwarding") === "1" ? [] : [`${who}: xenbr0 does not forward`]),
        ...(look.conf.get(`${bridge}/rp_filter`) === "1" ? [] : [`${who}: ${bridge} does not check sources`]),
        // Without IPv6 in the kernel there is nothing to switch off.
        ...[bridge, "default"]
          .filter((name) => look.conf.get(`${name}/disable_ipv6`) === "0")
          .map((name) => `${who}: ${name} has IPv6`),
        ...(proxyArp === undefined || look.conf.get(`${bridge}/proxy_arp`) === proxyArp
          ? []
          : [`${who}: proxy_arp of ${bridge} is ${look.conf.get(`${bridge}/proxy_arp`)}`]),
        ...(look.links.get(bridge) === true ? [] : [`${who}: ${bridge} is down`]),
      ];
    }),
  );
}
