import { afterAll, describe, expect, test } from "vitest";
import { type Box, makeBox } from "../lab/host-program/box.ts";
import {
  declare,
  hostForwarding,
  newToken,
  portForward,
  put,
  remove,
  transaction,
} from "../lab/host-program/declarations.ts";
import { hostState } from "../lab/host-program/host-state.ts";
import { countSteps, type Kill, killed } from "./box-steps.ts";
import { perKind, seed, spread, timeout } from "./chosen.ts";

const [forwarding, web, other] = [newToken(), newToken(), newToken()];

/** A command of the host program, from a host as `before` leaves it. */
interface Crashed {
  readonly name: string;
  /** May answer what is in force where the host goes back to what is confirmed. */
  before(box: Box): Promise<unknown>;
  readonly args: (generation: number) => string;
  input?(box: Box, window: number): string;
}

const first = (box: Box) => [put(forwarding, hostForwarding(box, forwarding)), put(web, portForward(box, web, 80))];
const change = (box: Box) => [put(other, portForward(box, other, 8081)), remove(web)];
const removal = () => [remove(forwarding), remove(web)];
const pending = (box: Box, operations: readonly string[]) => box.xennet("transact", transaction(box, operations, 60));

const crashed: readonly Crashed[] = [
  {
    name: "a first transaction",
    before: async () => {},
    args: () => "transact",
    input: (box, window) => transaction(box, first(box), window),
  },
  {
    name: "a transaction that puts and removes",
    before: (box) => declare(box, first(box)),
    args: () => "transact",
    input: (box, window) => transaction(box, change(box), window),
  },
  {
    name: "a transaction that removes everything",
    before: (box) => declare(box, first(box)),
    args: () => "transact",
    input: (box, window) => transaction(box, removal(), window),
  },
  {
    name: "a confirmation",
    before: async (box) => {
      await declare(box, first(box));
      const confirmed = await inForce(box);
      await pending(box, change(box));
      return confirmed;
    },
    args: (generation) => `confirm ${generation}`,
  },
  {
    name: "the confirmation that nothing is left",
    before: async (box) => {
      await declare(box, first(box));
      const confirmed = await inForce(box);
      await pending(box, removal());
      return confirmed;
    },
    args: (generation) => `confirm ${generation}`,
  },
  {
    name: "a way back",
    before: async (box) => {
      await declare(box, first(box));
      const confirmed = await inForce(box);
      await pending(box, change(box));
      return confirmed;
    },
    args: (generation) => `revert ${generation}`,
  },
  {
    name: "healing",
    before: async (box) => {
      await declare(box, first(box));
      await box.sh(
        "iptables -F XENNET-FORWARD; iptables -t nat -F PREROUTING; ip addr flush dev xapi1; echo 0 >/proc/sys/net/ipv4/conf/xapi1/forwarding",
      );
    },
    args: () => "apply",
  },
  {
    name: "a removal by hand",
    before: (box) => declare(box, first(box)),
    args: () => "remove",
  },
];

/** What happens next; the window of a transaction is over by then where it says so. */
const then = {
  "run again": { window: 60, act: async (_box: Box, again: () => Promise<unknown>) => void (await again()) },
  "the host heals, after the window": {
    window: 1,
    act: async (box: Box) => void (await box.sh(`sleep 2; ${heal}`)),
  },
  "the power was cut": {
    window: 60,
    act: async (box: Box) => {
      await box.reboot();
      await box.plug();
      await box.sh(heal);
    },
  },
  "/run was wiped": {
    window: 1,
    act: async (box: Box) => void (await box.sh(`sleep 2; rm -rf /run/xennet; ${heal}`)),
  },
} as const;

/** As cron and udev call it; the program may have gone, and one run of it may still hold the lock. */
const heal = "[ ! -x /usr/local/sbin/xennet ] || /usr/local/sbin/xennet apply";

let box: Box | undefined;
afterAll(() => box?.close());

/** A bare box with the program. */
async function bareBox(anew: boolean): Promise<{ box: Box; bare: string }> {
  if (anew || box === undefined) {
    await box?.close();
    box = await makeBox();
    await countSteps(box);
    await box.plug();
  }
  await box.sh("rm -f /usr/local/sbin/xennet");
  const bare = await hostState(box);
  await box.install();
  return { box, bare };
}

/** What is in force, without numbers of generations: all of it that a host shows outside of /etc/xennet. */
async function inForce(of: Box): Promise<string> {
  const own = /\/etc\/xennet(\/|\b)|\/usr\/local\/sbin\/xennet|inventory$/;
  const shown = (await hostState(of)).split("\n").filter((line) => !own.test(line) && !/^# /.test(line));
  return shown.join("\n");
}

describe.each(crashed)("$name", (what) => {
  test("killed at any command that it starts leaves the host as it was, or as it ought to be", {
    timeout,
  }, async () => {
    const prepared = await bareBox(false);
    let current = prepared.box;
    let bare = prepared.bare;
    const prepare = async () => {
      const confirmed = await what.before(current);
      const generation = Number((await current.try("cat /etc/xennet/last")).stdout.trim() || 0);
      return { args: what.args(generation), before: await inForce(current), confirmed };
    };
    const tidy = async () => {
      await current.try("[ ! -x /usr/local/sbin/xennet ] || /usr/local/sbin/xennet remove");
      return hostState(current);
    };
    const undisturbed = await prepare();
    const { steps } = await killed(current, undisturbed.args, what.input?.(current, 60) ?? "");
    const after = await inForce(current);
    expect(steps.length).toBeGreaterThan(10);
    expect(await tidy()).toBe(bare);

    const kills = steps.flatMap((_tool, at) =>
      (["before", "after"] as const).flatMap((when) =>
        Object.keys(then).map((next) => ({ step: at + 1, when, next: next as keyof typeof then })),
      ),
    );
    const failures: string[] = [];
    const tried = Object.keys(then).flatMap((next) =>
      spread(
        kills.filter((kill) => kill.next === next),
        perKind,
        seed,
      ),
    );
    for (const kill of tried) {
      await current.install();
      const { window, act } = then[kill.next];
      const title = `killed ${kill.when} step ${kill.step}, ${steps[kill.step - 1]}; then ${kill.next}`;
      const found = await trial(current, kill, window, act);
      if (found !== undefined) failures.push(`${title}: ${found}`);
      const left = await tidy();
      if (left !== bare) failures.push(`${title}: a removal leaves ${difference(bare, left).slice(0, 1000)}`);
      if (found === undefined && left === bare) continue;
      ({ box: current, bare } = await bareBox(true));
    }
    console.log(`${what.name}: ${tried.length} of ${kills.length} points, ${failures.length} failed`);
    expect(failures).toEqual([]);

    async function trial(on: Box, kill: Kill, window: number, act: (typeof then)[keyof typeof then]["act"]) {
      try {
        const { args, before, confirmed } = await prepare();
        const input = what.input?.(on, window) ?? "";
        await killed(on, args, input, kill);
        let answer = "";
        await act(on, async () => {
          const { code, stdout, stderr } = await on.xennet(args, input);
          answer = `${code} ${stdout.split("\n")[0]}${stderr}`;
        });
        const now = await inForce(on);
        const right = [before, after, ...(typeof confirmed === "string" ? [confirmed] : [])];
        if (right.includes(now)) return undefined;
        const [least = ""] = right.map((wanted) => difference(wanted, now)).sort((a, b) => a.length - b.length);
        return `neither as before nor as after (${answer}): ${least.slice(0, 1000)}`;
      } catch (error) {
        return String(error);
      }
    }
  });
});

function difference(wanted: string, found: string): string {
  const [a, b] = [wanted.split("\n"), found.split("\n")];
  const lines = [
    ...a.filter((line) => !b.includes(line)).map((line) => `-${line}`),
    ...b.filter((line) => !a.includes(line)).map((line) => `+${line}`),
  ];
  return lines.join(" | ");
}
