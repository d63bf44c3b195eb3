import { XennetError } from "../core/errors";
import type { HostContext } from "../hosts/context";
import type { PoolView } from "../hosts/pool-view";
import { describeOwner } from "../rules/owner";

import { isGone } from "../xapi/errors";
import * as networks from "../xapi/networks";
import type { Handler, Props } from "./handler";
import { newIncarnation, ownPartOf, renderId, stateVersion } from "./identity";
import { incarnationKey, ownerKey, ownershipMarks } from "./marks";
import { checkNetworkInputs } from "./network-check";
import { makeNetwork, syncNetwork } from "./network-sync";
import { preflight } from "./preflight";
import { changedKeys, diffAnswer, plain, textMapOf, textOf, textsOf } from "./props";

const compared = ["owner", "nameLabel", "nameDescription", "mtu", "tags", "otherConfig", "automatic"];

/** A network without physical interface: handler of the resource XenNetwork. */
export const xenNetworkHandler: Handler = {
  async check(host, _olds, given) {
    const defaults = { host: "default", nameDescription: "", mtu: 1500, tags: [], otherConfig: {}, automatic: false };
    const news = { ...defaults, ...plain(given) };
    const failures = checkNetworkInputs(news);
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
    const incarnation = textOf(props, "incarnation");
    if (incarnation === undefined || network.other_config[incarnationKey] !== incarnation) {
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
