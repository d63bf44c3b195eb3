import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { findSecrets } from "../tour/secrets.ts";
import { changes, deploy, enginesUnderTest, succeeded } from "./deployment.ts";

/** Looks everything up, and puts a VIF on the external network by what was found. */
const program = `
const xennet = require("pulumi-xennet");
const pulumi = require("@pulumi/pulumi");
module.exports = async () => {
  const vm = await xennet.getXenVm({ nameLabel: "Fedora server 1" });
  const nic = await xennet.getXenPif({ device: "eth0" });
  const external = await xennet.getXenNetwork({ uuid: nic.networkUuid });
  const { productBrand } = await xennet.getXenHost();
  const internal = new XenNetwork("internal", { nameLabel: "Internal network" });
  const second = new XenVif("second", { vm: vm.uuid, network: external.uuid, device: 1 });
  new XenVif("third", { vm: vm.uuid.slice(0, 13), network: internal, device: 2 });
  const onInternal = xennet.getXenNetworkOutput({ uuid: internal.uuid });
  const after = xennet.listXenVifsOutput({ vm: vm.uuid }, { dependsOn: second });
  return {
    productBrand,
    bridge: external.bridge,
    vifs: (await xennet.listXenVifs()).map((vif) => vif.vmNameLabel + " " + vif.device),
    internalName: onInternal.nameLabel,
    devices: after.apply((vifs) => vifs.map((vif) => vif.device).slice(0, 2).join()),
    hidden: xennet.getXenVmOutput({ nameLabel: pulumi.secret("Fedora server 2") }).nameLabel,
  };
};`;

describe.each(enginesUnderTest())("on the $label", ({ engine }) => {
  test("look-ups work in a preview before anything exists, and give outputs and arguments of resources", async () => {
    await using deployment = await deploy(engine);
    const { host, stack } = deployment;
    deployment.write(program);
    const made = ["create XenNetwork internal", "create XenVif second", "create XenVif third"];
    expect(changes(succeeded(await deployment.preview()))).toEqual(made);
    expect(host.simulator.openSessions()).toBe(0);

    const result = succeeded(await deployment.up());
    expect(changes(result)).toEqual(made);
    expect(result.outputs).toEqual({
      productBrand: "XCP-ng",
      bridge: "xenbr0",
      vifs: ["Fedora server 1 0", "Fedora server 2 0"],
      internalName: "Internal network",
      devices: "0,1",
      hidden: "[secret]",
    });
    expect(readFileSync(stack.stateFile, "utf8")).not.toContain('Fedora server 2"');
    expect(changes(succeeded(await deployment.preview()))).toEqual([]);
    succeeded(await deployment.destroy());
    expect(host.simulator.openSessions()).toBe(0);
    expect(findSecrets(host, [{ name: "the output", text: deployment.output() }])).toEqual([]);
  });

  test("a program of look-ups alone logs in once", async () => {
    await using deployment = await deploy(engine);
    const { simulator } = deployment.host;
    deployment.write(`
      const { getXenHost, getXenVm, listXenVifs } = require("pulumi-xennet");
      module.exports = async () => {
        const { uuid } = await getXenVm({ nameLabel: "Fedora server 1" });
        return { uuid, macs: (await listXenVifs({ vm: uuid })).map((vif) => vif.mac), host: getXenHost() };
      };`);
    succeeded(await deployment.preview({ refresh: false }));
    expect(simulator.countCalls("session.login_with_password")).toBe(1);
    expect(simulator.countCalls(({ method }) => !method.startsWith("session."))).toBe(6);
    expect(simulator.openSessions()).toBe(0);
  });

  test("a look-up that fails ends the preview with the candidates, and without a stack trace", async () => {
    await using deployment = await deploy(engine);
    deployment.write(`
      const { getXenVm } = require("pulumi-xennet");
      module.exports = async () => ({ vm: await getXenVm({ nameLabel: "Fedora server" }) });`);
    expect((await deployment.preview()).ok).toBe(false);
    const message = /getXenVm: nameLabel: expected the name label of a VM, found no VM for "Fedora server"\. /;
    expect(deployment.output()).toMatch(message);
    expect(deployment.output()).toMatch(/The pool has: "Fedora server 1" \(.*"Fedora server 2" \(.*REFERENCE_UNKNOWN/);
    expect(deployment.output()).not.toMatch(/^\s+at |node_modules|dist\//m);
    expect(deployment.host.simulator.openSessions()).toBe(0);
  });

  test("so does one that fails as an output, which does not show a secret argument", async () => {
    await using deployment = await deploy(engine);
    deployment.write(`
      const { getXenVmOutput } = require("pulumi-xennet");
      const { secret } = require("@pulumi/pulumi");
      exports.vm = getXenVmOutput({ nameLabel: secret("hidden server") });`);
    expect((await deployment.preview()).ok).toBe(false);
    expect(deployment.output()).toContain('found no VM for "[secret]"');
    expect(deployment.output()).not.toContain("hidden server");
    expect(deployment.output()).not.toMatch(/^\s+at |node_modules|dist\//m);
    expect(deployment.host.simulator.openSessions()).toBe(0);
  });

  test("settings are asked for, and a password in clear is refused, as for resources", async () => {
    await using deployment = await deploy(engine, { env: { XENNET_PASSWORD: "" } });
    const { stack, host } = deployment;
    deployment.write('exports.host = require("pulumi-xennet").getXenHost();');
    expect((await deployment.preview()).ok).toBe(false);
    expect(deployment.output()).toMatch(/xennet:password.*pulumi config set xennet:password --secret/s);
    await stack.setConfig("xennet:password", host.xapi.password);
    expect((await deployment.preview()).ok).toBe(false);
    expect(deployment.output()).toMatch(/xennet:password is set without --secret/);
    await stack.setConfig("xennet:password", host.xapi.password, { secret: true });
    succeeded(await deployment.preview());
  });
});
