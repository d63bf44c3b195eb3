import { once } from "node:events";
import { type AddressInfo, createServer, type Server } from "node:net";
import type { Duplex } from "node:stream";
import { expect, onTestFinished, test } from "vitest";
import { Dom0Host, type Dom0HostOptions } from "../../../provider/src/dom0/host.ts";
import { Dom0Double } from "../../support/dom0-double/dom0-double.ts";
import { HOST_UUID } from "../../support/dom0-double/fragment.ts";
import type { SshServerOptions } from "../../support/dom0-double/ssh-server.ts";
import { eventually } from "../../support/eventually.ts";

const never = new AbortController().signal;

/** Greets with a line, at once or later, then says back what it hears. */
async function echoServer(greetAfterMs = 0): Promise<{ server: Server; port: number }> {
  const server = createServer((socket) => {
    setTimeout(() => socket.write("hello\n"), greetAfterMs);
    socket.on("error", () => {}).pipe(socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  return { server, port: (server.address() as AddressInfo).port };
}

async function hostWith(onForward: SshServerOptions["onForward"], timing: Dom0HostOptions["timing"] = {}) {
  const double = await Dom0Double.start({ installed: 1, onForward });
  const host = new Dom0Host({ endpoint: double.ssh.endpoint, confirmProbe: async () => {}, timing });
  host.expectHost(HOST_UUID);
  onTestFinished(async () => {
    await host.close();
    await double.stop();
  });
  return { double, host };
}

async function readUntil(channel: Duplex, text: string): Promise<string> {
  let heard = "";
  for await (const chunk of channel.iterator({ destroyOnReturn: false })) {
    heard += String(chunk);
    if (heard.includes(text)) break;
  }
  return heard;
}

test("scripts and forwarded connections share one login, and connections go where they were wanted", async () => {
  const { port } = await echoServer();
  const wanted: string[] = [];
  const { double, host } = await hostWith((address, to) => {
    wanted.push(`${address}:${to}`);
    return port;
  });
  const [channel] = await Promise.all([host.forward("127.0.0.1", 443, never), host.snapshot()]);
  channel.write("and back\n");
  expect(await readUntil(channel, "back\n")).toBe("hello\nand back\n");
  expect(wanted).toEqual(["127.0.0.1:443"]);
  expect(host.counters).toMatchObject({ logins: 1, forwards: 1 });
  expect(double.ssh.connections).toBe(1);
});

test("the SSH connection outlives its idle time while a forwarded one is open, and ends soon after it", async () => {
  const { port } = await echoServer(300);
  const { double, host } = await hostWith(() => port, { idleMs: 50 });
  const channel = await host.forward("127.0.0.1", 443, never);
  await host.snapshot();
  expect(await readUntil(channel, "hello")).toBe("hello\n");
  expect(double.ssh.openConnections).toBe(1);
  // What came meanwhile and nobody read must not keep it open.
  channel.write("unread\n");
  channel.resume().destroy();
  await eventually(() => expect(double.ssh.openConnections).toBe(0));
  expect(host.counters.logins).toBe(1);
});

test("a server that forwards nothing is told apart, with what to change on it, and scripts still run", async () => {
  const { double, host } = await hostWith(undefined);
  const refusal = host.forward("127.0.0.1", 443, never);
  await expect(refusal).rejects.toMatchObject({ code: "SSH_FORWARDING_REFUSED" });
  await expect(refusal).rejects.toThrow('"AllowTcpForwarding local"');
  expect((await host.snapshot()).host).toBe(HOST_UUID);
  expect(double.ssh.connections).toBe(1);
});

test("an address where nothing listens is no fault of the SSH connection", async () => {
  const { double, host } = await hostWith(() => undefined);
  const failure = await host.forward("127.0.0.1", 443, never).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(Error);
  expect(failure).not.toHaveProperty("code");
  await host.snapshot();
  expect(double.ssh.connections).toBe(1);
});

test("a forwarded connection ends with the SSH connection, and the next one gets a new login", async () => {
  const { port } = await echoServer();
  const { double, host } = await hostWith(() => port);
  const channel = await host.forward("127.0.0.1", 443, never);
  const closed = once(channel.resume(), "close");
  double.ssh.dropAll();
  await closed;
  const next = await host.forward("127.0.0.1", 443, never);
  expect(await readUntil(next, "hello")).toBe("hello\n");
  expect(host.counters.logins).toBe(2);
});

test("who gives up while the login is under way is not kept waiting, and leaves nothing open", async () => {
  const { port } = await echoServer();
  const { double, host } = await hostWith(() => port, { idleMs: 50 });
  const giveUp = new AbortController();
  const forward = host.forward("127.0.0.1", 443, giveUp.signal);
  giveUp.abort(new Error("not needed any more"));
  await expect(forward).rejects.toThrow("not needed any more");
  await eventually(() => expect(double.ssh.connections).toBe(1));
  await eventually(() => expect(double.ssh.openConnections).toBe(0));
  expect(double.ssh.forwarded.size).toBe(0);
});

test("closing waits for those who use forwarded connections, but not longer than 2 s", async () => {
  const { port } = await echoServer();
  const { double, host } = await hostWith(() => port);
  const channel = await host.forward("127.0.0.1", 443, never);
  const used = readUntil(channel, "hello").then(() => channel.end("goodbye\n"));
  await host.close(used);
  await expect(used).resolves.toBe(channel);
  await eventually(() => expect(double.ssh.openConnections).toBe(0));

  const { double: second, host: stuck } = await hostWith(() => port);
  await stuck.forward("127.0.0.1", 443, never);
  const since = performance.now();
  await stuck.close(new Promise(() => {}));
  expect(performance.now() - since).toBeLessThan(2500);
  await eventually(() => expect(second.ssh.openConnections).toBe(0));
});
