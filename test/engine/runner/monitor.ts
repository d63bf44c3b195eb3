import {
  type handleUnaryCall,
  Server,
  ServerCredentials,
  type ServiceDefinition,
  status,
  type UntypedServiceImplementation,
} from "@grpc/grpc-js";
import engineGrpc from "@pulumi/pulumi/proto/engine_grpc_pb.js";
import type { LogRequest } from "@pulumi/pulumi/proto/engine_pb.js";
import enginePb from "@pulumi/pulumi/proto/engine_pb.js";
import resourceGrpc from "@pulumi/pulumi/proto/resource_grpc_pb.js";
import type {
  ReadResourceRequest,
  RegisterResourceOutputsRequest,
  RegisterResourceRequest,
  SupportsFeatureRequest,
} from "@pulumi/pulumi/proto/resource_pb.js";
import resourcePb from "@pulumi/pulumi/proto/resource_pb.js";
import emptyPb from "google-protobuf/google/protobuf/empty_pb.js";
import { CHANNEL_OPTIONS } from "./provider-client.ts";
import { type Goal, type ReadGoal, readGoal, readReadGoal } from "./registration.ts";
import { fromStruct, type PropertyMap, toStruct } from "./values.ts";

export interface RegisteredResource {
  readonly urn: string;
  /** Empty when it is not known yet. */
  readonly id: string;
  readonly outputs: PropertyMap;
  /** Where the run goes on without it: the program takes what is missing for unknown. */
  readonly missing?: "failed" | "skipped";
}

/** What the program may ask of the engine. A rejection ends the program's call. */
export interface ProgramRequests {
  registerResource(goal: Goal): Promise<RegisteredResource>;
  readResource(goal: ReadGoal): Promise<RegisteredResource>;
  registerOutputs(urn: string, outputs: PropertyMap): Promise<void>;
  /** The program has registered everything; resolves when all steps have ended. */
  programFinished(): Promise<void>;
  log(severity: "debug" | "info" | "warning" | "error", message: string, urn: string): void;
  /** The program asked for something the stack runner cannot do. */
  refuse(error: Error): void;
}

// Asked for at the start of each program. What is not decoded here must be answered with false, so that the SDK sends
// plain values or refuses the option itself.
const FEATURES = ["secrets", "aliasSpecs"];

const RESULTS = {
  none: resourcePb.Result.SUCCESS,
  failed: resourcePb.Result.FAIL,
  skipped: resourcePb.Result.SKIP,
};

/** The engine's side of Pulumi's protocol towards a program: resource monitor and engine, on one loopback port. */
export class MonitorServer {
  readonly #server = new Server(CHANNEL_OPTIONS);

  private constructor() {}

  static async start(requests: ProgramRequests): Promise<{ server: MonitorServer; address: string }> {
    const server = new MonitorServer();
    const grpc = server.#server;
    grpc.addService(
      resourceGrpc.ResourceMonitorService,
      withRefusals(resourceGrpc.ResourceMonitorService, monitorMethods(requests), requests),
    );
    grpc.addService(
      engineGrpc.EngineService,
      withRefusals(engineGrpc.EngineService, engineMethods(requests), requests),
    );
    const port = await new Promise<number>((resolve, reject) => {
      grpc.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) => {
        if (error === null) resolve(bound);
        else reject(error);
      });
    });
    return { server, address: `127.0.0.1:${port}` };
  }

  stop(): void {
    this.#server.forceShutdown();
  }
}

function monitorMethods(requests: ProgramRequests): UntypedServiceImplementation {
  return {
    supportsFeature: unary<SupportsFeatureRequest>(async (request) => {
      const response = new resourcePb.SupportsFeatureResponse();
      response.setHassupport(FEATURES.includes(request.getId()));
      return response;
    }),
    registerResource: unary<RegisterResourceRequest>(async (request) => {
      const registered = await requests.registerResource(decodeOrRefuse(requests, () => readGoal(request)));
      const response = new resourcePb.RegisterResourceResponse();
      response.setUrn(registered.urn);
      response.setId(registered.id);
      response.setObject(toStruct(registered.outputs, { keepSecrets: request.getAcceptsecrets() }));
      response.setResult(RESULTS[registered.missing ?? "none"]);
      return response;
    }),
    readResource: unary<ReadResourceRequest>(async (request) => {
      const found = await requests.readResource(decodeOrRefuse(requests, () => readReadGoal(request)));
      const response = new resourcePb.ReadResourceResponse();
      response.setUrn(found.urn);
      response.setProperties(toStruct(found.outputs, { keepSecrets: request.getAcceptsecrets() }));
      return response;
    }),
    registerResourceOutputs: unary<RegisterResourceOutputsRequest>(async (request) => {
      const outputs = decodeOrRefuse(requests, () => fromStruct(request.getOutputs()));
      await requests.registerOutputs(request.getUrn(), outputs);
      return new emptyPb.Empty();
    }),
    signalAndWaitForShutdown: unary(async () => {
      await requests.programFinished();
      return new emptyPb.Empty();
    }),
  };
}

function engineMethods(requests: ProgramRequests): UntypedServiceImplementation {
  return {
    setRootResource: unary(async () => new enginePb.SetRootResourceResponse()),
    log: unary<LogRequest>(async (request) => {
      const severities = ["debug", "info", "warning", "error"] as const;
      requests.log(severities[request.getSeverity()] ?? "info", request.getMessage(), request.getUrn());
      return new emptyPb.Empty();
    }),
    requirePulumiVersion: unary(async () => new enginePb.RequirePulumiVersionResponse()),
  };
}

function decodeOrRefuse<T>(requests: ProgramRequests, decode: () => T): T {
  try {
    return decode();
  } catch (error) {
    requests.refuse(error as Error);
    throw error;
  }
}

/** A method that is not implemented ends the run with its name, instead of a program that sees odd answers. */
function withRefusals(
  service: ServiceDefinition,
  methods: UntypedServiceImplementation,
  requests: ProgramRequests,
): UntypedServiceImplementation {
  const refused = Object.entries(service).filter(([name]) => methods[name] === undefined);
  const refusals = refused.map(([name, { path }]) => [
    name,
    unary(async () => {
      const error = new Error(`The stack runner does not support the call ${path}: use the real engine.`);
      requests.refuse(error);
      throw error;
    }),
  ]);
  return { ...methods, ...Object.fromEntries(refusals) };
}

function unary<Request>(handle: (request: Request) => Promise<object>): handleUnaryCall<Request, object> {
  return (call, callback) => {
    handle(call.request).then(
      (response) => callback(null, response),
      // The SDK ends the program quietly on UNAVAILABLE: what went wrong is reported here, not by the program.
      (error: Error) => callback({ code: status.UNAVAILABLE, details: error.message }),
    );
  };
}
