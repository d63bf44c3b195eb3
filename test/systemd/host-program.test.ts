import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { program } from "../lab/host-program/box.ts";
import { hostForwarding, newToken, put, transaction } from "../lab/host-program/declarations.ts";
import { type Lab, startLab } from "../lab/lab.ts";
import { systemdObstacle } from "../lab/systemd-root.ts";
import { eventually } from "../support/eventually.ts";

const obstacle = systemdObstacle();
const title = `the host program under systemd${obstacle === undefined ? "" : ` (skipped: ${obstacle})`}`;

describe.skipIf(obstacle !== undefined)(title, () => {
  let lab: Lab;
  let bare: string;

  beforeAll(async () => {
    lab = await startLab({ init: "systemd" });
    bare = await state();
  });
  beforeEach(async () => {
    await onDom0(`${placeProgram("/usr/local/sbin/xennet")}chmod 700 /usr/local/sbin/xennet`);
  });
  afterAll(() => lab?.close());

  const onDom0 = async (script: string) => {
    const { status, stdout, stderr } = await lab.runInDom0(`set -e\n${script}`);
    expect({ status, stderr }, script).toEqual({ status: 0, stderr: "" });
    return stdout;
  };
  const state = () =>
    onDom0(`find /etc /usr/local -printf '%p %y %m %l\\n' | sort
systemctl list-unit-files --no-legend --no-pager; systemctl list-units --all --no-legend --no-pager 'xennet*'
iptables-save | grep XENNET || true`);
  const transact = (xennet = "xennet", settings: readonly string[] = []) => {
    const token = newToken();
    const text = transaction(lab, [put(token, hostForwarding({ network: randomUUID() }, token, { settings }))], 600);
    return lab.runInDom0(`${xennet} transact <<'END'\n${text}END`);
  };
  const isBareAgain = () => eventually(async () => expect(await state()).toBe(bare), 10_000);

  test.each([
    ["a first change", []],
    ["a first change that is not to persist", ["persistence none"]],
  ])(
    "%s whose confirmation a power cut prevents leaves nothing, although the unit that finds out removes itself",
    async (_what, settings) => {
      expect((await transact("xennet", settings)).stdout).toMatch(/^pending 1 \d+$/m);
      await lab.powerCut();
      await isBareAgain();
      expect(await onDom0("systemctl is-system-running; systemctl --failed --no-legend --no-pager")).toBe("running\n");
    },
  );

  test("what is confirmed and is not to persist leaves units neither on the disk nor in systemd", async () => {
    const [, number] = /^pending (\d+) /m.exec((await transact("xennet", ["persistence none"])).stdout) ?? [];
    await onDom0(`xennet confirm ${number} >/dev/null`);
    const ours = /^\/(etc\/xennet|usr\/local\/sbin\/xennet).*\n|^[:-].*XENNET.*\n/gm;
    await eventually(async () => expect((await state()).replace(ours, "")).toBe(bare), 10_000);
    await lab.rebootDom0();
    expect((await state()).replace(ours, "")).toBe(bare);
    expect(await onDom0("iptables-save")).not.toContain("XENNET");
    expect(await onDom0("xennet remove")).toBe("Everything of xennet was removed from this host.\n");
    await isBareAgain();
  });

  test("xennet remove leaves the same host, also while the timer's check is running", async () => {
    const [, number] = /^pending (\d+) /m.exec((await transact()).stdout) ?? [];
    await onDom0(`xennet confirm ${number} >/dev/null; systemctl --no-block start xennet-check.service`);
    expect(await onDom0("xennet remove")).toBe("Everything of xennet was removed from this host.\n");
    await isBareAgain();
  });

  test("what version 1 left on a systemd host, boot script and cron, gives way to units with the first transaction", async () => {
    const first = (await transact()).stdout;
    await onDom0(`xennet confirm ${/^pending (\d+) /m.exec(first)?.[1]} >/dev/null`);
    const current = await state();
    await onDom0(`systemctl stop xennet-check.timer xennet.service
rm -r /etc/systemd/system/xennet* /etc/systemd/system/*.wants/xennet*
printf '#!/bin/sh\nexec /usr/local/sbin/xennet apply\n' >/etc/init.d/xennet; chmod 755 /etc/init.d/xennet
mkdir -p /etc/cron.d; echo '* * * * * root /usr/local/sbin/xennet apply' >/etc/cron.d/xennet
systemctl daemon-reload`);
    const fragment = await onDom0("grep -v '^serial ' /etc/xennet/generations/*/*.fragment");
    const token = /^token (.*)$/m.exec(fragment)?.[1] ?? "";
    const again = await lab.runInDom0(`xennet transact <<'END'\n${transaction(lab, [put(token, fragment)], 600)}END`);
    expect(again.stdout).toMatch(/^unchanged$/m);
    await eventually(async () => expect(await state()).toBe(current), 10_000);
    expect(await onDom0("xennet remove")).toBe("Everything of xennet was removed from this host.\n");
    await isBareAgain();
  });

  test("a host with an active firewalld is refused, and stays as it is", async () => {
    await onDom0(`cat >/run/systemd/system/firewalld.service <<'END'
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/true
END
systemctl daemon-reload; systemctl start firewalld; rm /usr/local/sbin/xennet`);
    const withFirewalld = await state();
    await onDom0(placeProgram("/run/program"));
    const answer = await transact("sh /run/program");
    expect(answer).toMatchObject({
      status: 65,
      stdout: "error FIREWALLD firewalld is active on this host; hosts with firewalld are not supported yet\n",
    });
    expect(await state()).toBe(withFirewalld);
  });
});

const placeProgram = (path: string) => `cat >${path} <<'END_OF_PROGRAM'\n${program()}END_OF_PROGRAM\n`;
