import type { Input, Output } from "@pulumi/pulumi";
import { checkArguments, checkNaming, chosen } from "./arguments";
import { type LookUp, type LookUpOptions, lookUp, lookUpOutput } from "./look-up";

/** Which network {@link getXenNetwork} looks for: `nameLabel` or `uuid`. */
export interface GetXenNetworkArgs {
  /** Name of the host profile. @default "default" */
  readonly host?: string | undefined;
  /** The name label, which has to be the network's only. */
  readonly nameLabel?: string | undefined;
  /** The UUID, or its beginning if no other network has the same: 4 characters or more. */
  readonly uuid?: string | undefined;
}

/** {@link GetXenNetworkArgs} with inputs. */
export interface GetXenNetworkOutputArgs {
  readonly host?: Input<string> | undefined;
  readonly nameLabel?: Input<string> | undefined;
  readonly uuid?: Input<string> | undefined;
}

/** A network as it was when it was looked up. */
export interface GetXenNetworkResult {
  /** What `network` of a resource takes. */
  readonly uuid: string;
  readonly nameLabel: string;
  readonly nameDescription: string;
  /** Name of the bridge on the hosts, e.g. `xenbr0`. */
  readonly bridge: string;
  /** In bytes. */
  readonly mtu: number;
  /** False for a network whose bridge XAPI does not set up. */
  readonly managed: boolean;
  readonly tags: readonly string[];
  readonly otherConfig: Readonly<Record<string, string>>;
  /** VIFs on it, those of templates and snapshots too. */
  readonly vifUuids: readonly string[];
  /** Physical interfaces, VLANs and bonds on it, one a host; none for an internal network. */
  readonly pifUuids: readonly string[];
}

/** The search itself, without a pool. */
export const xenNetworkLookUp: LookUp<GetXenNetworkResult> = {
  name: "getXenNetwork",
  check(given) {
    checkArguments(given, ["nameLabel", "uuid"]);
    checkNaming(given, "refused");
  },
  find(inventory, given) {
    const network = chosen("network", given, inventory.networks);
    const onIt = (objects: ReadonlyArray<{ readonly uuid: string; readonly network: string }>) =>
      objects
        .filter((object) => object.network === network.ref)
        .map(({ uuid }) => uuid)
        .sort();
    return {
      uuid: network.uuid,
      nameLabel: network.name_label,
      nameDescription: network.name_description,
      bridge: network.bridge,
      mtu: network.MTU,
      managed: network.managed,
      tags: [...network.tags].sort(),
      otherConfig: network.other_config,
      vifUuids: onIt(inventory.vifs),
      pifUuids: onIt(inventory.pifs),
    };
  },
};

/**
 * Looks up a network, in previews too. None or several is an error that lists the candidates.
 *
 * @example
 * const external = await getXenNetwork({ nameLabel: "Pool-wide network associated with eth0" });
 * new XenVif("web1-external", { vm: "Fedora server 1", network: external.uuid, device: 1 });
 */
export function getXenNetwork(args: GetXenNetworkArgs): Promise<GetXenNetworkResult> {
  return lookUp(xenNetworkLookUp, { ...args });
}

/** {@link getXenNetwork} for arguments that are outputs. */
export function getXenNetworkOutput(args: GetXenNetworkOutputArgs, opts?: LookUpOptions): Output<GetXenNetworkResult> {
  return lookUpOutput(xenNetworkLookUp, { ...args }, opts);
}
