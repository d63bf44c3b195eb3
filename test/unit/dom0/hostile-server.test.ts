import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { isUnprintable } from "../../../provider/src/core/foreign-text.ts";
import { findKnownKeys } from "../../../provider/src/dom0/known-hosts.ts";
import { connectSsh } from "../../../provider/src/dom0/ssh.ts";
import type { SshError } from "../../../provider/src/dom0/ssh-errors.ts";
import { startDetour } from "../../support/detour.ts";
import { ed25519, type SshServerOptions, TestSshServer } from "../../support/dom0-double/ssh-server.ts";
import { eventually } from "../../support/eventually.ts";

const megabyte = 1024 * 1024;

async function startServer(options: SshServerOptions): Promise<TestSshServer> {
  const server = await TestSshServer.start(options);
  onTestFinished(() => server.stop());
  return server;
}

test.each([
  ["stdout", { stdout: "x".repeat(33 * megabyte), code: 0 }, "more than 32 MB on stdout"],
  ["stderr", { stdout: "", stderr: "€".repeat(0.5 * megabyte), code: 0 }, "more than 1 MB on stderr"],
])("a command that prints without end on %s is cut off, and not run again", async (_name, answer, what) => {
  const server = await startServer({ onExec: async () => answer });
  const connection = await connectSsh(server.endpoint);
  const error = (await connection.run("true").catch((thrown: unknown) => thrown)) as SshError;
  expect(error).toMatchObject({ code: "SSH_ANSWER_TOO_LARGE", message: expect.stringContaining(what) });
  expect(server.commands).toHaveLength(1);
  await eventually(() => expect(server.openConnections).toBe(0));
});

test("what a large host answers is far from that", async () => {
  const stdout = "x".repeat(8 * megabyte);
  const server = await startServer({ onExec: async () => ({ stdout, code: 0 }) });
  const connection = await connectSsh(server.endpoint);
  expect((await connection.run("true")).stdout).toHaveLength(stdout.length);
  await connection.end();
});

test("a server that falls silent behind a login is given up within 25 s, and the command is not sent again", async () => {
  const server = await startServer({ onExec: () => new Promise(() => {}) });
  await using detour = await startDetour(server.endpoint);
  const connection = await connectSsh({ ...server.endpoint, port: detour.port });
  const since = performance.now();
  const run = connection.run("true");
  await eventually(() => expect(server.commands).toHaveLength(1));
  detour.silence();
  await expect(run).rejects.toMatchObject({
    code: "SSH_TIMEOUT",
    message: expect.stringContaining("nothing came for 20 s"),
  });
  expect(performance.now() - since).toBeLessThan(25_000);
  expect(server.commands).toHaveLength(1);
});

/** A server that writes the same for ever to whoever connects, as fast as it is read. */
async function chatter(line: string) {
  let sent = 0;
  const server = createServer((socket: Socket) => {
    const chunk = Buffer.from(line.repeat(1000));
    const more = () => {
      do sent += chunk.length;
      while (socket.write(chunk));
    };
    socket.on("drain", more).on("error", () => {});
    more();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  return { port: (server.address() as AddressInfo).port, sent: () => sent };
}

test.each([
  ["lines in front of the banner", "hello \u001b[31m\u202e\r\n"],
  ["a line without end", "SSH-2.0-\u001b]0;x"],
  ["zeros", "\0\0\0\0"],
])("%s are not read for ever", async (_name, line) => {
  const { port, sent } = await chatter(line);
  const before = process.memoryUsage().arrayBuffers;
  const endpoint = { host: "127.0.0.1", port, username: "root", password: "x", hostKey: ed25519().public };
  const error = (await connectSsh(endpoint, { timeoutMs: 3000 }).catch((thrown: unknown) => thrown)) as SshError;
  expect(error.code).toMatch(/^SSH_(HANDSHAKE_FAILED|CLOSED|TIMEOUT)$/);
  expect(isUnprintable(error.message)).toBe(false);
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(64 * megabyte);
  const count = sent();
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(sent()).toBe(count);
});

test("no compression is offered", async () => {
  const server = await startServer({ protocol: { algorithms: { compress: ["zlib@openssh.com", "zlib"] } } });
  await expect(connectSsh(server.endpoint)).rejects.toMatchObject({ code: "SSH_HANDSHAKE_FAILED" });
});

test("a known_hosts file without end is refused, and a pattern of many stars costs nothing", async () => {
  const endpoint = { host: "127.0.0.1", port: 9, username: "root", password: "x", knownHostsFile: "/dev/zero" };
  await expect(connectSsh(endpoint)).rejects.toMatchObject({ code: "SSH_KNOWN_HOSTS_UNREADABLE" });
  const since = performance.now();
  const stars = `${"*a".repeat(200)}*b ${ed25519().public}`;
  expect(findKnownKeys(stars, "a".repeat(250), 22).trusted).toEqual([]);
  expect(findKnownKeys(stars, `${"a".repeat(250)}b`, 22).trusted).toHaveLength(1);
  expect(performance.now() - since).toBeLessThan(1000);
});
