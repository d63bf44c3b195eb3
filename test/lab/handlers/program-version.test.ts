import { expect, test } from "vitest";
import { programText } from "../../../provider/src/dom0/program-text.ts";
import { hostForwardingHandler } from "../../../provider/src/handlers/forwarding/host-forwarding.ts";
import { portForwardHandler } from "../../../provider/src/handlers/forwarding/port-forward.ts";
import type { Host } from "../host.ts";
import { captureHost, compareHosts } from "../same-host.ts";
import { type Declared, declareForward, declareForwarding, declareGuests, forwardInputs } from "./declared-host.ts";
import { type provider, sharedHost } from "./host-under-test.ts";

const { version } = programText();
let host: Host;
let run: ReturnType<typeof provider>;
let network: Declared;
let nat: Declared;

sharedHost(async (lab, labRun) => {
  [host, run] = [lab, labRun];
  network = await declareGuests(host, run.process());
  nat = await declareForwarding(run.process(), network);
});

async function onDom0(script: string): Promise<string> {
  const { status, stdout, stderr } = await host.lab.runInDom0(`set -e\n${script}`);
  expect({ status, stderr }, script).toEqual({ status: 0, stderr: "" });
  return stdout;
}

const asVersion = (number: number) =>
  onDom0(
    `sed -i -e '2s/program [0-9]*/program ${number}/' -e 's/^VERSION=.*/VERSION=${number}/' /usr/local/sbin/xennet`,
  );
const web = { externalPort: 8080, target: "192.168.100.11", targetPort: 80 };

test("a host with an older program gets ours with the next change, hooks included, and goes on working", async () => {
  const hooks = "cat /usr/local/sbin/xennet /etc/init.d/xennet /etc/cron.d/xennet /etc/udev/rules.d/95-xennet.rules";
  const current = await onDom0(hooks);
  await asVersion(version - 1);
  await onDom0(
    "sed -i 's/xennet apply/xennet apply # of old/' /etc/init.d/xennet; sed -i '1i # of old' /etc/cron.d/xennet /etc/udev/rules.d/95-xennet.rules",
  );
  expect(await onDom0(hooks)).not.toBe(current);
  const { id, outs } = await declareForward(run.process(), nat, web);
  expect(await onDom0(hooks)).toBe(current);
  expect(await host.lab.clientGet("http://192.168.1.10:8080/")).toMatchObject({ kind: "answered" });
  await portForwardHandler.delete(run.process(), id, outs);
});

test("a host whose program is newer than ours is refused by every operation, and nothing on it changes", async () => {
  const { id, outs } = await declareForward(run.process(), nat, web);
  const forward = forwardInputs("p8081", nat, { ...web, externalPort: 8081 });
  await asVersion(version + 1);
  const before = await captureHost(host.lab, host.simulator);
  const refused = {
    code: "PROGRAM_NEWER",
    message: expect.stringMatching(
      `^The host has version ${version + 1} of the program xennet, this provider carries version ${version} .* Upgrade the package pulumi-xennet`,
    ),
  };
  const { failures } = await portForwardHandler.check(run.process(), {}, forward);
  expect(failures).toEqual([
    { property: "host", reason: expect.stringMatching(/^The host has .* \(PROGRAM_NEWER\)$/) },
  ]);
  await expect(portForwardHandler.create(run.process(), forward)).rejects.toMatchObject(refused);
  await expect(portForwardHandler.update(run.process(), id, outs, forward)).rejects.toMatchObject(refused);
  await expect(portForwardHandler.read(run.process(), id, outs)).rejects.toMatchObject(refused);
  await expect(portForwardHandler.delete(run.process(), id, outs)).rejects.toMatchObject(refused);
  await expect(hostForwardingHandler.delete(run.process(), nat.id, nat.outs)).rejects.toMatchObject(refused);
  expect(compareHosts(before, await captureHost(host.lab, host.simulator))).toEqual([]);

  await asVersion(version);
  await portForwardHandler.delete(run.process(), id, outs);
});
