import type { HostContext } from "../../hosts/context";
import type { NetworkRecord } from "../../xapi/networks";
import { type Former, formerIn } from "../former";
import type { Props } from "../handler";
import { stateVersion } from "../identity";
import { formerKey, incarnationKey, ownerKey } from "../marks";
import { equal, ownOf, plain, textMapOf, textOf, textsOf } from "../props";
import { isAdopted } from "./check";
import { declaredOf, networkProperties } from "./managed";

const declarable = [...networkProperties, "bridge"];
/** What outputs have and inputs have not. */
const outputOnly = [
  "uuid",
  "managed",
  "vifUuids",
  "pifUuids",
  "declared",
  "selector",
  "former",
  "incarnation",
  "stateVersion",
];

/** The inputs among outputs: what was not declared is there too, as the host has it, and is left out. */
export function declaredIn(props: Props): Props {
  // States of the first release have no list: all but the bridge were inputs.
  const declared = Array.isArray(props["declared"]) ? textsOf(props, "declared") : networkProperties;
  const hidden = [...outputOnly, ...declarable.filter((property) => !declared.includes(property))];
  return Object.fromEntries(Object.entries(props).filter(([key]) => !hidden.includes(key)));
}

/** What only the state knows, or keeps for the case that somebody removes it on the host. */
interface KeptOutputs {
  /** Absent for a network that is only read. */
  readonly incarnation?: string;
  /** How the adopted network was found. */
  readonly selector?: unknown;
  readonly former?: Former | undefined;
}

/** Every input, and what XAPI says; for what is not declared XAPI's value too. */
export async function networkOutputs(
  host: HostContext,
  network: NetworkRecord,
  inputs: Props,
  kept: KeptOutputs,
): Promise<Props> {
  const view = await host.poolView();
  const pifs = network.PIFs.length === 0 ? [] : await view.pifs();
  const uuids = (of: ReadonlyArray<{ readonly network: string; readonly uuid: string }>) =>
    of
      .filter((one) => one.network === network.ref)
      .map((one) => one.uuid)
      .sort();
  return plain({
    nameLabel: network.name_label,
    nameDescription: network.name_description,
    mtu: network.MTU,
    tags: [...network.tags].sort(),
    defaultLockingMode: network.default_locking_mode,
    automatic: network.other_config["automatic"] !== "false",
    ...inputs,
    ...{ uuid: network.uuid, bridge: network.bridge, managed: network.managed },
    ...{ vifUuids: uuids(view.vifs), pifUuids: uuids(pifs) },
    ...{ declared: declaredOf(inputs), ...kept, stateVersion },
  });
}

/** The inputs as they would have to be declared to describe what is there; only declared properties are looked at. */
export function observedInputs(network: NetworkRecord, before: Props): Props {
  const now: Props = {
    nameLabel: network.name_label,
    nameDescription: network.name_description,
    mtu: network.MTU,
    tags: observedTags(network, before),
    otherConfig: ownKeys(network, before),
    automatic: observedAutomatic(network, before),
    defaultLockingMode: network.default_locking_mode,
    bridge: network.bridge,
  };
  const seen = declarable
    .filter((property) => before[property] !== undefined)
    .map((property) => [property, now[property]]);
  return plain({
    ...{ host: textOf(before, "host") ?? "default", owner: observedOwner(network, before) },
    ...Object.fromEntries(seen),
    ...{ forceDestroy: before["forceDestroy"], adopt: before["adopt"] },
  });
}

/** Tags are a set: as long as it is the declared one, they stay in the order in which they were declared. */
function observedTags(network: NetworkRecord, before: Props): string[] {
  const declared = textsOf(before, "tags");
  return equal([...declared].sort(), [...network.tags].sort()) ? declared : [...network.tags];
}

function ownKeys(network: NetworkRecord, before: Props): Record<string, string> {
  const keys = Object.keys(textMapOf(before, "otherConfig"));
  return Object.fromEntries(
    keys.flatMap((key) => {
      const value = ownOf(network.other_config, key);
      return value === undefined ? [] : [[key, value]];
    }),
  );
}

/** The key is always written. Absent or another word it means yes to XenCenter, and is a difference from true as well. */
function observedAutomatic(network: NetworkRecord, before: Props): boolean | undefined {
  const value = network.other_config["automatic"];
  if (value === "true" || value === "false") return value === "true";
  return before["automatic"] === true ? undefined : true;
}

/** None when a mark of ours was removed by hand, so that the next up writes all of them anew. */
function observedOwner(network: NetworkRecord, before: Props): string {
  const { other_config } = network;
  const marks = [incarnationKey, ...(isAdopted(before) ? [formerKey] : [])];
  return marks.every((key) => other_config[key] !== undefined) ? (other_config[ownerKey] ?? "") : "";
}

/** Former values: the network's own record of them, or what the state kept of it. */
export function formerOf(network: NetworkRecord, props: Props): Former | undefined {
  return formerIn("network", network.uuid, network.other_config) ?? (props["former"] as Former | undefined);
}
