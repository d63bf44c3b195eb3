import type { Input, Output } from "@pulumi/pulumi";
import type { PowerState } from "../xapi/vms";
import { checkArguments, checkNaming, chosen } from "./arguments";
import { type LookUp, type LookUpOptions, lookUp, lookUpOutput } from "./look-up";
import { vifRows, type XenVifRow } from "./vif-rows";

/** Which VM {@link getXenVm} looks for: `nameLabel` or `uuid`. */
export interface GetXenVmArgs {
  /** Name of the host profile. @default "default" */
  readonly host?: string | undefined;
  /** The name label, which has to be the VM's only. */
  readonly nameLabel?: string | undefined;
  /** The UUID, or its beginning if no other VM has the same: 4 characters or more. */
  readonly uuid?: string | undefined;
}

/** {@link GetXenVmArgs} with inputs. */
export interface GetXenVmOutputArgs {
  readonly host?: Input<string> | undefined;
  readonly nameLabel?: Input<string> | undefined;
  readonly uuid?: Input<string> | undefined;
}

/** A VM as it was when it was looked up. */
export interface GetXenVmResult {
  readonly uuid: string;
  readonly nameLabel: string;
  readonly powerState: PowerState;
  /** UUID of the host it runs on; absent while it does not run. */
  readonly residentOn?: string;
  /** By device number. */
  readonly vifs: readonly XenVifRow[];
}

/** The search itself, without a pool. */
export const xenVmLookUp: LookUp<GetXenVmResult> = {
  name: "getXenVm",
  check(given) {
    checkArguments(given, ["nameLabel", "uuid"]);
    checkNaming(given, "refused");
  },
  find(inventory, given) {
    const vm = chosen("VM", given, inventory.vms);
    const host = inventory.hosts.find((candidate) => candidate.ref === vm.resident_on);
    return {
      uuid: vm.uuid,
      nameLabel: vm.name_label,
      powerState: vm.power_state,
      ...(host === undefined ? {} : { residentOn: host.uuid }),
      vifs: vifRows(inventory, (vif) => vif.VM === vm.ref),
    };
  },
};

/**
 * Looks up a VM, in previews too; templates, snapshots and control domains are none. None or several is an error that lists
 * the candidates.
 *
 * @example
 * const { uuid } = await getXenVm({ nameLabel: "Fedora server 1" });
 */
export function getXenVm(args: GetXenVmArgs): Promise<GetXenVmResult> {
  return lookUp(xenVmLookUp, { ...args });
}

/** {@link getXenVm} for arguments that are outputs. */
export function getXenVmOutput(args: GetXenVmOutputArgs, opts?: LookUpOptions): Output<GetXenVmResult> {
  return lookUpOutput(xenVmLookUp, { ...args }, opts);
}
