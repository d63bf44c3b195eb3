import { createServer } from "node:net";
import { expect, test } from "vitest";
import { hostForwardingHandler } from "../../../provider/src/handlers/forwarding/host-forwarding.ts";
import { portForwardHandler } from "../../../provider/src/handlers/forwarding/port-forward.ts";
import { xenNetworkHandler } from "../../../provider/src/handlers/network/xen-network.ts";
import type { Host } from "../host.ts";
import { captureHost, compareHosts } from "../same-host.ts";
import { nat, type provider, refusals, sharedHost } from "./host-under-test.ts";

let host: Host;
let run: ReturnType<typeof provider>;

sharedHost((lab, labRun) => {
  [host, run] = [lab, labRun];
});

const wrongKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ";

test.each<[string, Record<string, string>, RegExp]>([
  ["a wrong password", { XENNET_PASSWORD: "not the password" }, /password.*\(XAPI_AUTH_FAILED\)/s],
  ["a wrong certificate", { XENNET_XAPI_FINGERPRINT: "AB".repeat(32) }, /\(XAPI_CERTIFICATE_MISMATCH\)/],
  ["an unknown certificate", { XENNET_XAPI_FINGERPRINT: "" }, /xapiFingerprint.*\(XAPI_CERTIFICATE_UNTRUSTED\)/s],
  ["a wrong host key", { XENNET_SSH_HOST_KEY: wrongKey }, /\(SSH_HOST_KEY_MISMATCH\)/],
  [
    "an unknown host key",
    { XENNET_SSH_HOST_KEY: "", XENNET_SSH_KNOWN_HOSTS: "/dev/null" },
    /sshHostKey.*\(SSH_HOST_KEY_UNKNOWN\)/s,
  ],
  ["a wrong SSH login", { XENNET_SSH_PRIVATE_KEY: "", XENNET_SSH_PASSWORD: "not the password" }, /\(SSH_AUTH_FAILED\)/],
])("%s is a failure of the check, and shows no secret", async (_what, override, message) => {
  const lines = await refusals(host, hostForwardingHandler, run.process(override), nat);
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatch(message);
  for (const secret of [host.xapi.password, "not the password"]) expect(lines[0]).not.toContain(secret);
});

test("a host that does not answer is a warning of the check, and an error of the create that names it", async () => {
  const closed = await closedPort();
  for (const override of [{ XENNET_XAPI_URL: `https://127.0.0.1:${closed}` }, { XENNET_SSH_PORT: String(closed) }]) {
    const context = run.process(override);
    expect(await refusals(host, hostForwardingHandler, context, nat)).toEqual([]);
    expect(run.warnings.at(-1)).toContain(`127.0.0.1:${closed}`);
    await expect(hostForwardingHandler.create(context, nat)).rejects.toThrow(`127.0.0.1:${closed}`);
  }
});

test("SSH and XAPI endpoints of different hosts are refused before anything is written", async () => {
  await host.lab.setHostUuid("11111111-2222-4333-8444-555555555555");
  const changed = await captureHost(host.lab, host.simulator);
  try {
    const { failures } = await hostForwardingHandler.check(run.process(), {}, nat);
    expect(failures[0]?.reason).toMatch(/different hosts: SSH reached 11111111-.* XAPI knows .*\(HOST_MISMATCH\)/);
    await expect(hostForwardingHandler.create(run.process(), nat)).rejects.toMatchObject({ code: "HOST_MISMATCH" });
    expect(compareHosts(changed, await captureHost(host.lab, host.simulator))).toEqual([]);
  } finally {
    await host.lab.setHostUuid(host.lab.hostUuid);
  }
});

test("SSH switched off on the host is said, with the command that switches it on", async () => {
  const [ref = ""] = await host.simulator.admin.call<string[]>("host.get_all");
  host.simulator.admin.modify("host", ref, { ssh_enabled: false });
  try {
    const { failures } = await hostForwardingHandler.check(
      run.process({ XENNET_SSH_PORT: String(await closedPort()) }),
      {},
      nat,
    );
    expect(failures[0]?.reason).toMatch(/SSH is switched off on ".*xe host-enable-ssh uuid=.*\(SSH_DISABLED\)/);
  } finally {
    host.simulator.admin.modify("host", ref, { ssh_enabled: true });
  }
});

test("a profile that points at another host is an error, never gone", async () => {
  const id = "00000000-1111-4222-8333-444444444444/0123456789ab";
  for (const handler of [hostForwardingHandler, portForwardHandler, xenNetworkHandler]) {
    await expect(handler.read(run.process(), id, nat)).rejects.toMatchObject({ code: "PROFILE_POINTS_ELSEWHERE" });
    await expect(handler.delete(run.process(), id, nat)).rejects.toMatchObject({ code: "PROFILE_POINTS_ELSEWHERE" });
  }
});

/** A port of the loopback where nobody listens. */
async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("no port was given");
  return address.port;
}
