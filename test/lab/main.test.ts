import { type ChildProcess, execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { XapiClient } from "../../provider/src/xapi/client.ts";
import * as hosts from "../../provider/src/xapi/hosts.ts";
import { legs } from "../support/legs.ts";
import {
  familyOf,
  firstLine,
  type LabDescription,
  type LabUser,
  labUsers,
  spawnLab,
  spawnNpmRunLab,
} from "./lab-command.ts";
import { run } from "./shell.ts";

const CALLER: LabUser = { name: "the caller", prefix: [], checkout: "." };

let child: ChildProcess | undefined;
let temporary: string;
beforeEach(() => {
  temporary = mkdtempSync(join(tmpdir(), "lab-test-"));
  chmodSync(temporary, 0o777);
});
afterEach(() => {
  child?.kill("SIGKILL");
  child = undefined;
  rmSync(temporary, { recursive: true });
});

const start = async (user: LabUser, args: readonly string[] = []) => {
  child = spawnLab(user, args, temporary);
  return { child, description: JSON.parse(await firstLine(child)) as LabDescription };
};
const ended = (process: ChildProcess) => new Promise<number | null>((resolve) => process.once("close", resolve));

/** What a lab could leave on the workstation. */
const workstation = () => ({
  links: execFileSync("ip", ["-o", "link"], { encoding: "utf8" }),
  mounts: readFileSync("/proc/self/mountinfo", "utf8"),
  namespaces: existsSync("/run/netns") ? readdirSync("/run/netns") : [],
  // tsx keeps its cache there.
  temporary: readdirSync(temporary).filter((name) => !name.startsWith("tsx-")),
  ipTables: existsSync("/proc/net/ip_tables_names") ? readFileSync("/proc/net/ip_tables_names", "utf8") : "",
});

describe.each(legs(...labUsers()))("npm run lab as $name", (user) => {
  const { prefix } = user;
  test("prints one line with which host, LAN and dom0 are reached", async () => {
    const { description } = await start(user, ["--iptables", "legacy"]);
    const { env, ssh, lan, dom0, vms, xapi } = description;
    expect(vms.map(({ name }) => name).sort()).toEqual(["Fedora server 1", "Fedora server 2"]);
    expect(env).toMatchObject({
      XENNET_HOST: "127.0.0.1",
      XENNET_XAPI_URL: xapi.url,
      XENNET_XAPI_FINGERPRINT: xapi.fingerprint,
      XENNET_USERNAME: "root",
      XENNET_SSH_PORT: String(ssh.port),
      XENNET_SSH_HOST_KEY: expect.stringMatching(/^ssh-ed25519 AAAA/),
      XENNET_SSH_PRIVATE_KEY: expect.stringMatching(/^-----BEGIN OPENSSH PRIVATE KEY-----/),
    });
    const inDom0 = await run([...prefix, ...dom0.enter, "sh", "-c", "hostname; iptables --version"]);
    expect(inDom0.stdout).toMatch(/^xenserver-lab\niptables v[\d.]+ \(legacy\)\n$/);
    const inLan = await run([...prefix, ...lan.enter, "ip", "-4", "-br", "addr", "show", "dev", "lan0"]);
    expect(inLan.stdout).toContain("192.168.1.50/24");
    const sshOptions = [
      "-i",
      ssh.privateKeyFile,
      "-o",
      "StrictHostKeyChecking=no",
      "-o",
      "UserKnownHostsFile=/dev/null",
    ];
    const target = ["-p", String(ssh.port), `${ssh.user}@${ssh.host}`, "id -u"];
    const login = await run(["ssh", "-F", "none", "-o", "BatchMode=yes", ...sshOptions, ...target]);
    expect(login.stdout, login.stderr).toBe("0\n");
  });

  test.each(["stdin", "SIGINT", "SIGTERM", "SIGKILL"] as const)(
    "leaves nothing behind when %s ends it",
    async (how) => {
      const before = workstation();
      const { child } = await start(user);
      const family = familyOf(child.pid ?? 0);
      expect(family.length).toBeGreaterThan(8);
      const end = ended(child);
      if (how === "stdin") child.stdin?.end();
      else child.kill(how);
      expect(await end).toBe(how === "SIGKILL" ? null : 0);
      await expect.poll(() => family.filter((pid) => existsSync(`/proc/${pid}`)), { timeout: 20_000 }).toEqual([]);
      expect(workstation()).toEqual(before);
    },
  );
});

test("--profile xcp-ng-8.2 is a host of that release, for XAPI and in dom0", async () => {
  const { description } = await start(CALLER, ["--profile", "xcp-ng-8.2"]);
  const { xapi, dom0 } = description;
  const client = new XapiClient({ ...xapi, username: xapi.user });
  const [host] = await hosts.getAllRecords(client).finally(() => client.close());
  expect(host).toMatchObject({ API_version_minor: 16, software_version: { product_version: "8.2.1" } });
  const inDom0 = await run([...dom0.enter, "sh", "-c", ". /etc/xensource-inventory; echo $PRODUCT_VERSION"]);
  expect(inDom0.stdout).toBe("8.2.1\n");
});

test.each([
  ["xenserver-6.2", 0, "6.2.0"],
  ["xenserver-5.6", 7, "5.6.0"],
] as const)("--profile %s is a host of that release, for XAPI and in dom0", async (profile, minor, version) => {
  const { description } = await start(CALLER, ["--profile", profile]);
  const { env, xapi, dom0 } = description;
  const client = new XapiClient({
    ...{ url: xapi.url, fingerprint: xapi.fingerprint, username: xapi.user, password: xapi.password },
    allowLegacyCrypto: env["XENNET_ALLOW_LEGACY_CRYPTO"] === "true",
  });
  const [host] = await hosts.getAllRecords(client).finally(() => client.close());
  expect(host).toMatchObject({ API_version_minor: minor, software_version: { product_version: version } });
  const inDom0 = await run([
    ...dom0.enter,
    ...[
      "sh",
      "-c",
      ". /etc/xensource-inventory; echo $PRODUCT_VERSION; iptables --version; ls -d /run/systemd /etc/sysctl.d",
    ],
  ]);
  expect(inDom0.stdout).toBe(`${version}\niptables v1.3.5\n`);
});

test.each(["Ctrl-C", "SIGTERM", "SIGKILL"] as const)("leaves nothing behind when npm gets %s", async (how) => {
  const before = workstation();
  child = spawnNpmRunLab(temporary);
  const { vms } = JSON.parse(await firstLine(child)) as LabDescription;
  expect(vms).toHaveLength(2);
  const family = familyOf(child.pid ?? 0);
  // A terminal sends SIGINT to the whole group; npm alone ignores it.
  if (how === "Ctrl-C") process.kill(-(child.pid ?? 0), "SIGINT");
  else child.kill(how);
  await expect.poll(() => family.filter((pid) => existsSync(`/proc/${pid}`)), { timeout: 20_000 }).toEqual([]);
  expect(workstation()).toEqual(before);
});

test.each([
  { args: ["--iptables", "ebtables"], said: '--iptables is one of legacy, nft; got "ebtables".' },
  {
    args: ["--profile", "xenserver-4"],
    said: '--profile is one of xcp-ng-8.3, xcp-ng-8.2, xenserver-6.2, xenserver-5.6; got "xenserver-4".',
  },
  { args: ["--speed"], said: "Unknown option '--speed'" },
  { args: ["nft"], said: "Unexpected argument 'nft'" },
])("$args is refused by name with status 2", async ({ args, said }) => {
  const child = spawnLab(CALLER, args, temporary);
  let stderr = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  expect(await ended(child)).toBe(2);
  expect(stderr).toContain(said);
  expect(stderr).toContain("Usage: npm run lab");
});
