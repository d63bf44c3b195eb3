import { Agent, type AgentOptions } from "node:https";
import xmlrpc from "xmlrpc";
import type { Host } from "../lab/host.ts";

/** What somebody does on the host with `xe`, beside Pulumi. */
export interface Administrator {
  startVm(name: string): Promise<void>;
  shutDownVm(name: string): Promise<void>;
}

type Call = (method: string, ...params: unknown[]) => Promise<unknown>;

/** Works over XAPI's XML-RPC as any client would: one session for each thing to do. */
export function administratorOf({ xapi, simulator }: Pick<Host, "xapi" | "simulator">): Administrator {
  const inSession = async (work: (call: Call) => Promise<unknown>) => {
    const client = clientOf(xapi.url, simulator.certificatePem);
    const ask = (method: string, params: unknown[]) => askBy(client, method, params);
    const session = await ask("session.login_with_password", [xapi.user, xapi.password, "1.0", "xennet tour"]);
    try {
      await work((method, ...params) => ask(method, [session, ...params]));
    } finally {
      await ask("session.logout", [session]);
    }
  };
  return {
    startVm: (name) => inSession(async (call) => call("VM.start", await findVm(call, name), false, false)),
    shutDownVm: (name) => inSession(async (call) => call("VM.clean_shutdown", await findVm(call, name))),
  };
}

async function findVm(call: Call, name: string): Promise<unknown> {
  const found = (await call("VM.get_by_name_label", name)) as unknown[];
  if (found.length !== 1) throw new Error(`One VM named "${name}" was expected, ${found.length} were found.`);
  return found[0];
}

/** The host's own certificate is the only one that is trusted; its name is not the loopback's. Old hosts speak TLS 1.0. */
function clientOf(url: string, certificate: string): xmlrpc.Client {
  const { hostname, port } = new URL(url);
  const trust = { ca: certificate, checkServerIdentity: () => undefined };
  const anyTls = { minVersion: "TLSv1", ciphers: "DEFAULT:@SECLEVEL=0" };
  const agent = new Agent({ ...trust, ...anyTls } as AgentOptions);
  return xmlrpc.createSecureClient({ host: hostname, port: Number(port), path: "/", agent } as never);
}

function askBy(client: xmlrpc.Client, method: string, params: readonly unknown[]): Promise<unknown> {
  return new Promise((resolve, reject) => {
    client.methodCall(method, [...params], (error: unknown, reply: unknown) => {
      if (error) return reject(error);
      const { Status, Value, ErrorDescription } = reply as Record<string, unknown>;
      if (Status === "Success") resolve(Value);
      else reject(new Error(`XAPI refused ${method}: ${JSON.stringify(ErrorDescription)}`));
    });
  });
}
