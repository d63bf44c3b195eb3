import { Agent, request } from "node:https";
import { onTestFinished } from "vitest";
import xmlrpc from "xmlrpc";
import { type Simulator, type SimulatorOptions, startSimulator, type Value } from "./simulator.ts";
import { makeTlsIdentity } from "./tls.ts";

const tls = await makeTlsIdentity("xenserver-lab");

/** The password of every simulator that {@link simulate} starts. */
export const password = "correct horse";

/** Starts a simulator that ends with the test. */
export async function simulate(options: Partial<SimulatorOptions> = {}): Promise<Simulator> {
  const simulator = await startSimulator({ password, tls, ...options });
  onTestFinished(() => simulator.close());
  return simulator;
}

/** A failure as a client sees it. */
class CallFailed extends Error {
  readonly description: readonly string[];

  constructor(description: readonly string[]) {
    super(description.join(" "));
    this.description = description;
  }
}

/** A session over XML-RPC, made with the npm package `xmlrpc`: a client that knows nothing of this server. */
export interface Client {
  readonly session: string;
  /** With the session as first parameter; answers the value or rejects with {@link CallFailed}. */
  call<T = Value>(method: string, ...params: Value[]): Promise<T>;
}

/** Logs in over XML-RPC. */
export async function connect(simulator: Simulator): Promise<Client> {
  const session = await xmlCall<string>(simulator, "session.login_with_password", "root", password);
  return { session, call: (method, ...params) => xmlCall(simulator, method, session, ...params) };
}

/** One call over XML-RPC without a session of its own. */
export function xmlCall<T = Value>(simulator: Simulator, method: string, ...params: Value[]): Promise<T> {
  const { promise, resolve, reject } = defer<T>();
  xmlClient(simulator).methodCall(method, params, (error: unknown, reply: unknown) => {
    if (error) return reject(error as Error);
    const { Status, Value: value, ErrorDescription } = reply as Record<string, unknown>;
    if (Status === "Success") resolve(value as T);
    else reject(new CallFailed(ErrorDescription as string[]));
  });
  return promise;
}

/** The `xmlrpc` package's client, trusting the simulator's certificate and no other. */
export function xmlClient(simulator: Simulator): xmlrpc.Client {
  const trust = { ca: simulator.certificatePem, checkServerIdentity: () => undefined, agent: new Agent() };
  return xmlrpc.createSecureClient({ host: "127.0.0.1", port: simulator.port ?? 0, path: "/", ...trust });
}

/** What came back, before anybody read anything into it. */
export interface RawReply {
  readonly status: number;
  readonly contentType: string | undefined;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

/** Sends a body as it is. */
export function post(
  simulator: Pick<Simulator, "certificatePem"> & { readonly port?: number | undefined; readonly socketPath?: string },
  path: string,
  body: string | Buffer,
  headers: Record<string, string> = { "content-length": String(Buffer.byteLength(body)) },
): Promise<RawReply> {
  const { promise, resolve, reject } = defer<RawReply>();
  const where = simulator.socketPath === undefined ? { port: simulator.port } : { socketPath: simulator.socketPath };
  const trust = { ca: simulator.certificatePem, checkServerIdentity: () => undefined, agent: false as const };
  const sent = request({ host: "127.0.0.1", ...where, ...trust, path, method: "POST", headers }, (reply) => {
    const chunks: Buffer[] = [];
    reply.on("data", (chunk: Buffer) => chunks.push(chunk));
    reply.on("error", reject);
    reply.on("end", () =>
      resolve({
        status: reply.statusCode ?? 0,
        contentType: reply.headers["content-type"],
        headers: reply.headers,
        body: Buffer.concat(chunks).toString("utf8"),
      }),
    );
  });
  sent.on("error", reject);
  sent.end(body);
  return promise;
}

/** One call over JSON-RPC; answers the whole reply. */
export async function jsonCall(
  simulator: Simulator,
  method: string,
  params: readonly Value[],
  version: 1 | 2 = 2,
): Promise<Record<string, unknown>> {
  const request = { ...(version === 2 ? { jsonrpc: "2.0" } : {}), method, params, id: 7 };
  return JSON.parse((await post(simulator, "/jsonrpc", JSON.stringify(request))).body);
}

/** The fields of a VIF record that a client has to send, for a VIF on this device. */
export function vifRecord(vm: string, network: string, device: string, more: Record<string, Value> = {}) {
  const qos = { qos_algorithm_type: "", qos_algorithm_params: {} };
  return { VM: vm, network, device, MAC: "", MTU: "0", other_config: {}, ...qos, ...more };
}

/** The only VM with this name. */
export async function vmByName(client: Client, name: string): Promise<string> {
  const [vm, ...others] = await client.call<string[]>("VM.get_by_name_label", name);
  if (vm === undefined || others.length > 0) throw new Error(`There is not one VM ${name} but ${others.length}.`);
  return vm;
}

function defer<T>() {
  let resolve!: (value: T) => void;
  let reject!: (error: Error) => void;
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}
