import net from "node:net";

/** A way of its own to a port: one stack can lose it while the others keep theirs. */
export interface Detour extends AsyncDisposable {
  readonly port: number;
  /** From now on new connections are reset, or get no answer; those that stand go on. */
  block(how?: "reset" | "silent"): void;
  unblock(): void;
  /** Ends the connections that stand, as the kernel does for a process that was killed. */
  cut(): void;
  /** From now on nothing passes over the connections that stand, not even their end. */
  silence(): void;
}

/** Opens a port of the workstation's loopback that leads to another one. */
export async function startDetour(to: { readonly host: string; readonly port: number }): Promise<Detour> {
  let blocked: "reset" | "silent" | undefined;
  const open = new Set<net.Socket>();
  const server = net.createServer({ noDelay: true, allowHalfOpen: true }, (client) => {
    if (blocked === "reset") {
      client.resetAndDestroy();
      return;
    }
    if (blocked === "silent") {
      open.add(client);
      client.on("error", () => client.destroy());
      return;
    }
    const onward = net.connect({ ...to, noDelay: true, allowHalfOpen: true });
    for (const [socket, other] of [
      [client, onward],
      [onward, client],
    ] as const) {
      open.add(socket);
      socket.pipe(other);
      socket.on("error", () => other.destroy());
      socket.on("close", () => {
        open.delete(socket);
        other.destroySoon();
      });
    }
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host: "127.0.0.1", port: 0 }, resolve);
  });
  return {
    port: (server.address() as net.AddressInfo).port,
    block: (how = "reset") => {
      blocked = how;
    },
    unblock: () => {
      blocked = undefined;
    },
    cut: () => {
      for (const socket of open) socket.destroy();
    },
    silence: () => {
      for (const socket of open) socket.unpipe().resume();
    },
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of open) socket.destroy();
      }),
  };
}
