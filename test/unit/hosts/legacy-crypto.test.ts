import { expect, test } from "vitest";
import { Claims } from "../../../provider/src/hosts/claims.ts";
import { Host } from "../../../provider/src/hosts/host.ts";
import { requireProfile, resolveProfile } from "../../../provider/src/hosts/profile.ts";
import type { SettingSources } from "../../../provider/src/hosts/profile-keys.ts";

const hostKey = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAAQ==";
const minimal = { host: "192.0.2.7", password: "pass-word" };
const pins = { xapiFingerprint: "AB:".repeat(31).concat("AB"), sshHostKey: hostKey };
const allowed = { ...minimal, ...pins, allowLegacyCrypto: "true" };

function sources(flat: Record<string, string>, env: Record<string, string> = {}): SettingSources {
  return { config: (key) => flat[key.replace(/^xennet:/, "")], env };
}

const profileOf = (flat: Record<string, string>, env?: Record<string, string>, name = "default") =>
  requireProfile(name, sources(flat, env));

function problemsOf(flat: Record<string, string>, env?: Record<string, string>, name = "default"): string[] {
  const result = resolveProfile(name, sources(flat, env));
  return result.ok ? [] : result.problems.map(({ property, reason }) => `${property}: ${reason}`);
}

test("old cryptography is off unless a profile says otherwise, and then holds for XAPI and SSH", () => {
  for (const flat of [minimal, { ...minimal, ...pins }, { ...allowed, allowLegacyCrypto: "false" }]) {
    const { xapi, ssh, allowLegacyCrypto } = profileOf(flat);
    expect([xapi.allowLegacyCrypto, ssh.allowLegacyCrypto, allowLegacyCrypto]).toEqual([false, false, false]);
  }
  const { xapi, ssh } = profileOf(allowed);
  expect([xapi.allowLegacyCrypto, ssh.allowLegacyCrypto]).toEqual([true, true]);
  expect(profileOf({ ...minimal, ...pins }, { XENNET_ALLOW_LEGACY_CRYPTO: "true" }).allowLegacyCrypto).toBe(true);
  expect(profileOf(allowed, { XENNET_ALLOW_LEGACY_CRYPTO: "false" }).allowLegacyCrypto).toBe(false);
});

test("each host has its own, as text or as the boolean that the command line stores", () => {
  for (const value of [true, "true"]) {
    const hosts = JSON.stringify({ attic: { ...minimal, ...pins, allowLegacyCrypto: value }, new: minimal });
    expect(profileOf({ hosts }, {}, "attic").allowLegacyCrypto).toBe(true);
    expect(profileOf({ hosts }, {}, "new").allowLegacyCrypto).toBe(false);
  }
  const hosts = JSON.stringify({ attic: { ...minimal, password: true } });
  expect(problemsOf({ hosts }, {}, "attic").join()).toContain("expected a text as password, found boolean");
});

test("anything but true and false is refused with both commands", () => {
  expect(problemsOf({ ...allowed, allowLegacyCrypto: "yes" })).toEqual([
    'xennet:allowLegacyCrypto: expected "true" or "false", found "yes"; run "pulumi config set xennet:allowLegacyCrypto true" or "pulumi config set xennet:allowLegacyCrypto false"',
  ]);
});

test("both pins are mandatory then; known hosts and authorities do not count", () => {
  const problems = problemsOf({ ...minimal, allowLegacyCrypto: "true", sshKnownHosts: "/etc/ssh/ssh_known_hosts" });
  expect(problems).toEqual([
    expect.stringMatching(
      /^xennet:xapiFingerprint: .*xennet:allowLegacyCrypto needs XAPI's certificate pinned.*"pulumi config set xennet:xapiFingerprint '<SHA-256 fingerprint>'", or set XENNET_XAPI_FINGERPRINT/,
    ),
    expect.stringMatching(
      /^xennet:sshHostKey: .*xennet:allowLegacyCrypto needs the SSH host key pinned.*"pulumi config set xennet:sshHostKey 'ssh-rsa <key>'", or set XENNET_SSH_HOST_KEY/,
    ),
  ]);
  const hosts = JSON.stringify({ attic: { ...minimal, allowLegacyCrypto: true, sshHostKey: hostKey } });
  expect(problemsOf({ hosts }, {}, "attic")).toEqual([
    expect.stringMatching(
      /^xennet:hosts\.attic\.xapiFingerprint: .*--path 'xennet:hosts\.attic\.xapiFingerprint' '<SHA-256 fingerprint>'/,
    ),
  ]);
});

test("through SSH to dom0's own loopback the host key stands for the certificate; to any other address it does not", () => {
  const { xapiFingerprint: _, ...throughSsh } = { ...allowed, xapiVia: "ssh" };
  expect(problemsOf(throughSsh)).toEqual([]);
  expect(problemsOf({ ...throughSsh, xapiUrl: "https://127.0.0.1:8443" })).toEqual([]);
  expect(problemsOf({ ...throughSsh, xapiUrl: "https://10.0.0.2" })).toHaveLength(1);
  expect(problemsOf({ ...minimal, xapiVia: "ssh", allowLegacyCrypto: "true" })).toHaveLength(1);
});

test("a pin that is missing is told with the command that reads it at the console, and after all that is wrong", () => {
  const unpinned = { ...minimal, allowLegacyCrypto: "true" };
  expect(problemsOf(unpinned)).toEqual([
    expect.stringContaining('"openssl x509 -noout -fingerprint -sha256 -in /etc/xensource/xapi-ssl.pem"'),
    expect.stringContaining('"cat /etc/ssh/ssh_host_rsa_key.pub"'),
  ]);
  const { password: _, ...withoutPassword } = unpinned;
  expect(problemsOf(withoutPassword)).toEqual([expect.stringContaining("xennet:password --secret")]);
});

test("every process says once a profile that old cryptography is allowed, with whom, and how to end it", async () => {
  const warnings: string[] = [];
  const surroundings = {
    claims: new Claims(),
    seenIds: new Set<string>(),
    warn: (text: string) => warnings.push(text),
  };
  const hosts = [new Host(profileOf({ ...minimal, ...pins }), surroundings)];
  expect(warnings).toEqual([]);
  hosts.push(new Host(profileOf({ ...allowed, sshHost: "192.0.2.8" }), surroundings));
  expect(warnings).toEqual([
    expect.stringMatching(
      /^Host profile "default" allows old cryptography \(xennet:allowLegacyCrypto\): .* with 192\.0\.2\.8, 192\.0\.2\.7 where nothing better is offered\..*"pulumi config set xennet:allowLegacyCrypto false"/,
    ),
  ]);
  await Promise.all(hosts.map((host) => host.close()));
});
