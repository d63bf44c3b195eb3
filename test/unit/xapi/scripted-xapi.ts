import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import type { TlsIdentity } from "../../sim/contract.ts";
import { fingerprintOf } from "../../sim/tls.ts";

/** One request as it came. */
export interface Request {
  readonly method: string;
  readonly body: string;
  /** Texts of the parameters that are plain values, unescaped only as far as tests need. */
  readonly texts: readonly string[];
  readonly response: ServerResponse;
}

/** What the script answers: the inner XML of an envelope, or nothing when it answered by itself. */
export type Script = (request: Request) => string | undefined | Promise<string | undefined>;

/** An HTTPS server whose answers are written down in the wire form of a real host. */
export interface ScriptedXapi extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly fingerprint: string;
  readonly requests: readonly Request[];
  /** Bytes that came in after the handshake. */
  applicationBytes(): number;
  /** TCP connections so far, whatever became of their handshakes. */
  connections(): number;
  openConnections(): number;
  mostAtOnce(): number;
  count(method: string): number;
  /** Protocol and suite of each finished handshake. */
  readonly handshakes: readonly string[];
}

/** Starts on an address of the loopback. */
export async function scriptedXapi(
  tls: TlsIdentity,
  script: Script,
  listen: { address?: string; port?: number } = {},
): Promise<ScriptedXapi> {
  const requests: Request[] = [];
  const handshakes: string[] = [];
  const sockets = new Set<Socket>();
  let [bytes, connections, atOnce, most] = [0, 0, 0, 0];
  const server = createServer(tls, async (incoming, response) => {
    atOnce += 1;
    most = Math.max(most, atOnce);
    response.on("close", () => {
      atOnce -= 1;
    });
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks).toString();
    const method = /<methodName>(.*?)<\/methodName>/.exec(body)?.[1] ?? "";
    const texts = [...body.matchAll(/<string>(.*?)<\/string>/gs)].map((match) => match[1] ?? "");
    const request = { method, body, texts, response };
    requests.push(request);
    const members = await script(request);
    if (members !== undefined) response.setHeader("content-type", "text/xml").end(envelope(members));
  });
  server.on("connection", (socket: Socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  server.on("secureConnection", (socket: TLSSocket) => {
    handshakes.push(`${socket.getProtocol()} ${socket.getCipher().name}`);
    socket.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
    });
  });
  server.listen(listen.port ?? 0, listen.address ?? "127.0.0.1");
  await once(server, "listening");
  const { port, address } = server.address() as AddressInfo;
  return {
    url: `https://${address}:${port}`,
    port,
    fingerprint: fingerprintOf(tls.cert),
    requests,
    handshakes,
    applicationBytes: () => bytes,
    connections: () => connections,
    openConnections: () => sockets.size,
    mostAtOnce: () => most,
    count: (method) => requests.filter((request) => request.method === method).length,
    [Symbol.asyncDispose]: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

/** The envelope's members of a success; the value as the inner XML of `<value>`. */
export function success(value: string): string {
  return `${member("Status", "Success")}${member("Value", value)}`;
}

/** The envelope's members of a failure. */
export function failure(...description: string[]): string {
  const values = description.map((text) => `<value>${text}</value>`).join("");
  return `${member("Status", "Failure")}${member("ErrorDescription", `<array><data>${values}</data></array>`)}`;
}

/** One member of a struct, its value as inner XML. */
export function member(name: string, value: string): string {
  return `<member><name>${name}</name><value>${value}</value></member>`;
}

function envelope(members: string): string {
  return `<?xml version="1.0"?><methodResponse><params><param><value><struct>${members}</struct></value></param></params></methodResponse>`;
}
