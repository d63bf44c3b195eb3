import { isUtf8 } from "node:buffer";
import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import type { RecordedCall } from "./contract.ts";
import { dispatch, type MethodTable, type ResolvedCall, resolve } from "./dispatch.ts";
import { descriptionOf, XapiFailure } from "./errors.ts";
import type { FaultPlan } from "./faults.ts";
import { type JsonCall, jsonFailure, jsonSuccess, jsonValue, parseJsonCall } from "./json.ts";
import { isWriting } from "./method.ts";
import { type Endpoint, masterFor } from "./pool-role.ts";
import type { World } from "./world.ts";
import { response, type Typed, xmlFailure, xmlSuccess, xmlValue } from "./xml.ts";
import { parseXmlCall, type RpcCall } from "./xml-call.ts";

const maxBody = 300 * 1024;
const welcome = "<!DOCTYPE html>\n<title>Welcome to XCP-ng</title>\n<h1>Welcome to XCP-ng</h1>\n";

/** What a server needs to answer requests. */
export interface Service {
  readonly world: World;
  readonly endpoint: Endpoint;
  readonly methods: MethodTable;
  readonly faults: FaultPlan;
  readonly calls: RecordedCall[];
}

/** How one transport reads a call and writes its reply. */
interface Transport {
  readonly contentType: string;
  readonly call: RpcCall;
  success(result: Typed): string;
  failure(description: readonly string[]): string;
}

/** Answers `GET` with the welcome page and `POST` as XAPI, on whatever path. */
export function requestListener(service: Service): RequestListener {
  return (request, reply) => {
    answer(service, request, reply).catch((error: unknown) => {
      if (reply.headersSent) reply.destroy();
      else reply.writeHead(500, { "content-type": "text/plain" }).end(String(error));
    });
  };
}

async function answer(service: Service, request: IncomingMessage, reply: ServerResponse): Promise<void> {
  if (request.method === "GET" && request.url === "/") {
    reply.writeHead(200, { "content-type": "text/html" }).end(welcome);
    return;
  }
  if (request.method !== "POST") return refuse(reply, 404);
  const length = request.headers["content-length"];
  if (length === undefined) return refuse(reply, 411);
  if (Number(length) > maxBody) return refuse(reply, 413);
  const body = await readBody(request);
  const transport = open(service, request.url ?? "/", body);
  if (transport === undefined) return refuse(reply, 400);
  const text = isUtf8(body)
    ? await serve(service, transport)
    : transport.failure(["INVALID_VALUE", "body", "no UTF-8"]);
  if (text === undefined) {
    request.socket.destroy();
    return;
  }
  const thumbprint = masterThumbprint(service, request);
  if (thumbprint !== undefined) reply.setHeader("x-xenapi-response-host-certificate-thumbprint", thumbprint);
  reply.writeHead(200, { "content-type": transport.contentType, "content-length": Buffer.byteLength(text) }).end(text);
}

/** The reply, or nothing when a fault took the connection. */
async function serve(service: Service, transport: Transport): Promise<string | undefined> {
  const { world, endpoint, faults } = service;
  const call = resolve(service.methods, transport.call.method);
  const name = call?.method.name ?? transport.call.method;
  const recorded = record(service, call, name);
  if (faults.takes("drop", name) || (await faults.cuts(recorded, "before"))) return undefined;
  let text: string;
  try {
    await faults.before(name);
    if (call === undefined) throw new XapiFailure("MESSAGE_METHOD_UNKNOWN", [name]);
    text = transport.success(await dispatch(world, endpoint, call, transport.call.params));
  } catch (error) {
    const description = descriptionOf(error);
    recorded.error = description[0] ?? "";
    text = transport.failure(description);
  } finally {
    if (call?.method.needsSession) faults.countServed();
  }
  return faults.takes("loseReply", name) || (await faults.cuts(recorded, "after")) ? undefined : text;
}

function record(service: Service, call: ResolvedCall | undefined, method: string): RecordedCall & { error?: string } {
  const recorded: RecordedCall & { error?: string } = {
    method,
    async: call?.async ?? false,
    writing: isWriting(method),
    time: new Date(),
    host: service.world.endpoints.indexOf(service.endpoint),
  };
  service.calls.push(recorded);
  return recorded;
}

/** `undefined` for a body that is no call. */
function open(service: Service, url: string, body: Buffer): Transport | undefined {
  const isJson = url.startsWith("/jsonrpc") && service.world.profile.json;
  const text = body.toString("utf8");
  try {
    return isJson ? jsonTransport(parseJsonCall(text)) : xmlTransport(service, parseXmlCall(text));
  } catch {
    return undefined;
  }
}

function jsonTransport(call: JsonCall): Transport {
  return {
    contentType: "application/json",
    call,
    success: ({ type, value }) => jsonSuccess(call, jsonValue(type, value)),
    failure: (description) => jsonFailure(call, description),
  };
}

function xmlTransport(service: Service, call: RpcCall): Transport {
  const { tables } = service.world.db;
  return {
    contentType: "text/xml",
    call,
    success: ({ type, value }) => {
      const xml = xmlValue(type, value, tables);
      return call.method === "system.listMethods" ? response(xml) : xmlSuccess(xml);
    },
    failure: xmlFailure,
  };
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function refuse(reply: ServerResponse, status: number): void {
  reply.writeHead(status, { connection: "close" }).end();
}

/** Lets a client that pins certificates follow HOST_IS_SLAVE: it asks for the master's fingerprint in a header. */
function masterThumbprint({ world, endpoint }: Service, request: IncomingMessage): string | undefined {
  const asked = request.headers["x-xenapi-request-host-certificate-thumbprint"];
  if (asked !== "sha-256:master" || !world.profile.vouchesForMaster) return undefined;
  return masterFor(world, endpoint)?.fingerprint;
}
