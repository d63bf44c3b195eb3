import { expected, type Problem } from "../validation/problem";
import { checkBoolean, checkInteger, checkText, checkTextMap } from "../validation/scalars";
import { checkHostProfile, checkOwner, checkProperties } from "./check-common";
import type { Props } from "./handler";

const checks = {
  host: checkHostProfile,
  owner: checkOwner,
  nameLabel: (property: string, value: unknown) => checkText(property, value, { min: 1 }),
  nameDescription: (property: string, value: unknown) => checkText(property, value, { max: 1000 }),
  mtu: (property: string, value: unknown) => checkInteger(property, value, 68, 65535, "an MTU in bytes"),
  tags: checkTags,
  otherConfig: (property: string, value: unknown) => checkTextMap(property, value, ["automatic"]),
  automatic: checkBoolean,
};

/** What can be said of a network's inputs without the host. */
export function checkNetworkInputs(news: Props): Problem[] {
  return checkProperties(news, ["nameLabel"], checks);
}

function checkTags(property: string, value: unknown): Problem[] {
  if (!Array.isArray(value)) return [expected(property, "a list of texts", value)];
  return value.flatMap((tag, index) => checkText(`${property}[${index}]`, tag, { min: 1 }));
}
