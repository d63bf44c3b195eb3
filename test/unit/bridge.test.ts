import { createRequire } from "node:module";
import { expect, test } from "vitest";

const require = createRequire(import.meta.url);

/** What Pulumi stores with a resource of this kind; the built package is asked, as a user's program loads it. */
async function storedText(kind: string): Promise<string> {
  const { bridge } = require("../../provider/dist/bridge.js");
  const { runtime } = require("@pulumi/pulumi");
  const provider = bridge(kind);
  const { text } = await runtime.serializeFunction(() => provider);
  return text;
}

// Old states keep running this text: a change of the snapshot needs a migration, or the old calls kept alive.
test("the code that lands in state holds the kind, the calls into the handlers, and nothing else", async () => {
  expect(await storedText("XenVif")).toMatchSnapshot();
});

test("the code that lands in state stays small, as it is stored twice with every resource", async () => {
  const text = await storedText("HostForwarding");
  expect(Buffer.byteLength(text)).toBeLessThanOrEqual(2560);
  expect(text.match(/require\("pulumi-xennet\/handlers"\)/g)).toHaveLength(7);
});
