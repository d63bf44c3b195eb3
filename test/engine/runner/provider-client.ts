import type { ClientUnaryCall, ServiceError } from "@grpc/grpc-js";
import { credentials } from "@grpc/grpc-js";
import providerGrpc from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import type {
  CheckResponse,
  ConfigureResponse,
  CreateResponse,
  DiffResponse,
  ReadResponse,
  UpdateResponse,
} from "@pulumi/pulumi/proto/provider_pb.js";
import providerPb from "@pulumi/pulumi/proto/provider_pb.js";
import statusPb from "@pulumi/pulumi/proto/status_pb.js";
import type { Empty } from "google-protobuf/google/protobuf/empty_pb.js";
import emptyPb from "google-protobuf/google/protobuf/empty_pb.js";
import type { ProviderCall } from "../engine.ts";
import type { Wanted } from "./diff.ts";
import type { ResourceState } from "./resource-state.ts";
import { nameOf, typeOf } from "./urn.ts";
import { fromStruct, type PropertyMap, toStruct } from "./values.ts";

export const CHANNEL_OPTIONS = { "grpc.max_receive_message_length": 400 * 1024 * 1024 };

export interface CheckQuestion {
  /** Empty where the resource starts anew. */
  readonly olds: PropertyMap;
  readonly news: PropertyMap;
  /** Only a preview may leave values open. */
  readonly allowUnknowns: boolean;
}

export interface CheckResult {
  readonly inputs: PropertyMap;
  readonly failures: readonly { readonly property: string; readonly reason: string }[];
}

export interface DiffResult {
  /** Undefined when the provider does not say. */
  readonly changes: boolean | undefined;
  readonly replaces: readonly string[];
  readonly deleteBeforeReplace: boolean;
}

/** A create or update that reached the host but did not finish: the resource exists with these properties. */
export class InitializationError extends Error {
  readonly id: string;
  readonly properties: PropertyMap;
  readonly reasons: readonly string[];

  constructor(id: string, properties: PropertyMap, reasons: readonly string[]) {
    super(reasons.join("\n"));
    this.id = id;
    this.properties = properties;
    this.reasons = reasons;
  }
}

/** What the engine asks of a provider about resources, however it is reached. */
export type ProviderCalls = Pick<ProviderClient, "check" | "diff" | "create" | "read" | "update" | "delete">;

type Callback<Response> = (error: ServiceError | null, response: Response) => void;
/** The calls of Pulumi's provider protocol that a dynamic provider answers. Secrets go out as plain values. */
export class ProviderClient {
  readonly #client: InstanceType<typeof providerGrpc.ResourceProviderClient>;

  readonly #onCall: (call: ProviderCall) => void;

  constructor(address: string, onCall: (call: ProviderCall) => void) {
    this.#onCall = onCall;
    this.#client = new providerGrpc.ResourceProviderClient(address, credentials.createInsecure(), CHANNEL_OPTIONS);
  }

  async configure(config: PropertyMap): Promise<void> {
    const request = new providerPb.ConfigureRequest();
    request.setArgs(toStruct(config, { keepSecrets: true }));
    request.setAcceptsecrets(true);
    request.setAcceptresources(true);
    await call<ConfigureResponse>((done) => this.#client.configure(request, done));
  }

  async check(urn: string, { olds, news, allowUnknowns }: CheckQuestion): Promise<CheckResult> {
    const request = new providerPb.CheckRequest();
    identify(request, urn);
    this.#onCall({ method: "check", urn, oldsEmpty: Object.keys(olds).length === 0 });
    request.setOlds(toStruct(olds, { dropNulls: true }));
    request.setNews(toStruct(news, { dropUnknowns: !allowUnknowns }));
    const response = await call<CheckResponse>((done) => this.#client.check(request, done));
    const failures = response.getFailuresList();
    return {
      inputs: fromStruct(response.getInputs()),
      failures: failures.map((failure) => ({ property: failure.getProperty(), reason: failure.getReason() })),
    };
  }

  async diff(old: ResourceState, { urn, inputs, ignoreChanges }: Wanted): Promise<DiffResult> {
    const request = new providerPb.DiffRequest();
    identify(request, urn);
    this.#onCall({ method: "diff", urn });
    request.setId(old.id);
    request.setOlds(toStruct(old.outputs));
    request.setOldInputs(toStruct(old.inputs));
    request.setNews(toStruct(inputs));
    request.setIgnorechangesList([...ignoreChanges]);
    const response = await call<DiffResponse>((done) => this.#client.diff(request, done));
    const { DIFF_NONE, DIFF_SOME } = providerPb.DiffResponse.DiffChanges;
    const changes = response.getChanges();
    return {
      changes: changes === DIFF_SOME ? true : changes === DIFF_NONE ? false : undefined,
      replaces: response.getReplacesList(),
      deleteBeforeReplace: response.getDeletebeforereplace(),
    };
  }

  async create(urn: string, inputs: PropertyMap): Promise<{ id: string; outputs: PropertyMap }> {
    const request = new providerPb.CreateRequest();
    identify(request, urn);
    this.#onCall({ method: "create", urn });
    request.setProperties(toStruct(inputs));
    const response = await call<CreateResponse>((done) => this.#client.create(request, done));
    return { id: response.getId(), outputs: fromStruct(response.getProperties()) };
  }

  async read(old: ResourceState): Promise<{ id: string; outputs: PropertyMap; inputs: PropertyMap | undefined }> {
    const request = new providerPb.ReadRequest();
    identify(request, old.urn);
    this.#onCall({ method: "read", urn: old.urn });
    request.setId(old.id);
    request.setProperties(toStruct(old.outputs));
    request.setInputs(toStruct(old.inputs));
    const response = await call<ReadResponse>((done) => this.#client.read(request, done));
    const inputs = response.getInputs();
    return {
      id: response.getId(),
      outputs: fromStruct(response.getProperties()),
      inputs: inputs === undefined ? undefined : fromStruct(inputs),
    };
  }

  async update(urn: string, old: ResourceState, news: PropertyMap): Promise<PropertyMap> {
    const request = new providerPb.UpdateRequest();
    identify(request, urn);
    this.#onCall({ method: "update", urn });
    request.setId(old.id);
    request.setOlds(toStruct(old.outputs));
    request.setOldInputs(toStruct(old.inputs));
    request.setNews(toStruct(news));
    return fromStruct((await call<UpdateResponse>((done) => this.#client.update(request, done))).getProperties());
  }

  async delete(old: ResourceState): Promise<void> {
    const request = new providerPb.DeleteRequest();
    identify(request, old.urn);
    this.#onCall({ method: "delete", urn: old.urn });
    request.setId(old.id);
    request.setProperties(toStruct(old.outputs));
    request.setOldInputs(toStruct(old.inputs));
    await call<Empty>((done) => this.#client.delete(request, done));
  }

  async cancel(): Promise<void> {
    await call<Empty>((done) => this.#client.cancel(new emptyPb.Empty(), done));
  }

  close(): void {
    this.#client.close();
  }
}

function call<Response>(start: (done: Callback<Response>) => ClientUnaryCall): Promise<Response> {
  return new Promise((resolve, reject) => {
    start((error, response) => {
      if (error === null) resolve(response);
      else reject(initializationErrorIn(error) ?? new Error(error.details));
    });
  });
}

interface Identified {
  setUrn(urn: string): unknown;
  setName(name: string): unknown;
  setType(type: string): unknown;
}

function identify(request: Identified, urn: string): void {
  request.setUrn(urn);
  request.setName(nameOf(urn));
  request.setType(typeOf(urn));
}

// The SDK packs the resource that exists in spite of the failure into gRPC's standard field for error details.
function initializationErrorIn(error: ServiceError): InitializationError | undefined {
  const [packed] = error.metadata.get("grpc-status-details-bin");
  if (!Buffer.isBuffer(packed)) return undefined;
  const { ErrorResourceInitFailed } = providerPb;
  for (const detail of statusPb.Status.deserializeBinary(packed).getDetailsList()) {
    const found = detail.unpack(ErrorResourceInitFailed.deserializeBinary, "pulumirpc.ErrorResourceInitFailed");
    if (found === null) continue;
    return new InitializationError(found.getId(), fromStruct(found.getProperties()), found.getReasonsList());
  }
  return undefined;
}
