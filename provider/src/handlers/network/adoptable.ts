import { XennetError } from "../../core/errors";
import { quoted } from "../../core/foreign-text";
import { sameName } from "../../core/same-name";
import type { HostContext } from "../../hosts/context";
import type { PoolView } from "../../hosts/pool-view";
import { byNameLabel, byUuid } from "../../hosts/selection";
import type { NetworkRecord } from "../../xapi/networks";
import { formerIn } from "../former";
import type { Props } from "../handler";
import { ownerKey } from "../marks";
import { textOf } from "../props";

/** How a declaration names the network to adopt; `adopt: true` means by the name label that is declared. */
export function selectorOf(inputs: Props): Props | undefined {
  const { adopt } = inputs;
  if (adopt === undefined) return undefined;
  return adopt === true ? { nameLabel: inputs["nameLabel"] } : (adopt as Props);
}

/** The network that a declaration names: one that was adopted before under this name, or the only one that has it. */
export function networkToAdopt(view: PoolView, inputs: Props): NetworkRecord {
  const selector = selectorOf(inputs) ?? {};
  const ours = view.networks.filter(
    (network) => sameName(network.other_config[ownerKey], inputs["owner"]) && isAdoptedAs(network, selector),
  );
  const [own] = ours;
  if (own !== undefined && ours.length === 1) return own;
  const uuid = textOf(selector, "uuid");
  const wanted = { property: "adopt", what: "network", text: uuid ?? textOf(selector, "nameLabel") ?? "" };
  return uuid === undefined ? byNameLabel(wanted, view.networks) : byUuid(wanted, view.networks);
}

/** True when the network carries former values, and its name before it was adopted or its UUID is the one selected. */
export function isAdoptedAs(network: NetworkRecord, selector: Props): boolean {
  const former = formerIn("network", network.uuid, network.other_config);
  if (former === undefined) return false;
  const label = textOf(selector, "nameLabel");
  return isNamedBy(network, selector) || (label !== undefined && former.values["name_label"] === label);
}

/** True when the network has the UUID or name label that is selected. */
export function isNamedBy(network: NetworkRecord, selector: Props): boolean {
  const uuid = textOf(selector, "uuid")?.toLowerCase();
  return uuid === undefined ? network.name_label === selector["nameLabel"] : network.uuid === uuid;
}

/** Refuses networks that are the host's own, and properties that would cut off a management network. */
export async function refuseUnadoptable(host: HostContext, network: NetworkRecord, inputs: Props): Promise<void> {
  const [property, reason] = (await refusal(host, network, inputs)) ?? [];
  if (reason === undefined) return;
  throw new XennetError(
    "NETWORK_NOT_ADOPTABLE",
    `expected a network that may be adopted, found ${quoted(network.name_label)} (${network.uuid}): ${reason}`,
    { property },
  );
}

async function refusal(
  host: HostContext,
  network: NetworkRecord,
  inputs: Props,
): Promise<readonly [property: string, reason: string] | undefined> {
  const { other_config } = network;
  if (other_config["is_host_internal_management_network"] === "true") {
    return ["adopt", "it is the host internal management network, over which the host itself talks to guests"];
  }
  if (other_config["is_guest_installer_network"] === "true") {
    return ["adopt", "it is the guest installer network, which the host itself uses"];
  }
  if (!network.managed) return ["adopt", "XAPI does not manage it (managed=false): its bridge is somebody else's"];
  if (network.PIFs.length === 0) return undefined;
  const pifs = (await (await host.poolView()).pifs()).filter((pif) => pif.network === network.ref);
  const member = pifs.find((pif) => pif.isBondMember);
  if (member !== undefined) {
    return ["adopt", `its interface ${member.device} is a member of a bond; adopt the bond's network instead`];
  }
  const management = pifs.find((pif) => pif.management);
  const risky = ["mtu", "defaultLockingMode"].find((property) => inputs[property] !== undefined);
  if (management === undefined || risky === undefined) return undefined;
  return [
    risky,
    `the host is managed over it (${management.device}, ${management.IP}), so ${quoted(risky)} cannot be declared: it could ` +
      "cut the host off. nameLabel, nameDescription, tags, otherConfig and automatic can",
  ];
}
