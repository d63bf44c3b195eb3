import type { Problem } from "../validation/problem";
import { checkText } from "../validation/scalars";
import { isUnknown } from "../validation/unknown";
import type { Props } from "./handler";

/** Validates one property: nothing when it is absent or not known yet. */
export type PropertyCheck = (property: string, value: unknown) => readonly Problem[];

/** Refuses what is missing, runs a validation for each property given, and refuses properties nobody knows. */
export function checkProperties(
  news: Props,
  required: readonly string[],
  checks: Readonly<Record<string, PropertyCheck>>,
): Problem[] {
  const isMissing = (key: string) => news[key] === undefined || news[key] === null;
  const missing = required.filter(isMissing);
  const problems = missing.map((property) => ({ property, reason: "a value is required, found nothing" }));
  for (const [key, value] of Object.entries(news)) {
    if (value === undefined || missing.includes(key) || isUnknown(value)) continue;
    const check = Object.hasOwn(checks, key) ? checks[key] : undefined;
    if (check === undefined) {
      problems.push({ property: key, reason: `unknown property; known are ${namesOf(checks).join(", ")}` });
    } else problems.push(...check(key, value));
  }
  return problems;
}

/** Without what no user writes. */
function namesOf(checks: Readonly<Record<string, PropertyCheck>>): string[] {
  return Object.keys(checks).filter((key) => checks[key] !== anything && checks[key] !== checkOwner);
}

/**
 * The resource's URN. It goes into fragments line by line and into `other_config`; a resource name with a line break in it
 * would forge lines.
 */
export const checkOwner: PropertyCheck = (property, value) => checkText(property, value, { min: 1, max: 1024 });

/** The name of a host profile. */
export const checkHostProfile: PropertyCheck = (property, value) => checkText(property, value, { min: 1, max: 64 });

/** For properties which the class fills in. */
export const anything: PropertyCheck = () => [];
