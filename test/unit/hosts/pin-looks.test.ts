import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import ssh2 from "ssh2";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { environmentVariable } from "../../../provider/src/core/settings.ts";
import { Claims } from "../../../provider/src/hosts/claims.ts";
import { Host } from "../../../provider/src/hosts/host.ts";
import { requireProfile } from "../../../provider/src/hosts/profile.ts";
import { usableProfile } from "../../../provider/src/hosts/usable-profile.ts";
import { makeTlsIdentity, tlsServers } from "../../sim/tls.ts";
import { TestSshServer } from "../../support/dom0-double/ssh-server.ts";
import { errorOf, sessions } from "../xapi/clients.ts";
import { type ScriptedXapi, scriptedXapi, success } from "../xapi/scripted-xapi.ts";

/** OpenSSH 4.3 of XenServer 5.6, as far as ssh2 plays it. */
const oldSsh = {
  ident: "OpenSSH_4.3",
  algorithms: {
    kex: ["diffie-hellman-group14-sha1"],
    serverHostKey: ["ssh-rsa"],
    cipher: ["aes128-cbc"],
    hmac: ["hmac-sha1"],
  },
} as const;
const rsa = ssh2.utils.generateKeyPairSync("rsa", { bits: 2048 });
const hostKey = rsa.public.split(" ", 2).join(" ");

let xapi: ScriptedXapi;
let ssh: TestSshServer;
beforeAll(async () => {
  const identity = await makeTlsIdentity("xenserver-5.6", "legacy");
  xapi = await scriptedXapi(
    { ...identity, ...tlsServers.legacy },
    sessions(() => success("done")),
  );
  ssh = await TestSshServer.start({ hostKeys: [rsa.private], protocol: oldSsh });
});
afterAll(async () => {
  await xapi[Symbol.asyncDispose]();
  await ssh.stop();
});

/** Environment of a profile that knows where the old host is, and nothing else. */
const unpinned = (more: Record<string, string> = {}) => ({
  ...{ XENNET_HOST: "127.0.0.1", XENNET_PASSWORD: "correct horse", XENNET_XAPI_URL: xapi.url },
  ...{ XENNET_SSH_PORT: String(ssh.endpoint.port), XENNET_SSH_KNOWN_HOSTS: "/nonexistent" },
  ...more,
});
const throughSsh = { XENNET_XAPI_VIA: "ssh", XENNET_XAPI_URL: "" };
const sourcesOf = (env: Record<string, string>) => ({ config: () => undefined, env });

function hostOf(env: Record<string, string>): Host {
  const surroundings = { claims: new Claims(), seenIds: new Set<string>(), warn: () => {} };
  const host = new Host(requireProfile("default", sourcesOf(env)), surroundings);
  onTestFinished(() => host.close());
  return host;
}

/** What the first preview says of a host. */
const refusal = async (env: Record<string, string>) => (await errorOf(hostOf(env).identity())).message;
/** The same where the profile allows old cryptography already. */
const refusalOfProfile = async (env: Record<string, string>) =>
  (await errorOf(usableProfile("default", sourcesOf({ ...env, XENNET_ALLOW_LEGACY_CRYPTO: "true" })))).message;

/** The environment after a user has run every command of a message. */
function afterCommandsOf(message: string, env: Record<string, string>): Record<string, string> {
  const commands = [...message.matchAll(/pulumi config set xennet:(\w+) (?:'([^']+)'|([\w:]+))/g)];
  return Object.assign({ ...env }, ...commands.map(([, key = "", a, b]) => ({ [environmentVariable(key)]: a ?? b })));
}

async function expectNothingSent(work: () => Promise<unknown>) {
  const [bytes, logins] = [xapi.applicationBytes(), ssh.authMethods.length];
  await work();
  expect([xapi.applicationBytes(), ssh.authMethods.length]).toEqual([bytes, logins]);
}

async function closedPort(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return String(address !== null && typeof address === "object" ? address.port : 0);
}

describe("the commands that the first refusal shows are all that an old host takes", () => {
  test("over HTTPS, whether anything is pinned already or not", async () => {
    for (const pins of [{}, { XENNET_XAPI_FINGERPRINT: xapi.fingerprint }, { XENNET_SSH_HOST_KEY: hostKey }]) {
      const env = unpinned(pins);
      await expectNothingSent(async () => {
        const message = await refusal(env);
        const pinned = afterCommandsOf(message, env);
        expect(pinned).toEqual({
          ...env,
          XENNET_XAPI_FINGERPRINT: xapi.fingerprint,
          XENNET_SSH_HOST_KEY: hostKey,
          XENNET_ALLOW_LEGACY_CRYPTO: "true",
        });
        for (const variable of Object.keys(pins)) {
          const key = variable === "XENNET_SSH_HOST_KEY" ? "xennet:sshHostKey" : "xennet:xapiFingerprint";
          expect(message).not.toContain(key);
        }
      });
    }
  });

  test("and then it is talked to", async () => {
    const env = unpinned();
    const host = hostOf(afterCommandsOf(await refusal(env), env));
    expect(await host.xapi.call("pool.get_all")).toBe("done");
    await host.dom0.snapshot().catch(() => undefined);
    expect(host.dom0.counters.logins).toBe(1);
  });

  test("by SSH, where that is refused first", async () => {
    const env = unpinned();
    await expectNothingSent(async () => {
      const { message } = await errorOf(hostOf(env).dom0.snapshot());
      expect(message).toContain("offers only old cryptography");
      expect(Object.keys(afterCommandsOf(message, env))).toEqual(
        expect.arrayContaining(["XENNET_XAPI_FINGERPRINT", "XENNET_SSH_HOST_KEY", "XENNET_ALLOW_LEGACY_CRYPTO"]),
      );
    });
  });

  test("through SSH, where no certificate has to be pinned", async () => {
    const env = unpinned(throughSsh);
    await expectNothingSent(async () => {
      expect(afterCommandsOf(await refusal(env), env)).toEqual({
        ...env,
        XENNET_SSH_HOST_KEY: hostKey,
        XENNET_ALLOW_LEGACY_CRYPTO: "true",
      });
    });
  });

  test("through SSH to another host's XAPI, whose certificate only its console shows", async () => {
    const env = unpinned({ ...throughSsh, XENNET_XAPI_URL: "https://10.0.0.2" });
    const message = await refusal(env);
    expect(message.match(/xapiFingerprint/g)).toHaveLength(1);
    expect(message).toMatch(
      /needs XAPI's certificate pinned, too\. Read it at the console of https:\/\/10\.0\.0\.2 with "openssl x509 .*xennet:xapiFingerprint '<SHA-256 fingerprint>'"/,
    );
  });
});

test("an SSH port that is closed is said, with the command that reads the key at the console", async () => {
  const port = await closedPort();
  const env = unpinned({ XENNET_SSH_PORT: port });
  for (const message of [await refusal(env), await refusalOfProfile(env)]) {
    expect(message).toContain(`pulumi config set xennet:xapiFingerprint ${xapi.fingerprint}`);
    expect(message).toMatch(
      new RegExp(
        `needs the SSH host key pinned.*It could not be seen: No SSH connection to 127\\.0\\.0\\.1:${port}.*ECONNREFUSED.*Read it at the host's console with "cat /etc/ssh/ssh_host_rsa_key\\.pub" and run "pulumi config set xennet:sshHostKey 'ssh-rsa <key>'"`,
      ),
    );
  }
});

test("a host is looked at once, whoever asks and whatever came of it", async () => {
  let connections = 0;
  const closing = createServer((socket) => {
    connections += 1;
    socket.on("error", () => {}).destroy();
  });
  await new Promise<void>((resolve) => closing.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void closing.close());
  const port = String((closing.address() as AddressInfo).port);
  const env = unpinned({ XENNET_XAPI_URL: `https://127.0.0.1:${port}`, XENNET_SSH_PORT: port });
  const first = await refusalOfProfile(env);
  expect(first).toContain("It could not be seen: ");
  for (let resource = 0; resource < 3; resource += 1) expect(await refusalOfProfile(env)).toBe(first);
  expect(connections).toBe(2);
});

test("a host that was refused as too old is not connected to again", async () => {
  const host = hostOf(unpinned());
  const refusals = async () => [
    (await errorOf(host.identity())).message,
    (await errorOf(host.dom0.snapshot())).message,
  ];
  const first = await refusals();
  const before = [xapi.connections(), ssh.connections];
  expect(await refusals()).toEqual(first);
  expect([xapi.connections(), ssh.connections]).toEqual(before);
});

test("a key other than the one that known_hosts has is told as such", async () => {
  const folder = await mkdtemp(join(tmpdir(), "xennet-known-hosts-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const knownHosts = join(folder, "known_hosts");
  const other = ssh2.utils.generateKeyPairSync("rsa", { bits: 2048 }).public;
  await writeFile(knownHosts, `[127.0.0.1]:${ssh.endpoint.port} ${other}\n`);
  expect(await refusal(unpinned({ XENNET_SSH_KNOWN_HOSTS: knownHosts }))).toMatch(
    /SSH host key pinned, too\. .* shows the SSH host key SHA256:.*It may be another machine/,
  );
});

describe("with the setting and without a pin", () => {
  test("the refusal shows what the host has; nothing is sent", async () => {
    for (const pins of [{}, { XENNET_XAPI_FINGERPRINT: xapi.fingerprint }, { XENNET_SSH_HOST_KEY: hostKey }]) {
      const env = unpinned(pins);
      await expectNothingSent(async () => {
        const message = await refusalOfProfile(env);
        expect(message).toMatch(/^The host profile "default" cannot be used\./);
        expect(afterCommandsOf(message, env)).toEqual({
          ...env,
          XENNET_XAPI_FINGERPRINT: xapi.fingerprint,
          XENNET_SSH_HOST_KEY: hostKey,
        });
      });
    }
  });

  test("a new host is looked at as well", async () => {
    await using other = await scriptedXapi(
      await makeTlsIdentity("xcp-ng"),
      sessions(() => success("done")),
    );
    const message = await refusalOfProfile(unpinned({ XENNET_XAPI_URL: other.url }));
    expect(message).toContain(`pulumi config set xennet:xapiFingerprint ${other.fingerprint}`);
    expect(other.applicationBytes()).toBe(0);
  });

  test("nothing is connected while anything else is wrong", async () => {
    const before = [xapi.connections(), ssh.connections];
    expect(await refusalOfProfile(unpinned({ XENNET_PASSWORD: "" }))).toContain("xennet:password");
    expect([xapi.connections(), ssh.connections]).toEqual(before);
  });

  test("through SSH the host key is shown only; one that is whole is given as it is", async () => {
    const message = await refusalOfProfile(unpinned(throughSsh));
    expect(message).toContain(`pulumi config set xennet:sshHostKey '${hostKey}'`);
    expect(message).not.toContain("xapiFingerprint");
    const env = unpinned({ ...throughSsh, XENNET_SSH_HOST_KEY: hostKey, XENNET_ALLOW_LEGACY_CRYPTO: "true" });
    expect(await usableProfile("default", sourcesOf(env))).toMatchObject({ allowLegacyCrypto: true });
  });
});
