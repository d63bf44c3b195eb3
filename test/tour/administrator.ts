import { request } from "node:https";
import type { Host } from "../lab/host.ts";

/** What somebody does on the host with `xe`, beside Pulumi. */
export interface Administrator {
  startVm(name: string): Promise<void>;
  shutDownVm(name: string): Promise<void>;
}

type Call = (method: string, ...params: unknown[]) => Promise<unknown>;

/** Works over XAPI's JSON-RPC as any client would: one session for each thing to do. */
export function administratorOf({ xapi, simulator }: Pick<Host, "xapi" | "simulator">): Administrator {
  const inSession = async (work: (call: Call) => Promise<unknown>) => {
    const ask = (method: string, params: unknown[]) => post(xapi.url, simulator.certificatePem, method, params);
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

function post(url: string, certificate: string, method: string, params: unknown[]): Promise<unknown> {
  const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method, params });
  const headers = { "content-type": "application/json", "content-length": Buffer.byteLength(body) };
  // The host's own certificate is the only one that is trusted; its name is not the loopback's.
  const trust = { ca: certificate, checkServerIdentity: () => undefined, agent: false as const };
  return new Promise((resolve, reject) => {
    const sent = request(`${url}/jsonrpc`, { method: "POST", headers, ...trust, timeout: 60_000 }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (part: string) => {
        text += part;
      });
      response.on("end", () => {
        const { result, error } = JSON.parse(text) as { result?: unknown; error?: { message: string; data?: unknown } };
        if (error === undefined) resolve(result);
        else reject(new Error(`XAPI refused ${method}: ${error.message} ${JSON.stringify(error.data ?? [])}`));
      });
      response.on("error", reject);
    });
    sent.on("timeout", () => sent.destroy(new Error(`XAPI did not answer ${method} within 60 s.`)));
    sent.on("error", reject);
    sent.end(body);
  });
}
