import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { onTestFinished } from "vitest";

/** What a TLS client offers (RFC 8446, 4.1.2); numbers as in IANA's registries. */
export interface ClientHello {
  readonly suites: readonly number[];
  /** `0x0303` is TLS 1.2, `0x0301` TLS 1.0. */
  readonly versions: readonly number[];
  readonly signatures: readonly number[];
  readonly groups: readonly number[];
}

/** Collects what clients say first; each connection is ended after that. */
export async function helloCollector(): Promise<{ readonly port: number; readonly hellos: ClientHello[] }> {
  const hellos: ClientHello[] = [];
  const server = createServer((socket) => {
    let read: Buffer = Buffer.alloc(0);
    socket.on("error", () => {});
    socket.on("data", (chunk: Buffer) => {
      read = Buffer.concat([read, chunk]);
      if (read.length < 5 || read.length < 5 + read.readUInt16BE(3)) return;
      hellos.push(parseHello(read.subarray(5, 5 + read.readUInt16BE(3))));
      socket.destroy();
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => new Promise<void>((resolve) => server.close(() => resolve())));
  return { port: (server.address() as AddressInfo).port, hellos };
}

function parseHello(message: Buffer): ClientHello {
  if (message[0] !== 1) throw new Error(`expected a ClientHello, found message type ${message[0]}`);
  let at = 4 + 2 + 32;
  at += 1 + message.readUInt8(at);
  const suites = numbers(message.subarray(at + 2, at + 2 + message.readUInt16BE(at)));
  at += 2 + message.readUInt16BE(at);
  at += 1 + message.readUInt8(at);
  const end = at + 2 + message.readUInt16BE(at);
  const extensions = new Map<number, Buffer>();
  for (at += 2; at < end; ) {
    const length = message.readUInt16BE(at + 2);
    extensions.set(message.readUInt16BE(at), message.subarray(at + 4, at + 4 + length));
    at += 4 + length;
  }
  const list = (type: number, head: number) => numbers((extensions.get(type) ?? Buffer.alloc(head)).subarray(head));
  return { suites, versions: list(43, 1), signatures: list(13, 2), groups: list(10, 2) };
}

function numbers(bytes: Buffer): number[] {
  return Array.from({ length: bytes.length / 2 }, (_none, index) => bytes.readUInt16BE(index * 2));
}
