import type { RequestListener } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import type { SimulatedHost, SimulatorOptions, TlsIdentity, TlsKind } from "./contract.ts";
import { fingerprintOf, tlsServers } from "./tls.ts";

const maxAttempts = 5;

type Listen = NonNullable<SimulatorOptions["listen"]>;

/** A host's HTTPS server. */
export interface Listening {
  readonly shown: Pick<SimulatedHost, "url" | "port" | "fingerprint" | "certificatePem">;
  cutConnections(): void;
  close(): Promise<void>;
}

/** Starts to listen as one host. */
export async function listenAs(
  kind: TlsKind,
  tls: TlsIdentity,
  where: Listen,
  listener: RequestListener,
): Promise<Listening> {
  const server = createServer({ ...tls, ...tlsServers[kind], ecdhCurve: "secp384r1" }, listener);
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen("path" in where ? where : { host: addressOf(where), port: where.port ?? 0 }, () => {
      server.off("error", reject);
      resolve();
    });
  });
  const address = server.address();
  const port = typeof address === "object" ? address?.port : undefined;
  return {
    shown: {
      url: port === undefined ? "" : `https://${(address as AddressInfo).address}:${port}`,
      port,
      fingerprint: fingerprintOf(tls.cert),
      certificatePem: tls.cert,
    },
    cutConnections: () => server.closeAllConnections(),
    close: () =>
      new Promise((resolve, reject) => {
        server.close((error) => (error === undefined ? resolve() : reject(error)));
        server.closeAllConnections();
      }),
  };
}

/**
 * Starts the servers of a pool; each is told the first one, whose port it may share. That port was free on the first
 * one's address only, so where another process has it, all try again on another.
 */
export async function listenAll(
  starts: ReadonlyArray<(first?: Listening) => Promise<Listening>>,
): Promise<Listening[]> {
  for (let attempt = 1; ; attempt += 1) {
    const listening: Listening[] = [];
    try {
      for (const start of starts) listening.push(await start(listening[0]));
      return listening;
    } catch (error) {
      await Promise.all(listening.map((server) => server.close()));
      const taken = (error as NodeJS.ErrnoException).code === "EADDRINUSE" && listening.length > 0;
      if (!taken || attempt === maxAttempts) throw error;
    }
  }
}

/** The address of a TCP socket to listen on, the loopback's by default. */
export function addressOf(where: Listen): string | undefined {
  return "path" in where ? undefined : (where.host ?? "127.0.0.1");
}
