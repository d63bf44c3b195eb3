import { createHash } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import ssh2 from "ssh2";
import { describe, expect, onTestFinished, test } from "vitest";
import { lookAtHostKey } from "../../../provider/src/dom0/host-key-look.ts";
import { connectSsh } from "../../../provider/src/dom0/ssh.ts";
import type { SshEndpoint } from "../../../provider/src/dom0/ssh-endpoint.ts";
import type { SshError } from "../../../provider/src/dom0/ssh-errors.ts";
import { parseOffer, type SshOffer, watchOffer } from "../../../provider/src/dom0/ssh-offer.ts";
import { ed25519, type SshServerOptions, TestSshServer } from "../../support/dom0-double/ssh-server.ts";
import { eventually } from "../../support/eventually.ts";
import { offerCollector } from "./client-offer.ts";

/** What ssh2 offered before there was a choice. */
const recorded = {
  kex: [
    ...["curve25519-sha256@libssh.org", "curve25519-sha256", "ecdh-sha2-nistp256", "ecdh-sha2-nistp384"],
    ...["ecdh-sha2-nistp521", "diffie-hellman-group-exchange-sha256", "diffie-hellman-group14-sha256"],
    ...["diffie-hellman-group15-sha512", "diffie-hellman-group16-sha512", "diffie-hellman-group17-sha512"],
    "diffie-hellman-group18-sha512",
  ],
  hostKeys: [
    ...["ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521"],
    ...["rsa-sha2-512", "rsa-sha2-256", "ssh-rsa"],
  ],
  ciphers: [
    ...["aes128-gcm@openssh.com", "aes256-gcm@openssh.com", "aes128-ctr", "aes192-ctr", "aes256-ctr"],
    "chacha20-poly1305@openssh.com",
  ],
  macs: [
    ...["hmac-sha2-256-etm@openssh.com", "hmac-sha2-512-etm@openssh.com", "hmac-sha1-etm@openssh.com"],
    ...["hmac-sha2-256", "hmac-sha2-512", "hmac-sha1"],
  ],
};
const lists = Object.keys(recorded) as Array<keyof typeof recorded>;

/** OpenSSH 4.3 of XenServer 5.6, as far as ssh2 plays it. */
const old = {
  ident: "OpenSSH_4.3",
  algorithms: {
    kex: ["diffie-hellman-group14-sha1", "diffie-hellman-group1-sha1"],
    serverHostKey: ["ssh-rsa"],
    cipher: ["aes128-cbc", "3des-cbc", "aes256-cbc"],
    hmac: ["hmac-sha1"],
  },
} as const;
const oldOffer =
  "key exchange diffie-hellman-group14-sha1, diffie-hellman-group1-sha1; host keys ssh-rsa; ciphers aes128-cbc, 3des-cbc, aes256-cbc; MACs hmac-sha1";

const rsa = ssh2.utils.generateKeyPairSync("rsa", { bits: 2048 });
const otherRsa = ssh2.utils.generateKeyPairSync("rsa", { bits: 2048 });

async function startServer(options: SshServerOptions): Promise<TestSshServer> {
  const server = await TestSshServer.start(options);
  onTestFinished(() => server.stop());
  return server;
}

const oldServer = (options: SshServerOptions = {}) =>
  startServer({ hostKeys: [rsa.private], protocol: old, ...options });

async function refusal(endpoint: SshEndpoint): Promise<SshError> {
  const connection = await connectSsh(endpoint, { timeoutMs: 10_000 }).catch((error: SshError) => error);
  if (connection instanceof Error) return connection;
  await connection.end();
  throw new Error("the login succeeded");
}

async function offered(settings: Partial<SshEndpoint>): Promise<SshOffer> {
  const { port, offers } = await offerCollector();
  await refusal({ host: "127.0.0.1", port, username: "root", password: "x", ...settings });
  const [offer] = offers;
  if (offer === undefined) throw new Error("nothing was offered");
  return offer;
}

function fingerprint(publicLine: string, hash: "sha256" | "md5"): string {
  const digest = createHash(hash).update(Buffer.from(publicLine.split(" ")[1] ?? "", "base64"));
  if (hash === "sha256") return `SHA256:${digest.digest("base64").replace(/=+$/, "")}`;
  return (digest.digest("hex").match(/../g) ?? []).join(":");
}

describe("without the setting", () => {
  test("a client offers what it always did", async () => {
    for (const settings of [{}, { hostKey: rsa.public }, { hostKey: rsa.public, allowLegacyCrypto: false }]) {
      const offer = await offered(settings);
      const all = settings.hostKey === undefined ? recorded : { ...recorded, hostKeys: recorded.hostKeys.slice(-3) };
      // Which of the ciphers stands last depends on the processor.
      for (const list of lists) expect([...offer[list]].sort()).toEqual([...all[list]].sort());
    }
  });

  test("an old host is refused with what it offered, both fingerprints and the two commands; no login was tried", async () => {
    const server = await oldServer();
    const error = await refusal({ ...server.endpoint, hostKey: undefined });
    expect(error.code).toBe("SSH_LEGACY_CRYPTO");
    expect(error.message).toContain(`(OpenSSH_4.3) offers only old cryptography: ${oldOffer}. Nothing was sent to it.`);
    for (const hash of ["sha256", "md5"] as const) expect(error.message).toContain(fingerprint(rsa.public, hash));
    expect(error.message).toContain(`pulumi config set xennet:sshHostKey '${rsa.public.split(" ", 2).join(" ")}'`);
    expect(error.message).toContain("pulumi config set xennet:allowLegacyCrypto true");
    expect([server.connections, server.authMethods]).toEqual([2, []]);
    await eventually(() => expect(server.openConnections).toBe(0));
  });

  test("an old host that is pinned already lacks the setting only; with another key it is another host", async () => {
    const server = await oldServer();
    const error = await refusal({ ...server.endpoint, hostKey: rsa.public, profile: "attic" });
    expect(error.code).toBe("SSH_LEGACY_CRYPTO");
    expect(error.message).toContain("pulumi config set --path 'xennet:hosts.attic.allowLegacyCrypto' true");
    expect(error.message).not.toContain("sshHostKey");
    const mismatch = await refusal({ ...server.endpoint, hostKey: otherRsa.public });
    expect(mismatch.code).toBe("SSH_HOST_KEY_MISMATCH");
    expect(server.authMethods).toEqual([]);
  });

  test.each(["key", "fingerprint", "known_hosts"])("an old host with two keys is known by its RSA %s", async (how) => {
    const algorithms = { ...old.algorithms, serverHostKey: ["ssh-ed25519", "ssh-rsa"] } as const;
    const server = await startServer({ hostKeys: [ed25519().private, rsa.private], protocol: { ...old, algorithms } });
    const { hostKey: _, ...endpoint } = server.endpoint;
    const knownHostsFile = join(await mkdtemp(join(tmpdir(), "xennet-known-hosts-")), "known_hosts");
    onTestFinished(() => rm(dirname(knownHostsFile), { recursive: true }));
    await writeFile(knownHostsFile, `[127.0.0.1]:${endpoint.port} ${rsa.public}\n`);
    const known = {
      key: { hostKey: rsa.public },
      fingerprint: { hostKey: fingerprint(rsa.public, "sha256") },
      known_hosts: { knownHostsFile },
    }[how];
    const error = await refusal({ ...endpoint, ...known });
    expect(error.code).toBe("SSH_LEGACY_CRYPTO");
    expect(error.facts["fingerprint"]).toBe(fingerprint(rsa.public, "sha256"));
    if (how === "known_hosts") expect(await lookAtHostKey({ ...endpoint, ...known }, 5000)).toContain(" ssh-rsa. ");
    expect(server.authMethods).toEqual([]);
  });

  test("a host that has nothing in common even with old algorithms is told apart, with what it offers", async () => {
    const algorithms = { ...old.algorithms, cipher: ["3des-cbc"] } as const;
    const server = await oldServer({ protocol: { ...old, algorithms } });
    for (const allowLegacyCrypto of [false, true]) {
      const error = await refusal({ ...server.endpoint, hostKey: rsa.public, allowLegacyCrypto });
      expect(error.code).toBe("SSH_HANDSHAKE_FAILED");
      expect(error.message).toContain("It (OpenSSH_4.3) offers key exchange diffie-hellman-group14-sha1");
      expect(error.message).toContain("ciphers 3des-cbc");
    }
    expect(server.authMethods).toEqual([]);
  });
});

describe("with the setting", () => {
  test("the old algorithms come after all others, and only where the host key is pinned", async () => {
    const offer = await offered({ hostKey: rsa.public, allowLegacyCrypto: true });
    expect(offer.kex.slice(0, recorded.kex.length)).toEqual(recorded.kex);
    expect(offer.kex.slice(recorded.kex.length)).toEqual([
      ...["diffie-hellman-group14-sha1", "diffie-hellman-group-exchange-sha1", "diffie-hellman-group1-sha1"],
    ]);
    expect(offer.ciphers.slice(recorded.ciphers.length)).toEqual(["aes256-cbc", "aes192-cbc", "aes128-cbc"]);
    expect(offer.macs).toEqual(recorded.macs);
    expect(offer.hostKeys).toEqual(["rsa-sha2-512", "rsa-sha2-256", "ssh-rsa"]);
    const unpinned = await offered({ allowLegacyCrypto: true });
    expect([unpinned.kex, [...unpinned.ciphers].sort()]).toEqual([recorded.kex, [...recorded.ciphers].sort()]);
  });

  test("a pinned old host is logged in to over one connection, by key and by fingerprint", async () => {
    const server = await oldServer();
    for (const hostKey of [rsa.public, fingerprint(rsa.public, "sha256")]) {
      const connection = await connectSsh({ ...server.endpoint, hostKey, allowLegacyCrypto: true });
      expect((await connection.run("true\n")).code).toBe(0);
      await connection.end();
    }
    expect([server.connections, server.authMethods]).toEqual([2, ["password", "password"]]);
  });

  test("without a pin an old host is not logged in to", async () => {
    const server = await oldServer();
    const error = await refusal({ ...server.endpoint, hostKey: undefined, allowLegacyCrypto: true });
    expect(error.code).toBe("SSH_LEGACY_CRYPTO");
    expect(server.authMethods).toEqual([]);
  });

  test("a new host is spoken to as without it", async () => {
    const server = await startServer({});
    const negotiated: string[] = [];
    for (const allowLegacyCrypto of [false, true]) {
      const connection = await connectSsh({ ...server.endpoint, allowLegacyCrypto });
      await connection.end();
      negotiated.push(JSON.stringify(server.negotiated.at(-1)));
    }
    expect(negotiated[0]).toContain("curve25519-sha256");
    expect(negotiated[1]).toBe(negotiated[0]);
  });
});

describe("a private key of a type that the host does not know", () => {
  const rejecting: SshServerOptions["authenticate"] = (context) => context.reject(["publickey", "password"]);

  test.each([
    ["OpenSSH_4.3", "ed25519", "ssh-rsa, ssh-dss"],
    ["OpenSSH_4.3", "ecdsa", "ssh-rsa, ssh-dss"],
    ["OpenSSH_5.9p1", "ed25519", "ssh-rsa, ssh-dss, ecdsa-sha2-nistp256, ecdsa-sha2-nistp384, ecdsa-sha2-nistp521"],
  ])("%s and %s: the error says which it knows, and what to do", async (ident, kind, known) => {
    const server = await oldServer({ authenticate: rejecting, protocol: { ...old, algorithms: modernKex, ident } });
    const privateKey = kind === "ecdsa" ? ecdsa.private : ed25519().private;
    const error = await refusal({ ...server.endpoint, hostKey: rsa.public, privateKey });
    const type = kind === "ecdsa" ? "ecdsa-sha2-nistp256" : "ssh-ed25519";
    expect(error.code).toBe("SSH_KEY_TYPE_UNKNOWN");
    expect(error.message).toContain(
      `(${ident}) does not know SSH keys of the type ${type}, only ${known}; tried publickey`,
    );
    expect(error.message).toContain("ssh-keygen -t rsa -b 3072");
    expect(error.message).toContain("pulumi config set xennet:sshPrivateKey --secret < <file>");
    expect(error.message).not.toContain(privateKey.split("\n")[1]);
  });

  test("a key of a type it knows, or a host that may know all, is an ordinary refusal", async () => {
    const cases = [
      ["OpenSSH_4.3", otherRsa.private],
      ["OpenSSH_5.9p1", ecdsa.private],
      ["OpenSSH_6.6.1", ed25519().private],
      ["dropbear_2022.83", ed25519().private],
    ] as const;
    for (const [ident, privateKey] of cases) {
      const server = await oldServer({ authenticate: rejecting, protocol: { ident, algorithms: modernKex } });
      const error = await refusal({ ...server.endpoint, hostKey: rsa.public, privateKey });
      expect(error.code).toBe("SSH_AUTH_FAILED");
    }
  });

  test("where the version does not tell, old algorithms and nothing else do", async () => {
    const server = await oldServer({ authenticate: rejecting, protocol: { ...old, ident: "sshd" } });
    const { password: _, ...endpoint } = { ...server.endpoint, hostKey: rsa.public, allowLegacyCrypto: true };
    expect((await refusal({ ...endpoint, privateKey: ed25519().private })).code).toBe("SSH_KEY_TYPE_UNKNOWN");
  });
});

const ecdsa = ssh2.utils.generateKeyPairSync("ecdsa", { bits: 256 });
const modernKex = { kex: ["curve25519-sha256"], serverHostKey: ["rsa-sha2-512"] } as const;

test("an offer is read whatever pieces it comes in, and after lines that come first", async () => {
  const server = await oldServer();
  const socket = connect({ host: "127.0.0.1", port: server.endpoint.port });
  onTestFinished(() => void socket.destroy());
  const pieces: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => pieces.push(chunk));
  const watched = watchOffer(socket);
  socket.write("SSH-2.0-test\r\n");
  await eventually(() => expect(watched()).toBeDefined());
  const bytes = Buffer.concat(pieces);
  const whole = parseOffer(bytes);
  expect(whole).toEqual(watched());
  expect(whole).toMatchObject({ software: "OpenSSH_4.3", kex: old.algorithms.kex, macs: old.algorithms.hmac });
  const sizes = Array.from(bytes.keys());
  const first = sizes.find((size) => parseOffer(bytes.subarray(0, size)) !== undefined);
  for (const size of sizes.slice(0, first)) expect(parseOffer(bytes.subarray(0, size))).toBeUndefined();
  expect(parseOffer(Buffer.concat([Buffer.from("be careful\r\n"), bytes]))).toEqual(whole);
  expect(parseOffer(Buffer.from("HTTP/1.0 400 Bad Request\r\n\r\n"))).toBeUndefined();
});
