import { describe, expect, test } from "vitest";
import { ownRules } from "../lab/own-rules.ts";
import { acceptPorts, REFUSAL, refusePorts } from "../lab/picky-iptables.ts";
import { captureHost, compareHosts } from "../lab/same-host.ts";
import { changes, type Deployment, deploy, enginesUnderTest, succeeded } from "./deployment.ts";

const COUNT = 100;
const REFUSED = [10_003, 10_050, 10_097];

/** The forwards of the ports from 10000 on; `odd` is added to what they are given. */
const program = (odd = "") => `
const internal = new XenNetwork("internal", { nameLabel: "Internal network" });
const nat = new HostForwarding("nat", { network: internal, address: "192.168.100.1/24" });
for (let n = 0; n < ${COUNT}; n += 1) {
  new PortForward("p" + (10000 + n), { forwarding: nat, externalPort: 10000 + n, target: "192.168.100.11", targetPort: 80, ${odd} });
}`;

async function logins({ host }: Deployment): Promise<number> {
  return Number((await host.lab.runInDom0("grep -c Accepted /var/log/sshd.log")).stdout);
}

describe.each(enginesUnderTest())("on the $label", ({ engine }) => {
  test("of 100 forwards 97 are made, and the 3 that the host refuses fail, each with its own message", async () => {
    await using deployment = await deploy(engine);
    const { host, preview, up, destroy } = deployment;
    const before = await captureHost(host.lab, host.simulator);

    deployment.write(program('...(n === 20 || n === 40 ? { protocol: "sctp" } : {})'));
    const refused = await preview();
    expect(refused.ok).toBe(false);
    const told = refused.errors.filter(({ urn }) => urn.includes("PortForward"));
    // An engine stops at the first that fails, and which one that is nobody says: the program registers them side by side.
    const wrong = told.map(({ urn }) => urn.split("::").at(-1) ?? "");
    expect(wrong).not.toEqual([]);
    expect(["p10020", "p10040"]).toEqual(expect.arrayContaining(wrong));
    for (const { message } of told) expect(message).toContain('expected "tcp", "udp" or "both", found "sctp"');
    expect(compareHosts(before, await captureHost(host.lab, host.simulator))).toEqual([]);

    deployment.write(program());
    await refusePorts(host.lab, REFUSED);
    const known = await logins(deployment);
    const first = await up({ continueOnError: true });
    expect(first.ok).toBe(false);
    const failed = first.steps.filter(({ error }) => error !== undefined);
    expect(failed.map(({ name }) => name).sort()).toEqual(REFUSED.map((port) => `p${port}`));
    for (const { name, error } of failed) expect(error).toContain(`${REFUSAL} ${name.slice(1)}. (RULE_REFUSED)`);
    expect((await logins(deployment)) - known).toBe(2);
    expect((await ownRules(host.lab)).byToken.size).toBe(1 + COUNT - REFUSED.length);

    await acceptPorts(host.lab);
    expect(changes(succeeded(await up()))).toEqual(REFUSED.map((port) => `create PortForward p${port}`));
    expect((await ownRules(host.lab)).byToken.size).toBe(1 + COUNT);
    succeeded(await destroy());
    expect(compareHosts(before, await captureHost(host.lab, host.simulator))).toEqual([]);
  });
});
