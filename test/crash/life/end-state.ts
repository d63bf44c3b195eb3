import type { Host } from "../../lab/host.ts";
import type { State } from "./mini-engine.ts";

/** What is there of ours, in words that are the same in every run: no UUID, token or bridge number. */
export async function endState({ lab, simulator }: Host, state: State): Promise<string[]> {
  const { status, stdout, stderr } = await lab.runInDom0(
    "[ ! -x /usr/local/sbin/xennet ] || xennet snapshot; echo '=== rules'; iptables-save; echo '=== addr'; ip -4 -o addr show",
  );
  if (status !== 0) throw new Error(`dom0 ended with status ${status}: ${stderr}`);
  const bridges = new Map<string, string>();
  const found: string[] = [];
  const networks = await marked(simulator, "network");
  for (const { uuid, name_label, MTU, bridge, owner } of networks) {
    bridges.set(String(bridge), nameOf(owner));
    found.push(`network ${nameOf(owner)} "${name_label}" MTU ${MTU}`);
    if (!isInState(state, uuid)) found.push(`network ${nameOf(owner)} is not in the state`);
  }
  for (const vif of await marked(simulator, "VIF")) {
    const network = await simulator.admin.call<string>("network.get_bridge", String(vif["network"]));
    const vm = await simulator.admin.call<string>("VM.get_name_label", String(vif["VM"]));
    const on = `${vm} device ${vif["device"]} on ${bridges.get(network) ?? network}`;
    found.push(`VIF ${nameOf(vif.owner)} of ${on}${vif["currently_attached"] === true ? ", plugged" : ""}`);
    if (!isInState(state, vif.uuid)) found.push(`VIF ${nameOf(vif.owner)} is not in the state`);
  }
  const owners = new Map<string, string>();
  for (const [, token = "", status = "", owner = ""] of stdout.matchAll(FRAGMENT)) {
    owners.set(token, nameOf(owner));
    found.push(`fragment ${nameOf(owner)} ${status}`);
    if (!isInState(state, token)) found.push(`fragment ${nameOf(owner)} is not in the state`);
  }
  const named = (line: string) =>
    [...bridges]
      .reduce((text, [bridge, name]) => text.replaceAll(` ${bridge} `, ` <${name}> `), `${line} `)
      .replace(/xennet-([0-9a-f]{12})/g, (_all, token: string) => `<${owners.get(token) ?? token}>`)
      .trimEnd();
  for (const line of stdout.split("\n")) {
    if (/^(missing|damaged|pending) /.test(line)) found.push(named(line));
    else if (/^(-A .*(XENNET-|xennet-)|:XENNET-\S+ )/.test(line)) found.push(named(line.replace(/\[.*/, "")));
    const [, bridge = "", address] = /^\d+: (\S+) +inet (\S+)/.exec(line) ?? [];
    if (bridges.has(bridge)) found.push(`address ${address} on <${bridges.get(bridge)}>`);
  }
  return found.sort();
}

const FRAGMENT = /^fragment (\S+) (\S+)\n(?:(?!end$).*\n)*?owner (.*)\n/gm;

const nameOf = (owner: string) => owner.slice(owner.lastIndexOf("::") + 2);

const isInState = (state: State, own: string) => [...state.values()].some(({ id }) => id.endsWith(`/${own}`));

interface Marked {
  readonly uuid: string;
  readonly owner: string;
  readonly [field: string]: unknown;
}

async function marked({ admin }: Host["simulator"], className: string): Promise<Marked[]> {
  const records = await admin.call<Record<string, Record<string, unknown>>>(`${className}.get_all_records`);
  return Object.values(records).flatMap((record) => {
    const owner = (record["other_config"] as Record<string, string>)["xennet:owner"];
    return owner === undefined ? [] : [{ ...record, uuid: String(record["uuid"]), owner }];
  });
}
