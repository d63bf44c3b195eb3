import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer as createHttps } from "node:https";
import { type AddressInfo, connect, createServer, type Server } from "node:net";
import { onTestFinished } from "vitest";
import type { TlsIdentity } from "../sim/contract.ts";

/** Something that can be connected to, and how often it was. */
export interface SilentServer {
  readonly port: number;
  connections(): number;
}

/** Takes connections and never says a word. */
export async function mute(): Promise<SilentServer> {
  return listening(createServer((socket) => socket.on("error", () => {})));
}

/** Shows its certificate, takes every request, and answers none, or only half of it. */
export async function halfDeaf(tls: TlsIdentity, answer = ""): Promise<SilentServer> {
  const server = createHttps(tls, (_request, response) => {
    if (answer !== "") response.writeHead(200, { "content-type": "text/xml" }).write(answer);
  });
  return listening(server);
}

/** As a host behind a firewall that drops packets: nothing ever answers, not even the kernel. */
export async function swallowing(): Promise<SilentServer> {
  const program = `
    const server = require("node:net").createServer().listen({ port: 0, host: "127.0.0.1", backlog: 1 }, () => {
      require("node:fs").writeSync(1, String(server.address().port));
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
    });`;
  const child = spawn(process.execPath, ["-e", program], { stdio: ["ignore", "pipe", "inherit"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  const [data] = (await once(child.stdout, "data")) as [Buffer];
  const port = Number(data);
  // The kernel answers for the program until the queue of connections to accept is full.
  const fillers = Array.from({ length: 4 }, () => connect({ port, host: "127.0.0.1" }).on("error", () => {}));
  onTestFinished(() => {
    for (const filler of fillers) filler.destroy();
  });
  await Promise.race([once(fillers[0] as never, "connect")]);
  await new Promise((resolve) => setTimeout(resolve, 300));
  return { port, connections: () => 0 };
}

async function listening(server: Server): Promise<SilentServer> {
  let connections = 0;
  const sockets = new Set<{ destroy(): void }>();
  server.on("connection", (socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on("error", () => {});
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return { port: (server.address() as AddressInfo).port, connections: () => connections };
}
