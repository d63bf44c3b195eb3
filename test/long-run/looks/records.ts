import type { ResourceState } from "../../engine/runner/resource-state.ts";
import { typeOf } from "../../engine/runner/urn.ts";
import type { StackName } from "../stacks/program.ts";
import type { Stack } from "../stacks/stack.ts";
import { keysOf, type Look, text } from "./look.ts";

/**
 * Whether what a stack has recorded is there, with the marks it was recorded with, and whether nothing is there with the stack's
 * mark that is not recorded.
 */
export function wrongRecords(look: Look, stack: Stack): string[] {
  const recorded = stack.state.resources.filter((resource) => !resource.delete && !resource.pendingReplacement);
  const missing = recorded.filter((resource) => resource.initErrors.length === 0 && !isThere(look, resource));
  const unrecorded = notRecorded(look, stack);
  return [
    ...missing.map(({ urn, id }) => `${stack.name}: recorded, but not there as it was recorded: ${short(urn)} ${id}`),
    ...unrecorded.map(([own, owner]) => `${stack.name}: there, but not recorded: ${short(owner)} ${own}`),
  ];
}

/** What carries the stack's mark and is not in its state: the answer of its create was lost. The next `up` takes it over. */
export function notRecorded(look: Look, stack: Stack): Array<readonly [own: string, owner: string]> {
  const known = new Set(stack.state.resources.map(ownPart));
  return marked(look, stack.name).filter(([own]) => !known.has(own));
}

/** An old host's update can make a VIF anew: its id follows with the next refresh, its `uuid` at once. */
function ownPart({ id, outputs }: ResourceState): string {
  return typeof outputs["uuid"] === "string" ? outputs["uuid"] : (id.split("/")[1] ?? "");
}

export const short = (urn: string): string =>
  urn
    .split("::")
    .slice(2)
    .join("::")
    .replace(/^.*xennet:/, "");

function isThere(look: Look, resource: ResourceState): boolean {
  const kind = typeOf(resource.urn).split(":").at(-1);
  const own = ownPart(resource);
  const { incarnation, token } = resource.outputs;
  if (kind === "XenNetwork" || kind === "XenVif") {
    const found = (kind === "XenNetwork" ? look.networks : look.vifs).find(({ uuid }) => uuid === own);
    return found !== undefined && keysOf(found)["xennet:incarnation"] === incarnation;
  }
  return token === own && look.fragments.get(own)?.incarnation === incarnation;
}

/** What carries a stack's mark: own part of the id, and owner. Copies of a VM's VIFs carry it for another VM. */
function marked(look: Look, stack: StackName): Array<readonly [own: string, owner: string]> {
  const isOurs = (owner: string | undefined): owner is string => owner?.startsWith(`urn:pulumi:${stack}::`) === true;
  const uuidOfVm = new Map(look.vms.map((vm) => [vm.ref, vm.uuid]));
  const found: Array<readonly [string, string]> = [];
  for (const record of [...look.networks, ...look.vifs]) {
    const keys = keysOf(record);
    const owner = keys["xennet:owner"];
    const madeFor = keys["xennet:incarnation"]?.split("@")[1];
    if (isOurs(owner) && (madeFor === undefined || madeFor === uuidOfVm.get(text(record, "VM")))) {
      found.push([record.uuid, owner]);
    }
  }
  for (const [token, { owner }] of look.fragments) if (isOurs(owner)) found.push([token, owner]);
  return found;
}
