import { expect, test } from "vitest";
import { connect, simulate, vmByName } from "./fixtures.ts";
import type { ProfileName, Value } from "./simulator.ts";

async function hostRecord(profile: ProfileName) {
  const { call } = await connect(await simulate({ profile }));
  const [record] = Object.values(await call<Record<string, Record<string, Value>>>("host.get_all_records"));
  return record ?? {};
}

test("XCP-ng 8.3 shows its version and has a switch for SSH", async () => {
  const { call } = await connect(await simulate({ profile: "xcp-ng-8.3" }));
  const [host = ""] = await call<string[]>("host.get_all");
  const record = await call<Record<string, Value>>("host.get_record", host);
  expect(record).toMatchObject({ API_version_major: "2", API_version_minor: "21", ssh_enabled: true });
  expect(record["software_version"]).toMatchObject({ product_brand: "XCP-ng", product_version: "8.3.0" });
  await call("host.disable_ssh", host);
  expect(await call("host.get_ssh_enabled", host)).toBe(false);
  await call("host.enable_ssh", host);
  expect(await call("host.get_ssh_enabled", host)).toBe(true);
});

test("XCP-ng 8.2 lacks the fields and calls that came later", async () => {
  const record = await hostRecord("xcp-ng-8.2");
  expect(record).toMatchObject({ API_version_minor: "16", software_version: { product_version: "8.2.1" } });
  for (const later of ["ssh_enabled", "https_only", "last_update_hash"]) expect(record).not.toHaveProperty(later);
  expect(await hostRecord("xcp-ng-8.3")).toHaveProperty("https_only");
  const { call } = await connect(await simulate({ profile: "xcp-ng-8.2" }));
  const [host = ""] = await call<string[]>("host.get_all");
  await expect(call("host.enable_ssh", host)).rejects.toThrow("MESSAGE_METHOD_UNKNOWN host.enable_ssh");
});

test.each([
  ["xenserver-5.6", 7],
  ["xenserver-6.2", 7],
  ["xcp-ng-8.2", 7],
  ["xcp-ng-8.3", 16],
] as const)("%s offers %i devices for VIFs", async (profile, count) => {
  const client = await connect(await simulate({ profile }));
  const vm = await vmByName(client, "Other install media");
  expect(await client.call("VM.get_allowed_VIF_devices", vm)).toHaveLength(count);
});
