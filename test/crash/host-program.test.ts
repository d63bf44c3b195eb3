import { describe, expect, test } from "vitest";
import { type Box, makeBox } from "../lab/host-program/box.ts";
import { hostState } from "../lab/host-program/host-state.ts";
import { type Crashed, crashedCommands, inForce } from "./box-commands.ts";
import { countSteps, type Kill, killed, recorded } from "./box-steps.ts";
import { byClass, ofThisPart, only, perKind, seed, spread, timeout } from "./chosen.ts";
import type { HostLook } from "./host-look.ts";
import { grouped } from "./points.ts";
import { type SequelName, sequelNames, sequels } from "./sequels.ts";

/** Seconds of a window: a recorded run is slow. */
const [usualWindow, recordedWindow] = [60, 600];

interface BoxPoint extends Kill {
  readonly next: SequelName;
}

/** A bare box with the program. */
async function bareBox() {
  const box = await makeBox();
  await countSteps(box);
  await box.plug();
  await box.sh("rm -f /usr/local/sbin/xennet");
  return { box, bare: await hostState(box) };
}

/** Leaves nothing, no guard either, which would wake up in another trial. */
async function tidy(box: Box): Promise<string> {
  await box.try(`[ ! -x /usr/local/sbin/xennet ] || /usr/local/sbin/xennet remove
for guard in $(grep -l -s xennet-guard /proc/[0-9]*/cmdline); do guard=\${guard#/proc/}; kill -KILL -\${guard%/*}; done`);
  return hostState(box);
}

async function prepare(box: Box, what: Crashed) {
  await box.install();
  const confirmed = await what.before(box);
  const generation = Number((await box.try("cat /etc/xennet/last")).stdout.trim() || 0);
  return { args: what.args(generation), before: await inForce(box), confirmed };
}

/** Every point of a command: after the guard's start there is none, as it ends last. */
function pointsOf(steps: readonly string[]): BoxPoint[] {
  const kills = steps.flatMap((tool, at) =>
    (tool === "setsid" ? (["before"] as const) : (["before", "after"] as const)).map((when) => ({
      step: at + 1,
      when,
    })),
  );
  return kills.flatMap((kill) => sequelNames.map((next) => ({ ...kill, next })));
}

/** One point of each class of those whose hosts the sequel cannot tell apart; or a sample. */
function chosenOf(points: readonly BoxPoint[], looks: ReadonlyMap<string, HostLook>): BoxPoint[] {
  return [...grouped(points, ({ next }) => next).values()].flatMap((ofSequel) => {
    if (!byClass) return spread(ofSequel, perKind, seed);
    const classOf = ({ step, when, next }: BoxPoint) => {
      const look = looks.get(`${step} ${when}`);
      return look === undefined ? `step ${step} ${when}` : sequels[next].sees(look);
    };
    return [...grouped(ofSequel, classOf).values()].map((members) => members[members.length >> 1] as BoxPoint);
  });
}

describe.concurrent.each(crashedCommands)("$name", (what) => {
  test("killed at any command that it starts leaves the host as it was, or as it ought to be", {
    timeout,
  }, async () => {
    const since = Date.now();
    let { box, bare } = await bareBox();
    try {
      const reference = await prepare(box, what);
      const run = byClass
        ? await recorded(box, reference.args, what.input?.(box, recordedWindow) ?? "")
        : { ...(await killed(box, reference.args, what.input?.(box, usualWindow) ?? "")), looks: new Map() };
      const after = await inForce(box);
      expect(run.steps.length).toBeGreaterThan(10);
      expect(await tidy(box)).toBe(bare);

      const titleOf = ({ when, step, next }: BoxPoint) =>
        `${what.name}: killed ${when} step ${step}, ${run.steps[step - 1]}; then ${next}`;
      const points = pointsOf(run.steps).filter((point) => only.test(titleOf(point)));
      const tried = byClass ? ofThisPart(chosenOf(points, run.looks)) : chosenOf(points, run.looks);
      if (byClass) console.log(`${what.name}: ${tried.length} classes of ${points.length} points`);
      const failures: string[] = [];
      let [elsewhere, never] = [0, 0];
      for (const point of tried) {
        const { problems, tool } = await trial(box, point, after).catch((error) => ({
          ...{ problems: [String(error)], tool: undefined },
        }));
        if (tool === undefined) never += 1;
        else if (tool !== run.steps[point.step - 1]) elsewhere += 1;
        const left = await tidy(box);
        if (left !== bare) problems.push(`a removal leaves ${difference(bare, left).slice(0, 1000)}`);
        if (problems.length === 0) continue;
        failures.push(`${titleOf(point)}: ${problems.join("; ")}`);
        console.log(failures.at(-1));
        await box.close();
        ({ box, bare } = await bareBox());
      }
      const of = byClass ? "classes, which stand for" : "of";
      const minutes = ((Date.now() - since) / 60_000).toFixed(1);
      console.log(
        `${what.name}: ${tried.length} ${of} ${points.length} points, ${failures.length} failed, ${elsewhere} met at another step, ${never} never came; ${minutes} min`,
      );
      expect(failures).toEqual([]);
    } finally {
      await box.close();
    }
  });

  async function trial(on: Box, { next, ...kill }: BoxPoint, after: string) {
    const { args, before, confirmed } = await prepare(on, what);
    const input = what.input?.(on, usualWindow) ?? "";
    const { steps } = await killed(on, args, input, kill);
    const tool = steps[kill.step - 1];
    const answers: string[] = [];
    await sequels[next].act(on, async () => {
      const answer = await on.xennet(args, input);
      answers.push(`${answer.code} ${answer.stdout.split("\n")[0]}${answer.stderr}`);
      return answer;
    });
    const now = await inForce(on);
    const wanted =
      next === "run again" ? [after] : [before, after, ...(typeof confirmed === "string" ? [confirmed] : [])];
    if (wanted.includes(now)) return { problems: [], tool };
    const [least = ""] = wanted.map((right) => difference(right, now)).sort((a, b) => a.length - b.length);
    return { problems: [`not as it ought to be (${answers.join(", then ")}): ${least.slice(0, 1000)}`], tool };
  }
});

function difference(wanted: string, found: string): string {
  const [a, b] = [wanted.split("\n"), found.split("\n")];
  const lines = [
    ...a.filter((line) => !b.includes(line)).map((line) => `-${line}`),
    ...b.filter((line) => !a.includes(line)).map((line) => `+${line}`),
  ];
  return lines.join(" | ");
}
