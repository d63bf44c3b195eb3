import type { Input, Output } from "@pulumi/pulumi";
import { parseId } from "../handlers/identity";
import { byReference } from "../hosts/selection";
import { XenNetwork } from "../resources/xen-network";
import { checkArguments, type Given, textArgument } from "./arguments";
import { type LookUp, type LookUpOptions, lookUp, lookUpOutput } from "./look-up";
import { vifRows, type XenVifRow } from "./vif-rows";

/** Which VIFs {@link listXenVifs} lists; all without `vm` and `network`. */
export interface ListXenVifsArgs {
  /** Name of the host profile, which stands for the whole pool. @default "default" */
  readonly host?: string | undefined;
  /** Only those of this VM: its name label, its UUID, or the first 8 or more characters of it. */
  readonly vm?: string | undefined;
  /** Only those on this network: its name label, its UUID, or the first 8 or more characters of it. */
  readonly network?: string | undefined;
}

/** {@link ListXenVifsArgs} with inputs. */
export interface ListXenVifsOutputArgs {
  readonly host?: Input<string> | undefined;
  readonly vm?: Input<string> | undefined;
  /** A {@link XenNetwork} too. */
  readonly network?: XenNetwork | Input<string> | undefined;
}

/** The search itself, without a pool. */
export const xenVifsLookUp: LookUp<readonly XenVifRow[]> = {
  name: "listXenVifs",
  check: (given) => checkArguments(given, ["vm", "network"]),
  find(inventory, given) {
    const vm = referred("vm", "VM", given, inventory.vms);
    const network = referred("network", "network", given, inventory.networks);
    return vifRows(
      inventory,
      (vif) => (vm === undefined || vif.VM === vm.ref) && (network === undefined || vif.network === network.ref),
    );
  },
};

/**
 * Lists VIFs with the names of their VMs and networks, which `xe vif-list` does not show; by VM name, then by device. VIFs of
 * templates, snapshots and control domains are left out.
 *
 * @example
 * for (const vif of await listXenVifs({ network: "Internal network" })) console.log(vif.vmNameLabel, vif.device, vif.mac);
 */
export function listXenVifs(args: ListXenVifsArgs = {}): Promise<readonly XenVifRow[]> {
  return lookUp(xenVifsLookUp, { ...args });
}

/** {@link listXenVifs} for arguments that are outputs. */
export function listXenVifsOutput(
  args: ListXenVifsOutputArgs = {},
  opts?: LookUpOptions,
): Output<readonly XenVifRow[]> {
  const network = args.network instanceof XenNetwork ? args.network.id : args.network;
  return lookUpOutput(xenVifsLookUp, { ...args, network }, opts);
}

/** The object an argument names; a resource gives its id, whose last part is the UUID. */
function referred<T extends { readonly uuid: string; readonly name_label: string }>(
  property: string,
  what: string,
  given: Given,
  all: readonly T[],
): T | undefined {
  const text = textArgument(given, property);
  if (text === undefined) return undefined;
  return byReference({ property, what, text: parseId(text)?.own ?? text }, all);
}
