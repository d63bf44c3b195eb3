import { describe, expect, test } from "vitest";
import type { Props } from "../../../provider/src/handlers/handler.ts";
import { type PoolUnderTest, startPool, urnOf } from "../handlers/pool-under-test.ts";
import type { ProfileName } from "../simulator.ts";
import type { Expected, LifecycleCase } from "./case.ts";
import { type HostTraits, traitsOf } from "./host-traits.ts";
import { expectToSurviveInterruptions, mishaps } from "./interruptions.ts";
import { OneResourceStack } from "./one-resource-stack.ts";
import { exceptFor, poolRecords, withoutIdentities } from "./pool-records.ts";
import { xenNetworkCase } from "./xen-network.ts";
import { xenVifCase } from "./xen-vif.ts";

const cases: ReadonlyArray<(host: HostTraits) => LifecycleCase> = [xenNetworkCase, xenVifCase];

/** Every case of every kind of resource that XAPI has. One profile a file, so that two run at a time. */
export function describeLifecycles(profile: ProfileName): void {
  const table = cases.map((caseOn) => caseOn(traitsOf(profile)));
  describe.each(table)(`$kind on ${profile}`, (lifecycle) => describeLifecycle(profile, lifecycle));
}

function describeLifecycle(profile: ProfileName, lifecycle: LifecycleCase): void {
  const { handler, className } = lifecycle;

  async function start() {
    const pool = await startPool({ profile });
    const given = await lifecycle.prepare(pool);
    return {
      pool,
      given,
      stack: new OneResourceStack(pool, handler),
      [Symbol.asyncDispose]: () => pool[Symbol.asyncDispose](),
    };
  }

  async function expectRecord(pool: PoolUnderTest, uuid: string, expected: Expected): Promise<void> {
    const record = await pool.record(className, uuid);
    const fields = typeof expected === "function" ? await expected(pool) : expected;
    expect(Object.fromEntries(Object.keys(fields).map((field) => [field, record[field]]))).toEqual(fields);
  }

  const refOf = (pool: PoolUnderTest, uuid: string) =>
    pool.simulator.admin.call<string>(`${className}.get_by_uuid`, uuid);

  async function marked(pool: PoolUnderTest, owner: unknown): Promise<unknown[]> {
    const all = await pool.simulator.admin.call<Record<string, Props>>(`${className}.get_all_records`);
    const isMarked = (record: Props) => (record["other_config"] as Props)["xennet:owner"] === owner;
    return Object.values(all)
      .filter(isMarked)
      .map((record) => record["uuid"]);
  }

  test("is created with its marks; nothing else changes, and neither up nor refresh finds more to do", async () => {
    await using run = await start();
    const { pool, given, stack } = run;
    const before = await poolRecords(pool, lifecycle.derived);
    const first = pool.writingCalls();
    expect(await stack.up(given)).toBe("created");
    expect(pool.writtenSince(first)).toEqual(lifecycle.createCalls);
    await expectRecord(pool, stack.uuid, lifecycle.created);
    expect(await marked(pool, given["owner"])).toEqual([stack.uuid]);
    const after = await poolRecords(pool, lifecycle.derived);
    expect(exceptFor(after, await refOf(pool, stack.uuid))).toEqual(before);
    const { state } = stack;
    expect(await stack.up(given)).toBe("same");
    await stack.refresh();
    expect(stack.state?.inputs).toEqual(state?.inputs);
    expect(await stack.up(given)).toBe("same");
    expect(pool.writtenSince(first)).toEqual(lifecycle.createCalls);
  });

  test("a second process that knows nothing of the first takes the same object", async () => {
    await using run = await start();
    const { pool, given, stack } = run;
    await stack.up(given);
    const { uuid } = stack;
    const again = new OneResourceStack(pool, handler);
    expect(await again.up(given)).toBe("created");
    expect(again.uuid).toBe(uuid);
    expect(await marked(pool, given["owner"])).toEqual([uuid]);
    await expectRecord(pool, uuid, lifecycle.created);
  });

  test.each(lifecycle.updates)(
    "is updated in place: $title",
    async ({ from, to, record, calls, meanwhile, isRemade = false }) => {
      await using run = await start();
      const { pool, given, stack } = run;
      await stack.up({ ...given, ...from });
      await meanwhile?.(pool);
      const { uuid } = stack;
      const before = exceptFor(await poolRecords(pool, lifecycle.derived), await refOf(pool, uuid));
      const first = pool.writingCalls();
      expect(await stack.up({ ...given, ...from, ...to })).toBe("updated");
      expect(stack.uuid !== uuid).toBe(isRemade);
      expect(pool.writtenSince(first)).toEqual(calls);
      await expectRecord(pool, stack.uuid, record);
      expect(exceptFor(await poolRecords(pool, lifecycle.derived), await refOf(pool, stack.uuid))).toEqual(before);
      await stack.refresh();
      expect(await stack.up({ ...given, ...from, ...to })).toBe("same");
      expect(pool.writtenSince(first)).toEqual(calls);
    },
  );

  test.each(lifecycle.outsideChanges)(
    "a change by hand is seen and taken back: $title",
    async ({ given: more, change }) => {
      await using run = await start();
      const { pool, given, stack } = run;
      await stack.up({ ...given, ...more });
      const before = await poolRecords(pool);
      const declared = stack.state?.inputs;
      await change(pool, await refOf(pool, stack.uuid));
      await stack.refresh();
      expect(stack.state?.inputs).not.toEqual(declared);
      expect(await stack.up({ ...given, ...more })).toBe("updated");
      expect(await poolRecords(pool)).toEqual(before);
    },
  );

  test("is deleted; deleting it again changes nothing, and the pool is what it was", async () => {
    await using run = await start();
    const { pool, given, stack } = run;
    const before = await poolRecords(pool);
    await stack.up(given);
    const { state } = stack;
    const first = pool.writingCalls();
    await stack.destroy();
    expect(pool.writtenSince(first)).toEqual(lifecycle.deleteCalls);
    expect(await poolRecords(pool)).toEqual(before);
    stack.state = state;
    await stack.refresh();
    expect(stack.state).toBeUndefined();
    stack.state = state;
    await stack.destroy();
    expect(pool.writtenSince(first)).toEqual(lifecycle.deleteCalls);
  });

  test.each(mishaps)("a create that is cut at any writing call (%s) goes on, and leaves no double", async (mishap) => {
    const calls = await expectToSurviveInterruptions(profile, lifecycle, mishap, {
      async before(stack) {
        const given = await lifecycle.prepare(stack.pool);
        return { command: () => stack.up(given) };
      },
    });
    expect(calls).toBe(lifecycle.createCalls.length);
  });

  const longest = lifecycle.updates
    .filter((update) => update.calls.length > 1)
    .flatMap((update) => mishaps.map((mishap) => ({ ...update, mishap })));
  test.each(longest)(
    "an update that is cut at any writing call ($mishap) goes on: $title",
    async ({ from, to, calls, meanwhile, mishap }) => {
      const cut = await expectToSurviveInterruptions(profile, lifecycle, mishap, {
        async before(stack) {
          const given = await lifecycle.prepare(stack.pool);
          await stack.up({ ...given, ...from });
          await meanwhile?.(stack.pool);
          return { command: () => stack.up({ ...given, ...from, ...to }) };
        },
      });
      expect(cut).toBe(calls.length);
    },
  );

  test.each(mishaps)("a delete that is cut at any writing call (%s) goes on", async (mishap) => {
    const calls = await expectToSurviveInterruptions(profile, lifecycle, mishap, {
      async before(stack) {
        await stack.up(await lifecycle.prepare(stack.pool));
        return { command: () => stack.destroy() };
      },
    });
    expect(calls).toBe(lifecycle.deleteCalls.length);
  });

  test.each(lifecycle.foreign)("refuses what is not its own: $title", async ({ prepare, message }) => {
    await using run = await start();
    const { pool, given } = run;
    const declared = { ...given, ...(await prepare(pool)) };
    const before = await poolRecords(pool);
    const { inputs, failures } = await handler.check(pool.newProcess(), {}, declared);
    expect(failures.map((failure) => failure.reason).join()).toMatch(message);
    await expect(handler.create(pool.newProcess(), inputs)).rejects.toThrow();
    expect(await poolRecords(pool)).toEqual(before);
  });

  test.each(lifecycle.adoptions)("adopts and gives back: $title", async (adoption) => {
    await using run = await start();
    const { pool, stack } = run;
    const { uuid, given: more } = await adoption.prepare(pool);
    const given = { ...run.given, ...more };
    const { isRemade = false } = adoption;
    // What refers to an object by its reference changes with it.
    const whole = async () =>
      isRemade ? withoutIdentities(await poolRecords(pool, lifecycle.derived), className) : poolRecords(pool);
    const before = await whole();
    const neighbours = exceptFor(await poolRecords(pool, lifecycle.derived), await refOf(pool, uuid));
    expect(await stack.up(given)).toBe("created");
    expect(stack.uuid !== uuid).toBe(isRemade);
    const taken = stack.uuid;
    await expectRecord(pool, taken, adoption.record);
    expect(await stack.up(given)).toBe("same");
    await stack.refresh();
    expect(await stack.up(given)).toBe("same");
    expect(await stack.up({ ...given, ...adoption.later })).toBe("updated");
    expect(stack.uuid).toBe(taken);
    await stack.refresh();
    expect(await stack.up({ ...given, ...adoption.later })).toBe("same");
    const now = await poolRecords(pool, lifecycle.derived);
    expect(exceptFor(now, await refOf(pool, taken))).toEqual(neighbours);
    await stack.destroy();
    expect(await whole()).toEqual(before);
  });

  const stages = lifecycle.adoptions.flatMap((adoption) =>
    (["adopting", "updating", "giving back"] as const).flatMap((stage) =>
      mishaps.map((mishap) => ({ ...adoption, stage, mishap })),
    ),
  );
  test.each(stages)(
    "$stage, cut at any writing call ($mishap), goes on and loses no former value: $title",
    async ({ mishap, ...adoption }) => {
      const calls = await expectToSurviveInterruptions(profile, lifecycle, mishap, {
        async before(stack) {
          const smallest = await lifecycle.prepare(stack.pool);
          const given = { ...smallest, ...(await adoption.prepare(stack.pool)).given };
          if (adoption.stage === "adopting") return { command: () => stack.up(given) };
          await stack.up(given);
          if (adoption.stage === "updating") return { command: () => stack.up({ ...given, ...adoption.later }) };
          await stack.up({ ...given, ...adoption.later });
          return { command: () => stack.destroy() };
        },
      });
      expect(calls).toBeGreaterThan(0);
    },
  );

  test("two resources at once do not get into each other's way", async () => {
    await using run = await start();
    const { pool, given } = run;
    const host = pool.newProcess();
    const owners = [given["owner"], urnOf(lifecycle.kind, "other")];
    const declared = owners.map((owner) => ({ ...given, owner }));
    const inputs = await Promise.all(
      declared.map((one) => handler.check(host, {}, one).then((answer) => answer.inputs)),
    );
    const made = await Promise.allSettled(inputs.map((one) => handler.create(host, one)));
    for (const [at, result] of made.entries()) {
      const uuids = result.status === "fulfilled" ? [result.value.outs["uuid"]] : [];
      expect(await marked(pool, owners[at])).toEqual(uuids);
    }
    expect(made[0]?.status).toBe("fulfilled");
  });

  test("two processes with one resource at once make nothing that is not seen later", async () => {
    await using run = await start();
    const { pool, given } = run;
    const { inputs } = await handler.check(pool.newProcess(), {}, given);
    const processes = [pool.newProcess(), pool.newProcess()];
    const made = await Promise.allSettled(processes.map((host) => handler.create(host, inputs)));
    const known = made.flatMap((result) => (result.status === "fulfilled" ? [result.value.outs["uuid"]] : []));
    const there = await marked(pool, given["owner"]);
    expect([...new Set(known)].sort()).toEqual([...there].sort());
    const first = pool.writingCalls();
    const next = handler.create(pool.newProcess(), inputs);
    if (there.length === 1) expect((await next).outs["uuid"]).toBe(there[0]);
    else {
      await expect(next).rejects.toMatchObject({ code: "OWNER_AMBIGUOUS" });
      expect(pool.writtenSince(first)).toEqual([]);
    }
  });
}
