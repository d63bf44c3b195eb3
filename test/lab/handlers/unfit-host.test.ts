import { describe, expect, test } from "vitest";
import { hostForwardingHandler } from "../../../provider/src/handlers/forwarding/host-forwarding.ts";
import { portForwardHandler } from "../../../provider/src/handlers/forwarding/port-forward.ts";
import type { Props } from "../../../provider/src/handlers/handler.ts";
import { xenNetworkHandler } from "../../../provider/src/handlers/network/xen-network.ts";
import { type Host, startHost } from "../host.ts";
import { captureHost, compareHosts } from "../same-host.ts";
import { type Declared, declare, declareForward, declareForwarding, forwardInputs } from "./declared-host.ts";
import { provider, sharedHost, urnOf } from "./host-under-test.ts";

let host: Host;
let run: ReturnType<typeof provider>;
let network: Declared;
let nat: Declared;
let web: Declared;

sharedHost(async (lab, labRun) => {
  [host, run] = [lab, labRun];
  const context = run.process();
  network = await declare(xenNetworkHandler, context, { owner: urnOf("XenNetwork", "n"), nameLabel: "Internal" });
  nat = await declareForwarding(context, network);
  web = await declareForward(context, nat, { externalPort: 8080, target: "192.168.100.11" });
});

const onDom0 = async (script: string) => {
  const { status, stdout, stderr } = await host.lab.runInDom0(`set -e\n${script}`);
  expect({ status, stderr }, script).toEqual({ status: 0, stderr: "" });
  return stdout;
};

/** Between what makes the host unfit and what mends it, nothing on it may change. */
async function whileUnfit(make: string, mend: string, work: () => Promise<void>): Promise<void> {
  const fit = await captureHost(host.lab, host.simulator);
  await onDom0(make);
  try {
    const unfit = await captureHost(host.lab, host.simulator);
    await work();
    expect(compareHosts(unfit, await captureHost(host.lab, host.simulator))).toEqual([]);
  } finally {
    await onDom0(mend);
  }
  expect(compareHosts(fit, await captureHost(host.lab, host.simulator))).toEqual([]);
}

const another = () => forwardInputs("another", nat, { externalPort: 8081, target: "192.168.100.12" });
const reasonsOf = (failures: ReadonlyArray<{ property: string; reason: string }>) =>
  failures.map(({ property, reason }) => `${property}: ${reason}`);

/** Everything that an `up`, a refresh and a destroy do; the message of each must be the one wanted. */
async function everythingFails(message: string, code: string): Promise<void> {
  const failure = `host: ${message} (${code})`;
  const natInputs = { owner: urnOf("HostForwarding", "nat"), network: network.id, address: "192.168.100.1/24" };
  expect(reasonsOf((await hostForwardingHandler.check(run.process(), {}, natInputs)).failures)).toEqual([failure]);
  expect(reasonsOf((await portForwardHandler.check(run.process(), {}, another())).failures)).toEqual([failure]);
  const error = { code, message };
  const changed: Props = { ...web.outs, target: "192.168.100.12" };
  const { id, outs } = web;
  await expect(portForwardHandler.create(run.process(), another())).rejects.toMatchObject(error);
  await expect(portForwardHandler.update(run.process(), id, outs, changed)).rejects.toMatchObject(error);
  await expect(portForwardHandler.read(run.process(), id, outs)).rejects.toMatchObject(error);
  await expect(portForwardHandler.delete(run.process(), id, outs)).rejects.toMatchObject(error);
}

describe("what a newer version of this package left on the host", () => {
  test("is not touched when it is the program", async () => {
    const program = "/usr/local/sbin/xennet";
    await whileUnfit(
      `cp -p ${program} /run/kept; sed -i '2s/.*/# xennet program 99 format 7/' ${program}`,
      `cp -p /run/kept ${program}; rm /run/kept`,
      () =>
        everythingFails(
          "The host has version 99 of the program xennet, this provider carries version 3 and does not touch what a newer one manages. Upgrade the package pulumi-xennet.",
          "PROGRAM_NEWER",
        ),
    );
  });

  test("is not touched when it is the declarations", async () => {
    await whileUnfit("echo 7 >/etc/xennet/format", "echo 1 >/etc/xennet/format", () =>
      everythingFails(
        'The host refused "xennet snapshot": /etc/xennet has format 7, this program knows 1. A newer version of this package worked on the host. Nothing was changed. Upgrade the package pulumi-xennet.',
        "FORMAT_NEWER",
      ),
    );
  });
});

describe("a full disk", () => {
  const folder = "/etc/xennet";
  const fill = (path: string) => `dd if=/dev/zero of=${path}/filler bs=1k 2>/dev/null || true`;
  const onSmallDisk = `cp -a ${folder} /run/kept; mount -t tmpfs -o size=64k,mode=700 tmpfs ${folder}; cp -a /run/kept/. ${folder}`;
  const unmount = `umount ${folder}; rm -r /run/kept`;

  test("refuses every change with what could not be written, and what is in force goes on", async () => {
    const rules = await onDom0("iptables-save | grep XENNET-");
    await whileUnfit(`${onSmallDisk}; ${fill(folder)}`, unmount, async () => {
      const error = {
        code: "STORE_FAILED",
        message: expect.stringMatching(/"xennet transact": .*Is a disk of dom0 full or read-only\? Make room/),
      };
      const { inputs, failures } = await portForwardHandler.check(run.process(), {}, another());
      expect(failures).toEqual([]);
      await expect(portForwardHandler.create(run.process(), inputs)).rejects.toMatchObject(error);
      const changed: Props = { ...web.outs, target: "192.168.100.12" };
      await expect(portForwardHandler.update(run.process(), web.id, web.outs, changed)).rejects.toMatchObject(error);
      await expect(portForwardHandler.delete(run.process(), web.id, web.outs)).rejects.toMatchObject(error);
      expect(await portForwardHandler.read(run.process(), web.id, web.outs)).toEqual({ id: web.id, props: web.outs });
    });
    expect(await onDom0("iptables-save | grep XENNET-")).toBe(rules);
  });

  test("that has no place for the program leaves a bare host bare", async () => {
    await using bare = await startHost();
    await using first = provider(bare);
    const context = first.process();
    const made = await declare(xenNetworkHandler, context, { owner: urnOf("XenNetwork", "n"), nameLabel: "Internal" });
    const folder = "/usr/local/sbin";
    await bare.lab.runInDom0(`mount -t tmpfs -o size=16k tmpfs ${folder}; ${fill(folder)}`);
    const before = await captureHost(bare.lab, bare.simulator);
    await expect(declareForwarding(context, made)).rejects.toMatchObject({
      code: "PROGRAM_INSTALL_FAILED",
      message: expect.stringMatching(/\/usr\/local\/sbin\/xennet could not be written\. Is a disk of dom0 full/),
    });
    expect(compareHosts(before, await captureHost(bare.lab, bare.simulator))).toEqual([]);
  });
});
