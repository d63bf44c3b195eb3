import { Agent, request } from "node:https";
import { onTestFinished } from "vitest";
import xmlrpc from "xmlrpc";
import {
  type SimulatedHost,
  type Simulator,
  type SimulatorOptions,
  startSimulator,
  type TlsIdentity,
  type Value,
} from "./simulator.ts";
import { makeTlsIdentity } from "./tls.ts";

const tls = await makeTlsIdentity("xenserver-lab");
let memberTls: Promise<TlsIdentity> | undefined;

/** The password of every simulator that {@link simulate} starts. */
export const password = "correct horse";

/** Starts a simulator that ends with the test. */
export async function simulate(options: Partial<SimulatorOptions> = {}): Promise<Simulator> {
  if (options.hosts === 2) memberTls ??= makeTlsIdentity("xenserver-lab-2");
  const member = memberTls === undefined ? {} : { member: { tls: await memberTls } };
  const simulator = await startSimulator({ password, tls, ...member, ...options });
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
export async function connect(host: SimulatedHost): Promise<Client> {
  const session = await xmlCall<string>(host, "session.login_with_password", "root", password);
  return { session, call: (method, ...params) => xmlCall(host, method, session, ...params) };
}

/** One call over XML-RPC without a session of its own. */
export function xmlCall<T = Value>(host: SimulatedHost, method: string, ...params: Value[]): Promise<T> {
  const { promise, resolve, reject } = defer<T>();
  xmlClient(host).methodCall(method, params, (error: unknown, reply: unknown) => {
    if (error) return reject(error as Error);
    const { Status, Value: value, ErrorDescription } = reply as Record<string, unknown>;
    if (Status === "Success") resolve(value as T);
    else reject(new CallFailed(ErrorDescription as string[]));
  });
  return promise;
}

/** Old releases speak TLS 1.0 and nothing newer. */
const trustIn = ({ certificatePem }: Pick<SimulatedHost, "certificatePem">) => ({
  ...{ ca: certificatePem, checkServerIdentity: () => undefined },
  ...{ minVersion: "TLSv1" as const, ciphers: "DEFAULT:@SECLEVEL=0" },
});

/** The `xmlrpc` package's client, trusting the simulator's certificate and no other. */
export function xmlClient(host: SimulatedHost): xmlrpc.Client {
  const trust = { ...trustIn(host), agent: new Agent() };
  const { hostname, port } = new URL(host.url);
  return xmlrpc.createSecureClient({ host: hostname, port: Number(port), path: "/", ...trust });
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
  simulator: Pick<SimulatedHost, "certificatePem"> & {
    readonly url?: string;
    readonly port?: number | undefined;
    readonly socketPath?: string;
  },
  path: string,
  body: string | Buffer,
  headers: Record<string, string> = { "content-length": String(Buffer.byteLength(body)) },
): Promise<RawReply> {
  const { promise, resolve, reject } = defer<RawReply>();
  const host = new URL(simulator.url || "https://127.0.0.1").hostname;
  const where =
    simulator.socketPath === undefined ? { host, port: simulator.port } : { socketPath: simulator.socketPath };
  const trust = { ...trustIn(simulator), agent: false as const };
  const sent = request({ ...where, ...trust, path, method: "POST", headers }, (reply) => {
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
  host: SimulatedHost,
  method: string,
  params: readonly Value[],
  version: 1 | 2 = 2,
): Promise<Record<string, unknown>> {
  const request = { ...(version === 2 ? { jsonrpc: "2.0" } : {}), method, params, id: 7 };
  return JSON.parse((await post(host, "/jsonrpc", JSON.stringify(request))).body);
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
