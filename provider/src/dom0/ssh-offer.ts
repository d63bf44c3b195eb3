import type { Socket } from "node:net";
import { isSshName } from "./ssh-names";

/** What an SSH server says of itself before anything is encrypted (RFC 4253, 4.2 and 7.1). */
export interface SshOffer {
  /** Its software, e.g. `OpenSSH_4.3`. */
  readonly software: string;
  readonly kex: readonly string[];
  readonly hostKeys: readonly string[];
  readonly ciphers: readonly string[];
  readonly macs: readonly string[];
}

const MOST_BYTES = 64 * 1024;
const KEXINIT = 20;
/** Type of message and cookie. */
const LISTS_START = 17;
/** Of one list; the longest of today's servers has about 20. */
const MOST_NAMES = 64;
const LONGEST_SOFTWARE = 64;

/** Listens to what a server sends first, beside whoever speaks to it; undefined until all of it came. */
export function watchOffer(socket: Socket): () => SshOffer | undefined {
  let read: Buffer = Buffer.alloc(0);
  let offer: SshOffer | undefined;
  const onData = (chunk: Buffer) => {
    read = Buffer.concat([read, chunk]);
    offer = parseOffer(read);
    if (offer !== undefined || read.length > MOST_BYTES) socket.off("data", onData);
  };
  socket.on("data", onData);
  return () => offer;
}

/** Reads an offer from the first bytes of a server; undefined while it is not whole, or when it is none. */
export function parseOffer(bytes: Buffer): SshOffer | undefined {
  // Other lines may come first.
  const ident = /(?:^|\n)SSH-[\d.]+-([^\r\n ]*)[^\n]*\n/.exec(bytes.toString("latin1"));
  if (ident === null) return undefined;
  const packet = bytes.subarray(ident.index + ident[0].length);
  if (packet.length < 6 || packet[5] !== KEXINIT || packet.length < 4 + packet.readUInt32BE(0)) return undefined;
  const payload = packet.subarray(5, 4 + packet.readUInt32BE(0));
  const lists: string[][] = [];
  for (let at = LISTS_START; lists.length < 6 && at + 4 <= payload.length; ) {
    const end = at + 4 + payload.readUInt32BE(at);
    lists.push(
      payload
        .toString("latin1", at + 4, end)
        .split(",")
        .filter(isAlgorithm)
        .slice(0, MOST_NAMES),
    );
    at = end;
  }
  const [kex, hostKeys, ciphers, , macs] = lists;
  if (kex === undefined || hostKeys === undefined || ciphers === undefined || macs === undefined) return undefined;
  return { software: softwareShown(ident[1] ?? ""), kex, hostKeys, ciphers, macs };
}

/** The offer as messages show it. */
export function offerText({ kex, hostKeys, ciphers, macs }: SshOffer): string {
  const parts = Object.entries({ "key exchange": kex, "host keys": hostKeys, ciphers, MACs: macs });
  return parts.map(([what, names]) => `${what} ${names.join(", ") || "none"}`).join("; ");
}

/** The list of key exchanges also holds signs that are none (RFC 8308, OpenSSH's strict key exchange). */
function isAlgorithm(name: string): boolean {
  return isSshName(name) && !/^(ext-info|kex-strict)-/.test(name);
}

/** Whoever answers has not proved anything yet, and messages show this: printable ASCII without blanks, as RFC 4253 has it. */
function softwareShown(software: string): string {
  return software.slice(0, LONGEST_SOFTWARE).replace(/[^!-~]/g, "?");
}
