import { onTestFinished } from "vitest";
import { password, simulate } from "../fixtures.ts";
import { profiles as releases } from "../profiles.ts";
import type { ProfileName } from "../simulator.ts";

let profiles = 0;

/** A simulated pool behind a host profile of its own, so that every test is a program with a first look-up. */
export async function poolWithProfile({
  profile = "xcp-ng-8.3",
  ...options
}: {
  profile?: ProfileName;
  password?: string;
} = {}) {
  const simulator = await simulate({ profile });
  profiles += 1;
  const host = `pool${profiles}`;
  // Old cryptography needs every pin, though no look-up goes through SSH here.
  const isOld = releases[profile].tls === "legacy";
  const old = isOld ? { allowLegacyCrypto: "true", sshHostKey: `SHA256:${"A".repeat(43)}` } : {};
  const endpoint = { xapiUrl: simulator.url, sshHost: "127.0.0.1", password, xapiFingerprint: simulator.fingerprint };
  const settings = { ...endpoint, ...old };
  const before = process.env["XENNET_HOSTS"];
  process.env["XENNET_HOSTS"] = JSON.stringify({ [host]: { ...settings, ...options } });
  onTestFinished(() => {
    if (before === undefined) delete process.env["XENNET_HOSTS"];
    else process.env["XENNET_HOSTS"] = before;
  });
  const { admin } = simulator;
  return {
    simulator,
    host,
    admin,
    logins: () => simulator.countCalls("session.login_with_password"),
    /** Everything but logins and logouts. */
    calls: () => simulator.countCalls(({ method }) => !method.startsWith("session.")),
    async vm(name: string): Promise<string> {
      const [ref = ""] = await admin.call<string[]>("VM.get_by_name_label", name);
      return ref;
    },
    async makeNetwork(name: string, uuid?: string): Promise<string> {
      const record = { name_label: name, name_description: "", MTU: 1500, tags: [], other_config: {} };
      const ref = await admin.call<string>("network.create", record);
      if (uuid !== undefined) admin.modify("network", ref, { uuid });
      return ref;
    },
    async makeVif(vm: string, network: string, device: string): Promise<string> {
      return admin.call<string>("VIF.create", {
        ...{ device, network, VM: vm, MAC: "", MTU: 1500, other_config: {} },
        ...{ qos_algorithm_type: "", qos_algorithm_params: {} },
      });
    },
  };
}
