import { XennetError } from "../core/errors";
import { quoted } from "../core/foreign-text";
import { describeOwner } from "../rules/owner";
import type { Handler, Props } from "./handler";
import { parseId } from "./identity";
import { diffAnswer, textOf } from "./props";

/** Names the profiles, separated by commas, whose hosts are gone for good. */
const forgetVariable = "XENNET_FORGET";

/** True for a profile whose host is gone for good, so that nobody looks for it any more. */
export function isForgotten(profile: string, env: Readonly<Record<string, string | undefined>> = process.env): boolean {
  const named = (env[forgetVariable] ?? "").split(",").map((name) => name.trim());
  return named.includes(profile);
}

/** What a resource of a host that is gone answers: it is taken for what was recorded, until it is deleted. */
export interface Gone {
  readonly kind: string;
  readonly profile: string;
  /** Where the host was, as far as the settings tell. */
  readonly address: string | undefined;
  warn(text: string): void;
}

/** One method of a resource on such a host. Nothing is sent anywhere, even if the host answers. */
export function answerForGone(gone: Gone, method: keyof Handler, id: string, props: Props): unknown {
  if (method === "read") return { id, props };
  // The engine asks for it at each refresh; what is declared was refused by `check` before.
  if (method === "diff") return diffAnswer([], []);
  if (method !== "delete") throw stillDeclared(gone.profile);
  gone.warn(whatIsLeft(gone, id, props));
  return undefined;
}

/** Nothing new can be made on a host that is gone. */
export function stillDeclared(profile: string): XennetError {
  return new XennetError(
    "HOST_FORGOTTEN",
    `${forgetVariable} says that the host of profile ${quoted(profile)} is gone for good, but the program still declares a resource on it. Take its resources out of the program, or run "pulumi destroy"; without ${forgetVariable} the host is asked as usual.`,
    { property: "host" },
  );
}

function whatIsLeft({ kind, profile, address }: Gone, id: string, props: Props): string {
  const { realm = "?", own = id } = parseId(id) ?? {};
  const owner = describeOwner(textOf(props, "owner") ?? kind);
  const isXapi = kind === "XenNetwork" || kind === "XenVif";
  const where = `${isXapi ? "pool" : "host"} ${realm} (profile ${quoted(profile)}, ${address ?? "address unknown"})`;
  const left = remains[kind]?.(own, props) ?? `${kind} ${own}`;
  return `${kind} ${owner} was taken out of the state without asking its host, as ${forgetVariable} says. On ${where} may be left: ${left}.`;
}

const remains: Readonly<Record<string, (own: string, props: Props) => string>> = {
  XenNetwork: (own, props) =>
    `the network ${quoted(textOf(props, "nameLabel") ?? "?")} (UUID ${own}). By hand: xe network-destroy uuid=${own}; one that was adopted stays, and loses our marks: xe network-param-remove uuid=${own} param-name=other-config param-key=xennet:owner`,
  XenVif: (own, props) =>
    `the VIF ${own} on device ${textOf(props, "device") ?? "?"} of the VM ${quoted(textOf(props, "vm") ?? "?")}. By hand: xe vif-unplug uuid=${own}; xe vif-destroy uuid=${own}; one that was taken over has its former network in other-config key xennet:former`,
  HostForwarding: (own) => onDom0(own),
  PortForward: (own) => onDom0(own),
};

function onDom0(token: string): string {
  return `its declaration ${token} with its rules, addresses and settings, kept through reboots. At dom0's console: xennet remove ${token}; all of this package: xennet remove`;
}
