import { XennetError } from "../core/errors";
import type { HostContext } from "../hosts/context";
import { describeOwner } from "../rules/owner";
import type { Problem } from "../validation/problem";
import { isUnknown } from "../validation/unknown";
import type { VifRecord } from "../xapi/vifs";
import type { Handler, Props } from "./handler";
import { newIncarnation, ownPartOf, renderId } from "./identity";
import { incarnationKey } from "./marks";
import { preflight } from "./preflight";
import { changedKeys, diffAnswer, equal, textOf, textsOf } from "./props";
import { networkOf, orFailure, vmOf } from "./references";
import { checkVifInputs, normalisedVif } from "./vif-check";
import { formerOf, giveBack } from "./vif-former";
import { inputsOf, observedProps } from "./vif-observe";
import { deviceTaken, ownVifOf } from "./vif-search";
import { createVif, destroyVif, syncVif } from "./vif-sync";

/** A VM's network interface: handler of the resource XenVif. */
export const xenVifHandler: Handler = {
  async check(host, _olds, given) {
    const news = normalisedVif(given);
    const failures = checkVifInputs(news);
    const { reachable, problems } = await preflight(host, "xapi");
    failures.push(...problems);
    if (reachable && failures.length === 0) failures.push(...(await checkOnHost(host, news)));
    return { inputs: news, failures };
  },

  async diff(host, id, olds, news) {
    host.seenIds.add(id);
    const replaces = changedKeys(olds, news, ["host", "device"]);
    if (news["mac"] !== undefined && isOtherMac(olds, news)) replaces.push("mac");
    if (isUnknown(news["vm"]) || (olds["vm"] !== news["vm"] && !(await isSameVm(host, olds, news))))
      replaces.push("vm");
    // A network that is itself being replaced takes the VIF with it; any other network is a move in place.
    if (isUnknown(news["network"])) replaces.push("network");
    const changed = changedKeys(olds, news, ["owner", "network", "vm", "ipv4", "onDeviceConflict"]);
    if (textsOf(olds, "drift").length > 0) changed.push("drift");
    return diffAnswer(changed, replaces);
  },

  async create(host, inputs) {
    const vm = await vmOf(host, textOf(inputs, "vm") ?? "");
    // XAPI's allowed devices and our look at them are not one step: one create at a time for a VM.
    return host.exclusively(`vm:${vm.uuid}`, () => createVif(host, vm.ref, inputs));
  },

  async read(host, id, props) {
    host.seenIds.add(id);
    const { poolUuid } = await host.identity();
    const uuid = ownPartOf(id, poolUuid, "pool", host.profile);
    const view = await host.poolView();
    const vif = view.vifs.find((candidate) => candidate.uuid === uuid) ?? ownVifOf(view, props);
    if (vif === undefined) return { id: "", props: {}, inputs: {} };
    const found = await observedProps(host, vif, props);
    return { id: renderId({ realm: poolUuid, own: vif.uuid }), props: found, inputs: inputsOf(found) };
  },

  async update(host, id, olds, news) {
    host.seenIds.add(id);
    host.poolChanged();
    const vif = await findVif(host, id);
    if (vif === undefined) {
      throw new XennetError(
        "RESOURCE_GONE",
        `the VIF ${id} is not there any more; run \`pulumi refresh\`, then up again`,
      );
    }
    const incarnation = textOf(olds, "incarnation") ?? newIncarnation();
    return { outs: await syncVif(host, vif, news, incarnation, olds["ipv4SetBy"] === "xapi") };
  },

  async delete(host, id, props) {
    host.poolChanged();
    const vif = await findVif(host, id);
    if (vif === undefined) return;
    const incarnation = textOf(props, "incarnation");
    if (incarnation === undefined || vif.other_config[incarnationKey] !== incarnation) {
      host.warn(`VIF ${vif.uuid} carries other marks than this stack's; it was left as it is.`);
      return;
    }
    const former = formerOf(vif);
    if (former !== undefined) return giveBack(host, vif, former);
    await destroyVif(host, vif);
  },
};

async function findVif(host: HostContext, id: string): Promise<VifRecord | undefined> {
  const uuid = ownPartOf(id, (await host.identity()).poolUuid, "pool", host.profile);
  return (await host.poolView()).vifs.find((vif) => vif.uuid === uuid);
}

/** What the host says about the references: unknown or ambiguous names, and a device that is taken. */
async function checkOnHost(host: HostContext, news: Props): Promise<Problem[]> {
  const [vmText, networkText] = [textOf(news, "vm"), textOf(news, "network")];
  const failures: Problem[] = [];
  const vm = vmText && !isUnknown(vmText) ? await orFailure(failures, () => vmOf(host, vmText)) : undefined;
  if (networkText && !isUnknown(networkText)) await orFailure(failures, () => networkOf(host, networkText));
  if (vm !== undefined && !isUnknown(news["device"])) {
    const taken = deviceTaken(await host.poolView(), vm, news);
    if (taken !== undefined) failures.push(taken);
    const other = host.claims.claim(`vif/${vm.uuid}/${news["device"]}`, textOf(news, "owner") ?? "");
    if (other !== undefined) {
      const reason = `expected a free device, but this program's ${describeOwner(other)} has device ${news["device"]} of "${vm.name_label}" too`;
      failures.push({ property: "device", reason });
    }
  }
  return failures;
}

function isOtherMac(olds: Props, news: Props): boolean {
  const [before, wanted] = [textOf(olds, "mac"), news["mac"]];
  return typeof wanted !== "string" || !equal(before?.toLowerCase(), wanted.toLowerCase());
}

/** Another text may name the same VM: its UUID instead of its name, or its new name. */
async function isSameVm(host: HostContext, olds: Props, news: Props): Promise<boolean> {
  return (await vmOf(host, textOf(news, "vm") ?? "")).uuid === olds["vmUuid"];
}
