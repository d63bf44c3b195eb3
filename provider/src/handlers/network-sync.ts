import { XennetError } from "../core/errors";
import type { HostContext } from "../hosts/context";
import * as networks from "../xapi/networks";
import type { Props } from "./handler";
import { equal, numberOf, textMapOf, textOf, textsOf } from "./props";

/** Creates the network with its marks, and returns it as XAPI has it. */
export async function makeNetwork(
  host: HostContext,
  inputs: Props,
  marks: Record<string, string>,
): Promise<networks.NetworkRecord> {
  const ref = await networks.create(host.xapi, {
    name_label: textOf(inputs, "nameLabel") ?? "",
    name_description: textOf(inputs, "nameDescription") ?? "",
    MTU: numberOf(inputs, "mtu") ?? 1500,
    tags: textsOf(inputs, "tags"),
    other_config: { ...declaredConfig(inputs), ...marks },
  });
  host.poolChanged();
  const made = (await host.poolView()).networks.find((network) => network.ref === ref);
  if (made === undefined)
    throw new XennetError(
      "NETWORK_VANISHED",
      `the network just created (${ref}) is not in the pool any more; run up again`,
    );
  return made;
}

/** Writes what differs, one call a property. */
export async function syncNetwork(
  host: HostContext,
  network: networks.NetworkRecord,
  inputs: Props,
  formerConfig: Record<string, string>,
  marks: Record<string, string>,
): Promise<void> {
  const { xapi } = host;
  const nameLabel = textOf(inputs, "nameLabel") ?? "";
  const nameDescription = textOf(inputs, "nameDescription") ?? "";
  const mtu = numberOf(inputs, "mtu") ?? 1500;
  const tags = textsOf(inputs, "tags").sort();
  try {
    if (nameLabel !== network.name_label) await networks.setNameLabel(xapi, network.ref, nameLabel);
    if (nameDescription !== network.name_description) {
      await networks.setNameDescription(xapi, network.ref, nameDescription);
    }
    if (mtu !== network.MTU) await networks.setMtu(xapi, network.ref, mtu);
    if (!equal(tags, [...network.tags].sort())) await networks.setTags(xapi, network.ref, tags);
    await syncOtherConfig(host, network, { ...declaredConfig(inputs), ...marks }, Object.keys(formerConfig));
  } finally {
    host.poolChanged();
  }
}

/** Keys that are neither wanted nor were ours before stay as they are. */
async function syncOtherConfig(
  { xapi }: HostContext,
  network: networks.NetworkRecord,
  wanted: Record<string, string>,
  formerKeys: readonly string[],
): Promise<void> {
  for (const key of formerKeys) {
    if (!(key in wanted)) await networks.removeFromOtherConfig(xapi, network.ref, key);
  }
  for (const [key, value] of Object.entries(wanted)) {
    if (network.other_config[key] !== value) await networks.setOtherConfig(xapi, network.ref, key, value);
  }
}

function declaredConfig(inputs: Props): Record<string, string> {
  return { ...textMapOf(inputs, "otherConfig"), automatic: String(inputs["automatic"] === true) };
}
