import { spawnSync } from "node:child_process";
import { lstatSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Host, startHost } from "../lab/host.ts";
import { captureHost, compareHosts } from "../lab/same-host.ts";
import { npmCommand } from "../setup/npm.mjs";
import { changes, enginesUnderTest, succeeded } from "./deployment.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const sdk: string = JSON.parse(readFileSync(join(root, "package.json"), "utf8")).devDependencies["@pulumi/pulumi"];

const program = `
import { HostForwarding, PortForward, XenNetwork, XenVif } from "pulumi-xennet";

const internal = new XenNetwork("internal", { nameLabel: "Internal network" });
const nat = new HostForwarding("nat", { network: internal, address: "192.168.100.1/24" });
new XenVif("server1", { vm: "Fedora server 1", network: internal, onDeviceConflict: "takeOver" });
const http = new PortForward("http", { forwarding: nat, externalPort: 80, target: "192.168.100.11" });

export const rules = http.rules;
`;

/** The declarations of the package are checked as well: no `skipLibCheck`. No file: Pulumi would hand it to its own, old compiler. */
const typeCheckOptions = "--strict --noEmit --module nodenext --target es2022 --types node".split(" ");

let folder: string;
let project: string;
let packed: ReadonlyArray<{ readonly path: string }>;
let host: Host;

beforeAll(async () => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "xennet-package-")));
  project = join(folder, "project");
  mkdirSync(project);
  const [{ filename, files }] = JSON.parse(npm(join(root, "provider"), "pack", "--json", "--pack-destination", folder));
  packed = files;
  writeFileSync(join(project, "package.json"), JSON.stringify({ name: "shop", private: true, main: "index.ts" }));
  writeFileSync(join(project, "Pulumi.yaml"), "name: shop\nruntime: nodejs\noptions: { refresh: always }\n");
  writeFileSync(join(project, "index.ts"), program);
  npm(project, "install", "--no-audit", "--no-fund", join(folder, filename), `@pulumi/pulumi@${sdk}`);
  host = await startHost();
}, 300_000);

afterAll(async () => {
  await host?.close();
  rmSync(folder, { recursive: true, force: true });
});

function npm(cwd: string, ...args: string[]): string {
  const command = npmCommand(args);
  const { status, stdout, stderr } = spawnSync(command.command, command.args, { cwd, encoding: "utf8" });
  if (status !== 0) throw new Error(`npm ${args.join(" ")} ended with ${status}:\n${stdout}${stderr}`);
  return stdout;
}

test("the package holds what is built, its README and its licence, and neither sources, maps nor tests", () => {
  const paths = packed.map(({ path }) => path);
  const wanted = ["LICENSE", "README.md", "package.json", "dist/index.js", "dist/index.d.ts", "dist/handlers/index.js"];
  expect(paths).toEqual(expect.arrayContaining([...wanted, "dist/dom0/program/main.sh"]));
  expect(paths.filter((path) => !/^dist\/.*(\.js|\.d\.ts|\.sh|\.awk)$/.test(path)).sort()).toEqual(wanted.slice(0, 3));
  expect(readFileSync(join(root, "provider/LICENSE"))).toEqual(readFileSync(join(root, "LICENSE")));
});

test("the project has the package itself and no link into the clone", () => {
  const installed = join(project, "node_modules/pulumi-xennet");
  expect(lstatSync(installed).isSymbolicLink()).toBe(false);
  expect(realpathSync(installed)).toBe(installed);
});

test("a program of that project passes the type check, and one with a misspelt input does not", () => {
  expect(typeCheck()).toMatchObject({ status: 0, stdout: "" });
  writeFileSync(join(project, "index.ts"), program.replace("externalPort", "outsidePort"));
  expect(typeCheck()).toMatchObject({ status: 2, stdout: expect.stringContaining("outsidePort") });
  writeFileSync(join(project, "index.ts"), program);
});

function typeCheck() {
  const tsc = join(root, "node_modules/typescript/bin/tsc");
  const args = [tsc, ...typeCheckOptions, "index.ts"];
  return spawnSync(process.execPath, args, { cwd: project, encoding: "utf8" });
}

describe.each(enginesUnderTest())("on the $label", ({ engine }) => {
  test("it is deployed and destroyed, and the host is the same again", async () => {
    const stack = await engine.openStack({
      ...{ projectDir: project, stackName: "dev", stateDir: join(folder, engine.isReal ? "real" : "runner") },
      env: host.env,
    });
    const before = await captureHost(host.lab, host.simulator);
    const everything = ["HostForwarding nat", "PortForward http", "XenNetwork internal", "XenVif server1"];
    expect(changes(succeeded(await stack.up({})))).toEqual(everything.map((one) => `create ${one}`));
    expect(changes(succeeded(await stack.up({})))).toEqual([]);
    expect(changes(succeeded(await stack.destroy({})))).toEqual(everything.map((one) => `delete ${one}`));
    expect(compareHosts(before, await captureHost(host.lab, host.simulator))).toEqual([]);
  });
});
