import { describe, expect, test } from "vitest";
import { redact } from "../../../provider/src/core/redact.ts";
import { requireProfile, resolveProfile } from "../../../provider/src/hosts/profile.ts";
import type { SettingSources } from "../../../provider/src/hosts/profile-keys.ts";

const fingerprint = "AB:".repeat(31).concat("AB");
const minimal = { host: "192.0.2.7", password: "pass-word" };

function sources(flat: Record<string, string>, env: Record<string, string> = {}): SettingSources {
  return { config: (key) => flat[key.replace(/^xennet:/, "")], env };
}

function profileOf(flat: Record<string, string>, env: Record<string, string> = {}, name = "default") {
  const result = resolveProfile(name, sources(flat, env));
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return result.profile;
}

function problemsOf(flat: Record<string, string>, env: Record<string, string> = {}, name = "default") {
  const result = resolveProfile(name, sources(flat, env));
  return result.ok ? [] : result.problems;
}

describe("a profile from flat keys", () => {
  test("needs an address and a password; the rest follows from them", () => {
    const { xapi, ssh } = profileOf(minimal);
    expect(xapi).toMatchObject({ url: "https://192.0.2.7", username: "root", password: "pass-word" });
    expect(ssh).toMatchObject({ host: "192.0.2.7", port: 22, username: "root", password: "pass-word" });
    expect(ssh.knownHostsFile).toMatch(/^\/.*\/\.ssh\/known_hosts$/);
  });

  test("takes an IPv6 address", () => {
    const { xapi, ssh } = profileOf({ ...minimal, host: "2001:db8::7" });
    expect([xapi.url, ssh.host]).toStrictEqual(["https://[2001:db8::7]", "2001:db8::7"]);
  });

  test("keeps what is said about each side", () => {
    const { xapi, ssh } = profileOf({
      ...minimal,
      username: "admin",
      xapiUrl: "https://xapi.example:8443/",
      xapiFingerprint: fingerprint.replaceAll(":", "").toLowerCase(),
      sshHost: "dom0.example",
      sshPort: "2222",
      sshUsername: "root",
      sshPassword: "other-word",
    });
    expect(xapi).toMatchObject({ url: "https://xapi.example:8443", username: "admin", fingerprint });
    expect(ssh).toMatchObject({ host: "dom0.example", port: 2222, username: "root", password: "other-word" });
  });

  test("asks the user's SSH agent only where neither key nor SSH password is given", () => {
    const env = { SSH_AUTH_SOCK: "/run/agent" };
    expect(profileOf(minimal, env).ssh.agent).toBe("/run/agent");
    expect(profileOf({ ...minimal, sshPassword: "other-word" }, env).ssh.agent).toBeUndefined();
    expect(profileOf({ ...minimal, sshPassword: "other-word", sshAgent: "/run/own" }, env).ssh.agent).toBe("/run/own");
  });

  test("the environment overrides each key; an empty variable does not", () => {
    const env = {
      XENNET_HOST: "192.0.2.8",
      XENNET_XAPI_FINGERPRINT: fingerprint,
      XENNET_SSH_PORT: "2200",
      XENNET_PASSWORD: "",
    };
    const { xapi, ssh } = profileOf(minimal, env);
    expect(xapi).toMatchObject({ url: "https://192.0.2.8", fingerprint, password: "pass-word" });
    expect(ssh).toMatchObject({ host: "192.0.2.8", port: 2200 });
  });

  test("reaches XAPI through SSH at dom0's own loopback, or at the URL as dom0 sees it", () => {
    expect(profileOf(minimal).xapiVia).toBe("direct");
    const through = profileOf(minimal, { XENNET_XAPI_VIA: "ssh" });
    expect([through.xapiVia, through.xapi.url, through.ssh.host]).toEqual(["ssh", "https://127.0.0.1", "192.0.2.7"]);
    const master = profileOf({ ...minimal, xapiVia: "ssh", xapiUrl: "https://10.0.0.2:8443" });
    expect(master.xapi.url).toBe("https://10.0.0.2:8443");
    const onlySsh = profileOf({ sshHost: "dom0.example", password: "w", xapiVia: "ssh" });
    expect([onlySsh.xapi.url, onlySsh.ssh.host]).toEqual(["https://127.0.0.1", "dom0.example"]);
  });

  test("says how long dom0 waits for a confirmation", () => {
    expect(profileOf(minimal).confirmationWindow).toBe(undefined);
    expect(profileOf({ ...minimal, confirmationWindow: "20" }).confirmationWindow).toBe(20);
    const env = { XENNET_CONFIRMATION_WINDOW: "300" };
    expect(profileOf({ ...minimal, confirmationWindow: "20" }, env).confirmationWindow).toBe(300);
  });

  test("its secrets are hidden from then on", () => {
    profileOf({ ...minimal, password: "seldom-seen" });
    expect(redact("tried seldom-seen")).toBe("tried [secret]");
  });
});

describe("what is missing or malformed is named, with the command that sets it", () => {
  test("nothing configured", () => {
    expect(problemsOf({})).toStrictEqual([
      { property: "xennet:host", reason: expect.stringContaining('"pulumi config set xennet:host <address>"') },
      { property: "xennet:password", reason: expect.stringContaining('"pulumi config set xennet:password --secret"') },
    ]);
    expect(problemsOf({})[1]?.reason).toContain("XENNET_PASSWORD");
  });

  test.each([
    ["host", "https://192.0.2.7", "without protocol"],
    ["host", "192.0.2.7:443", "without protocol and port"],
    ["xapiUrl", "http://192.0.2.7", "in clear"],
    ["xapiUrl", "192.0.2.7", "https://192.0.2.7"],
    ["xapiFingerprint", "AB:CD", "64 hex digits"],
    ["xapiVia", "SSH", 'expected "direct" or "ssh", found "SSH"; run "pulumi config set xennet:xapiVia ssh" or '],
    ["xapiCa", "/etc/ssl/ca.pem", "BEGIN CERTIFICATE"],
    ["xapiCa", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", "cannot be read"],
    ["sshPort", "0", "1 to 65535"],
    ["sshPort", "65536", "1 to 65535"],
    ["sshPort", "ssh", "1 to 65535"],
    ["confirmationWindow", "9", 'expected seconds, an integer from 10 to 300, found "9"'],
    ["confirmationWindow", "301", "10 to 300"],
    ["confirmationWindow", "30s", "10 to 300"],
    ["sshPrivateKey", "~/.ssh/id_ed25519", "file name"],
    ["sshHostKey", "ssh-ed25519", "public key line"],
  ])("%s = %s", (key, value, part) => {
    expect(problemsOf({ ...minimal, [key]: value })).toStrictEqual([
      { property: `xennet:${key}`, reason: expect.stringContaining(part) },
    ]);
  });

  test("what is wrong with a setting ends with how to set it, and names every wrong part of a list", () => {
    const [problem] = problemsOf({ ...minimal, managementSources: "192.0.2.0/24, here, 10.0.0.0/33" });
    expect(problem?.reason).toMatch(
      /found "here, 10\.0\.0\.0\/33"\. Run "pulumi config set xennet:managementSources …", or set XENNET_MANAGEMENT_SOURCES in the environment$/,
    );
  });

  test("a malformed secret, or an address with a password in it, is not quoted", () => {
    const flat = { ...minimal, sshPrivateKey: "not-a-key-but-private", xapiUrl: "https://root:private@192.0.2.7" };
    const problems = problemsOf(flat);
    expect(problems).toHaveLength(2);
    expect(JSON.stringify(problems)).not.toContain("private@");
    expect(JSON.stringify(problems)).not.toContain("not-a-key");
  });

  test("all problems go into one error", () => {
    const flat = { ...minimal, sshPort: "x", xapiUrl: "y" };
    expect(() => requireProfile("default", sources(flat))).toThrow(/sshPort.*[\s\S]*xapiUrl|xapiUrl.*[\s\S]*sshPort/);
  });
});

describe("several hosts", () => {
  const hosts = JSON.stringify({ lab: { ...minimal, sshPort: 2222 }, "rack 2": { host: "192.0.2.9", password: "w" } });

  test("each has its own settings and takes none of the flat ones but the owner prefix", () => {
    const { name, xapi, ssh, ownerPrefix } = profileOf({ hosts, username: "flat", ownerPrefix: "team" }, {}, "lab");
    expect([name, xapi.username, ssh.port, ownerPrefix]).toStrictEqual(["lab", "root", 2222, "team"]);
  });

  test("XENNET_HOSTS overrides key by key; variables of the flat keys do not reach another host", () => {
    const env = { XENNET_HOSTS: JSON.stringify({ lab: { password: "rotated" } }), XENNET_PASSWORD: "of-default" };
    expect(profileOf({ hosts }, env, "lab").xapi).toMatchObject({ url: "https://192.0.2.7", password: "rotated" });
  });

  test("an unknown name lists the known ones", () => {
    const reason = problemsOf({ hosts }, {}, "attic")[0]?.reason;
    for (const name of ['"attic"', '"lab"', '"rack 2"', '"default"']) expect(reason).toContain(name);
  });

  test("each is reached its own way", () => {
    const through = JSON.stringify({ lab: { ...minimal, xapiVia: "ssh" }, attic: { ...minimal, xapiVia: "socks" } });
    expect(profileOf({ hosts: through }, {}, "lab").xapiVia).toBe("ssh");
    expect(problemsOf({ hosts: through }, {}, "attic")).toStrictEqual([
      {
        property: "xennet:hosts.attic.xapiVia",
        reason: expect.stringContaining("pulumi config set --path 'xennet:hosts.attic.xapiVia' ssh"),
      },
    ]);
  });

  test("a missing key is set inside the object", () => {
    const [problem] = problemsOf({ hosts: '{"lab": {"host": "192.0.2.7"}}' }, {}, "lab");
    expect(problem?.property).toBe("xennet:hosts.lab.password");
    expect(problem?.reason).toContain("pulumi config set --path 'xennet:hosts.lab.password' --secret");
  });

  test.each([
    ['{"lab": {"pasword": "private"}}', 'unknown key "pasword"'],
    ['{"lab": {"host": ["private"]}}', "found array"],
    ['{"lab": "private"}', "JSON object"],
    ["{private", "JSON object"],
    ['["private"]', "JSON object"],
  ])("%s is refused without quoting values", (text, part) => {
    const problems = problemsOf({ hosts: text }, {}, "lab");
    expect(problems[0]?.reason).toContain(part);
    expect(JSON.stringify(problems)).not.toContain("private");
  });
});
