import { describe, expect, test } from "vitest";
import type { SpawnedProcess } from "../engine/engine.ts";
import { eventually } from "../support/eventually.ts";
import { changes, type Deployment, deploy, enginesUnderTest, succeeded, topology } from "./deployment.ts";
import { answers, expectNothingOpen, startGuests } from "./web.ts";

const client = "192.168.1.50";

/** Runs `up` and kills the provider as soon as the moment has come. */
async function upKilledAt(deployment: Deployment, moment: () => Promise<boolean>): Promise<void> {
  let provider: SpawnedProcess | undefined;
  let done = false;
  const running = deployment
    .up({
      onSpawn: (spawned) => {
        if (spawned.kind === "provider") provider = spawned;
      },
    })
    .finally(() => {
      done = true;
    });
  await eventually(async () => {
    if (done) throw new Error("the up ended before the moment came");
    if (!(await moment())) throw new Error("the moment has not come");
  }, 60_000);
  if (provider === undefined) throw new Error("no provider process was seen");
  process.kill(provider.pid, "SIGKILL");
  expect((await running).ok).toBe(false);
}

async function shell({ host }: Deployment, script: string): Promise<string> {
  return (await host.lab.runInDom0(script)).stdout.trim();
}

const ours = "n=$(cat /etc/xennet/confirmed 2>/dev/null) && ls /etc/xennet/generations/$n | wc -l || echo 0";

/** A confirmation asks XAPI over a session of its own; a slow answer leaves time to see what is pending. */
function slowConfirmation({ host }: Deployment): void {
  host.simulator.faults.delay("pool.get_all_records", 2000, 100);
}

/** Where the provider is killed, and what must be true of the host right after the window. */
const moments: ReadonlyArray<{
  name: string;
  prepare?: (deployment: Deployment) => void;
  moment: (deployment: Deployment) => Promise<boolean>;
  confirmed: string;
}> = [
  {
    name: "after the network was created",
    prepare: ({ host }) => host.simulator.faults.delay("VIF.get_all_records", 1500, 20),
    moment: async ({ host }) => host.simulator.countCalls("network.create") > 0,
    confirmed: "0",
  },
  {
    name: "after the first fragment was written",
    prepare: slowConfirmation,
    moment: async (deployment) => (await shell(deployment, "cat /etc/xennet/pending 2>/dev/null")) !== "",
    confirmed: "0",
  },
  {
    name: "before the second transaction was confirmed",
    prepare: slowConfirmation,
    moment: async (deployment) =>
      /^\d+ /.test(await shell(deployment, "[ -s /etc/xennet/confirmed ] && cat /etc/xennet/pending 2>/dev/null")),
    confirmed: "1",
  },
];

describe.each(enginesUnderTest())("on the $label", ({ engine }) => {
  test.each(moments)(
    "killed $name: the host goes back by itself, and the next up converges without doubles",
    async ({ prepare, moment, confirmed }) => {
      await using deployment = await deploy(engine);
      deployment.write(topology());
      prepare?.(deployment);
      await upKilledAt(deployment, () => moment(deployment));
      deployment.host.simulator.faults.clear();
      await eventually(async () => {
        expect(await shell(deployment, "ls /etc/xennet/pending 2>/dev/null")).toBe("");
      }, 45_000);
      expect(await shell(deployment, ours)).toBe(confirmed);

      succeeded(await deployment.up());
      await startGuests(deployment);
      await answers(deployment, 80, `Fedora server 1:80 for ${client}`);
      await answers(deployment, 8080, `Fedora server 2:80 for ${client}`);
      const networks = await deployment.host.simulator.admin.call<string[]>(
        "network.get_by_name_label",
        "Internal network",
      );
      expect(networks).toHaveLength(1);
      expect(await shell(deployment, ours)).toBe("3");
      succeeded(await deployment.up());
      expect(changes(succeeded(await deployment.up()))).toEqual([]);
    },
  );

  test("after a normal run and after Ctrl-C no session, no SSH connection and no process is left", async () => {
    await using deployment = await deploy(engine);
    const { host } = deployment;
    const nothingLeft = async () => {
      await expectNothingOpen(deployment);
      expect(deployment.spawned.filter(({ pid }) => isAlive(pid))).toEqual([]);
    };
    deployment.write(topology());
    succeeded(await deployment.preview());
    await nothingLeft();
    const controller = new AbortController();
    const running = deployment.up({ signal: controller.signal });
    await eventually(() => expect(host.simulator.countCalls("network.create")).toBeGreaterThan(0), 60_000);
    controller.abort();
    await running;
    await eventually(nothingLeft, 10_000);
    succeeded(await deployment.up());
    await nothingLeft();
    await startGuests(deployment);
    await answers(deployment, 80, `Fedora server 1:80 for ${client}`);
  });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
