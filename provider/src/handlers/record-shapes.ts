import { checkDevice } from "../validation/scalars";
import { ownerKey } from "./marks";

/**
 * Shapes of the records that this provider keeps in `other_config`. Anybody can edit them there, so whatever is read back
 * is looked at before anything is written by it.
 */
type Shape = (value: unknown) => boolean;

const isText: Shape = (value) => typeof value === "string";
const isOptionalText: Shape = (value) => value === undefined || isText(value);
const isFlag: Shape = (value) => typeof value === "boolean";
const like =
  (form: RegExp): Shape =>
  (value) =>
    typeof value === "string" && form.test(value);
const listOf =
  (shape: Shape): Shape =>
  (value) =>
    Array.isArray(value) && value.every(shape);
const mapOf =
  (shape: Shape): Shape =>
  (value) =>
    isObject(value) && Object.values(value).every(shape);
const isDevice: Shape = (value) => checkDevice("device", value).length === 0;
const isAddress = like(/^[0-9a-f:.]+(\/[0-9]{1,3})?$/i);
const isMode = like(/^(None|Static)$/);

const networkValues: Readonly<Record<string, Shape>> = {
  default_locking_mode: like(/^(unlocked|disabled)$/),
  name_label: isText,
  name_description: isText,
  MTU: Number.isInteger,
  tags: listOf(isText),
};

const vifValues: Readonly<Record<string, Shape>> = {
  network: isText,
  locking_mode: like(/^(network_default|locked|unlocked|disabled)$/),
  ipv4_allowed: listOf(isAddress),
  ipv6_allowed: listOf(isAddress),
  qos_algorithm_type: isText,
  qos_algorithm_params: mapOf(isText),
  ipv4_configuration_mode: isMode,
  ipv4_addresses: listOf(isAddress),
  ipv4_gateway: isText,
  ipv6_configuration_mode: isMode,
  ipv6_addresses: listOf(isAddress),
  ipv6_gateway: isText,
  currently_attached: isFlag,
};

/** True for former values of a network or VIF; fields of no known name are left alone. */
export function isFormer(what: "network" | "VIF", value: unknown): boolean {
  if (!isObject(value)) return false;
  const { owner, values, otherConfig } = value;
  const isKeyValue = (text: unknown) => text === null || isText(text);
  const areKeys = mapOf(isKeyValue)(otherConfig) && !Object.keys(otherConfig as object).some(isOurs);
  return isText(owner) && hasShapes(what === "VIF" ? vifValues : networkValues, values) && areKeys;
}

/** True for what a replaced VIF leaves for the next one; fields that are absent are as on a new VIF. */
export function isCarried(value: unknown): boolean {
  if (!isObject(value)) return false;
  const { owner, vif, values, otherConfig } = value;
  return isText(owner) && isText(vif) && hasShapes(vifValues, values) && mapOf(isText)(otherConfig);
}

const replaced: Readonly<Record<string, Shape>> = {
  owner: isText,
  uuid: isText,
  device: isDevice,
  mac: like(/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/i),
  macGenerated: isFlag,
  otherConfig: mapOf(isText),
};

/** True for a whole VIF that had to make room: nothing may be missing, as it is made again from this alone. */
export function isReplacedVif(value: unknown): boolean {
  if (!isObject(value)) return false;
  const { values, vm, givenBackBy } = value;
  const isWhole = hasAll(replaced, value) && hasShapes(replaced, value);
  return (
    isWhole &&
    hasAll(vifValues, values) &&
    hasShapes(vifValues, values) &&
    isOptionalText(vm) &&
    isOptionalText(givenBackBy)
  );
}

/** True for a whole VIF of ours on its way to another network: it keeps its marks, and comes back on a network. */
export function isMovedVif(value: unknown): boolean {
  if (!isReplacedVif(value)) return false;
  const { owner, otherConfig, values } = value as Record<"owner" | "otherConfig" | "values", Record<string, unknown>>;
  return otherConfig[ownerKey] === owner && values["network"] !== "";
}

/** Keys of ours describe the object that has them, and never go to another one. */
export function isOurs(key: string): boolean {
  return key.startsWith("xennet:");
}

function hasShapes(shapes: Readonly<Record<string, Shape>>, value: unknown): boolean {
  if (!isObject(value)) return false;
  return Object.entries(shapes).every(([name, fits]) => !Object.hasOwn(value, name) || fits(value[name]));
}

function hasAll(shapes: Readonly<Record<string, Shape>>, value: unknown): boolean {
  return isObject(value) && Object.keys(shapes).every((name) => Object.hasOwn(value, name));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
