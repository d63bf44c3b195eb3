import { parseArgs } from "node:util";
import { profiles } from "../sim/profiles.ts";
import type { LabOptions } from "./lab.ts";

const PROFILES = Object.values(profiles).map(({ name }) => name);
const BACK_ENDS = ["legacy", "nft"] as const;

/** How a command is called that takes these options. */
export const usageOf = (command: string): string =>
  `Usage: ${command} -- [--profile ${PROFILES.join("|")}] [--iptables ${BACK_ENDS.join("|")}]`;

/** Reads which host is to be simulated; throws on anything else. */
export function parseLabOptions(args: readonly string[]): LabOptions {
  const { values } = parseArgs({
    args: [...args],
    options: { profile: { type: "string" }, iptables: { type: "string" } },
    allowPositionals: false,
  });
  return {
    profile: oneOf("--profile", values.profile ?? "xcp-ng-8.3", PROFILES),
    iptables: values.iptables === undefined ? undefined : oneOf("--iptables", values.iptables, BACK_ENDS),
  };
}

function oneOf<T extends string>(option: string, value: string, known: readonly T[]): T {
  const found = known.find((candidate) => candidate === value);
  if (found === undefined) throw new Error(`${option} is one of ${known.join(", ")}; got "${value}".`);
  return found;
}
