import { createRequire } from "node:module";
import { expect, test } from "vitest";

const require = createRequire(import.meta.url);
// The built package and the one copy of the SDK, as a program loads them.
const pulumi: typeof import("@pulumi/pulumi") = require("@pulumi/pulumi");
const {
  wholeSecrets,
}: typeof import("../../../provider/src/resources/secret-inputs.ts") = require("../../../provider/dist/resources/secret-inputs.js");

test("one secret inside an input makes all of it secret; others stay as they are, what is not known yet included", async () => {
  const later = pulumi.output(new Promise<string>(() => {}));
  const open = { address: pulumi.output("192.168.100.11/24"), gateway: "192.168.100.1" };
  const given = {
    ...{ name: "n", absent: undefined, later, open },
    hidden: { ...open, address: pulumi.secret("192.168.100.11/24") },
    list: ["203.0.113.0/24", pulumi.secret("198.51.100.0/24")],
  };
  const whole = wholeSecrets(given);
  const isSecret = async (key: string) => pulumi.isSecret(pulumi.output(await whole[key]));
  expect(Object.keys(whole)).toEqual(Object.keys(given));
  expect([whole["name"], whole["absent"], whole["later"]]).toEqual(["n", undefined, later]);
  expect(await whole["open"]).toBe(open);
  expect([await isSecret("hidden"), await isSecret("list")]).toEqual([true, true]);
});
