import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";
import type { SpawnedProcess } from "../engine/engine.ts";
import { type Engine, type RunOptions, type RunResult, type Stack, selectEngine } from "../engine/engine.ts";
import { stackRunner } from "../engine/runner/run.ts";
import { type Host, startHost } from "../lab/host.ts";
import type { LabOptions } from "../lab/lab.ts";
import { legs } from "../support/legs.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** The stack runner always, and the real engine in addition where there is one. */
export function enginesUnderTest(): Array<{ label: string; engine: Engine }> {
  const chosen = selectEngine();
  const always = { label: "stack runner", engine: stackRunner() };
  return legs(always, ...(chosen.isReal ? [{ label: "real engine", engine: chosen }] : []));
}

/** A host in the lab, and a stack on it whose program the test writes. */
export interface Deployment extends AsyncDisposable {
  readonly host: Host;
  readonly stack: Stack;
  /** Everything all commands printed. */
  readonly output: () => string;
  readonly spawned: readonly SpawnedProcess[];
  /** Replaces the program; plain JavaScript, with the classes of the package in scope. */
  write(program: string): void;
  /** Uses the files of an example's folder as program. */
  useExample(folder: string): void;
  preview(options?: RunOptions): Promise<RunResult>;
  up(options?: RunOptions): Promise<RunResult>;
  refresh(options?: RunOptions): Promise<RunResult>;
  destroy(options?: RunOptions): Promise<RunResult>;
}

interface DeployOptions extends LabOptions {
  readonly env?: Record<string, string>;
  /** A host that another deployment started, and ends. */
  readonly on?: Host;
}

/** Opens an empty stack that reaches its host through `XENNET_*` variables; a lab is started unless `on` names one. */
export async function deploy(engine: Engine, { on, ...options }: DeployOptions = {}) {
  const folder = mkdtempSync(join(tmpdir(), "xennet-e2e-"));
  const host = on ?? (await startHost(options));
  const projectDir = join(folder, "project");
  mkdirSync(projectDir);
  writeFileSync(join(projectDir, "Pulumi.yaml"), "name: shop\nruntime: nodejs\noptions: { refresh: always }\n");
  writeFileSync(join(projectDir, "package.json"), '{ "name": "shop", "main": "index.js" }\n');
  symlinkSync(join(root, "node_modules"), join(projectDir, "node_modules"));
  const env = { ...host.env, ...options.env };
  const stack = await engine.openStack({ projectDir, stackName: "dev", stateDir: join(folder, "state"), env });
  let output = "";
  const spawned: SpawnedProcess[] = [];
  const run =
    (verb: "preview" | "up" | "refresh" | "destroy") =>
    (given: RunOptions = {}) =>
      stack[verb]({
        ...given,
        onOutput: (text) => {
          output += text;
          given.onOutput?.(text);
        },
        onSpawn: (process) => {
          spawned.push(process);
          given.onSpawn?.(process);
        },
      });
  const deployment: Deployment = {
    ...{ host, stack, spawned, output: () => output },
    write: (program) => writeFileSync(join(projectDir, "index.js"), `${header}\n${program}\n`),
    useExample: (example) => {
      const source = join(root, example);
      cpSync(source, projectDir, { recursive: true, filter: (path) => path === source || isProgramFile(path) });
    },
    ...{ preview: run("preview"), up: run("up"), refresh: run("refresh"), destroy: run("destroy") },
    async [Symbol.asyncDispose]() {
      if (on === undefined) await host.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  return deployment;
}

const header = 'const { XenNetwork, XenVif, HostForwarding, PortForward } = require("pulumi-xennet");';

function isProgramFile(path: string): boolean {
  return !["node_modules", "step2", "README.md", "Pulumi.yaml"].includes(basename(path));
}

/** The topology of the recipe as a program, with what a test varies. */
export function topology(vary: { network?: string; nat?: string; forwards?: string } = {}): string {
  return `
const internal = new XenNetwork("internal", { nameLabel: "Internal network", ${vary.network ?? ""} });
const nat = new HostForwarding("nat", { network: internal, address: "192.168.100.1/24", ${vary.nat ?? ""} });
for (const n of [1, 2]) {
  new XenVif("server" + n, {
    vm: "Fedora server " + n, network: internal, onDeviceConflict: "takeOver",
    ipv4: { address: "192.168.100.1" + n + "/24", gateway: "192.168.100.1" },
  });
}
${vary.forwards ?? forwards}`;
}

export const forwards = `
new PortForward("http", { forwarding: nat, externalPort: 80, target: "192.168.100.11" });
new PortForward("alternate", { forwarding: nat, externalPort: 8080, target: "192.168.100.12", targetPort: 80 });
`;

/** Fails with everything the command printed when it did not succeed. */
export function succeeded(result: RunResult): RunResult {
  expect(result.ok ? "" : `${result.stdout}\n${result.stderr}`).toBe("");
  return result;
}

/** `update PortForward alternate`, for each step on our resources that changes something. */
export function changes({ steps }: RunResult): string[] {
  return steps
    .filter(({ op, type }) => type.includes("dynamic/xennet:") && !["same", "refresh", "read"].includes(op))
    .map(({ op, type, name }) => `${op} ${type.split(":").at(-1)} ${name}`)
    .sort();
}
