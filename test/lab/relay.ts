import net from "node:net";
import type { Agent } from "./agent.ts";
import { LAB_DIRECTORY } from "./namespaces.ts";

/** A port of the workstation's loopback that leads to a port of dom0, over the LAN. */
export interface Relay {
  readonly host: string;
  readonly port: number;
  /** Resets every open connection; answers how many there were. */
  cut(): number;
  close(): Promise<void>;
}

/**
 * Workstation TCP ↔ unix socket ↔ agent in the LAN ↔ TCP of dom0. Not by handing the listening socket to the agent:
 * under parallel logins a listener that two Node processes hold loses connections.
 */
export async function startRelay(agent: Agent, directory: string, host: string, port: number): Promise<Relay> {
  const name = `to-${port}.sock`;
  await agent.ask("dial", { path: `${LAB_DIRECTORY}/${name}`, host, port });
  const open = new Set<net.Socket>();
  const server = net.createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    const inner = net.connect({ path: `${directory}/${name}`, allowHalfOpen: true });
    open.add(client);
    client.on("close", () => open.delete(client));
    client.pipe(inner);
    inner.pipe(client);
    client.on("error", () => inner.destroy());
    inner.on("error", () => client.resetAndDestroy());
    client.on("close", () => inner.destroySoon());
    inner.on("close", () => client.destroySoon());
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host: "127.0.0.1", port: 0, backlog: 512 }, resolve);
  });
  const cut = () => {
    const count = open.size;
    for (const client of open) client.resetAndDestroy();
    return count;
  };
  return {
    host: "127.0.0.1",
    port: (server.address() as net.AddressInfo).port,
    cut,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        cut();
      }),
  };
}
