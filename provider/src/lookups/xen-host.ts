import type { Input, Output } from "@pulumi/pulumi";
import { checkArguments, checkNaming, chosen } from "./arguments";
import { type LookUp, type LookUpOptions, lookUp, lookUpOutput } from "./look-up";

/** Which host {@link getXenHost} looks for; may be left out where the pool has one host only. */
export interface GetXenHostArgs {
  /** Name of the host profile, which stands for the whole pool. @default "default" */
  readonly host?: string | undefined;
  /** The name label, as XenCenter shows it. */
  readonly nameLabel?: string | undefined;
  /** The UUID, or its beginning if no other host has the same: 4 characters or more. */
  readonly uuid?: string | undefined;
}

/** {@link GetXenHostArgs} with inputs. */
export interface GetXenHostOutputArgs {
  readonly host?: Input<string> | undefined;
  readonly nameLabel?: Input<string> | undefined;
  readonly uuid?: Input<string> | undefined;
}

/** A host of the pool as it was when it was looked up. */
export interface GetXenHostResult {
  readonly uuid: string;
  readonly nameLabel: string;
  /** The name dom0 has for itself. */
  readonly hostname: string;
  /** Management address. */
  readonly address: string;
  /** E.g. `8.3.0`; empty when the host does not say. */
  readonly productVersion: string;
  /** E.g. `XCP-ng`; empty when the host does not say. */
  readonly productBrand: string;
  /** Version of XAPI's interface, e.g. `2.21`. */
  readonly apiVersion: string;
  /** UUID of the PIF with the management address. */
  readonly managementPifUuid?: string;
}

/** The search itself, without a pool. */
export const xenHostLookUp: LookUp<GetXenHostResult> = {
  name: "getXenHost",
  check(given) {
    checkArguments(given, ["nameLabel", "uuid"]);
    checkNaming(given, "allowed");
  },
  find(inventory, given) {
    const host = chosen("host", given, inventory.hosts);
    const management = inventory.pifs.find((pif) => pif.host === host.ref && pif.management);
    return {
      uuid: host.uuid,
      nameLabel: host.name_label,
      hostname: host.hostname,
      address: host.address,
      productVersion: host.software_version["product_version"] ?? "",
      productBrand: host.software_version["product_brand"] ?? "",
      apiVersion: `${host.API_version_major}.${host.API_version_minor}`,
      ...(management === undefined ? {} : { managementPifUuid: management.uuid }),
    };
  },
};

/**
 * Looks up a host of the pool, in previews too. None or several is an error that lists the candidates.
 *
 * @example
 * const { productVersion } = await getXenHost();
 */
export function getXenHost(args: GetXenHostArgs = {}): Promise<GetXenHostResult> {
  return lookUp(xenHostLookUp, { ...args });
}

/** {@link getXenHost} for arguments that are outputs. */
export function getXenHostOutput(args: GetXenHostOutputArgs = {}, opts?: LookUpOptions): Output<GetXenHostResult> {
  return lookUpOutput(xenHostLookUp, { ...args }, opts);
}
