import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { changes, deploy, enginesUnderTest, succeeded } from "./deployment.ts";
import { poolOf } from "./pool.ts";

const program = (more: string) => `
const internal = new XenNetwork("internal", { nameLabel: "Internal network" });
new XenVif("extra", { vm: "Fedora server 1", device: 2, network: internal ${more} });`;

describe.each(enginesUnderTest())("on the $label", ({ engine }) => {
  test("what was made, and failed half-way, is kept in the state: the next commands go on from there", async () => {
    await using deployment = await deploy(engine);
    const { up, refresh, destroy, stack } = deployment;
    const pool = poolOf(deployment);
    const [vm = ""] = await pool.call<string[]>("VM.get_by_name_label", "Fedora server 1");
    await pool.start("Fedora server 1");
    await pool.call("VM.pause", vm);
    deployment.write(program(""));
    expect((await up()).ok).toBe(false);
    expect(deployment.output()).toContain("VIF_NOT_PLUGGED");
    expect((await pool.ownVifs()).map(({ device }) => device)).toEqual(["2"]);

    succeeded(await refresh());
    expect((await up()).ok).toBe(false);
    await pool.call("VM.unpause", vm);
    expect(changes(succeeded(await up()))).toEqual(["update XenVif extra"]);
    expect(await pool.ownVifs()).toMatchObject([{ device: "2", currently_attached: true }]);

    await pool.call("VM.pause", vm);
    deployment.write(program(", plugged: false"));
    expect((await up()).ok).toBe(false);
    expect(deployment.output()).toContain("VIF_NOT_UNPLUGGED");
    expect(readFileSync(stack.stateFile, "utf8").match(/"__provider"/g)?.length).toBeGreaterThan(2);
    succeeded(await refresh());
    await pool.call("VM.unpause", vm);
    succeeded(await destroy());
    expect(await pool.ownVifs()).toEqual([]);
  });
});
