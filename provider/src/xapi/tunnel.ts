import { isIP } from "node:net";
import type { Duplex } from "node:stream";

/**
 * Another way to a host's XAPI than a TCP connection of this process. Its far end has proved to be the host before anything
 * is dialled: so on the far end's own loopback nobody else can answer.
 */
export interface Tunnel {
  /** As messages name it, e.g. `the SSH connection to 192.0.2.7:22`. */
  readonly name: string;
  /** Opens a TCP connection from the far end; what goes wrong on the way there is reported as it is. */
  dial(host: string, port: number, signal: AbortSignal): Promise<Duplex>;
}

/** True for addresses that never leave the machine they are used on. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || (isIP(host) === 4 && host.startsWith("127."));
}
