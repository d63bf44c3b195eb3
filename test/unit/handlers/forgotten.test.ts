import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { configure, handle } from "../../../provider/src/handlers/index.ts";

const pool = "6a9c1f3e-0000-4000-8000-000000000001";
const uuid = "6a9c1f3e-0000-4000-8000-000000000002";
const owner = "urn:pulumi:dev::shop::pulumi-nodejs:dynamic/xennet:XenNetwork::internal";
const props = { owner, host: "gone", nameLabel: 'In"ternal\u001b', stateVersion: 1 };
const hosts = JSON.stringify({ gone: { host: "192.0.2.1" } });
let warned = "";

beforeEach(() => {
  vi.stubEnv("XENNET_FORGET", "other, gone");
  configure({ get: (key) => (key === "xennet:hosts" ? hosts : undefined) });
  warned = "";
  vi.spyOn(process.stderr, "write").mockImplementation((text) => {
    warned += text;
    return true;
  });
});

afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

test("a resource of a host that is gone is what was recorded, and its delete says what may be left where", async () => {
  expect(await handle("XenNetwork", "read", [`${pool}/${uuid}`, props])).toEqual({ id: `${pool}/${uuid}`, props });
  await handle("XenNetwork", "delete", [`${pool}/${uuid}`, props]);
  expect(warned).toContain(`pool ${pool} (profile "gone", 192.0.2.1)`);
  expect(warned).toContain(`xe network-destroy uuid=${uuid}`);
  await handle("PortForward", "delete", [`${pool}/0123456789ab`, { owner, host: "gone" }]);
  expect(warned).toContain("xennet remove 0123456789ab");
  await handle("XenVif", "delete", [`${pool}/${uuid}`, { owner, host: "gone", vm: "web", device: "0" }]);
  expect(warned).toContain(`xe vif-destroy uuid=${uuid}`);
  expect(warned).not.toContain("\u001b");
});

test("nothing is made or changed there, whatever the method", async () => {
  const { failures } = (await handle("XenNetwork", "check", [{}, props])) as { failures: object[] };
  expect(failures).toEqual([
    { property: "host", reason: expect.stringMatching(/XENNET_FORGET says .*HOST_FORGOTTEN/) },
  ]);
  expect(await handle("XenNetwork", "diff", ["id", props, props])).toMatchObject({ changes: false });
  for (const [method, args] of [
    ["create", [props]],
    ["update", ["id", props, props]],
  ] as const) {
    await expect(handle("XenNetwork", method, args)).rejects.toThrow("(HOST_FORGOTTEN)");
  }
});

test("other profiles are asked as usual", async () => {
  await expect(handle("XenNetwork", "read", [`${pool}/${uuid}`, { ...props, host: "default" }])).rejects.toThrow(
    "(CONFIG_INVALID)",
  );
});
