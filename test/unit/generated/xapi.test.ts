import { Readable } from "node:stream";
import fc from "fast-check";
import { expect, test } from "vitest";
import { isUnprintable } from "../../../provider/src/core/foreign-text.ts";
import { parseHosts } from "../../../provider/src/hosts/profile-settings.ts";
import { XapiError } from "../../../provider/src/xapi/errors.ts";
import { decodeAll, RecordReader } from "../../../provider/src/xapi/records.ts";
import { usualLimits } from "../../../provider/src/xapi/xml-limits.ts";
import { decodeAnswer, encodeCall, type XapiValue } from "../../../provider/src/xapi/xml-rpc.ts";
import { parseXmlCall } from "../../sim/xml-call.ts";
import { holds, hostileText } from "../../support/generated.ts";

// biome-ignore lint/suspicious/noControlCharactersInRegex: what XML cannot carry.
const carried = hostileText.map((text) => text.replace(/[\0-\x08\x0b\x0c\x0e-\x1f\p{Surrogate}\uFFFE\uFFFF]/gu, ""));
const key = carried.filter((text) => text !== "__proto__");
const { value } = fc.letrec<{ value: XapiValue }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small" },
    ...[carried, fc.boolean(), fc.integer().map(String)],
    fc.array(tie("value"), { maxLength: 3 }),
    fc.dictionary(key, tie("value"), { maxKeys: 3, noNullPrototype: true }),
  ) as fc.Arbitrary<XapiValue>,
}));

test("XML: what is sent is what a host reads", async () => {
  await holds("XML, sent", fc.array(value, { maxLength: 3 }), (params) => {
    const read = parseXmlCall(encodeCall("VM.set_other_config", params));
    expect(read.method).toBe("VM.set_other_config");
    expect(read.params).toEqual(params);
  });
});

const answer = (inner: string) =>
  Buffer.from(
    `<?xml version="1.0"?><methodResponse><params><param><value>${inner}</value></param></params></methodResponse>`,
  );
const decoded = (bytes: Buffer) => decodeAnswer(Readable.from([bytes]), { ...usualLimits, silentMs: 1000 });

function inXml(given: XapiValue): string {
  const text = (raw: string) => raw.replace(/[&<>\r]/g, (sign) => `&#${sign.charCodeAt(0)};`);
  if (typeof given === "boolean") return `<boolean>${given ? 1 : 0}</boolean>`;
  if (typeof given !== "object") return `<string>${text(String(given))}</string>`;
  if (Array.isArray(given))
    return `<array><data>${given.map((item) => `<value>${inXml(item)}</value>`).join("")}</data></array>`;
  const members = Object.entries(given as object).map(
    ([name, member]) => `<member><name>${text(name)}</name><value>${inXml(member)}</value></member>`,
  );
  return `<struct>${members.join("")}</struct>`;
}

test("XML: what a host sends is what is read", async () => {
  await holds("XML, received", value, async (given) => {
    expect(await decoded(answer(inXml(given)))).toEqual(given);
  });
});

const record = `<struct><member><name>Status</name><value>Success</value></member><member><name>Value</name><value><struct><member><name>OpaqueRef:1</name><value>${inXml({ uuid: "6a9c1f3e", name_label: "Internal", VIFs: ["OpaqueRef:2"], other_config: { automatic: "false" } })}</value></member></struct></value></member></struct>`;

/** Bytes put in, taken out, doubled and changed. */
const mutations = fc.array(
  fc.tuple(
    fc.nat(2000),
    fc.constantFrom("cut", "double", "insert", "change"),
    fc.oneof(hostileText, fc.constantFrom("<", ">", "</value>", "<nil/>", "<int>", "&", "\xff")),
  ),
  { minLength: 1, maxLength: 6 },
);

function mutated(bytes: Buffer, steps: ReadonlyArray<readonly [number, string, string]>): Buffer {
  let now = bytes;
  for (const [where, how, text] of steps) {
    const at = where % (now.length + 1);
    const rest = now.subarray(how === "cut" ? Math.min(now.length, at + 7) : how === "change" ? at + 1 : at);
    const middle =
      how === "double" ? now.subarray(at, at + 40) : how === "cut" ? Buffer.alloc(0) : Buffer.from(text, "latin1");
    now = Buffer.concat([now.subarray(0, at), middle, rest]);
  }
  return now;
}

test("XML: a reply that was tampered with ends as a value or as an error, never otherwise, and is not shown raw", async () => {
  await holds("XML, mutated", mutations, async (steps) => {
    const result = await decoded(mutated(answer(record), steps)).catch((error: Error) => error);
    if (result instanceof Error) return;
    try {
      decodeAll("network", (result as { Value?: unknown } | null)?.Value, (ref, raw) => {
        const reader = new RecordReader("network", raw);
        return [ref, reader.text("uuid"), reader.texts("VIFs"), reader.map("other_config")];
      });
    } catch (error) {
      expect(error).toMatchObject({ code: "XAPI_PROTOCOL" });
      expect(isUnprintable((error as Error).message)).toBe(false);
    }
  });
  expect(Object.keys(Object.prototype)).toEqual([]);
});

test("JSON: a configuration that was tampered with is a problem, or read, and its values are never quoted", async () => {
  const hosts = JSON.stringify({ lab: { host: "192.0.2.7", password: "s3cret-s3cret" } });
  await holds("JSON", mutations, (steps) => {
    const text = mutated(Buffer.from(hosts), steps).toString();
    const { problems } = parseHosts("xennet:hosts", text);
    // Where a value has become a key it is quoted as one.
    if (/s3cret-s3cret[^":,}]*"\s*:/.test(text)) return;
    for (const { reason } of problems) expect(reason).not.toContain("s3cret-s3cret");
  });
});

const codes = [
  "HANDLE_INVALID",
  "UUID_INVALID",
  "MAP_DUPLICATE_KEY",
  "INTERNAL_ERROR",
  "HOST_IS_SLAVE",
  "NETWORK_CONTAINS_VIF",
  "DEVICE_DETACH_REJECTED",
  "VM_BAD_POWER_STATE",
  "RBAC_PERMISSION_DENIED",
  "NEW_CODE",
];

test("terminal: no failure of XAPI's brings a raw character into a message, whatever its code and parameters say", async () => {
  const failure = fc.tuple(fc.oneof(fc.constantFrom(...codes), hostileText), fc.array(hostileText, { maxLength: 4 }));
  await holds("terminal", failure, ([code, params]) => {
    const error = new XapiError("VIF.plug", [code, ...params]);
    expect(isUnprintable(error.message)).toBe(false);
    expect(Object.values(error.facts).filter((fact) => isUnprintable(String(fact)))).toEqual([]);
    expect(error.stack?.startsWith("Error: ") && isUnprintable(error.stack.split("\n")[0] ?? "")).toBe(false);
  });
});
