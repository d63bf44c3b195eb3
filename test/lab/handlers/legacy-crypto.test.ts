import ssh2 from "ssh2";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { environmentVariable } from "../../../provider/src/core/settings.ts";
import { hostForwardingHandler } from "../../../provider/src/handlers/forwarding/host-forwarding.ts";
import { xenNetworkHandler } from "../../../provider/src/handlers/network/xen-network.ts";
import { usableProfile } from "../../../provider/src/hosts/usable-profile.ts";
import { ed25519 } from "../../support/dom0-double/ssh-server.ts";
import { type Host, startHost } from "../host.ts";
import { nat, provider, refusals, urnOf } from "./host-under-test.ts";
import { labStack } from "./lab-stack.ts";

let old: Host;
let modern: Host;
beforeAll(async () => {
  old = await startHost({ crypto: "legacy" });
});
beforeAll(async () => {
  modern = await startHost();
});
afterAll(() => old.close());
afterAll(() => modern.close());

const network = { owner: urnOf("XenNetwork", "internal"), nameLabel: "Internal network" };
const throughSsh = { XENNET_XAPI_VIA: "ssh", XENNET_XAPI_URL: "", XENNET_XAPI_FINGERPRINT: "" };

/** Makes a network, a forwarding and a forward, refreshes and destroys them; answers what that did to the host, and the warnings. */
async function lifeOfStack(host: Host) {
  const first = host.simulator.calls.length;
  const applies: number[] = [];
  await using stack = labStack(host, 1);
  const [forward] = await stack.upForwards(1);
  expect(forward).toMatchObject({ status: "fulfilled", value: { outs: { externalPort: 20_100, drift: [] } } });
  expect((await host.lab.runInDom0("iptables-save -t nat")).stdout).toContain("--dport 20100 ");
  applies.push(stack.context.dom0.counters.applies);
  const [read] = await stack.refresh();
  expect(read).toMatchObject({ externalPort: 20_100, drift: [] });
  applies.push(stack.context.dom0.counters.applies);
  await stack.destroy();
  applies.push(stack.context.dom0.counters.applies);
  const written = host.simulator.calls.slice(first).filter(({ writing }) => writing);
  return { changes: { applies, written: written.map(({ method }) => method) }, warnings: stack.warnings };
}

test("a stack lives on an old host as on a new one, and each of its runs warns once", async () => {
  const [there, here] = [await lifeOfStack(old), await lifeOfStack(modern)];
  expect(there.changes).toEqual(here.changes);
  const legacy = there.warnings.filter((text) => text.includes("xennet:allowLegacyCrypto"));
  // A process each for up, refresh and destroy.
  expect(legacy).toHaveLength(3);
  expect(there.warnings.length - legacy.length).toBe(here.warnings.length);
});

test("a look at an old host takes one login to XAPI, one by SSH, and as many calls as at a new one", async () => {
  const counters = [];
  for (const host of [old, modern]) {
    await using run = provider(host);
    const process = run.process();
    await Promise.all([process.poolView(), process.hostUuid()]);
    expect([process.xapi.counters.logins, process.dom0.counters.logins]).toEqual([1, 1]);
    counters.push(process.xapi.counters.calls);
  }
  expect(counters[0]).toBe(counters[1]);
});

test("through SSH an old XAPI is reached by the pinned host key alone", async () => {
  await using run = provider(old);
  const process = run.process(throughSsh);
  expect((await process.identity()).poolUuid).toBe(old.simulator.poolUuid);
  expect([process.dom0.counters.logins, process.xapi.counters.logins]).toEqual([1, 1]);
});

test("a host that is new after all is spoken to in new ways, the setting being left", async () => {
  await using run = provider(modern);
  const process = run.process({ XENNET_ALLOW_LEGACY_CRYPTO: "true" });
  expect(await process.hostUuid()).toBe(modern.simulator.hostUuid);
  // The server takes TLS 1.2 only, and sshd of today neither CBC nor SHA-1.
  expect(run.warnings).toEqual([expect.stringContaining("allows old cryptography")]);
});

describe("in a preview an old host is refused", () => {
  const without = { XENNET_ALLOW_LEGACY_CRYPTO: "" };
  const unpinned = { XENNET_XAPI_FINGERPRINT: "", XENNET_SSH_HOST_KEY: "" };

  test("without the setting, with what XAPI offered and the commands", async () => {
    await using run = provider(old);
    const [refused, ...more] = await refusals(
      old,
      xenNetworkHandler,
      run.process({ ...without, ...unpinned }),
      network,
    );
    expect(more).toEqual([]);
    expect(refused).toMatch(/^host: .*TLSv1 with the suite AES256-SHA and a certificate with a key of 1024 bits/);
    expect(refused).toContain(`pulumi config set xennet:xapiFingerprint ${old.xapi.fingerprint}`);
    expect(refused).toMatch(
      /pulumi config set xennet:allowLegacyCrypto true"\.\nxennet:allowLegacyCrypto needs .*\(XAPI_LEGACY_CRYPTO\)$/,
    );
    expect(old.simulator.openSessions()).toBe(0);
    // What it says to compare is what the host's console shows.
    for (const shown of [/"(openssl x509 [^"]*)" prints/, /"(ssh-keygen -lf [^"]*)" prints/]) {
      const { stdout } = await old.lab.runInDom0(shown.exec(String(refused))?.[1] ?? "");
      const fingerprint = /(?:SHA256:|=)\S+/.exec(stdout)?.[0].replace(/^=/, "");
      expect(refused).toContain(`ingerprint ${fingerprint}`);
    }
  });

  test("without the setting, with what sshd offered and the commands", async () => {
    await using run = provider(old);
    const process = run.process({ ...throughSsh, ...without, ...unpinned, XENNET_SSH_KNOWN_HOSTS: "/nonexistent" });
    const [refused] = await refusals(old, hostForwardingHandler, process, nat);
    expect(refused).toContain(
      "offers only old cryptography: key exchange diffie-hellman-group14-sha1, diffie-hellman-group1-sha1; host keys ssh-rsa; ciphers aes128-cbc, 3des-cbc; MACs hmac-sha1.",
    );
    expect(refused).toContain(`pulumi config set xennet:sshHostKey '${old.lab.ssh.hostKey}'`);
    expect(refused).toMatch(/pulumi config set xennet:allowLegacyCrypto true.*\(SSH_LEGACY_CRYPTO\)$/);
  });

  test("the commands that the first preview shows are all that the next one takes", async () => {
    const unknown = { ...unpinned, XENNET_SSH_KNOWN_HOSTS: "/nonexistent" };
    for (const way of [{}, throughSsh]) {
      await using run = provider(old);
      const [refused = ""] = await refusals(
        old,
        xenNetworkHandler,
        run.process({ ...unknown, ...without, ...way }),
        network,
      );
      const commands = [...refused.matchAll(/pulumi config set xennet:(\w+) (?:'([^']+)'|([\w:]+))/g)];
      expect(commands.map(([, key]) => key).sort()).toEqual(
        ["allowLegacyCrypto", "sshHostKey", "xapiFingerprint"].slice(0, way === throughSsh ? 2 : 3),
      );
      const settings = commands.map(([, key = "", quoted, bare]) => [environmentVariable(key), quoted ?? bare]);
      const next = run.process({ ...unknown, ...without, ...way, ...Object.fromEntries(settings) });
      expect(await refusals(old, hostForwardingHandler, next, nat)).toEqual([]);
    }
  });

  test("with the setting and without pins the refusal shows both", async () => {
    const env = { ...old.env, ...unpinned, XENNET_SSH_KNOWN_HOSTS: "/nonexistent" };
    const refused = usableProfile("default", { config: () => undefined, env });
    await expect(refused).rejects.toThrow(`pulumi config set xennet:xapiFingerprint ${old.xapi.fingerprint}`);
    await expect(refused).rejects.toThrow(`pulumi config set xennet:sshHostKey '${old.lab.ssh.hostKey}'`);
  });

  test("without a pin, before anything is connected", () => {
    for (const [variable, key] of [
      ["XENNET_XAPI_FINGERPRINT", "xapiFingerprint"],
      ["XENNET_SSH_HOST_KEY", "sshHostKey"],
    ] as const) {
      const start = () => provider(old).process({ [variable]: "" });
      expect(start).toThrow(new RegExp(`allowLegacyCrypto needs .*pulumi config set xennet:${key} `));
    }
  });

  test("by a key of a type that its sshd does not know, with the types that it knows", async () => {
    await using run = provider(old);
    for (const { private: key } of [ed25519(), ssh2.utils.generateKeyPairSync("ecdsa", { bits: 256 })]) {
      const process = run.process({ XENNET_SSH_PRIVATE_KEY: key, XENNET_SSH_PASSWORD: "wrong" });
      const [refused] = await refusals(old, hostForwardingHandler, process, nat);
      expect(refused).toMatch(
        /does not know SSH keys of the type \S+, only ssh-rsa, ssh-dss; tried publickey, password.*\(SSH_KEY_TYPE_UNKNOWN\)$/,
      );
    }
  });
});
