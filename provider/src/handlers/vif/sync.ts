import { quoted } from "../../core/foreign-text";
import type { HostContext } from "../../hosts/context";
import type { PoolView } from "../../hosts/pool-view";
import * as vifs from "../../xapi/vifs";
import { forget, formerIn, remember, renderFormer, wanted, withKeys } from "../former";
import type { Props } from "../handler";
import { formerKey, ownerKey, ownershipMarks } from "../marks";
import { equal, textOf, textsOf } from "../props";
import { networkOf } from "../references";
import type { Carried } from "./carry";
import { placeOf } from "./failures";
import { type DeclaredVif, declaredParts, newVifValues, type VifValues, valuesOf } from "./fields";
import { formerMeanwhile } from "./former";
import { outputsOf, unwritten } from "./observe";
import { setPlugged } from "./plug";
import { settle } from "./remake";

/** What a sync has to know besides the declaration. */
export interface VifLife {
  readonly incarnation: string;
  /** Networks and VMs as they are; the VIF itself may be newer. */
  readonly view: PoolView;
  readonly declared: DeclaredVif;
  /** The last known properties: what they declare and the inputs do not goes back to a new VIF's. */
  readonly olds?: Props;
  readonly carried?: Carried | undefined;
}

/** A declaration in XAPI's terms, its network looked up. */
export async function declaredVif(host: HostContext, inputs: Props): Promise<DeclaredVif> {
  const text = textOf(inputs, "network");
  return declaredParts(inputs, text === undefined ? undefined : (await networkOf(host, text)).uuid);
}

/**
 * Brings a VIF that is there to what is declared, and returns the outputs. Marks, former values and keys of `other_config`
 * go first, in one call; plugging goes last, and when it is refused the error carries the outputs as `properties`.
 */
export async function syncVif(host: HostContext, vif: vifs.VifRecord, inputs: Props, life: VifLife): Promise<Props> {
  const { view } = life;
  const target = await writeOtherConfig(host, vif, inputs, life);
  const settled = await settle(host, view, vif, target.values, (family, error) => {
    // A declared address is then the guest administrator's task; see guestSetup.
    if (family === "ipv4" && inputs["ipv4"] !== undefined) return;
    if (life.carried === undefined) throw error;
    host.warn(`The address setting of the replaced VIF was not carried over to VIF ${vif.uuid}: ${error.message}`);
  });
  await target.afterwards(settled.ref);
  const written = await vifs.getRecord(host.xapi, settled.ref);
  warnOfNextPlug(host, view, settled, written);
  const { currently_attached: plugged } = target.values;
  try {
    const isMoved = plugged !== undefined && (await setPlugged(host, view, written, plugged));
    const now = isMoved ? await vifs.getRecord(host.xapi, settled.ref) : written;
    const outs = await outputsOf(view, now, inputs, life.incarnation);
    return { ...outs, drift: [...textsOf(outs, "drift"), ...unwritten(inputs, now, view)] };
  } catch (error) {
    const properties = await outputsOf(view, written, inputs, life.incarnation);
    throw Object.assign(error as Error, { properties });
  }
}

interface Target {
  readonly values: Partial<VifValues>;
  /** Once the values are written; the VIF may be another one by then. */
  afterwards(ref: string): Promise<void>;
}

async function writeOtherConfig(host: HostContext, vif: vifs.VifRecord, inputs: Props, life: VifLife): Promise<Target> {
  const { view, declared } = life;
  const marks = ownershipMarks(textOf(inputs, "owner") ?? "", life.incarnation);
  let otherConfig = vif.other_config;
  const write = async (keys: Readonly<Record<string, string | null>>, ref = vif.ref) => {
    const next = withKeys(otherConfig, keys);
    if (equal(next, otherConfig)) return;
    otherConfig = next;
    await vifs.setOtherConfig(host.xapi, ref, next);
    host.poolChanged();
  };
  const former = formerIn("VIF", vif.uuid, vif.other_config);
  if (former === undefined) {
    const { values, otherConfig: keys } = targetOfOwn(vif, life);
    await write({ ...keys, ...marks });
    return { values, afterwards: async () => {} };
  }
  const now = { values: { ...valuesOf(vif, view) }, otherConfig: vif.other_config };
  const remembered = remember({ ...former, owner: marks[ownerKey] ?? former.owner }, now, declared);
  const { values, otherConfig: keys } = wanted(remembered, declared);
  await write({ ...keys, ...marks, [formerKey]: renderFormer(formerMeanwhile(remembered, declared)) });
  return { values, afterwards: (ref) => write({ [formerKey]: renderFormer(forget(remembered, declared)) }, ref) };
}

/** For a VIF that we made: what is declared, what was carried over, and a new VIF's settings where a declaration went. */
function targetOfOwn(vif: vifs.VifRecord, { declared, olds = {}, carried }: VifLife) {
  const before = declaredParts(olds, undefined);
  const settings = Object.entries(newVifValues).filter(([name]) => name in before.values);
  const keys = Object.keys(before.otherConfig).map((key) => [key, null] as const);
  // Somebody may have written a key since the record was left.
  const missing = Object.entries(carried?.otherConfig ?? {}).filter(([key]) => !Object.hasOwn(vif.other_config, key));
  const values: Partial<VifValues> = { ...carried?.values, ...Object.fromEntries(settings), ...declared.values };
  return { values, otherConfig: { ...Object.fromEntries([...missing, ...keys]), ...declared.otherConfig } };
}

/** The host looks at these when it plugs a VIF (xapi_xenops.ml of_vif, scripts/vif). */
function warnOfNextPlug(host: HostContext, view: PoolView, before: vifs.VifRecord, now: vifs.VifRecord): void {
  if (!now.currently_attached) return;
  const changed = [
    ...(equal(before.other_config["mtu"], now.other_config["mtu"]) ? [] : ["mtu"]),
    ...(equal(rateIn(before), rateIn(now)) ? [] : ["rateLimitKBytesPerSecond"]),
    ...(equal(offloadsIn(before), offloadsIn(now)) ? [] : ["ethtool"]),
  ];
  if (changed.length === 0) return;
  host.warn(
    `Device ${now.device} of VM ${quoted(placeOf(now, view).vmName)}: ${changed.join(", ")} changed on a plugged VIF and takes effect when it is plugged the next time ` +
      `(xe vif-unplug uuid=${now.uuid} && xe vif-plug uuid=${now.uuid}, or a restart of the VM).`,
  );
}

function rateIn(vif: vifs.VifRecord): unknown {
  return [vif.qos_algorithm_type, vif.qos_algorithm_params];
}

function offloadsIn(vif: vifs.VifRecord): unknown {
  return Object.fromEntries(Object.entries(vif.other_config).filter(([key]) => key.startsWith("ethtool-")));
}
