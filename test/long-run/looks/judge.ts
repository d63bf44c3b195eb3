import type { Machine } from "../machine.ts";
import { type Model, settledStacks } from "../model.ts";
import { STACKS, type StackName } from "../stacks/program.ts";
import { wrongHooks, wrongInterfaces, wrongObjects, wrongScope } from "./declared.ts";
import type { Look } from "./look.ts";
import { wrongPackets } from "./packets.ts";
import { wrongRecords } from "./records.ts";

/** What is not as the model says, with everything healed. */
export function judge(now: Look, model: Model, machine: Machine): string[] {
  const settled = settledStacks(model);
  return [
    ...settled.flatMap(({ stack }) => wrongRecords(now, machine.stacks[stack])),
    ...settled.flatMap((wanted) => wrongObjects(now, wanted)),
    ...(model.off ? stillThere(now, machine) : [...wrongInterfaces(now, settled), ...wrongPackets(now, settled)]),
    ...(isAllSettled(model) && !model.off && !now.pending
      ? [...wrongScope(now, settled, machine.bare), ...wrongHooks(now, settled)]
      : []),
    ...(isNothingDeclared(model) ? stillThere(now, machine, !model.off) : []),
  ];
}

const isAllSettled = ({ settled }: Model): boolean => STACKS.every((stack) => settled[stack]);

function isNothingDeclared(model: Model): boolean {
  const isBare = (stack: StackName) => Object.keys(model.programs[stack].forwardings).length === 0;
  return isAllSettled(model) && STACKS.every(isBare);
}

/** Rules, settings and files of ours where none may be. */
function stillThere(now: Look, machine: Machine, files = false): string[] {
  const rules = now.rules.filter((rule) => rule.includes("XENNET-"));
  const settings = ["xenbr0/forwarding", "default/disable_ipv6"].filter(
    (key) => now.conf.get(key) !== machine.bare.conf.get(key),
  );
  return [
    ...rules.map((rule) => `nothing is to be in force, but there is ${rule}`),
    ...settings.map((key) => `nothing is to be in force, but ${key} is ${now.conf.get(key)}`),
    ...(files && now.installed ? ["nothing is declared, but /etc/xennet is there"] : []),
  ];
}
