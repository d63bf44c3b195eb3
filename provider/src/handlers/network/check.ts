import { quoted } from "../../core/foreign-text";
import { expected, type Problem } from "../../validation/problem";
import {
  checkBoolean,
  checkInteger,
  checkInterfaceName,
  checkOneOf,
  checkText,
  checkTextMap,
} from "../../validation/scalars";
import { isUnknown } from "../../validation/unknown";
import { anything, checkHostProfile, checkOwner, checkProperties } from "../check-common";
import type { Props } from "../handler";
import { equal, plain } from "../props";

const checks = {
  host: checkHostProfile,
  owner: checkOwner,
  nameLabel: (property: string, value: unknown) => checkText(property, value, { min: 1 }),
  nameDescription: (property: string, value: unknown) => checkText(property, value, { max: 1000 }),
  mtu: (property: string, value: unknown) => checkInteger(property, value, 68, 65535, "an MTU in bytes"),
  tags: checkTags,
  otherConfig: checkOtherConfig,
  automatic: checkBoolean,
  defaultLockingMode: (property: string, value: unknown) => checkOneOf(property, value, ["unlocked", "disabled"]),
  bridge: checkBridge,
  forceDestroy: checkBoolean,
  adopt: checkAdopt,
  selector: anything,
  former: anything,
};

const defaults = { nameDescription: "", mtu: 1500, tags: [], otherConfig: {}, automatic: false, forceDestroy: false };

/** True for the declaration, or the state, of a network that was there before. */
export function isAdopted(props: Props): boolean {
  return props["adopt"] !== undefined;
}

/** Defaults filled in; of a network that is adopted only what is declared is managed. */
export function normalisedNetwork(given: Props): Props {
  const news = { host: "default", ...plain(given) };
  return isAdopted(news) ? news : { ...defaults, ...news };
}

/** What can be said of a network's inputs without the host. */
export function checkNetworkInputs(news: Props): Problem[] {
  const needsName = !isAdopted(news) || news["adopt"] === true;
  const problems = checkProperties(news, needsName ? ["nameLabel"] : [], checks);
  return isAdopted(news) ? [...problems, ...checkAdoption(news)] : problems;
}

/** Properties that say nothing about a network which somebody else made. */
function checkAdoption(news: Props): Problem[] {
  const reasons = {
    bridge: "the bridge of a network that exists cannot be named anew; leave it out, or leave out adopt",
    forceDestroy: "an adopted network is given back, never destroyed; leave it out",
  };
  return Object.entries(reasons)
    .filter(([property]) => news[property] !== undefined)
    .map(([property, reason]) => ({ property, reason }));
}

const adoptForms = 'true (finds the network by nameLabel), { uuid: "…" } or { nameLabel: "…" }';

function checkAdopt(property: string, value: unknown): Problem[] {
  if (value === true) return [];
  if (value === false) {
    return [{ property, reason: `expected ${adoptForms}, found false; leave it out to have a network made` }];
  }
  if (value === null || typeof value !== "object" || Array.isArray(value)) {
    return [expected(property, adoptForms, value)];
  }
  const [key, ...more] = Object.keys(value);
  if ((key !== "uuid" && key !== "nameLabel") || more.length > 0) {
    return [expected(property, `${adoptForms}, so exactly one of the two keys`, value)];
  }
  const wanted = (value as Props)[key];
  if (isUnknown(wanted)) return [];
  if (key === "nameLabel") return checkText(`${property}.nameLabel`, wanted, { min: 1 });
  const isUuid = typeof wanted === "string" && /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(wanted);
  return isUuid ? [] : [expected(`${property}.uuid`, "a UUID as `xe network-list` shows it", wanted)];
}

/** Interfaces that a host has of its own; `all` and `default` are none, but stand for every one in /proc/sys/net. */
const hostsOwn = /^(all|default|lo|ovs-system|dummy[0-9]+|bond[0-9]+)$/;

/** XAPI's own rule (xapi_network.ml), and what the host takes as interface name. */
function checkBridge(property: string, value: unknown): Problem[] {
  const malformed = checkInterfaceName(property, value);
  if (malformed.length > 0) return malformed;
  if (hostsOwn.test(String(value))) return [expected(property, "a name that the host does not use itself", value)];
  if (!/^(xen|xapi|vif|tap|eth)/.test(String(value))) return [];
  return [expected(property, "a name that does not begin with xen, xapi, vif, tap or eth, which XAPI keeps", value)];
}

/** XAPI folds duplicates, after which every refresh would find a difference. */
function checkTags(property: string, value: unknown): Problem[] {
  if (!Array.isArray(value)) return [expected(property, "a list of texts", value)];
  return value.flatMap((tag, index) => {
    const path = `${property}[${index}]`;
    if (isUnknown(tag)) return [];
    const malformed = checkText(path, tag, { min: 1 });
    const isFirst = !value.slice(0, index).some((other) => equal(other, tag));
    if (malformed.length > 0 || isFirst) return malformed;
    return [expected(path, "each tag once", tag)];
  });
}

const addressing = "makes the host put an address of its own on the network's bridge";
const refusedKeys: Readonly<Record<string, string>> = {
  automatic: "it is managed by the property `automatic`",
  is_guest_installer_network: "it makes the host treat the network as its own",
  is_host_internal_management_network: "it makes the host treat the network as its own",
  ip_begin: `it ${addressing}`,
  ip_end: `it ${addressing}`,
  netmask: `it ${addressing}`,
};

function checkOtherConfig(property: string, value: unknown): Problem[] {
  const malformed = checkTextMap(property, value, []);
  if (value === null || typeof value !== "object") return malformed;
  const refused = Object.keys(value)
    .filter((key) => Object.hasOwn(refusedKeys, key))
    .map((key) => ({
      property: `${property}[${JSON.stringify(key)}]`,
      reason: `the key ${quoted(key)} cannot be set here: ${refusedKeys[key]}; leave it out`,
    }));
  return [...malformed, ...refused];
}
