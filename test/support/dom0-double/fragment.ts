import { randomBytes } from "node:crypto";
import type { FragmentChange } from "../../../provider/src/dom0/fragment-change.ts";

const INCARNATION = "0123456789abcdef";

export const HOST_UUID = "6d1f4b1e-9d0c-4f2a-8a55-3a3f6c0f7e11";

/** A fragment as a handler would render it. */
export function fragmentText(token: string, options: { incarnation?: string; extra?: string } = {}): string {
  const lines = [
    "xennet-fragment 1",
    "kind port-forward",
    `token ${token}`,
    "owner urn:pulumi:dev::shop::pulumi-nodejs:dynamic/xennet:PortForward::web",
    `incarnation ${options.incarnation ?? INCARNATION}`,
    "name web",
    ...(options.extra === undefined ? [] : [options.extra]),
    "end",
  ];
  return `${lines.join("\n")}\n`;
}

export function randomToken(): string {
  return randomBytes(6).toString("hex");
}

export function put(options: { token?: string; incarnation?: string; extra?: string } = {}): FragmentChange & {
  op: "put";
} {
  const token = options.token ?? randomToken();
  return { op: "put", token, text: fragmentText(token, options) };
}

/** A fragment with what is needed to remove it again. */
export interface FragmentText {
  readonly token: string;
  readonly incarnation: string;
  readonly text: string;
}

/** A HostForwarding with the given rules; `@TOKEN@` in them is its token. */
export function hostForwardingText(network: string, rules: readonly string[] = []): FragmentText {
  return wholeFragment((token) => [
    "kind host-forwarding",
    ...identity(token, "HostForwarding", "nat"),
    ...roles(network),
    "setting address 192.168.100.1/24",
    ...rules.map((rule) => rule.replaceAll("@TOKEN@", token)),
  ]);
}

/** A PortForward of one TCP port to port 80 of a guest. */
export function portForwardText(network: string, forwarding: string, port: number): FragmentText {
  const dnat = `-A XENNET-PREROUTING -d @EXT_IP@/32 -i @EXT_IF@ -p tcp -m tcp --dport ${port}`;
  return wholeFragment((token) => [
    "kind port-forward",
    ...identity(token, "PortForward", `web-${port}`),
    ...roles(network),
    `forwarding ${forwarding}`,
    `claim tcp ${port}`,
    `rule 20 nat ${dnat} -m comment --comment xennet-${token} -j DNAT --to-destination 192.168.100.11:80`,
  ]);
}

function wholeFragment(lines: (token: string) => string[]): FragmentText {
  const token = randomToken();
  const text = `${["xennet-fragment 1", ...lines(token), "end"].join("\n")}\n`;
  return { token, incarnation: INCARNATION, text };
}

function identity(token: string, type: string, name: string): string[] {
  const owner = `urn:pulumi:dev::shop::pulumi-nodejs:dynamic/xennet:${type}::${name}`;
  return [`token ${token}`, `owner ${owner}`, `incarnation ${INCARNATION}`, `name ${name}`];
}

function roles(network: string): string[] {
  return [`network ${network}`, "external-interface auto", "external-address auto"];
}
