import * as pulumi from "@pulumi/pulumi";
import { XennetError } from "../core/errors";
import { registerSecret } from "../core/redact";
import { defaultProfile } from "../core/settings";
import { programError } from "../resources/program-error";
import { namesOfSecrets } from "../resources/secret-inputs";
import { checkStackSettings } from "../resources/stack-settings";
import type { Given } from "./arguments";
import type { Inventory } from "./inventory";
import type { Look, PoolReader } from "./pool-reader";
import { poolReader } from "./pool-readers";

/** One kind of look-up: its name in messages, and the pure search in what was read from the pool. */
export interface LookUp<Result> {
  readonly name: string;
  /** Throws for arguments that are wrong whatever the pool holds. */
  check(given: Given): void;
  find(inventory: Inventory, given: Given): Result;
}

/** Options of the look-ups that return an output. */
export interface LookUpOptions {
  /** Resources that have to be there before the look. While one of them is only planned, the result is unknown. @default - none */
  readonly dependsOn?: pulumi.CustomResource | readonly pulumi.CustomResource[] | undefined;
}

/** Looks once a program and profile, and again only when something is missing that may have been made since. */
export async function lookUp<Result>(kind: LookUp<Result>, given: Given): Promise<Result> {
  return orRunError(kind, async () => {
    const began = performance.now();
    const reader = await readerFor(kind, given);
    const look = await reader.latest();
    try {
      return kind.find(look.inventory, given);
    } catch (error) {
      if (!isUnknownReference(error) || look.began >= began) throw error;
      return kind.find((await reader.anew()).inventory, given);
    }
  });
}

/**
 * The same for inputs: unknown ones make the result unknown, secret ones make it secret. What comes from a resource of this
 * program is looked for in a look made after that resource was done.
 */
export function lookUpOutput<Result>(
  kind: LookUp<Result>,
  inputs: Readonly<Record<string, pulumi.Input<unknown>>>,
  { dependsOn = [] }: LookUpOptions = {},
): pulumi.Output<Result> {
  const resources = [dependsOn].flat() as pulumi.CustomResource[];
  const given = pulumi.output(inputs);
  const secrets = namesOfSecrets(inputs);
  const made = pulumi.all(resources.map((resource) => resource.id));
  return pulumi.all([given, made]).apply(async ([known]) => {
    for (const name of (await secrets) ?? []) registerSecret(String(known[name]));
    if (resources.length === 0 && !(await comesFromResources(given))) return lookUp(kind, known);
    return orRunError(kind, async () => kind.find((await lookNow(kind, known)).inventory, known));
  }) as pulumi.Output<Result>;
}

async function lookNow(kind: LookUp<unknown>, given: Given): Promise<Look> {
  return (await readerFor(kind, given)).anew();
}

/** Settings are checked as a resource's constructor checks them. */
function readerFor(kind: LookUp<unknown>, given: Given): Promise<PoolReader> {
  checkStackSettings();
  kind.check(given);
  return poolReader((given["host"] as string | undefined) ?? defaultProfile);
}

/** The SDK keeps track of an output's resources, without showing it in its types. */
async function comesFromResources(output: pulumi.Output<unknown>): Promise<boolean> {
  const { allResources } = output as { allResources?: () => Promise<ReadonlySet<unknown>> };
  return allResources === undefined || (await allResources()).size > 0;
}

function isUnknownReference(error: unknown): boolean {
  return error instanceof XennetError && error.code === "REFERENCE_UNKNOWN";
}

/** An error that the program ends with is shown without a stack trace, which says nothing about the pool. */
async function orRunError<T>({ name }: LookUp<unknown>, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof XennetError)) throw error;
    const property = error.property === undefined ? "" : `${error.property}: `;
    throw programError(`${name}: ${property}${error.message} (${error.code})`);
  }
}
