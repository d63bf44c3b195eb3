import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import ssh2 from "ssh2";
import { afterEach, expect, test } from "vitest";
import { probeBanner } from "../../../provider/src/dom0/banner.ts";
import { connectSsh } from "../../../provider/src/dom0/ssh.ts";
import type { SshEndpoint } from "../../../provider/src/dom0/ssh-endpoint.ts";
import type { SshError } from "../../../provider/src/dom0/ssh-errors.ts";
import { startDetour } from "../../support/detour.ts";
import { ed25519, type SshServerOptions, TestSshServer } from "../../support/dom0-double/ssh-server.ts";
import { eventually } from "../../support/eventually.ts";

const cleanups: Array<() => Promise<void> | void> = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function startServer(options: SshServerOptions = {}): Promise<TestSshServer> {
  const server = await TestSshServer.start(options);
  cleanups.push(() => server.stop());
  return server;
}

async function refusal(endpoint: SshEndpoint, timeoutMs = 5000): Promise<SshError> {
  const connection = await connectSsh(endpoint, { timeoutMs }).catch((error: SshError) => error);
  if (connection instanceof Error) return connection;
  await connection.end();
  throw new Error("the login succeeded");
}

function temporaryFile(name: string, text: string): string {
  const folder = mkdtempSync(join(tmpdir(), "xennet-ssh-"));
  cleanups.push(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, name), text);
  return join(folder, name);
}

function fingerprint(publicLine: string): string {
  const blob = Buffer.from(publicLine.split(" ")[1] ?? "", "base64");
  return `SHA256:${createHash("sha256").update(blob).digest("base64").replace(/=+$/, "")}`;
}

const rsa = ssh2.utils.generateKeyPairSync("rsa", { bits: 2048 });
const ecdsa = ssh2.utils.generateKeyPairSync("ecdsa", { bits: 256 });

test("a script travels by stdin and its output and status come back", async () => {
  const server = await startServer({
    onExec: async (_command, stdin) => ({ stdout: stdin.toUpperCase(), stderr: "é", code: 3 }),
  });
  const connection = await connectSsh(server.endpoint);
  expect(await connection.run("grün\n")).toEqual({ stdout: "GRÜN\n", stderr: "é", code: 3 });
  expect(server.commands).toEqual(["/bin/sh -s"]);
  await connection.end();
  expect(connection.isClosed).toBe(true);
  await eventually(() => expect(server.openConnections).toBe(0));
});

test("output of many packets keeps its characters whole", async () => {
  const long = "€".repeat(200_001);
  const server = await startServer({ onExec: async () => ({ stdout: long, code: 0 }) });
  const connection = await connectSsh(server.endpoint);
  expect((await connection.run("")).stdout === long).toBe(true);
  await connection.end();
});

test("sequential commands do not wait for Nagle's delay", async () => {
  const server = await startServer();
  const connection = await connectSsh(server.endpoint);
  const since = performance.now();
  for (let n = 0; n < 20; n += 1) await connection.run("true\n");
  await connection.end();
  // With Nagle on, each of the 20 costs 40 ms or more.
  expect(performance.now() - since).toBeLessThan(600);
});

test("an unknown host gets no credential, and the error pins it", async () => {
  const server = await startServer();
  const { hostKey, ...endpoint } = server.endpoint;
  const error = await refusal(endpoint);
  expect(error.code).toBe("SSH_HOST_KEY_UNKNOWN");
  expect(error.message).toContain(fingerprint(hostKey ?? ""));
  expect(error.message).toContain(`pulumi config set xennet:sshHostKey '${hostKey?.split(" ", 2).join(" ")}'`);
  expect(server.authMethods).toEqual([]);
});

test("another host key than the pinned one gets no credential, and the error names both fingerprints", async () => {
  const server = await startServer();
  const other = ed25519().public;
  for (const hostKey of [other, fingerprint(other)]) {
    const error = await refusal({ ...server.endpoint, hostKey });
    expect(error.code).toBe("SSH_HOST_KEY_MISMATCH");
    expect(error.message).toContain(fingerprint(other));
    expect(error.message).toContain(fingerprint(server.endpoint.hostKey ?? ""));
  }
  expect(server.authMethods).toEqual([]);
});

test("a wrong password is told as such, also where another key than the pinned one was shown first", async () => {
  const server = await startServer({
    hostKeys: [ed25519().private, rsa.private],
    authenticate: (context) => context.reject(["password"]),
  });
  expect((await refusal({ ...server.endpoint, hostKey: fingerprint(rsa.public) })).code).toBe("SSH_AUTH_FAILED");
});

test("of several host keys the pinned one is asked for, by key and by fingerprint", async () => {
  const keys = [ed25519(), ecdsa, rsa];
  const server = await startServer({ hostKeys: keys.map((key) => key.private) });
  for (const key of keys) {
    for (const hostKey of [key.public, fingerprint(key.public), `127.0.0.1 ${key.public}`]) {
      const connection = await connectSsh({ ...server.endpoint, hostKey });
      await connection.end();
    }
  }
  expect(server.authMethods.length).toBe(9);
});

test("a host without a key of the pinned type is a mismatch that shows the key it has", async () => {
  const server = await startServer({ hostKeys: [rsa.private] });
  const error = await refusal({ ...server.endpoint, hostKey: ed25519().public });
  expect(error.code).toBe("SSH_HOST_KEY_MISMATCH");
  expect(error.message).toContain(fingerprint(rsa.public));
});

test("known_hosts is believed when nothing is pinned", async () => {
  const key = ed25519();
  const server = await startServer({ hostKeys: [ecdsa.private, key.private] });
  const { hostKey: _, ...endpoint } = server.endpoint;
  const line = (public_: string, marker = "") => `${marker}[127.0.0.1]:${endpoint.port} ${public_}\n`;
  const withFile = (text: string) => ({ ...endpoint, knownHostsFile: temporaryFile("known_hosts", text) });
  const connection = await connectSsh(withFile(line(ecdsa.public)));
  await connection.end();
  expect((await refusal(withFile(line(ed25519().public)))).code).toBe("SSH_HOST_KEY_MISMATCH");
  expect((await refusal(withFile(line(key.public, "@revoked ")))).code).toBe("SSH_HOST_KEY_MISMATCH");
  expect((await refusal(withFile(`elsewhere ${key.public}\n`))).code).toBe("SSH_HOST_KEY_UNKNOWN");
  expect((await refusal({ ...endpoint, knownHostsFile: "/nonexistent/known_hosts" })).code).toBe(
    "SSH_HOST_KEY_UNKNOWN",
  );
});

test("a file of known host keys that cannot be read is named with its setting, and nothing was sent", async () => {
  const { endpoint } = await startServer();
  const error = await refusal({ ...endpoint, hostKey: undefined, knownHostsFile: "/" });
  expect(error.code).toBe("SSH_KNOWN_HOSTS_UNREADABLE");
  expect(error.message).toMatch(/EISDIR.*nothing was sent.*Correct xennet:sshKnownHosts/);
});

test("a malformed pin is refused before anything is sent", async () => {
  const server = await startServer();
  for (const hostKey of ["ssh-ed25519", "ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAA", "MD5:aa:bb", "SHA256:short"]) {
    expect((await refusal({ ...server.endpoint, hostKey })).code).toBe("SSH_HOST_KEY_MALFORMED");
  }
  const md5 = "MD5:8c:0d:91:00:11:22:33:44:55:66:77:88:99:aa:bb:55";
  expect((await refusal({ ...server.endpoint, hostKey: md5 })).message).toContain("MD5 fingerprints cannot be pinned");
  expect(server.connections).toBe(0);
});

test("a refused login says which methods were tried and which the host accepts, never the secret", async () => {
  const server = await startServer({ authenticate: (context) => context.reject(["publickey", "password"]) });
  const error = await refusal({ ...server.endpoint, password: "hunter2secret", privateKey: ed25519().private });
  expect(error.code).toBe("SSH_AUTH_FAILED");
  expect(error.message).toContain("tried publickey, password; the host accepts publickey, password");
  expect(JSON.stringify([error.message, error.facts, String(error.cause)])).not.toContain("hunter2secret");
});

test("a private key logs in, and a password where the host asks for it as a question", async () => {
  const pair = ed25519();
  const server = await startServer({
    authenticate: (context) => {
      if (context.method === "publickey" && context.key.algo === "ssh-ed25519") context.accept();
      else if (context.method === "keyboard-interactive") {
        context.prompt([{ prompt: "Password: ", echo: false }], (answers) =>
          answers[0] === "correct horse" ? context.accept() : context.reject(),
        );
      } else context.reject(["keyboard-interactive", "publickey"]);
    },
  });
  const { password: _, ...withoutPassword } = server.endpoint;
  await (await connectSsh({ ...withoutPassword, privateKey: pair.private })).end();
  await (await connectSsh(server.endpoint)).end();
  expect(server.authMethods.at(-1)).toBe("keyboard-interactive");
});

test("an agent that does not answer is a failed login", async () => {
  const server = await startServer();
  const { password: _, ...endpoint } = server.endpoint;
  const error = await refusal({ ...endpoint, agent: "/nonexistent/agent.sock" });
  expect(error.code).toBe("SSH_AUTH_FAILED");
  expect(error.message).toContain("tried agent");
  await eventually(() => expect(server.openConnections).toBe(0));
});

test("no login method at all is an error that names the settings, before anything is sent", async () => {
  const server = await startServer();
  const { password: _, ...endpoint } = server.endpoint;
  const error = await refusal(endpoint);
  expect(error.code).toBe("SSH_AUTH_MISSING");
  expect(error.message).toContain("xennet:sshPrivateKey");
  expect(server.connections).toBe(0);
});

test("a key that cannot be used says why and how to mend it", async () => {
  const server = await startServer();
  const locked = ssh2.utils.generateKeyPairSync("ed25519", {
    passphrase: "open sesame",
    cipher: "aes256-ctr",
    rounds: 8,
  }).private;
  const cases: Array<[Partial<SshEndpoint>, RegExp]> = [
    [{ privateKey: locked }, /protected by a passphrase.*xennet:sshPrivateKeyPassphrase/],
    [{ privateKey: locked, passphrase: "wrong" }, /xennet:sshPrivateKeyPassphrase does not open it/],
    [{ privateKey: "/root/.ssh/id_ed25519" }, /not a private key in OpenSSH or PEM form/],
    [{ privateKey: ed25519().public }, /not a private key in OpenSSH or PEM form/],
  ];
  for (const [credentials, message] of cases) {
    const error = await refusal({ ...server.endpoint, ...credentials });
    expect(error.code).toBe("SSH_KEY_UNUSABLE");
    expect(error.message).toMatch(message);
  }
  expect(server.authMethods).toEqual([]);
});

test("a port where nobody listens, and a name that does not resolve, are unreachable", async () => {
  const server = await startServer();
  const { port } = server.endpoint;
  await server.stop();
  cleanups.pop();
  const refused = await refusal(server.endpoint);
  expect(refused.code).toBe("SSH_UNREACHABLE");
  expect(refused.message).toContain(`127.0.0.1:${port}`);
  expect(refused.message).toContain("is SSH enabled");
  // Too long for a label, so that no name server is asked.
  const unresolvable = `${"x".repeat(64)}.invalid`;
  expect((await refusal({ ...server.endpoint, host: unresolvable })).code).toBe("SSH_UNREACHABLE");
  await expect(probeBanner(server.endpoint)).rejects.toMatchObject({ code: "SSH_UNREACHABLE" });
});

test("a peer that has vanished without a word does not keep a connection from ending", async () => {
  const server = await startServer();
  const way = await startDetour(server.endpoint);
  cleanups.push(async () => way[Symbol.asyncDispose]());
  const connection = await connectSsh({ ...server.endpoint, port: way.port });
  expect((await connection.run("true")).code).toBe(0);
  way.silence();
  await connection.end();
  expect(connection.isClosed).toBe(true);
});

async function silentServer(greeting?: string): Promise<SshEndpoint> {
  const server: Server = createServer((socket) => {
    socket.on("error", () => {});
    socket.resume();
    if (greeting !== undefined) socket.end(greeting);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  cleanups.push(() => new Promise<void>((resolve) => server.close(() => resolve())));
  const { port } = server.address() as AddressInfo;
  return { host: "127.0.0.1", port, username: "root", password: "x", hostKey: rsa.public };
}

test("a server that says nothing runs into the deadline, and one that speaks otherwise is told apart", async () => {
  const silent = await silentServer();
  expect((await refusal(silent, 100)).code).toBe("SSH_TIMEOUT");
  await expect(probeBanner(silent, { timeoutMs: 100 })).rejects.toMatchObject({ code: "SSH_TIMEOUT" });
  const web = await silentServer("HTTP/1.0 400 Bad Request\r\n\r\n");
  expect((await refusal(web)).code).toBe("SSH_CLOSED");
  await expect(probeBanner(web)).rejects.toMatchObject({ code: "SSH_CLOSED" });
});

test("the banner is read without a login", async () => {
  const server = await startServer();
  expect(await probeBanner(server.endpoint)).toMatch(/^SSH-2\.0-/);
  expect(server.authMethods).toEqual([]);
});

test("a command that does not end runs into its deadline, and the connection is given up", async () => {
  const server = await startServer({ onExec: () => new Promise(() => {}) });
  const connection = await connectSsh(server.endpoint);
  await expect(connection.run("", 100)).rejects.toMatchObject({ code: "SSH_TIMEOUT" });
  await eventually(() => expect(connection.isClosed).toBe(true));
});

test("a connection lost in the middle of a command is an error, not an answer", async () => {
  const server = await startServer({ onExec: async () => undefined });
  const connection = await connectSsh(server.endpoint);
  await expect(connection.run("")).rejects.toMatchObject({ code: "SSH_CLOSED" });
  await expect(connection.run("")).rejects.toMatchObject({ code: "SSH_CLOSED" });
});
