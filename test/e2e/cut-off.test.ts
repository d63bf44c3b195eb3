import { describe, expect, test } from "vitest";
import { moveClient } from "../lab/host-events.ts";
import { captureHost, compareHosts } from "../lab/same-host.ts";
import { sshRun } from "../lab/ssh-login.ts";
import { startDetour } from "../support/detour.ts";
import { eventually } from "../support/eventually.ts";
import { changes, type Deployment, deploy, enginesUnderTest, forwards, succeeded, topology } from "./deployment.ts";
import { answers, startGuests } from "./web.ts";

const WINDOW_S = 10;
const client = "192.168.1.50";

/** Nobody has the target's address: who is led there waits. */
const ssh =
  'new PortForward("ssh", { forwarding: nat, externalPort: 22, target: "192.168.100.77", allowManagementPort: true });';

/** Runs `act` in the moment in which the forward of SSH is in force and awaits its confirmation. */
async function whilePending({ host }: Deployment, act: () => unknown): Promise<void> {
  await eventually(async () => {
    const look = "test -e /etc/xennet/pending && iptables-save -t nat | grep -q -e '--dport 22 .*-j DNAT'";
    expect((await host.lab.runInDom0(look)).status).toBe(0);
  }, 60_000);
  await act();
}

/** What is unlike before; the number of the last generation counts on. */
async function unlike(deployment: Deployment, before: Awaited<ReturnType<typeof captureHost>>): Promise<string[]> {
  const { lab, simulator } = deployment.host;
  return compareHosts(before, await captureHost(lab, simulator)).filter((line) => !line.includes("/etc/xennet/last"));
}

const capture = ({ host }: Deployment) => captureHost(host.lab, host.simulator);

describe.each(enginesUnderTest())("on the $label", ({ engine }) => {
  test("a change that cuts SSH off is taken back by the host itself, also over a power cut, and the up says so", async () => {
    const env = { XENNET_CONFIRMATION_WINDOW: String(WINDOW_S), XENNET_MANAGEMENT_SOURCES: `${client}/32` };
    await using deployment = await deploy(engine, { env });
    const { host, up } = deployment;
    await using way = await startDetour(host.lab.ssh);
    deployment.write(topology());
    succeeded(await up());
    await startGuests(deployment);
    await answers(deployment, 80, `Fedora server 1:80 for ${client}`);
    // The guests' address settings became possible with their first start.
    succeeded(await up());

    // From the second connection on the client comes from an address that is not let through to dom0.
    const before = await capture(deployment);
    deployment.write(topology({ forwards: `${forwards}${ssh}` }));
    const locking = up({ refresh: false });
    await eventually(async () => expect(await host.lab.sshConnections()).toBeGreaterThan(0), 60_000);
    await moveClient(host.lab, "192.168.1.51");
    let cutAt = 0;
    await whilePending(deployment, () => {
      cutAt = performance.now();
      host.lab.cutSsh();
    });
    await expect(sshRun(host.lab, "true")).rejects.toThrow();
    const locked = await locking;
    expect(locked.ok).toBe(false);
    const [error = ""] = locked.steps.flatMap(({ name, error: text }) => (name === "ssh" && text ? [text] : []));
    expect(error).toMatch(
      /could not be confirmed: .*Run the command again once the cause is removed.*\(NOT_CONFIRMED\)/s,
    );
    const [, seconds] = /goes back by itself to what it was within (\d+) s/.exec(error) ?? [];
    expect(Number(seconds)).toBeLessThanOrEqual(30);
    await eventually(
      async () => expect(await sshRun(host.lab, "echo in")).toBe("in\n"),
      Number(seconds) * 1000 + 10_000,
    );
    console.log(`SSH again ${Math.round((performance.now() - cutAt) / 1000)} s after the change that cut it off`);
    expect(await unlike(deployment, before)).toEqual([]);

    // The mains fail while the confirmation's login gets no answer.
    const wider = { XENNET_MANAGEMENT_SOURCES: "192.168.1.0/24", XENNET_SSH_PORT: String(way.port) };
    const darkened = up({ refresh: false, env: wider });
    await eventually(async () => expect(await host.lab.sshConnections()).toBeGreaterThan(0), 60_000);
    way.block("silent");
    await whilePending(deployment, () => host.powerCut());
    const dark = await darkened;
    expect(dark.steps.find(({ name }) => name === "ssh")?.error).toContain("(NOT_CONFIRMED)");
    way.unblock();
    await startGuests(deployment);
    await answers(deployment, 80, "Fedora server 1:80 for 192.168.1.51", 10_000);
    expect((await host.lab.runInDom0("iptables-save | grep -e '--dport 22 .*192.168.100.77'")).status).toBe(1);

    expect(changes(succeeded(await up({ refresh: false, env: wider })))).toEqual(["create PortForward ssh"]);
  });
});
