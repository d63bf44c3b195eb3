import { XennetError } from "../core/errors";
import { byNameLabel, byUuid, type Named, onlyOne } from "../hosts/selection";
import { expected } from "../validation/problem";
import { checkText } from "../validation/scalars";

/** Arguments as they come from a program, which may be JavaScript. */
export type Given = Readonly<Record<string, unknown>>;

/** Refuses arguments nobody knows, and texts that are none. */
export function checkArguments(given: Given, texts: readonly string[], others: readonly string[] = []): void {
  const known = ["host", ...texts, ...others];
  for (const [property, value] of Object.entries(given)) {
    if (!known.includes(property)) throw refused(property, `unknown argument; known are ${known.join(", ")}`);
    if (value === undefined || others.includes(property)) continue;
    const [problem] = checkText(property, value, { min: 1 });
    if (problem !== undefined) throw refused(property, problem.reason);
  }
}

/** The VLAN argument: `undefined` when it was not given. */
export function vlanOf(given: Given): number | undefined {
  const value = given["vlan"];
  if (value === undefined) return undefined;
  if (typeof value === "number" && Number.isInteger(value) && value >= -1 && value <= 4094) return value;
  throw refused("vlan", expected("vlan", "a VLAN tag, an integer from 0 to 4094, or -1 for none", value).reason);
}

/** A text argument; `undefined` when it was not given. */
export function textArgument(given: Given, property: string): string | undefined {
  const value = given[property];
  return typeof value === "string" ? value : undefined;
}

/** Refuses both ways to name an object at once, and none where one is needed. */
export function checkNaming(given: Given, none: "refused" | "allowed"): void {
  const { uuid, nameLabel } = naming(given);
  if (uuid !== undefined && nameLabel !== undefined) {
    throw refused("uuid", "expected either uuid or nameLabel, found both");
  }
  if (uuid === undefined && nameLabel === undefined && none === "refused") {
    throw refused("nameLabel", "expected nameLabel or uuid, found neither");
  }
}

/** The object that `uuid` or `nameLabel` names; without both, the only one there is. */
export function chosen<T extends Named>(what: string, given: Given, all: readonly T[]): T {
  const { uuid, nameLabel } = naming(given);
  if (uuid !== undefined) return byUuid({ property: "uuid", what, text: uuid }, all);
  if (nameLabel !== undefined) return byNameLabel({ property: "nameLabel", what, text: nameLabel }, all);
  return onlyOne({ property: "nameLabel", what }, all);
}

/** An argument that no look at the pool can make right. */
export function refused(property: string, reason: string): XennetError {
  return new XennetError("ARGUMENT_INVALID", reason, { property });
}

function naming(given: Given) {
  return { uuid: textArgument(given, "uuid"), nameLabel: textArgument(given, "nameLabel") };
}
