import { existsSync, readFileSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import type { SpawnedProcess } from "../engine/engine.ts";
import { captureHost, compareHosts } from "../lab/same-host.ts";
import { changes, type Deployment, deploy, enginesUnderTest, forwards, succeeded, topology } from "./deployment.ts";
import { poolOf } from "./pool.ts";

/** Points of each command at which each process is killed. */
const points = Number(process.env["XENNET_CRASH_POINTS"] ?? 1);

/** What a person does, in this order; each from where the one before ends. */
const commands = {
  up: { program: topology(), verb: "up" },
  update: {
    program: topology({ network: 'nameDescription: "changed"', forwards: forwards.replace("8080", "8081") }),
    verb: "up",
  },
  destroy: { program: undefined, verb: "destroy" },
} as const;

type Command = keyof typeof commands;

function run(deployment: Deployment, command: Command, onSpawn?: (process: SpawnedProcess) => void) {
  const { program, verb } = commands[command];
  if (program !== undefined) deployment.write(program);
  return deployment[verb](onSpawn === undefined ? {} : { onSpawn });
}

/** Runs a command, and kills a process as soon as it is at its so-many-th XAPI call. */
async function runKilledAt(deployment: Deployment, command: Command, victim: SpawnedProcess["kind"], n: number) {
  let pid: number | undefined;
  let count = 0;
  deployment.host.simulator.faults.intercept((_call, when) => {
    if (when === "before") count += 1;
    if (when === "before" && count === n && pid !== undefined) kill(pid);
    return "go";
  });
  const result = await run(deployment, command, (spawned) => {
    if (spawned.kind === victim) pid = spawned.pid;
  });
  deployment.host.simulator.faults.clear();
  return result;
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended by itself.
  }
}

/** What `pulumi cancel` does after an engine that was killed; answers whether the state was cut short. */
function afterKilledEngine({ stack }: Deployment): boolean {
  rmSync(join(dirname(stack.stateFile), "../../locks"), { recursive: true, force: true });
  if (!existsSync(stack.stateFile)) return true;
  try {
    JSON.parse(readFileSync(stack.stateFile, "utf8"));
    return false;
  } catch {
    return true;
  }
}

describe.each(enginesUnderTest())("on the $label", ({ engine }) => {
  const victims = engine.isReal ? (["provider", "engine"] as const) : (["provider"] as const);

  test.each(victims)(
    "%s killed in an up, an update and a destroy: the same command again ends as an undisturbed one",
    {
      timeout: 120_000 + points * 240_000,
    },
    async (victim) => {
      await using deployment = await deploy(engine, { env: { XENNET_CONFIRMATION_WINDOW: "10" } });
      const { host, destroy, stack } = deployment;
      const before = await captureHost(host.lab, host.simulator);
      const calls: Partial<Record<Command, number>> = {};
      for (const command of Object.keys(commands) as Command[]) {
        const already = host.simulator.calls.length;
        succeeded(await run(deployment, command));
        calls[command] = host.simulator.calls.length - already;
      }
      let cutShort = 0;
      for (const command of Object.keys(commands) as Command[]) {
        for (let point = 0; point < points; point += 1) {
          const n = 1 + Math.floor(((point + Math.random()) / points) * (calls[command] ?? 0));
          const title = `${command}: ${victim} killed in XAPI call ${n} of ${calls[command]}`;
          if (command !== "up") succeeded(await run(deployment, "up"));
          const killed = await runKilledAt(deployment, command, victim, n);
          if (victim === "engine" && afterKilledEngine(deployment)) cutShort += 1;
          const again = await run(deployment, command);
          console.log(`${title}: ${killed.ok ? "succeeded" : "failed"}, again: ${again.ok ? "succeeded" : "failed"}`);
          succeeded(again);
          if (command !== "destroy") {
            expect(await poolOf(deployment).ownNetworks(), title).toHaveLength(1);
            expect(changes(succeeded(await run(deployment, command))), title).toEqual([]);
            succeeded(await destroy());
          }
          expect({ title, left: compareHosts(before, await captureHost(host.lab, host.simulator)) }).toEqual({
            title,
            left: [],
          });
          const { resources = [] } = (await stack.exportDeployment()).deployment;
          expect(resources.filter(({ custom }) => custom)).toEqual([]);
        }
      }
      console.log(`${3 * points} points with the ${victim} killed; state cut short ${cutShort} times`);
    },
  );
});
