import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { expect, onTestFinished, test, vi } from "vitest";
import { HostLink } from "../../../provider/src/dom0/host-link.ts";
import { type SshServerOptions, TestSshServer } from "../../support/dom0-double/ssh-server.ts";
import { eventually } from "../../support/eventually.ts";

const idleMs = 5000;

async function startLink(options: SshServerOptions) {
  const server = await TestSshServer.start(options);
  onTestFinished(() => server.stop());
  const counters = { logins: 0, execs: 0, banners: 0, applies: 0, forwards: 0 };
  const link = new HostLink({ endpoint: server.endpoint, counters, idleMs });
  onTestFinished(() => link.close());
  return { server, link };
}

async function listen(): Promise<number> {
  const listener = createServer((socket) => socket.on("error", () => {})).listen(0, "127.0.0.1");
  onTestFinished(() => void listener.close());
  await once(listener, "listening");
  return (listener.address() as AddressInfo).port;
}

/** The host's own kernel ended the command, as when its memory is short. */
const killed = async () => ({ stdout: "", code: 0, signal: "KILL" });

test("a connection over which a command was killed is used no more, and ended", async () => {
  const { server, link } = await startLink({ onExec: killed });
  for (let run = 0; run < 3; run += 1) await expect(link.run("true")).rejects.toMatchObject({ code: "SSH_CLOSED" });
  expect(server.connections).toBe(3);
  await eventually(() => expect(server.openConnections).toBe(0));
});

test("it carries what else runs over it to its end, or until the link is closed", async () => {
  const port = await listen();
  const { server, link } = await startLink({ onExec: killed, onForward: () => port });
  const channels = [];
  for (let run = 0; run < 2; run += 1) {
    channels.push(await link.forward("127.0.0.1", 443, new AbortController().signal));
    await expect(link.run("true")).rejects.toMatchObject({ code: "SSH_CLOSED" });
  }
  expect([server.connections, server.openConnections, server.forwarded.size]).toEqual([2, 2, 2]);
  channels[0]?.resume().destroy();
  await eventually(() => expect(server.openConnections).toBe(1));
  await link.close();
  await eventually(() => expect(server.openConnections).toBe(0));
});

test("a forwarded connection that ends with the link does not start another wait", async () => {
  const port = await listen();
  const { link } = await startLink({ onForward: () => port });
  const channel = await link.forward("127.0.0.1", 443, new AbortController().signal);
  const timers = vi.spyOn(globalThis, "setTimeout");
  onTestFinished(() => timers.mockRestore());
  const closed = once(channel.resume(), "close");
  await link.close();
  await closed;
  expect(timers).not.toHaveBeenCalledWith(expect.anything(), idleMs);
});
