import { XennetError } from "../../core/errors";
import { quoted } from "../../core/foreign-text";
import type { HostContext } from "../../hosts/context";
import type { NetworkRecord } from "../../xapi/networks";
import { refuseTooNew } from "../abilities";
import { inputsOfExisting, isOnlyRead, notFound } from "../existing";
import type { Former } from "../former";
import type { Handler } from "../handler";
import { newIncarnation } from "../identity";
import { incarnationKey, ownershipMarks } from "../marks";
import { preflight } from "../preflight";
import { textOf } from "../props";
import { giveBack, syncAdopted } from "./adopt";
import { selectorOf } from "./adoptable";
import { checkNetworkInputs, isAdopted, normalisedNetwork } from "./check";
import { createNetwork } from "./create";
import { diffNetwork } from "./diff";
import { findNetwork, refuseOthers } from "./identity";
import { declaredIn, formerOf, networkOutputs, observedInputs } from "./observe";
import { checkNetworkOnHost } from "./preview";
import { destroyNetwork, syncOwnNetwork } from "./sync";

/** A network of the pool, made or adopted: handler of the resource XenNetwork. */
export const xenNetworkHandler: Handler = {
  async check(host, olds, given) {
    const news = normalisedNetwork(given);
    const failures = checkNetworkInputs(news);
    const { reachable, problems } = await preflight(host, "xapi");
    failures.push(...problems);
    if (reachable && failures.length === 0) failures.push(...(await checkNetworkOnHost(host, olds, news)));
    return { inputs: news, failures };
  },

  async diff(host, id, olds, news) {
    host.seenIds.add(id);
    return diffNetwork(host, id, olds, news);
  },

  async create(host, inputs) {
    // One at a time: two creates of one owner must not both find nothing.
    return host.exclusively(`network:${textOf(inputs, "owner") ?? ""}`, () => createNetwork(host, inputs));
  },

  async read(host, id, props) {
    host.seenIds.add(id);
    const network = await findNetwork(host, id);
    if (network === undefined) return notFound("network", id, props);
    if (isOnlyRead(props)) {
      const inputs = inputsOfExisting(props);
      return { id, props: await networkOutputs(host, network, inputs, {}), inputs };
    }
    const inputs = observedInputs(network, declaredIn(props));
    const former = isAdopted(inputs) ? formerOf(network, props) : undefined;
    const kept = { incarnation: textOf(props, "incarnation") ?? "", former, selector: props["selector"] };
    return { id, props: await networkOutputs(host, network, inputs, kept), inputs };
  },

  async update(host, id, olds, news) {
    host.seenIds.add(id);
    host.poolChanged();
    const found = await findNetwork(host, id);
    if (found === undefined) throw goneError(id);
    refuseOthers(found, olds, news);
    await refuseTooNew(host, "network", news);
    const incarnation = textOf(olds, "incarnation") ?? newIncarnation();
    const marks = ownershipMarks(textOf(news, "owner") ?? "", incarnation);
    let former: Former | undefined;
    if (isAdopted(news)) former = await syncAdopted(host, found.ref, news, marks, formerOf(found, olds));
    else await syncOwnNetwork(host, found, news, declaredIn(olds), marks);
    const network = await findNetwork(host, id);
    if (network === undefined) throw goneError(id);
    const kept = { incarnation, selector: selectorOf(news), former };
    return { outs: await networkOutputs(host, network, news, kept) };
  },

  async delete(host, id, props) {
    host.poolChanged();
    const network = await findNetwork(host, id);
    if (network === undefined || !isOurs(host, network, textOf(props, "incarnation"))) return;
    const former = formerOf(network, props);
    if (isAdopted(props) || former !== undefined) return giveBack(host, network, former);
    await destroyNetwork(host, network, props["forceDestroy"] === true);
  },
};

/** Identity alone is not enough: after a replace the same network may live on for somebody else. */
function isOurs(host: HostContext, network: NetworkRecord, incarnation: string | undefined): boolean {
  if (incarnation !== undefined && network.other_config[incarnationKey] === incarnation) return true;
  host.warn(
    `Network ${quoted(network.name_label)} (${network.uuid}) carries other marks than this stack's; it was not deleted, and is left as it is.`,
  );
  return false;
}

function goneError(id: string): XennetError {
  return new XennetError(
    "RESOURCE_GONE",
    `the network ${id} is not in the pool any more; run \`pulumi refresh\`, then up again`,
  );
}
