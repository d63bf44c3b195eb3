import type { NetworkRecord } from "../../xapi/networks";
import type { Managed } from "../former";
import type { Props } from "../handler";
import { textMapOf, textsOf } from "../props";

/** XAPI's field for each property that is one. */
const fields = {
  defaultLockingMode: "default_locking_mode",
  nameLabel: "name_label",
  nameDescription: "name_description",
  mtu: "MTU",
  tags: "tags",
} as const;

/** Properties that describe the network itself. */
export const networkProperties = [...Object.keys(fields), "otherConfig", "automatic"];

/** The properties that a declaration names, in a fixed order. */
export function declaredOf(inputs: Props): string[] {
  return [...networkProperties, "bridge"].filter((property) => inputs[property] !== undefined);
}

/** What a declaration manages, in XAPI's terms. */
export function managedOf(inputs: Props): Managed {
  const declared = Object.entries(fields).filter(([property]) => inputs[property] !== undefined);
  const automatic = inputs["automatic"] === undefined ? {} : { automatic: String(inputs["automatic"] === true) };
  return {
    values: Object.fromEntries(
      declared.map(([property, field]) => [
        field,
        property === "tags" ? textsOf(inputs, "tags").sort() : inputs[property],
      ]),
    ),
    otherConfig: { ...textMapOf(inputs, "otherConfig"), ...automatic },
  };
}

/** What the network has now, for the record of former values. */
export function presentOf(network: NetworkRecord): {
  values: Record<string, unknown>;
  otherConfig: NetworkRecord["other_config"];
} {
  const values = Object.fromEntries(Object.values(fields).map((field) => [field, network[field]]));
  return { values, otherConfig: network.other_config };
}
