import { sameName } from "../../core/same-name";
import type { HostSnapshot } from "../../dom0/host";
import { isUnknown } from "../../validation/unknown";
import type { Props } from "../handler";
import { textOf } from "../props";

/**
 * What rules depend on besides the inputs, as the check saw it. It is kept with the inputs, so that a change of it is a
 * change of the resource; what equals the usual case is left out.
 */
export interface Surroundings {
  /** The external address is assigned by DHCP. */
  readonly leased?: boolean;
  /** Addresses of pool members and storage servers, with prefix length. */
  readonly infrastructure?: readonly string[];
  /** The path to the outside takes smaller packets than the internal network. */
  readonly narrow?: boolean;
}

/** As the last check recorded it with the inputs. */
export function surroundingsOf(inputs: Props): Surroundings {
  const value = inputs["surroundings"];
  return value !== null && typeof value === "object" ? value : {};
}

/** With what the inputs leave open, dom0 has whichever address it was given. */
export function isLeased(inputs: Props, snapshot: HostSnapshot): boolean {
  const declared = [textOf(inputs, "externalInterface"), textOf(inputs, "externalAddress")];
  return declared.every((value) => value === undefined) && snapshot.external?.assignment === "dhcp";
}

/** Interface to the outside, as far as inputs or host tell. */
export function externalInterfaceOf(inputs: Props, snapshot: HostSnapshot | undefined): string | undefined {
  const declared = textOf(inputs, "externalInterface");
  return isUnknown(declared) ? undefined : (declared ?? snapshot?.external?.interface);
}

/** Address to the outside, without prefix length, as far as inputs or host tell; the host takes an interface's first. */
export function externalAddressOf(inputs: Props, snapshot: HostSnapshot | undefined): string | undefined {
  const declared = textOf(inputs, "externalAddress");
  if (declared !== undefined) return isUnknown(declared) ? undefined : declared;
  const name = externalInterfaceOf(inputs, snapshot);
  const isManagement = sameName(name, snapshot?.external?.interface);
  const first = snapshot?.addresses.find((found) => found.interface === name)?.address;
  return (isManagement ? snapshot?.external?.address : first)?.split("/")[0];
}
