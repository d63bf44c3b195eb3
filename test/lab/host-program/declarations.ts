import { randomBytes } from "node:crypto";
import { renderFragment } from "../../../provider/src/rules/fragment.ts";
import { type HostForwardingSpec, hostForwardingRules } from "../../../provider/src/rules/host-forwarding.ts";
import { portForwardRules } from "../../../provider/src/rules/port-forward.ts";
import { type Cidr, parseCidr } from "../../../provider/src/validation/ipv4.ts";
import type { Box, Output } from "./box.ts";

/** A random token, as the provider makes them. */
export const newToken = (): string => randomBytes(6).toString("hex");

const incarnation = "9e107d9d372bb682";

const urnOf = (kind: string, name: string) => `urn:pulumi:dev::shop::pulumi-nodejs:dynamic/xennet:${kind}::${name}`;

/** What every fragment here has. */
const common = (token: string, { network }: Pick<Box, "network">) => ({
  ...{ token, incarnation, network, externalInterface: "auto", externalAddress: "auto", enabled: true },
});

interface ForwardingChanges {
  readonly name?: string;
  readonly address?: string;
  /** On top of what every forwarding sets; one of `forwarding` takes its place. */
  readonly settings?: readonly string[];
  /** What the rules are made of, where it is not the default. */
  readonly spec?: Partial<HostForwardingSpec>;
}

/** A HostForwarding's fragment, with the rules that the provider renders. */
export function hostForwarding(box: Pick<Box, "network">, token: string, changes: ForwardingChanges = {}): string {
  const { name = "nat", address = "192.168.100.1/24", settings = [], spec } = changes;
  const usual = [`address ${address}`, "forwarding interface", "arp on", "ipv6 off"];
  const kept = settings.some((setting) => setting.startsWith("forwarding")) ? usual.toSpliced(1, 1) : usual;
  const rules = hostForwardingRules({
    address: parseCidr(address) as Cidr,
    closesNewBridges: !settings.includes("persistence none"),
    ...spec,
  });
  return renderFragment(
    {
      ...{ kind: "host-forwarding", owner: urnOf("HostForwarding", "nat"), name, claims: [], ...common(token, box) },
      settings: [...kept, ...settings].map((setting) => setting.split(" ") as [string, string]),
    },
    rules,
  );
}

/** A PortForward's fragment, with the rules that the provider renders. */
export function portForward(
  box: Pick<Box, "network">,
  token: string,
  port: number,
  target = "192.168.100.11:80",
): string {
  const [guest = "", targetPort = ""] = target.split(":");
  const only = (one: number) => ({ from: one, to: one });
  const rules = portForwardRules({
    ...{ protocols: ["tcp"], externalPorts: only(port), target: guest, targetPorts: only(Number(targetPort)) },
  });
  return renderFragment(
    {
      ...{ kind: "port-forward", owner: urnOf("PortForward", "web"), name: "web", forwarding: "3f2a9c0d41b7" },
      ...{ claims: [{ protocol: "tcp", ports: only(port) }], settings: [], ...common(token, box) },
    },
    rules,
  );
}

/** A `put` or `remove` of a transaction. */
export const put = (token: string, fragment: string): string => `put ${token}\n${fragment}`;
export const remove = (token: string): string => `remove ${token} ${incarnation}\n`;

/** Sends a transaction. */
export function transact(box: Box, operations: readonly string[], window = 60): Promise<Output> {
  return box.xennet("transact", transaction(box, operations, window));
}

/** A transaction's text. */
export function transaction(box: Pick<Box, "hostUuid">, operations: readonly string[], window = 60): string {
  return `xennet-transaction 1\nhost ${box.hostUuid}\nwindow ${window}\n${operations.join("")}commit\n`;
}

/** The number of the generation that an answer calls pending. */
export function pendingOf(answer: Output): number {
  const found = /^pending (\d+) \d+$/m.exec(answer.stdout);
  if (!found)
    throw new Error(`no pending generation in the answer (exit ${answer.code}):\n${answer.stdout}${answer.stderr}`);
  return Number(found[1]);
}

/** Sends a transaction and confirms it. */
export async function declare(box: Box, operations: readonly string[]): Promise<Output> {
  const answer = await transact(box, operations);
  const confirmed = await box.xennet(`confirm ${pendingOf(answer)}`);
  if (confirmed.code !== 0) throw new Error(`confirm failed: ${confirmed.stdout}${confirmed.stderr}`);
  return answer;
}
