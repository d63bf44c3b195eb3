import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { Dom0Double } from "../../support/dom0-double/dom0-double.ts";
import { HOST_UUID } from "../../support/dom0-double/fragment.ts";

const MODULE = fileURLToPath(new URL("../../../provider/src/dom0/host.ts", import.meta.url));

test("a process that forgets to close the host logs out when idle and ends by itself", async () => {
  const double = await Dom0Double.start();
  const program = `
    const { Dom0Host } = require(${JSON.stringify(MODULE)});
    const host = new Dom0Host({ endpoint: ${JSON.stringify(double.ssh.endpoint)}, confirmProbe: async () => {} });
    host.expectHost(${JSON.stringify(HOST_UUID)});
    host.snapshot().then(({ host }) => console.log(host));`;
  const child = spawn(process.execPath, ["--import", "tsx", "-e", program], { stdio: ["ignore", "pipe", "inherit"] });
  let answeredAt = 0;
  child.stdout.once("data", () => {
    answeredAt = performance.now();
  });
  const [code] = await once(child, "exit");
  const lingered = performance.now() - answeredAt;
  await double.stop();
  expect(code).toBe(0);
  expect(answeredAt).toBeGreaterThan(0);
  // 5 s without use, and the time to log out.
  expect(lingered).toBeLessThan(7500);
  expect(double.ssh.openConnections).toBe(0);
}, 30_000);
