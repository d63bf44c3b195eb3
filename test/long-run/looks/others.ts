import { keysOf, type Look } from "./look.ts";

/** What is nobody's but others', as one text a thing. */
function othersOf(look: Look): Map<string, string> {
  const found = new Map<string, string>();
  const isMarked = (record: Look["vifs"][number]) =>
    Object.keys(keysOf(record)).some((key) => key.startsWith("xennet:"));
  for (const [kind, records] of [
    ["network", look.networks],
    ["VIF", look.vifs],
    ["VM", look.vms],
  ] as const) {
    for (const record of records) {
      // Old hosts make a VIF anew that they give back: it is known by its place.
      const place = kind === "VIF" ? `${record["VM"]}/${record["device"]}` : record.uuid;
      found.set(`${kind} ${place}`, isMarked(record) ? OURS : shown(record));
    }
  }
  const theirs = look.rules.filter((rule) => !/ -A XENNET-| -j XENNET-/.test(rule));
  found.set("rules", theirs.join("\n"));
  return found;
}

const OURS = "ours";

/** Fields that say who is on or in it, or what is going on. */
const VOLATILE = new Set([
  "VIFs",
  "allowed_operations",
  "current_operations",
  "metrics",
  "guest_metrics",
  "ref",
  "uuid",
]);

function shown(record: Readonly<Record<string, unknown>>): string {
  const kept = Object.entries(record).filter(([field]) => !VOLATILE.has(field));
  // A VIF that was replaced travels in its VM's other_config.
  const fields = kept.map(([field, value]) => [field, field === "other_config" ? withoutOurs(value) : value]);
  return JSON.stringify(fields.sort());
}

function withoutOurs(value: unknown): unknown {
  const keys = Object.entries(value as Record<string, unknown>).filter(([key]) => !key.startsWith("xennet:"));
  return Object.fromEntries(keys.sort());
}

/** What of others changed between two looks, though nobody but us was at work. */
export function changedOthers(before: Look, after: Look): string[] {
  const [was, is] = [othersOf(before), othersOf(after)];
  return [...was].flatMap(([thing, value]) => {
    const now = is.get(thing);
    // Taken over it carries our mark, and what it was like.
    return now === value || value === OURS || now === OURS
      ? []
      : [`of others: ${thing} was ${value}, is ${now ?? "gone"}`];
  });
}
