import fc from "fast-check";
import { expect, test } from "vitest";
import { type HostSnapshot, parseSnapshot } from "../../../provider/src/dom0/snapshot.ts";
import { fragmentText } from "../../support/dom0-double/fragment.ts";

const MINIMAL = `xennet-snapshot 1
host 6d1f4b1e-9d0c-4f2a-8a55-3a3f6c0f7e11
boot 4e1b1f0a-0000-4000-8000-000000000001
program none
format none
off no
confirmed none
pending none
end
`;

/** The text a host would print for a snapshot. */
function print(snapshot: HostSnapshot): string {
  const lines = ["xennet-snapshot 1", `host ${snapshot.host}`, `boot ${snapshot.boot}`];
  lines.push(`program ${snapshot.program ?? "none"}`, `format ${snapshot.format ?? "none"}`);
  lines.push(`off ${snapshot.off ? "yes" : "no"}`, `confirmed ${snapshot.confirmed ?? "none"}`);
  const { pending, external } = snapshot;
  lines.push(pending === undefined ? "pending none" : `pending ${pending.generation} ${pending.secondsLeft}`);
  if (external === undefined) lines.push("external - - static");
  else lines.push(`external ${external.interface} ${external.address ?? "-"} ${external.assignment}`);
  for (const { network, name, present } of snapshot.bridges) {
    lines.push(`bridge ${network} ${name ?? "-"} ${present ? "present" : "absent"}`);
  }
  for (const { token, status, text, serial } of snapshot.fragments) {
    const serialLine = serial === undefined ? "" : `serial ${serial}\n`;
    lines.push(`fragment ${token} ${status}`, text.replace(/end\n$/, `${serialLine}end`));
  }
  for (const token of snapshot.damaged) lines.push(`damaged ${token}`);
  for (const { table, line } of snapshot.live) lines.push(`live ${table} ${line}`);
  for (const { token, table, line } of snapshot.want) lines.push(`want ${token} ${table} ${line}`);
  for (const { token, what } of snapshot.missing) lines.push(`missing ${token} ${what}`);
  for (const { table, line } of snapshot.foreign) lines.push(`foreign ${table} ${line}`);
  for (const { interface: name, address } of snapshot.addresses) lines.push(`address ${name} ${address}`);
  for (const { destination, interface: name } of snapshot.routes) lines.push(`route ${destination} ${name}`);
  for (const { protocol, address, port } of snapshot.listens) lines.push(`listen ${protocol} ${address} ${port}`);
  if (snapshot.client !== undefined) lines.push(`client ${snapshot.client}`);
  for (const { key, value } of snapshot.sysctls) lines.push(`sysctl ${key} ${value}`);
  for (const name of snapshot.routed) lines.push(`routed ${name}`);
  for (const path of snapshot.files) lines.push(`file ${path}`);
  for (const path of snapshot.left) lines.push(`left ${path}`);
  return `${lines.join("\n")}\nend\n`;
}

const token = fc.stringMatching(/^[0-9a-f]{12}$/);
const word = fc.stringMatching(/^[a-zA-Z0-9_.:-]{1,15}$/);
const words = fc.array(word, { minLength: 1, maxLength: 6 }).map((parts) => parts.join(" "));
const cidr = fc.tuple(fc.ipV4(), fc.nat(32)).map(([address, length]) => `${address}/${length}`);
const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
const table = fc.constantFrom("filter" as const, "nat" as const, "mangle" as const);
const tableLine = fc.record({ table, line: words.map((rest) => `-A XENNET-FORWARD ${rest}`) });

const anySnapshot: fc.Arbitrary<HostSnapshot> = fc.record({
  host: fc.uuid(),
  boot: fc.uuid(),
  program: maybe(fc.nat(99)),
  format: maybe(fc.nat(9)),
  off: fc.boolean(),
  confirmed: maybe(fc.nat()),
  pending: maybe(fc.record({ generation: fc.nat(), secondsLeft: fc.nat(60) })),
  external: maybe(
    fc.record({
      interface: word.filter((name) => name !== "-"),
      address: maybe(cidr),
      assignment: fc.constantFrom("static" as const, "dhcp" as const),
    }),
  ),
  bridges: fc.array(
    fc.record({ network: fc.uuid(), name: maybe(word.filter((name) => name !== "-")), present: fc.boolean() }),
  ),
  fragments: fc.array(
    fc.record({
      token,
      status: fc.constantFrom("active" as const, "waiting" as const, "off" as const),
      text: token.map((of) => fragmentText(of)),
      serial: maybe(fc.nat()),
    }),
  ),
  damaged: fc.array(token),
  live: fc.array(tableLine),
  want: fc.array(fc.tuple(token, tableLine).map(([of, line]) => ({ token: of, ...line }))),
  missing: fc.array(fc.record({ token, what: words })),
  foreign: fc.array(tableLine),
  addresses: fc.array(fc.record({ interface: word, address: cidr })),
  routes: fc.array(fc.record({ destination: fc.oneof(cidr, fc.constant("default")), interface: word })),
  listens: fc.array(
    fc.record({
      protocol: fc.constantFrom("tcp" as const, "udp" as const),
      address: fc.oneof(fc.ipV4(), fc.constantFrom("*", "[::]")),
      port: fc.integer({ min: 1, max: 65535 }),
    }),
  ),
  client: maybe(fc.ipV4()),
  sysctls: fc.array(fc.record({ key: word, value: word })),
  routed: fc.array(word),
  files: fc.array(word.map((name) => `/etc/${name}`)),
  left: fc.array(word.map((name) => `/etc/${name}`)),
});

test("whatever a host prints is read back as it is", () => {
  fc.assert(
    fc.property(anySnapshot, (snapshot) => {
      expect(parseSnapshot(print(snapshot))).toEqual(snapshot);
    }),
  );
});

test("a snapshot that is cut short anywhere is refused", () => {
  fc.assert(
    fc.property(anySnapshot, fc.nat(), (snapshot, where) => {
      const text = print(snapshot);
      // The very last newline says nothing.
      const cut = text.slice(0, where % (text.length - 1));
      expect(() => parseSnapshot(cut)).toThrow(expect.objectContaining({ code: "SNAPSHOT_MALFORMED" }));
    }),
  );
});

test.each([
  ["an unknown line", MINIMAL.replace("end\n", "weather fine\nend\n")],
  ["something after the end", `${MINIMAL}host other\n`],
  ["another version", MINIMAL.replace("xennet-snapshot 1", "xennet-snapshot 2")],
  ["a line twice", MINIMAL.replace("off no\n", "off no\noff yes\n")],
  ["a missing line", MINIMAL.replace("confirmed none\n", "")],
  ["a word too many", MINIMAL.replace("off no", "off no way")],
  ["a number that is none", MINIMAL.replace("pending none", "pending one 2")],
  ["a damaged fragment without a token", MINIMAL.replace("end\n", "damaged ../x\nend\n")],
  ["a table it does not know", MINIMAL.replace("end\n", "live raw -A X\nend\n")],
])("a snapshot with %s is refused, showing the place", (_what, text) => {
  expect(() => parseSnapshot(MINIMAL)).not.toThrow();
  expect(() => parseSnapshot(text)).toThrow(/snapshot could not be read: .+ \((in line \d+|at its end)/);
});
