import { once } from "node:events";
import type { Value } from "../contract.ts";
import type { Database } from "../database.ts";
import { XapiFailure } from "../errors.ts";
import { type CallContext, type Method, method } from "../method.ts";
import { parseType, type Type } from "../types.ts";

const eventType: Type = {
  kind: "struct",
  fields: {
    id: { kind: "string" },
    timestamp: { kind: "string" },
    class: { kind: "string" },
    operation: { kind: "string" },
    ref: { kind: "string" },
    snapshot: { kind: "dynamic" },
  },
};

const batchType: Type = {
  kind: "struct",
  fields: {
    events: { kind: "set", of: eventType },
    valid_ref_counts: parseType("map<string,i4>"),
    token: { kind: "string" },
  },
};

/** Node cannot wait longer in one go. */
const longestTimer = 2 ** 31 - 1;

/** What changed since a token; the newer of XAPI's two event interfaces. */
export const eventMethods: Method[] = [
  {
    ...method("event.from", "classes set<string>, token string, timeout float", "void", from, { since: "1.9" }),
    result: batchType,
  },
  method("event.inject", "class string, ref string", "string", inject, { since: "1.10" }),
];

interface Batch {
  readonly [key: string]: Value;
}

async function from(context: CallContext, classes: readonly string[], token: string, timeout: number): Promise<Batch> {
  const { db } = context.world;
  const wants = subscription(classes);
  const since = parseToken(token);
  const deadline = Date.now() + timeout * 1000;
  for (;;) {
    assertSession(context);
    const batch = changesSince(db, since, wants);
    const left = deadline - Date.now();
    if ((batch["events"] as readonly Value[]).length > 0 || left <= 0) return batch;
    await once(db.changes, "change", { signal: AbortSignal.timeout(Math.min(left, longestTimer)) }).catch(
      ignoreTimeout,
    );
  }
}

/** A row counts as modified though nothing was written: clients use it to find out where they stand. */
function inject({ world }: CallContext, className: string, ref: string): string {
  const name = [...world.db.tables.keys()].find((table) => table.toLowerCase() === className.toLowerCase());
  if (name === undefined || !world.db.has(name, ref)) throw new XapiFailure("HANDLE_INVALID", [className, ref]);
  world.db.touch(name, ref);
  return writeToken(world.db.generation);
}

function changesSince(db: Database, since: number, wants: (className: string, ref: string) => boolean): Batch {
  const changes = db.since(since);
  if (changes === undefined) throw new XapiFailure("EVENTS_LOST", []);
  const wanted = changes.changed.filter(({ className, ref }) => wants(className, ref));
  const event = (className: string, ref: string, operation: string, snapshot: Record<string, Value>) => ({
    id: String(db.generation),
    timestamp: "0.0",
    class: className.toLowerCase(),
    operation,
    ref,
    ...snapshot,
  });
  const present = (added: boolean) =>
    wanted
      .filter((change) => change.added === added)
      .map(({ className, ref }) =>
        event(className, ref, added ? "add" : "mod", {
          snapshot: { type: { kind: "record", of: className }, value: db.record(className, ref) } as unknown as Value,
        }),
      );
  const gone = changes.deleted
    .filter(({ className, ref }) => wants(className, ref))
    .map(({ className, ref }) => event(className, ref, "del", {}));
  return {
    events: [...present(true), ...present(false), ...gone],
    valid_ref_counts: Object.fromEntries(listed(db).map((name) => [name.toLowerCase(), db.refs(name).length])),
    token: writeToken(db.generation),
  };
}

/** Understands `*`, a class in any case, and `class/ref`. */
function subscription(classes: readonly string[]): (className: string, ref: string) => boolean {
  const wanted = classes.map((text) => {
    const [className = "", ref, ...rest] = text.split("/");
    if (className === "" || rest.length > 0) throw new XapiFailure("EVENT_SUBSCRIPTION_PARSE_FAILURE", [text]);
    return { className: className.toLowerCase(), ref };
  });
  return (className, ref) =>
    className !== "session" &&
    wanted.some(
      (one) => (one.className === "*" || one.className === className.toLowerCase()) && (one.ref ?? ref) === ref,
    );
}

function listed(db: Database): string[] {
  return [...db.tables.keys()].filter((name) => name !== "session");
}

function assertSession({ world, session }: CallContext): void {
  if (session !== "OpaqueRef:NULL" && !world.db.has("session", session)) {
    throw new XapiFailure("SESSION_INVALID", [session]);
  }
}

/** Generations of the database and of messages; there are no messages here. */
function writeToken(generation: number): string {
  return `${String(generation).padStart(20, "0")},${"0".repeat(20)}`;
}

function parseToken(token: string): number {
  if (token === "") return 0;
  const [, generation] = /^(\d+),\d+$/.exec(token) ?? [];
  if (generation === undefined) throw new XapiFailure("EVENT_FROM_TOKEN_PARSE_FAILURE", [token]);
  return Number(generation);
}

function ignoreTimeout(error: unknown): void {
  if (!(error instanceof Error) || error.name !== "AbortError") throw error;
}
