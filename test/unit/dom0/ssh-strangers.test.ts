import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { hostKeyOf } from "../../../provider/src/dom0/host-key.ts";
import { connectSsh } from "../../../provider/src/dom0/ssh.ts";
import type { SshError } from "../../../provider/src/dom0/ssh-errors.ts";
import { parseOffer } from "../../../provider/src/dom0/ssh-offer.ts";

const uint32 = (value: number) => Buffer.from([value >>> 24, (value >> 16) & 255, (value >> 8) & 255, value & 255]);
const text = (value: string) =>
  Buffer.concat([uint32(Buffer.byteLength(value, "latin1")), Buffer.from(value, "latin1")]);

function packet(payload: Buffer): Buffer {
  const padding = 16 - ((payload.length + 5) % 8);
  return Buffer.concat([uint32(payload.length + padding + 1), Buffer.from([padding]), payload, Buffer.alloc(padding)]);
}

function offerOf(kex: string): Buffer {
  const lists = [kex, "ssh-rsa", "aes128-cbc", "aes128-cbc", "hmac-sha1", "hmac-sha1", "none", "none", "", ""];
  return packet(Buffer.concat([Buffer.from([20]), Buffer.alloc(16), ...lists.map(text), Buffer.alloc(5)]));
}

async function refusalBy(...sent: readonly (string | Buffer)[]): Promise<SshError> {
  const server = createServer((socket: Socket) => {
    socket.on("error", () => {});
    for (const part of sent) socket.write(part);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const endpoint = { host: "127.0.0.1", port, username: "root", password: "x", hostKey: `SHA256:${"A".repeat(43)}` };
  const outcome = await connectSsh(endpoint, { timeoutMs: 5000 }).catch((error: SshError) => error);
  if (outcome instanceof Error) return outcome;
  throw new Error("the login succeeded");
}

const isPrintable = (shown: string) => /^[ -~]*$/.test(shown);

test("nothing that a server says before it has proved anything reaches a terminal as a command", async () => {
  const error = await refusalBy("SSH-2.0-Open\x1b[31mSSH\r\n", offerOf("old-sha1,x\x1b[2J,\x1b]0;x\x07'; rm -rf ~; '"));
  expect(error.code).toBe("SSH_HANDSHAKE_FAILED");
  expect(error.message).toContain("It (Open?[31mSSH) offers key exchange old-sha1; host keys ssh-rsa;");
  expect(isPrintable(error.message + JSON.stringify(error.facts))).toBe(true);
});

test("nor does the reason that it gives for hanging up", async () => {
  const farewell = Buffer.concat([Buffer.from([1]), uint32(2), text("\x1b[2Jgone\r\nwarning: x"), text("")]);
  const error = await refusalBy("SSH-2.0-x\r\n", packet(farewell));
  expect(error.message).toContain("?[2Jgone warning: x");
  expect(isPrintable(error.message)).toBe(true);
});

test("software and lists of endless length are cut", () => {
  const names = Array.from({ length: 500 }, (_, index) => `name-${index}`).join();
  const offer = parseOffer(
    Buffer.concat([Buffer.from(`SSH-2.0-${"v".repeat(5000)}\r\n`), offerOf(`${names},${"n".repeat(65)}`)]),
  );
  expect([offer?.software.length, offer?.kex.length]).toEqual([64, 64]);
});

test("a key whose type is no name has none", () => {
  expect(hostKeyOf(Buffer.concat([text("ssh-\x1b[2J"), text("x")])).type).toBe("unknown");
});
