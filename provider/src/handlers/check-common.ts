import type { Problem } from "../validation/problem";
import { checkText } from "../validation/scalars";
import { isUnknown } from "../validation/unknown";
import type { Props } from "./handler";

/** Validates one property: nothing when it is absent or not known yet. */
export type PropertyCheck = (property: string, value: unknown) => readonly Problem[];

/** Runs a validation for each given property, and refuses properties nobody knows, e.g. a misspelt one. */
export function checkProperties(news: Props, checks: Readonly<Record<string, PropertyCheck>>): Problem[] {
  const problems: Problem[] = [];
  for (const [key, value] of Object.entries(news)) {
    if (key === "__provider" || value === undefined || isUnknown(value)) continue;
    const check = checks[key];
    if (check === undefined) {
      problems.push({ property: key, reason: `unknown property; known are ${Object.keys(checks).join(", ")}` });
    } else problems.push(...check(key, value));
  }
  return problems;
}

/** Refuses a missing required property. */
export function checkRequired(news: Props, keys: readonly string[]): Problem[] {
  return keys
    .filter((key) => news[key] === undefined || news[key] === null)
    .map((property) => ({ property, reason: "a value is required, found nothing" }));
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
