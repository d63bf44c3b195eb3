import type { Alias } from "@pulumi/pulumi/proto/alias_pb.js";
import type { ReadResourceRequest, RegisterResourceRequest } from "@pulumi/pulumi/proto/resource_pb.js";
import { fromStruct, type PropertyMap } from "./values.ts";

/** What the program wants of one resource. */
export interface Goal {
  readonly type: string;
  readonly name: string;
  readonly custom: boolean;
  readonly parent: string;
  readonly properties: PropertyMap;
  readonly dependencies: readonly string[];
  readonly propertyDependencies: Readonly<Record<string, readonly string[]>>;
  /** Undefined when the program leaves it to the provider. */
  readonly deleteBeforeReplace: boolean | undefined;
  readonly additionalSecretOutputs: readonly string[];
  readonly aliases: readonly AliasSpec[];
  /** Undefined when the program leaves it to the parent. */
  readonly protect: boolean | undefined;
  /** Undefined when the program leaves it to the parent. */
  readonly retainOnDelete: boolean | undefined;
  readonly ignoreChanges: readonly string[];
}

/** An existing resource that the program wants to see. */
export interface ReadGoal {
  readonly type: string;
  readonly name: string;
  /** {@link UNKNOWN_SENTINEL} where only the up will know it. */
  readonly id: string;
  readonly parent: string;
  readonly properties: PropertyMap;
  readonly dependencies: readonly string[];
  readonly additionalSecretOutputs: readonly string[];
}

/** A former name of a resource: a whole URN, or the parts that were different. */
export interface AliasSpec {
  readonly urn: string;
  readonly name: string;
  readonly type: string;
  readonly stack: string;
  readonly project: string;
  readonly parent: string;
  readonly noParent: boolean;
}

/** Decodes a registration; one that asks for what the stack runner cannot do is refused by the option's name. */
export function readGoal(request: RegisterResourceRequest): Goal {
  const type = request.getType();
  const custom = request.getCustom();
  refuse([...unsupportedOptions(request), ...(custom ? unsupportedType(type) : [])], request.getName());
  const propertyDependencies: Record<string, readonly string[]> = {};
  request.getPropertydependenciesMap().forEach((urns, property) => {
    propertyDependencies[property] = urns.getUrnsList();
  });
  return {
    type,
    name: request.getName(),
    custom,
    parent: request.getParent(),
    properties: fromStruct(request.getObject()),
    dependencies: request.getDependenciesList(),
    propertyDependencies,
    deleteBeforeReplace: request.getDeletebeforereplacedefined() ? request.getDeletebeforereplace() : undefined,
    additionalSecretOutputs: request.getAdditionalsecretoutputsList(),
    aliases: request.getAliasesList().map(readAlias),
    protect: request.hasProtect() ? request.getProtect() : undefined,
    retainOnDelete: request.hasRetainondelete() ? request.getRetainondelete() : undefined,
    ignoreChanges: request.getIgnorechangesList(),
  };
}

/** Decodes the wish to see an existing resource, and refuses what {@link readGoal} would. */
export function readReadGoal(request: ReadResourceRequest): ReadGoal {
  const type = request.getType();
  const used: Record<string, boolean> = {
    "the option provider": request.getProvider() !== "",
    "the option version": request.getVersion() !== "",
    "the option pluginDownloadURL": request.getPlugindownloadurl() !== "",
    "parameterized packages": request.getPackageref() !== "",
  };
  refuse([...Object.keys(used).filter((option) => used[option]), ...unsupportedType(type)], request.getName());
  return {
    type,
    name: request.getName(),
    id: request.getId(),
    parent: request.getParent(),
    properties: fromStruct(request.getProperties()),
    dependencies: request.getDependenciesList(),
    additionalSecretOutputs: request.getAdditionalsecretoutputsList(),
  };
}

function refuse(unsupported: readonly string[], name: string): void {
  if (unsupported.length === 0) return;
  throw new Error(
    `The stack runner does not support ${unsupported.join(", ")} (resource ${name}): use the real engine.`,
  );
}

function unsupportedType(type: string): string[] {
  return type.startsWith("pulumi-nodejs:dynamic") ? [] : [`resources of type ${type}`];
}

function unsupportedOptions(request: RegisterResourceRequest): string[] {
  const timeouts = request.getCustomtimeouts()?.toObject() ?? {};
  const hooks: Record<string, readonly string[]> = { ...request.getHooks()?.toObject() };
  const used: Record<string, boolean> = {
    "the option provider": request.getProvider() !== "",
    "the option providers": request.getProvidersMap().getLength() > 0,
    "the option version": request.getVersion() !== "",
    "the option import": request.getImportid() !== "",
    "the option customTimeouts": Object.values(timeouts).some((timeout) => timeout !== ""),
    "the option replaceOnChanges": request.getReplaceonchangesList().length > 0,
    "the option pluginDownloadURL": request.getPlugindownloadurl() !== "",
    "the option deletedWith": request.getDeletedwith() !== "",
    "the option replaceWith": request.getReplaceWithList().length > 0,
    "the option replacementTrigger": request.getReplacementTrigger() !== undefined,
    "the option transforms": request.getTransformsList().length > 0,
    "the option hooks": Object.values(hooks).some((names) => names.length > 0),
    "the option hideDiffs": request.getHidediffsList().length > 0,
    "the option envVarMappings": request.getEnvvarmappingsMap().getLength() > 0,
    "remote components": request.getRemote(),
    "parameterized packages": request.getPackageref() !== "",
    "aliases without specification": request.getAliasurnsList().length > 0,
  };
  return Object.keys(used).filter((option) => used[option]);
}

function readAlias(alias: Alias): AliasSpec {
  const spec = alias.getSpec();
  return {
    urn: alias.getUrn(),
    name: spec?.getName() ?? "",
    type: spec?.getType() ?? "",
    stack: spec?.getStack() ?? "",
    project: spec?.getProject() ?? "",
    parent: spec?.getParenturn() ?? "",
    noParent: spec?.getNoparent() ?? false,
  };
}
