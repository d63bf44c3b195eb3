import { XennetError } from "../core/errors";
import type { HostContext } from "../hosts/context";
import type { PoolView } from "../hosts/pool-view";
import { describeOwner } from "../rules/owner";
import { expected, type Problem } from "../validation/problem";
import { checkBoolean, checkInteger, checkText, checkTextMap } from "../validation/scalars";
import { isGone } from "../xapi/errors";
import * as networks from "../xapi/networks";
import { anything, checkProperties, checkRequired } from "./check-common";
import type { Handler, Props } from "./handler";
import { newIncarnation, ownPartOf, renderId, stateVersion } from "./identity";
import { incarnationKey, ownerKey, ownershipMarks } from "./marks";
import { preflight } from "./preflight";
import { changedKeys, diffAnswer, equal, numberOf, plain, textMapOf, textOf, textsOf } from "./props";

const checks = {
  host: (property: string, value: unknown) => checkText(property, value, { min: 1, max: 64 }),
  owner: anything,
  nameLabel: (property: string, value: unknown) => checkText(property, value, { min: 1 }),
  nameDescription: (property: string, value: unknown) => checkText(property, value, { max: 1000 }),
  mtu: (property: string, value: unknown) => checkInteger(property, value, 68, 65535, "an MTU in bytes"),
  tags: checkTags,
  otherConfig: (property: string, value: unknown) => checkTextMap(property, value, ["automatic"]),
  automatic: checkBoolean,
};

const compared = ["owner", "nameLabel", "nameDescription", "mtu", "tags", "otherConfig", "automatic"];

function checkTags(property: string, value: unknown): Problem[] {
  if (!Array.isArray(value)) return [expected(property, "a list of texts", value)];
  return value.flatMap((tag, index) => checkText(`${property}[${index}]`, tag, { min: 1 }));
}

/** A network without physical interface: handler of the resource XenNetwork. */
export const xenNetworkHandler: Handler = {
  async check(host, _olds, given) {
    const defaults = { host: "default", nameDescription: "", mtu: 1500, tags: [], otherConfig: {}, automatic: false };
    const news = { ...defaults, ...plain(given) };
    const failures = [...checkRequired(news, ["nameLabel"]), ...checkProperties(news, checks)];
    failures.push(...(await preflight(host, "xapi")).problems);
    return { inputs: news, failures };
  },

  async diff(host, id, olds, news) {
    host.seenIds.add(id);
    const order = (props: Props) => ({ ...props, tags: [...textsOf(props, "tags")].sort() });
    return diffAnswer(changedKeys(order(olds), order(news), compared), changedKeys(olds, news, ["host"]));
  },

  async create(host, inputs) {
    const { poolUuid } = await host.identity();
    const owner = textOf(inputs, "owner") ?? "";
    const incarnation = newIncarnation();
    // One at a time: two creates of one owner must not both find nothing.
    return host.exclusively(`network:${owner}`, async () => {
      host.poolChanged();
      const leftOver = leftOverOf(await host.poolView(), owner, (uuid) =>
        host.seenIds.has(renderId({ realm: poolUuid, own: uuid })),
      );
      const marks = ownershipMarks(owner, incarnation);
      const network = leftOver ?? (await makeNetwork(host, inputs, marks));
      if (leftOver !== undefined) await syncNetwork(host, leftOver, inputs, {}, marks);
      const id = renderId({ realm: poolUuid, own: network.uuid });
      host.seenIds.add(id);
      return { id, outs: outputsOf(inputs, network, incarnation) };
    });
  },

  async read(host, id, props) {
    host.seenIds.add(id);
    const network = await findNetwork(host, id);
    if (network === undefined) return { id: "", props: {}, inputs: {} };
    const inputs = observedInputs(network, props);
    return { id, props: outputsOf(inputs, network, textOf(props, "incarnation") ?? ""), inputs };
  },

  async update(host, id, olds, news) {
    host.seenIds.add(id);
    host.poolChanged();
    const network = await findNetwork(host, id);
    if (network === undefined) throw goneError(id);
    const incarnation = textOf(olds, "incarnation") ?? newIncarnation();
    const marks = ownershipMarks(textOf(news, "owner") ?? "", incarnation);
    await syncNetwork(host, network, news, textMapOf(olds, "otherConfig"), marks);
    return { outs: outputsOf(news, network, incarnation) };
  },

  async delete(host, id, props) {
    host.poolChanged();
    const network = await findNetwork(host, id);
    if (network === undefined) return;
    if (network.other_config[incarnationKey] !== textOf(props, "incarnation")) {
      host.warn(
        `Network "${network.name_label}" (${network.uuid}) carries other marks than this stack's; it was not deleted.`,
      );
      return;
    }
    refuseWhileInUse(network, await host.poolView());
    try {
      await networks.destroy(host.xapi, network.ref);
    } catch (error) {
      if (!isGone(error)) throw error;
    } finally {
      host.poolChanged();
    }
  },
};

async function findNetwork(host: HostContext, id: string): Promise<networks.NetworkRecord | undefined> {
  const uuid = ownPartOf(id, (await host.identity()).poolUuid, "pool", host.profile);
  return (await host.poolView()).networks.find((network) => network.uuid === uuid);
}

/** What an interrupted create of the same resource left behind. */
function leftOverOf(
  view: PoolView,
  owner: string,
  seen: (uuid: string) => boolean,
): networks.NetworkRecord | undefined {
  const found = view.networks.filter((network) => network.other_config[ownerKey] === owner && !seen(network.uuid));
  if (found.length > 1) {
    const list = found.map((network) => `"${network.name_label}" (${network.uuid})`).join(", ");
    throw new XennetError(
      "OWNER_AMBIGUOUS",
      `${describeOwner(owner)} owns ${found.length} networks, expected one at most: ${list}. Destroy the ones that are too many with \`xe network-destroy uuid=…\`, then run up again`,
    );
  }
  return found[0];
}

async function makeNetwork(
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
async function syncNetwork(
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

/** The inputs as they would have to be declared to describe what is there; foreign keys are left out. */
function observedInputs(network: networks.NetworkRecord, props: Props): Props {
  const otherConfig = Object.fromEntries(
    Object.keys(textMapOf(props, "otherConfig")).flatMap((key) => {
      const value = network.other_config[key];
      return value === undefined ? [] : [[key, value]];
    }),
  );
  return {
    host: textOf(props, "host") ?? "default",
    owner: network.other_config[ownerKey] ?? "",
    nameLabel: network.name_label,
    nameDescription: network.name_description,
    mtu: network.MTU,
    tags: [...network.tags],
    otherConfig,
    // An absent key means yes to XenCenter.
    automatic: network.other_config["automatic"] !== "false",
  };
}

function outputsOf(inputs: Props, network: networks.NetworkRecord, incarnation: string): Props {
  return plain({ ...inputs, uuid: network.uuid, bridge: network.bridge, incarnation, stateVersion });
}

/** XAPI would silently delete the VIFs of halted VMs together with the network. */
function refuseWhileInUse(network: networks.NetworkRecord, view: PoolView): void {
  const users = view.vifs
    .filter((vif) => vif.network === network.ref)
    .map((vif) => {
      const vm = view.vms.find((candidate) => candidate.ref === vif.VM)?.name_label ?? vif.VM;
      return `device ${vif.device} of "${vm}" (${vif.uuid})`;
    });
  if (users.length === 0) return;
  throw new XennetError(
    "NETWORK_IN_USE",
    `network "${network.name_label}" is to be deleted, but VIFs that are not this stack's are on it: ${users.join(", ")}. ` +
      "Move or destroy them first; XAPI would delete them with the network",
  );
}

function goneError(id: string): XennetError {
  return new XennetError(
    "RESOURCE_GONE",
    `the network ${id} is not in the pool any more; run \`pulumi refresh\`, then up again`,
  );
}
