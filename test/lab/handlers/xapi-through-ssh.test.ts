import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { hostForwardingHandler } from "../../../provider/src/handlers/forwarding/host-forwarding.ts";
import { portForwardHandler } from "../../../provider/src/handlers/forwarding/port-forward.ts";
import { xenNetworkHandler } from "../../../provider/src/handlers/network/xen-network.ts";
import { eventually } from "../../support/eventually.ts";
import { type Host, startHost } from "../host.ts";
import { declare } from "./declared-host.ts";
import { provider, urnOf } from "./host-under-test.ts";

let host: Host;
beforeAll(async () => {
  host = await startHost();
  // From outside nobody reaches XAPI.
  await inDom0("iptables -I INPUT -i xenbr0 -p tcp --dport 443 -j REJECT --reject-with tcp-reset");
});
afterAll(() => host.close());

/** What earlier tests left open ends by itself. */
beforeEach(() => eventually(async () => expect(await host.lab.sshConnections()).toBe(0), 5000));

async function inDom0(script: string): Promise<string> {
  const { status, stdout, stderr } = await host.lab.runInDom0(script);
  expect([status, stderr]).toEqual([0, ""]);
  return stdout;
}

/** Nothing is said of XAPI but that it is behind SSH. */
const throughSsh = { XENNET_XAPI_VIA: "ssh", XENNET_XAPI_URL: "", XENNET_XAPI_FINGERPRINT: "" };

const refusal = (work: Promise<unknown>) =>
  work.then(
    () => "no error",
    (error: { code: string; message: string }) => `${error.code}: ${error.message}`,
  );

/** Lets sshd read its configuration again. */
const reloadSshd = 'kill -HUP "$(cat /run/sshd.pid)"';

test("a network, a forwarding and a forward of 443 take one SSH login, and one more for the confirmation", async () => {
  await using run = provider(host);
  const process = run.process(throughSsh);
  const owner = (kind: string) => urnOf(kind, "through");
  const network = { host: "default", owner: owner("XenNetwork"), nameLabel: "Through SSH" };
  const checkedNetwork = await xenNetworkHandler.check(process, {}, network);
  expect(checkedNetwork.failures).toEqual([]);
  const { id: networkId } = await xenNetworkHandler.create(process, checkedNetwork.inputs);
  const nat = { host: "default", owner: owner("HostForwarding"), network: networkId, address: "192.168.100.1/24" };
  const checkedNat = await hostForwardingHandler.check(process, {}, nat);
  expect(checkedNat.failures).toEqual([]);
  const made = await hostForwardingHandler.create(process, checkedNat.inputs);
  const forward = {
    ...{ host: "default", owner: owner("PortForward"), forwarding: made.id, network: networkId },
    ...{
      forwardingAddress: "192.168.100.1/24",
      externalPort: 443,
      target: "192.168.100.11",
      allowManagementPort: true,
    },
  };
  const checkedForward = await portForwardHandler.check(process, {}, forward);
  expect(checkedForward.failures).toEqual([]);
  expect(run.warnings).toEqual([expect.stringContaining("Port 443 of the host is forwarded")]);
  expect(process.dom0.counters.logins).toBe(2);
  const forwarded = await portForwardHandler.create(process, checkedForward.inputs);
  // It takes a port at which dom0 listens, so it was confirmed by a fresh login as well.
  expect(process.dom0.counters.logins).toBe(3);
  expect(process.xapi.counters.logins).toBe(1);
  expect(await inDom0("iptables-save -t nat")).toMatch(/--dport 443 .*-j DNAT --to-destination 192\.168\.100\.11:443/);
  expect((await process.poolView()).networks.map(({ uuid }) => uuid)).toContain(networkId.split("/").at(-1));

  const port22 = await portForwardHandler.check(process, {}, { ...forward, externalPort: 22 });
  expect(port22.failures[0]?.reason).toContain("xennet:managementSources that keep reaching dom0 itself, found 22");
  await portForwardHandler.delete(process, forwarded.id, forwarded.outs);
  await hostForwardingHandler.delete(process, made.id, made.outs);
  await xenNetworkHandler.delete(process, networkId, checkedNetwork.inputs);
});

test("without SSH for XAPI the same forward is refused", async () => {
  await using run = provider(host);
  const direct = run.process({ XENNET_SSH_PORT: "1" });
  const forward = {
    host: "default",
    owner: urnOf("PortForward", "x"),
    externalPort: 443,
    target: "192.168.100.11",
    allowManagementPort: true,
  };
  const { failures } = await portForwardHandler.check(direct, {}, { ...forward, forwarding: "f", network: "n" });
  expect(failures.map(({ reason }) => reason)).toContainEqual(expect.stringMatching(/443.*lock you out.*xapiVia/));
});

test("the certificate is not asked for on dom0's loopback, but a pin is kept", async () => {
  await using run = provider(host);
  const wrong = run.process({ ...throughSsh, XENNET_XAPI_FINGERPRINT: "AB:".repeat(31).concat("AB") });
  expect(await refusal(wrong.identity())).toMatch(/^XAPI_CERTIFICATE_MISMATCH: .*127\.0\.0\.1/);
  const right = run.process({ ...throughSsh, XENNET_XAPI_FINGERPRINT: host.xapi.fingerprint });
  expect((await right.identity()).poolUuid).toBe(host.simulator.poolUuid);
  // dom0's own address is no loopback: somebody else could have it.
  const outside = run.process({ ...throughSsh, XENNET_XAPI_URL: "https://192.168.1.10" });
  expect(await refusal(outside.identity())).toMatch(/^XAPI_CERTIFICATE_UNTRUSTED/);
});

test("a XAPI that does not listen is named with the SSH connection it was wanted through", async () => {
  await using run = provider(host);
  const process = run.process({ ...throughSsh, XENNET_XAPI_URL: "https://127.0.0.1:4443" });
  expect(await refusal(process.identity())).toMatch(
    /^XAPI_UNREACHABLE: .*https:\/\/127\.0\.0\.1:4443 through the SSH connection to 127\.0\.0\.1:\d+: Connection refused/,
  );
});

test("an SSH that cannot be reached is a warning in a preview of what needs nothing but XAPI", async () => {
  await using run = provider(host);
  const process = run.process({ ...throughSsh, XENNET_SSH_PORT: "1" });
  const network = { host: "default", owner: urnOf("XenNetwork", "x"), nameLabel: "Far away" };
  expect((await xenNetworkHandler.check(process, {}, network)).failures).toEqual([]);
  expect(run.warnings.join("\n")).toMatch(/XAPI is reached through SSH \(xennet:xapiVia\)\. No SSH connection to/);
});

test("an sshd that forbids forwarding fails the preview, with what to change", async () => {
  await using run = provider(host);
  await inDom0(
    `cp /etc/ssh/sshd_config /root/sshd_config; echo AllowTcpForwarding no >>/etc/ssh/sshd_config; ${reloadSshd}`,
  );
  try {
    const network = { host: "default", owner: urnOf("XenNetwork", "x"), nameLabel: "Far away" };
    // sshd refuses connections for a moment while it starts anew.
    await eventually(async () => {
      const { failures } = await xenNetworkHandler.check(run.process(throughSsh), {}, network);
      expect(failures).toEqual([
        {
          property: "host",
          reason: expect.stringMatching(
            /AllowTcpForwarding local.*pulumi config set xennet:xapiVia direct.*\(SSH_FORWARDING_REFUSED\)/,
          ),
        },
      ]);
    });
    expect(host.simulator.countCalls("network.create")).toBe(1);
  } finally {
    await inDom0(`mv /root/sshd_config /etc/ssh/sshd_config; ${reloadSshd}`);
  }
  await eventually(async () =>
    expect((await run.process(throughSsh).identity()).poolUuid).toBe(host.simulator.poolUuid),
  );
});

test("a member's dom0 leads to the pool's master, which is verified by the thumbprint the member announces", async () => {
  await using run = provider(host);
  const { faults, fingerprint } = host.simulator;
  try {
    faults.slaveOf("192.168.1.10", "AB:".repeat(31).concat("AB"));
    expect(await refusal(run.process(throughSsh).identity())).toMatch(
      /^XAPI_CERTIFICATE_MISMATCH: .*https:\/\/192\.168\.1\.10 .*https:\/\/127\.0\.0\.1 announced/,
    );
    faults.slaveOf("192.168.1.10");
    expect(await refusal(run.process(throughSsh).identity())).toMatch(/^XAPI_CERTIFICATE_UNTRUSTED/);
    faults.slaveOf("192.168.1.10", fingerprint);
    // Both are one simulator here, so the master sends us round; by then it has been reached and believed.
    expect(await refusal(run.process(throughSsh).identity())).toMatch(
      /^XAPI_MASTER_UNKNOWN: .*https:\/\/192\.168\.1\.10/,
    );
  } finally {
    faults.clear();
  }
});

test("a cut SSH connection costs a reading call nothing, and the next one logs in anew", async () => {
  await using run = provider(host);
  const process = run.process(throughSsh);
  await process.poolView();
  expect(host.lab.cutSsh()).toBe(1);
  process.poolChanged();
  expect((await process.poolView()).networks.length).toBeGreaterThan(0);
  expect(process.dom0.counters.logins).toBe(2);
});

test("closing leaves no session, no channel and no SSH connection, within 3 s", async () => {
  await using run = provider(host);
  const process = run.process(throughSsh);
  await Promise.all([process.poolView(), process.hostUuid()]);
  expect(await host.lab.sshConnections()).toBe(1);
  const since = performance.now();
  await process.close();
  expect(performance.now() - since).toBeLessThan(3000);
  expect(host.simulator.openSessions()).toBe(0);
  await eventually(async () => expect(await host.lab.sshConnections()).toBe(0));
  expect(run.warnings).toEqual([]);
});

test("a dom0 of another host is refused before anything is written, though it leads to this XAPI", async () => {
  await using run = provider(host);
  await host.lab.setHostUuid("0f0f0f0f-0f0f-4f0f-8f0f-0f0f0f0f0f0f");
  try {
    expect(await refusal(run.process(throughSsh).hostUuid())).toMatch(/^HOST_MISMATCH/);
  } finally {
    await host.lab.setHostUuid(host.simulator.hostUuid);
  }
});

test("a change that is given up while it is proved leaves no XAPI session behind", async () => {
  await using run = provider(host);
  const process = run.process(throughSsh);
  const network = await declare(xenNetworkHandler, process, { owner: urnOf("XenNetwork", "n"), nameLabel: "Given up" });
  const nat = { owner: urnOf("HostForwarding", "n"), network: network.id, address: "192.168.100.1/24" };
  const { inputs } = await hostForwardingHandler.check(process, {}, nat);
  // The process has asked already, so the next who asks is the proof.
  const asked = host.simulator.countCalls("pool.get_all_records");
  host.simulator.faults.delay("pool.get_all_records", 900);
  const creating = refusal(hostForwardingHandler.create(process, inputs));
  await eventually(() => expect(host.simulator.countCalls("pool.get_all_records")).toBe(asked + 1), 30_000);
  await run.end();
  expect(await creating).toMatch(/^NOT_CONFIRMED: .*The host has gone back to what it was\./);
  await eventually(() => expect(host.simulator.openSessions()).toBe(0));
  expect(run.warnings).toEqual([]);
  await xenNetworkHandler.delete(run.process(throughSsh), network.id, network.outs);
});
