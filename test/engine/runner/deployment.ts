import { createHash } from "node:crypto";
import type { ExportedDeployment, ExportedResource } from "../engine.ts";
import type { ResourceState } from "./resource-state.ts";
import type { PassphraseSecrets } from "./secrets.ts";
import {
  decodeMap,
  isMap,
  type PropertyMap,
  type PropertyValue,
  SECRET_SIGNATURE,
  Secret,
  SIGNATURE_KEY,
  secret,
  Unknown,
} from "./values.ts";

/** An operation that was running when the state was written. */
export interface PendingOperation {
  readonly resource: ResourceState;
  readonly type: "creating" | "updating" | "deleting";
}

export interface Deployment {
  readonly resources: readonly ResourceState[];
  readonly pendingOperations: readonly PendingOperation[];
}

// The real CLI checks that the magic is the hash of the version, and takes the version for its own.
const MANIFEST_VERSION = "v3.0.0-xennet.stack.runner";

/** The state in Pulumi's deployment format, version 3, as `pulumi stack import` takes it. */
export function exportDeployment(deployment: Deployment, secrets: PassphraseSecrets): ExportedDeployment {
  const { resources, pendingOperations } = deployment;
  const pending = pendingOperations.map(({ resource, type }) => ({
    resource: exportResource(resource, secrets),
    type,
  }));
  return {
    version: 3,
    deployment: {
      manifest: {
        time: new Date().toISOString(),
        magic: createHash("sha256").update(MANIFEST_VERSION).digest("hex"),
        version: MANIFEST_VERSION,
      },
      secrets_providers: { type: "passphrase", state: { salt: secrets.salt } },
      ...(resources.length > 0 ? { resources: resources.map((resource) => exportResource(resource, secrets)) } : {}),
      ...(pending.length > 0 ? { pending_operations: pending } : {}),
      metadata: {},
    },
  };
}

export function importDeployment(exported: ExportedDeployment, secrets: PassphraseSecrets): Deployment {
  if (exported.version !== 3) {
    throw new Error(`The stack's state must be in deployment format 3, but it is in ${exported.version}.`);
  }
  const pending = (exported.deployment.pending_operations ?? []) as readonly {
    resource: ExportedResource;
    type: PendingOperation["type"];
  }[];
  return {
    resources: (exported.deployment.resources ?? []).map((resource) => importResource(resource, secrets)),
    pendingOperations: pending.map(({ resource, type }) => ({ resource: importResource(resource, secrets), type })),
  };
}

function exportResource(resource: ResourceState, secrets: PassphraseSecrets): ExportedResource {
  return withoutEmpty({
    urn: resource.urn,
    custom: resource.custom,
    delete: resource.delete,
    id: resource.id,
    type: resource.type,
    inputs: exportMap(resource.inputs, secrets),
    outputs: exportMap(resource.outputs, secrets),
    parent: resource.parent,
    protect: resource.protect,
    external: resource.external,
    dependencies: resource.dependencies,
    initErrors: resource.initErrors,
    provider: resource.provider,
    propertyDependencies: resource.propertyDependencies,
    pendingReplacement: resource.pendingReplacement,
    additionalSecretOutputs: resource.additionalSecretOutputs,
    aliases: resource.aliases,
    retainOnDelete: resource.retainOnDelete,
    created: resource.created,
    modified: resource.modified,
    ignoreChanges: resource.ignoreChanges,
  });
}

function importResource(exported: ExportedResource, secrets: PassphraseSecrets): ResourceState {
  const field = <T>(name: string, absent: T): T => (exported[name] as T | undefined) ?? absent;
  refuseUnsupported(exported);
  return {
    urn: exported.urn,
    type: exported.type,
    custom: exported.custom,
    id: field("id", ""),
    inputs: importMap(field("inputs", {}), secrets),
    outputs: importMap(field("outputs", {}), secrets),
    parent: field("parent", ""),
    dependencies: field("dependencies", []),
    propertyDependencies: field("propertyDependencies", {}),
    provider: field("provider", ""),
    additionalSecretOutputs: field("additionalSecretOutputs", []),
    aliases: field("aliases", []),
    protect: field("protect", false),
    retainOnDelete: field("retainOnDelete", false),
    external: field("external", false),
    ignoreChanges: field("ignoreChanges", []),
    initErrors: field("initErrors", []),
    delete: field("delete", false),
    pendingReplacement: field("pendingReplacement", false),
    created: field<string | undefined>("created", undefined),
    modified: field<string | undefined>("modified", undefined),
  };
}

// What the runner would silently lose on the next write. The real engine's other fields are positions in the source.
const UNSUPPORTED = ["deletedWith", "replaceWith", "importID", "viewOf", "taint"];

function refuseUnsupported(exported: ExportedResource): void {
  const found = UNSUPPORTED.filter((name) => Boolean(exported[name]));
  if (found.length > 0) {
    throw new Error(`The stack runner does not support ${found.join(", ")} of ${exported.urn}: use the real engine.`);
  }
}

function withoutEmpty(resource: ExportedResource): ExportedResource {
  const kept = Object.entries(resource).filter(
    ([key, value]) => key === "custom" || !(value === "" || value === false || value === undefined || isEmpty(value)),
  );
  return Object.fromEntries(kept) as ExportedResource;
}

function isEmpty(value: unknown): boolean {
  return typeof value === "object" && value !== null && Object.keys(value).length === 0;
}

function exportMap(map: PropertyMap, secrets: PassphraseSecrets): Record<string, unknown> {
  return Object.fromEntries(Object.entries(map).map(([key, value]) => [key, exportValue(value, secrets)]));
}

function exportValue(value: PropertyValue, secrets: PassphraseSecrets): unknown {
  if (value instanceof Unknown) throw new Error("An unknown value must not be stored.");
  if (value instanceof Secret) {
    const plain = JSON.stringify(exportValue(value.value, secrets));
    return { [SIGNATURE_KEY]: SECRET_SIGNATURE, ciphertext: secrets.encrypt(plain) };
  }
  if (Array.isArray(value)) return value.map((item) => exportValue(item, secrets));
  return isMap(value) ? exportMap(value, secrets) : value;
}

function importMap(stored: Record<string, unknown>, secrets: PassphraseSecrets): PropertyMap {
  return Object.fromEntries(Object.entries(stored).map(([key, value]) => [key, importValue(value, secrets)]));
}

function importValue(stored: unknown, secrets: PassphraseSecrets): PropertyValue {
  if (Array.isArray(stored)) return stored.map((item) => importValue(item, secrets));
  if (typeof stored !== "object" || stored === null) return decodeMap({ stored })["stored"] ?? null;
  const fields = stored as Record<string, unknown>;
  if (fields[SIGNATURE_KEY] !== SECRET_SIGNATURE) return importMap(fields, secrets);
  return secret(importValue(JSON.parse(secrets.decrypt(String(fields["ciphertext"]))), secrets));
}
