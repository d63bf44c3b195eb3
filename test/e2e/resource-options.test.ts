import { describe, expect, test } from "vitest";
import { changes, type Deployment, deploy, enginesUnderTest, succeeded } from "./deployment.ts";
import { poolOf } from "./pool.ts";

const urnOf = (kind: string, name: string, stack = "dev") =>
  `urn:pulumi:${stack}::shop::pulumi-nodejs:dynamic/xennet:${kind}::${name}`;

/** A network and a VIF of our own on it, with what a test varies. */
function program(vary: { network?: string; networkOptions?: string; vif?: string; vifOptions?: string } = {}): string {
  return `
const internal = new XenNetwork("internal", { nameLabel: "Internal network", ${vary.network ?? ""} }, { ${vary.networkOptions ?? ""} });
const web1 = new XenVif("web1", { vm: "Fedora server 1", network: internal, device: 1, ${vary.vif ?? ""} }, { ${vary.vifOptions ?? ""} });
`;
}

const networkOnly = `new XenNetwork("internal", { nameLabel: "Internal network" });`;

async function deployed(deployment: Deployment, text = program()) {
  deployment.write(text);
  succeeded(await deployment.up());
  return poolOf(deployment);
}

describe.each(enginesUnderTest())("on the $label", ({ engine }) => {
  test("protect keeps a VIF from an up without it and from destroy, until the program lets go", async () => {
    await using deployment = await deploy(engine);
    const pool = await deployed(deployment, program({ vifOptions: "protect: true" }));
    const before = await pool.vifsOf("Fedora server 1");
    deployment.write(networkOnly);
    const refused = await deployment.up();
    expect(refused.ok).toBe(false);
    expect(`${refused.stdout}${refused.stderr}`).toMatch(/web1.*cannot be deleted|protected/s);
    expect((await deployment.destroy()).ok).toBe(false);
    expect(await pool.vifsOf("Fedora server 1")).toEqual(before);
    await deployed(deployment);
    succeeded(await deployment.destroy());
    expect((await pool.vifsOf("Fedora server 1")).map((vif) => vif.device)).toEqual(["0"]);
  });

  test("retainOnDelete leaves the network and its VIF on the host", async () => {
    await using deployment = await deploy(engine);
    const options = { networkOptions: "retainOnDelete: true", vifOptions: "retainOnDelete: true" };
    const pool = await deployed(deployment, program(options));
    const before = [await pool.networks(), await pool.vifsOf("Fedora server 1")];
    deployment.write("");
    const up = succeeded(await deployment.up());
    expect(changes(up)).toEqual(["delete XenNetwork internal", "delete XenVif web1"]);
    expect([await pool.networks(), await pool.vifsOf("Fedora server 1")]).toEqual(before);
  });

  test("ignoreChanges leaves what somebody else keeps, and changes the rest in place", async () => {
    await using deployment = await deploy(engine);
    const pool = await deployed(deployment);
    const [made] = await pool.ownNetworks();
    const network = 'nameLabel: "Renamed", nameDescription: "ignored"';
    deployment.write(program({ network, networkOptions: 'ignoreChanges: ["nameDescription"]' }));
    expect(changes(succeeded(await deployment.up()))).toEqual(["update XenNetwork internal"]);
    const [now] = await pool.ownNetworks();
    expect(now).toMatchObject({ uuid: made?.uuid, name_label: "Renamed", name_description: "" });
    deployment.write(program({ network, networkOptions: 'ignoreChanges: ["nameDescription"]' }));
    expect(changes(succeeded(await deployment.up()))).toEqual([]);
  });

  test("an alias keeps network and VIF, and only the owner's label changes", async () => {
    await using deployment = await deploy(engine);
    const pool = await deployed(deployment);
    const before = [await pool.uuids()];
    const renamed = program({
      networkOptions: 'aliases: [{ name: "internal" }]',
      vifOptions: 'aliases: [{ name: "web1" }]',
    })
      .replace('"internal"', '"inside"')
      .replace('XenVif("web1"', 'XenVif("first"');
    deployment.write(renamed);
    expect(changes(succeeded(await deployment.up()))).toEqual(["update XenNetwork inside", "update XenVif first"]);
    expect([await pool.uuids()]).toEqual(before);
    expect((await pool.ownNetworks())[0]?.other_config["xennet:owner"]).toBe(urnOf("XenNetwork", "inside"));
    expect(changes(succeeded(await deployment.up()))).toEqual([]);
    succeeded(await deployment.destroy());
    expect(await pool.ownNetworks()).toEqual([]);
  });

  test("a VIF that is renamed and replaced in one up makes room for itself", async () => {
    await using deployment = await deploy(engine);
    const pool = await deployed(deployment);
    const mac = "02:16:3e:00:00:01";
    deployment.write(
      program({ vif: `mac: "${mac}"`, vifOptions: 'aliases: [{ name: "web1" }]' }).replace(
        'XenVif("web1"',
        'XenVif("first"',
      ),
    );
    succeeded(await deployment.preview());
    succeeded(await deployment.up());
    expect((await pool.ownVifs()).map((vif) => [vif.MAC, vif.other_config["xennet:owner"]])).toEqual([
      [mac, urnOf("XenVif", "first")],
    ]);
    expect(changes(succeeded(await deployment.up()))).toEqual([]);
    succeeded(await deployment.destroy());
  });

  test("get reads what another program owns, shows its changes, and never deletes it", async () => {
    await using deployment = await deploy(engine);
    const pool = await deployed(deployment);
    const [network] = await pool.ownNetworks();
    await using reader = await deploy(engine, { on: deployment.host });
    reader.write(`
const network = XenNetwork.get("theirs", "${await pool.uuid()}/${network?.uuid}");
const vif = new XenVif("web2", { vm: "Fedora server 2", network, device: 1 });
module.exports = { label: network.nameLabel, bridge: network.bridge };`);
    succeeded(await reader.preview());
    const up = succeeded(await reader.up());
    expect(up.outputs).toMatchObject({ label: "Internal network", bridge: network?.bridge });
    expect((await pool.vifsOf("Fedora server 2")).map((vif) => vif.device)).toEqual(["0", "1"]);
    succeeded(await reader.destroy());
    expect((await pool.ownNetworks()).map((left) => left.uuid)).toEqual([network?.uuid]);
  });

  test("--target changes the target alone", async () => {
    await using deployment = await deploy(engine);
    const pool = await deployed(deployment);
    deployment.write(program({ network: 'nameDescription: "new"', vif: 'otherConfig: { a: "1" }' }));
    const target = { targets: [urnOf("XenVif", "web1")] };
    expect(changes(succeeded(await deployment.preview(target)))).toEqual(["update XenVif web1"]);
    expect(changes(succeeded(await deployment.up(target)))).toEqual(["update XenVif web1"]);
    expect((await pool.ownNetworks())[0]?.name_description).toBe("");
    expect((await pool.ownVifs())[0]?.other_config["a"]).toBe("1");
    succeeded(await deployment.destroy(target));
    expect([(await pool.ownNetworks()).length, (await pool.ownVifs()).length]).toEqual([1, 0]);
    expect(changes(succeeded(await deployment.up()))).toEqual(["create XenVif web1", "update XenNetwork internal"]);
  });

  test("a stack rename relabels everything in place", async () => {
    await using deployment = await deploy(engine);
    const pool = await deployed(deployment);
    const before = await pool.uuids();
    await deployment.stack.rename("production");
    expect(changes(succeeded(await deployment.up()))).toEqual(["update XenNetwork internal", "update XenVif web1"]);
    expect(await pool.uuids()).toEqual(before);
    expect((await pool.ownVifs())[0]?.other_config["xennet:owner"]).toBe(urnOf("XenVif", "web1", "production"));
    expect(changes(succeeded(await deployment.up()))).toEqual([]);
    succeeded(await deployment.destroy());
    expect(await pool.uuids()).toEqual({ networks: [], vifs: [] });
  });

  test.each(["halted", "running"])("a replaced network under %s VMs loses no VIF and no setting", async (power) => {
    await using deployment = await deploy(engine);
    const takenOver = `
const web2 = new XenVif("web2", { vm: "Fedora server 2", network: internal, onDeviceConflict: "takeOver" });`;
    const pool = await deployed(deployment, program() + takenOver);
    const kept = (await pool.vifsOf("Fedora server 2"))[0]?.uuid;
    if (power === "running") await pool.start("Fedora server 1", "Fedora server 2");
    const [own] = await pool.ownVifsOf("Fedora server 1");
    await pool.call("VIF.add_to_other_config", own?.ref ?? "", "XenCenter", "theirs");
    await pool.call("VIF.set_locking_mode", own?.ref ?? "", "unlocked");
    const [first] = await pool.ownNetworks();
    deployment.write(program({ network: 'bridge: "br-inside"' }) + takenOver);
    const preview = succeeded(await deployment.preview());
    expect(
      preview.steps
        .filter(({ op }) => op === "replace")
        .map(({ name }) => name)
        .sort(),
    ).toEqual(["internal", "web1", "web2"]);
    succeeded(await deployment.up());
    const [second, ...others] = await pool.ownNetworks();
    expect(others).toEqual([]);
    expect(second?.bridge).toBe("br-inside");
    expect(second?.uuid).not.toBe(first?.uuid);
    const vifs = [...(await pool.ownVifsOf("Fedora server 1")), ...(await pool.ownVifsOf("Fedora server 2"))];
    expect(vifs.map((vif) => [vif.device, vif.network])).toEqual([
      ["1", second?.ref],
      ["0", second?.ref],
    ]);
    expect(vifs.map((vif) => vif.currently_attached)).toEqual([power === "running", power === "running"]);
    expect(vifs[0]).toMatchObject({ MAC: own?.MAC, locking_mode: "unlocked", other_config: { XenCenter: "theirs" } });
    expect(vifs[1]?.uuid).toBe(kept);
    expect(changes(succeeded(await deployment.up()))).toEqual([]);
    succeeded(await deployment.destroy());
    expect(await pool.uuids()).toEqual({ networks: [], vifs: [] });
    expect(await pool.traces()).toEqual([]);
  });

  test.each(["XenNetwork::internal", "XenVif::web1"])(
    "up --replace of %s ends with the declared state",
    async (what) => {
      await using deployment = await deploy(engine);
      const pool = await deployed(deployment);
      await pool.start("Fedora server 1");
      const before = await pool.vifsOf("Fedora server 1");
      const urn = `urn:pulumi:dev::shop::pulumi-nodejs:dynamic/xennet:${what}`;
      succeeded(await deployment.up({ replace: [urn], refresh: false }));
      const after = await pool.vifsOf("Fedora server 1");
      const looks = (vifs: typeof before) =>
        vifs.map(({ device, MAC, currently_attached }) => [device, MAC, currently_attached]);
      expect(looks(after)).toEqual(looks(before));
      expect(after[1]?.uuid).not.toBe(before[1]?.uuid);
      expect(changes(succeeded(await deployment.up()))).toEqual([]);
    },
  );
});
