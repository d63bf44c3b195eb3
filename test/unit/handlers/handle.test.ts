import { expect, test } from "vitest";
import { configure, handle } from "../../../provider/src/handlers/index.ts";

const network = { owner: "urn:pulumi:dev::shop::t::n", nameLabel: "Internal network" };

test("missing configuration is a failure of the check that names each key and the command which sets it", async () => {
  configure({ get: () => undefined });
  const { failures } = (await handle("XenNetwork", "check", [{}, network])) as {
    failures: Array<{ property: string; reason: string }>;
  };
  expect(failures.map((failure) => failure.property)).toEqual(["host"]);
  expect(failures[0]?.reason).toContain("pulumi config set xennet:host");
  expect(failures[0]?.reason).toContain("pulumi config set xennet:password --secret");
});

test("an error the package expects has its code and no stack trace", async () => {
  configure({ get: () => undefined });
  const failure = (await handle("XenNetwork", "read", ["x", network]).catch((error: unknown) => error)) as Error;
  expect(failure.message).toMatch(/\(CONFIG_INVALID\)$/);
  expect(failure.stack).toBe("");
});

test("a kind that only a newer version knows is refused by name", async () => {
  await expect(handle("XenRouter", "create", [{}])).rejects.toThrow(
    /does not know the resource XenRouter.*KIND_UNKNOWN/,
  );
});
