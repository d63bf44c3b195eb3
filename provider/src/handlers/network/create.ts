import { XennetError } from "../../core/errors";
import type { HostContext } from "../../hosts/context";
import { networkByUuid } from "../../hosts/pool-view";
import type { NetworkRecord } from "../../xapi/networks";
import * as networks from "../../xapi/networks";
import { refuseTooNew } from "../abilities";
import { type Former, formerIn } from "../former";
import type { CreateAnswer, Props } from "../handler";
import { newIncarnation, renderId } from "../identity";
import { ownershipMarks } from "../marks";
import { textOf } from "../props";
import { giveBack, syncAdopted } from "./adopt";
import { isAdoptedAs, networkToAdopt, refuseUnadoptable, selectorOf } from "./adoptable";
import { isAdopted } from "./check";
import { findNetwork, leftOverOf, refuseForeign } from "./identity";
import { declaredOf } from "./managed";
import { networkOutputs } from "./observe";
import { destroyNetwork, makeNetwork, syncOwnNetwork, writeDifferences } from "./sync";

/** The body of create: goes on with a left-over of ours, adopts what is there, or makes a new network. */
export async function createNetwork(host: HostContext, inputs: Props): Promise<CreateAnswer> {
  host.poolChanged();
  const owner = textOf(inputs, "owner") ?? "";
  const incarnation = newIncarnation();
  const marks = ownershipMarks(owner, incarnation);
  await refuseTooNew(host, "network", inputs);
  const leftOver = await usableLeftOver(host, owner, inputs);
  if (isAdopted(inputs)) {
    const { uuid } = leftOver ?? networkToAdopt(await host.poolView(), inputs);
    // Two resources that adopt one network must not both find it free.
    return host.exclusively(`adopt:${uuid}`, () => adopt(host, uuid, inputs, marks, incarnation));
  }
  const network =
    leftOver === undefined ? await makeNetwork(host, inputs, marks) : await markedAnew(host, leftOver, marks);
  return finished(host, network, inputs, incarnation, async () => {
    // What an interrupted create may have set is not known; a new network has the mode "unlocked".
    await syncOwnNetwork(host, network, inputs, { defaultLockingMode: "disabled" }, marks);
    return undefined;
  });
}

/** Before anything can fail with the id: the state's incarnation must be the network's. */
async function markedAnew(
  host: HostContext,
  leftOver: NetworkRecord,
  marks: Record<string, string>,
): Promise<NetworkRecord> {
  await writeDifferences(host, leftOver, { values: {}, otherConfig: marks });
  return networks.getRecord(host.xapi, leftOver.ref);
}

async function adopt(
  host: HostContext,
  uuid: string,
  inputs: Props,
  marks: Record<string, string>,
  incarnation: string,
): Promise<CreateAnswer> {
  host.poolChanged();
  const network = networkByUuid(await host.poolView(), uuid);
  if (network === undefined) {
    throw new XennetError("NETWORK_VANISHED", `the network ${uuid} is not in the pool any more; run up again`);
  }
  refuseForeign(network, textOf(inputs, "owner") ?? "", "adopt");
  await refuseUnadoptable(host, network, inputs);
  return finished(host, network, inputs, incarnation, () => syncAdopted(host, network.ref, inputs, marks));
}

/** What an interrupted create left, when it can become what is declared; else it is given back or destroyed. */
async function usableLeftOver(host: HostContext, owner: string, inputs: Props): Promise<NetworkRecord | undefined> {
  const leftOver = await leftOverOf(host, owner);
  if (leftOver === undefined || fits(leftOver, inputs)) return leftOver;
  const former = formerIn("network", leftOver.uuid, leftOver.other_config);
  await (former === undefined ? destroyNetwork(host, leftOver, false) : giveBack(host, leftOver, former));
  return undefined;
}

function fits(leftOver: NetworkRecord, inputs: Props): boolean {
  const selector = selectorOf(inputs);
  if (selector !== undefined) return isAdoptedAs(leftOver, selector);
  const bridge = textOf(inputs, "bridge");
  const wasAdopted = formerIn("network", leftOver.uuid, leftOver.other_config) !== undefined;
  return !wasAdopted && (bridge === undefined || bridge === leftOver.bridge);
}

/** Once a network is ours a failure carries its id: the state keeps it, and the next up goes on from here. */
async function finished(
  host: HostContext,
  network: NetworkRecord,
  inputs: Props,
  incarnation: string,
  sync: () => Promise<Former | undefined>,
): Promise<CreateAnswer> {
  const id = renderId({ realm: (await host.identity()).poolUuid, own: network.uuid });
  host.seenIds.add(id);
  const kept = { incarnation, selector: selectorOf(inputs), former: undefined };
  try {
    const former = await sync();
    const now = (await findNetwork(host, id)) ?? network;
    return { id, outs: await networkOutputs(host, now, inputs, { ...kept, former }) };
  } catch (error) {
    // Another process was faster: the network is not ours after all.
    if (error instanceof XennetError && error.code === "NETWORK_FOREIGN") throw error;
    throw Object.assign(error as Error, { id, properties: { ...inputs, ...kept, declared: declaredOf(inputs) } });
  }
}
