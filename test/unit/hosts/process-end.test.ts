import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { startSimulator } from "../../sim/simulator.ts";
import { Dom0Double } from "../../support/dom0-double/dom0-double.ts";
import { HOST_UUID } from "../../support/dom0-double/fragment.ts";

const source = (name: string) =>
  JSON.stringify(fileURLToPath(new URL(`../../../provider/src/${name}`, import.meta.url)));

test("a process that reaches XAPI through SSH and forgets to close gives everything back and ends by itself", async () => {
  const simulator = await startSimulator({ password: "correct horse", uuids: { host: HOST_UUID } });
  const double = await Dom0Double.start({ onForward: () => simulator.port });
  const profile = {
    name: "default",
    xapi: { url: "https://127.0.0.1", username: "root", password: "correct horse" },
    xapiVia: "ssh",
    ssh: double.ssh.endpoint,
  };
  const program = `
    const { Host } = require(${source("hosts/host.ts")});
    const { Claims } = require(${source("hosts/claims.ts")});
    const host = new Host(${JSON.stringify(profile)}, { claims: new Claims(), seenIds: new Set(), warn: console.log });
    Promise.all([host.hostUuid(), host.poolView()]).then(([uuid]) => console.log(uuid));`;
  const child = spawn(process.execPath, ["--import", "tsx", "-e", program], { stdio: ["ignore", "pipe", "inherit"] });
  let said = "";
  let answeredAt = 0;
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    said += text;
    answeredAt = performance.now();
  });
  const [code] = await once(child, "exit");
  const lingered = performance.now() - answeredAt;
  await double.stop();
  expect([code, said]).toEqual([0, `${HOST_UUID}\n`]);
  // The XAPI session 1 s, then the SSH connection 5 s without use, and the time to log out.
  expect(lingered).toBeLessThan(8500);
  expect(simulator.openSessions()).toBe(0);
  expect(double.ssh.openConnections).toBe(0);
  await simulator.close();
});
