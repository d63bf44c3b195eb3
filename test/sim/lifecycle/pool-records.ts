import type { PoolUnderTest } from "../handlers/pool-under-test.ts";

const classes = ["pool", "host", "network", "PIF", "VM", "VM_guest_metrics", "VIF"];

/** Every record of the pool as text with sorted keys, by class and reference. */
export type PoolRecords = ReadonlyMap<string, string>;

/** Reads the pool as another client would see it. `without` are fields that are left out, e.g. `VM.VIFs`. */
export async function poolRecords(pool: PoolUnderTest, without: readonly string[] = []): Promise<PoolRecords> {
  const found = new Map<string, string>();
  for (const className of classes) {
    const records = await pool.simulator.admin.call<Record<string, object>>(`${className}.get_all_records`);
    for (const [ref, record] of Object.entries(records)) {
      const kept = Object.entries(record).filter(([field]) => !without.includes(`${className}.${field}`));
      found.set(`${className} ${ref}`, JSON.stringify(sorted(Object.fromEntries(kept))));
    }
  }
  return found;
}

/** For an object that was made anew: every record without the identities of that class, in no order. */
export function withoutIdentities(records: PoolRecords, className: string): string[] {
  const uuid = /"uuid":"[^"]*"/;
  return [...records]
    .map(([key, record]) => (key.startsWith(`${className} `) ? record.replace(uuid, "") : `${key} ${record}`))
    .sort();
}

/** Without one object. */
export function exceptFor(records: PoolRecords, ref: string): PoolRecords {
  return new Map([...records].filter(([key]) => !key.endsWith(` ${ref}`)));
}

/** As one text in which random identities are numbered in the order of their appearance: comparable between pools. */
export function masked(records: PoolRecords): string {
  const names = new Map<string, string>();
  const text = [...records].map(([key, record]) => `${key} ${record}`).join("\n");
  const uuid = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}";
  const identity = new RegExp(`(?:OpaqueRef:)?${uuid}|(?:[0-9a-f]{2}:){5}[0-9a-f]{2}`, "g");
  return (
    text
      .replaceAll(identity, (found) => {
        if (!names.has(found)) names.set(found, `<${names.size}>`);
        return names.get(found) ?? found;
      })
      // Guests derive it from a MAC address, which is random.
      .replaceAll(/fe80::[0-9a-f:]+/g, "<link-local address>")
      .replaceAll(/("xennet:incarnation":")[0-9a-f]{16}/g, "$1<incarnation>")
      .replaceAll(/\d{8}T\d\d:\d\d:\d\dZ/g, "<time>")
  );
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== "object") return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, item]) => [key, sorted(item)]));
}
