import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { poolWithProfile } from "./pool.ts";

const folder = fileURLToPath(new URL("../../../provider/dist", import.meta.url));

/** A program that tells what the look-ups brought, and at its exit how long that was before. */
const program = `
const { getXenVm, getXenVmOutput, listXenVifs } = require(${JSON.stringify(folder)});
const host = process.env.PROFILE;
(async () => {
  const { uuid } = await getXenVm({ host, nameLabel: "Fedora server 1" });
  const vm = await new Promise((resolve) => getXenVmOutput({ host, uuid }).apply(resolve));
  const vifs = await listXenVifs({ host });
  const missing = await getXenVm({ host, nameLabel: "none" }).catch((error) => error.message);
  const done = performance.now();
  process.on("exit", () => {
    console.log(JSON.stringify({ found: vm.nameLabel, vifs: vifs.length, missing, delay: performance.now() - done }));
  });
})();
`;

test("a program ends by itself right after its last look-up, and no session is open when it has the result", async () => {
  const { simulator, host } = await poolWithProfile();
  const child = spawn(process.execPath, ["-e", program], {
    env: { ...process.env, PROFILE: host },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const said = JSON.parse(await text(child.stdout));
  expect(said).toMatchObject({ found: "Fedora server 1", vifs: 2 });
  expect(said.missing).toContain("REFERENCE_UNKNOWN");
  expect(said.delay).toBeLessThan(1000);
  expect(simulator.openSessions()).toBe(0);
});
