import type { ServerResponse } from "node:http";
import { PassThrough, Readable } from "node:stream";
import { beforeAll, describe, expect, test } from "vitest";
import { isUnprintable } from "../../../provider/src/core/foreign-text.ts";
import * as networks from "../../../provider/src/xapi/networks.ts";
import { AnswerStopped, AnswerTooLarge, usualLimits } from "../../../provider/src/xapi/xml-limits.ts";
import { decodeAnswer, encodeCall } from "../../../provider/src/xapi/xml-rpc.ts";
import type { TlsIdentity } from "../../sim/contract.ts";
import { makeTlsIdentity } from "../../sim/tls.ts";
import { connect, errorOf, sessions } from "./clients.ts";
import { member, type Script, scriptedXapi, success } from "./scripted-xapi.ts";

let tls: TlsIdentity;

beforeAll(async () => {
  tls = await makeTlsIdentity("xcp-ng-host");
});

const raw = (answer: (response: ServerResponse) => void): Script =>
  sessions(({ response }) => {
    response.setHeader("content-type", "text/xml");
    answer(response);
    return undefined;
  });

/** How often a reading and a writing call were sent, and what each ended with. */
async function bothWays(script: Script) {
  await using server = await scriptedXapi(tls, script);
  const client = connect(server);
  const read = await errorOf(client.call("network.get_all_records"));
  const write = await errorOf(client.call("network.create", { name_label: "x" }));
  await client.close();
  return { read, write, reads: server.count("network.get_all_records"), writes: server.count("network.create") };
}

const fault = (text: string) =>
  `<?xml version="1.0"?><methodResponse><fault><value><struct>${member("faultCode", "<int>-32601</int>")}${member("faultString", text)}</struct></value></fault></methodResponse>`;

describe("what is no result is told as what it is, and sent once", () => {
  test("an XML-RPC fault", async () => {
    const { read, write, reads, writes } = await bothWays(
      raw((response) => response.end(fault("no such \u202emethod"))),
    );
    expect({ reads, writes }).toEqual({ reads: 1, writes: 1 });
    expect(read).toMatchObject({
      code: "XAPI_FAULT",
      message: expect.stringContaining('"no such \\u202emethod" (-32601)'),
    });
    expect(write.message).toContain("It may have taken effect nevertheless");
    expect(isUnprintable(`${read.message}${write.message}`)).toBe(false);
  });

  test.each([
    [
      "HTTP 500 with an XML-RPC body",
      (response: ServerResponse) => response.writeHead(500).end(fault("broken")),
      "HTTP status 500",
    ],
    [
      "a redirect",
      (response: ServerResponse) => response.writeHead(302, { location: "https://192.0.2.9/" }).end(),
      "HTTP status 302",
    ],
    [
      "a page",
      (response: ServerResponse) => response.setHeader("content-type", "text/html").end("<html><p>x</html>"),
      "HTTP status 200",
    ],
    [
      "an answer without Status",
      (response: ServerResponse) => response.end(envelopeOf("<struct></struct>")),
      "HTTP status 200",
    ],
    [
      "a Status that only a prototype has",
      (response: ServerResponse) =>
        response.end(envelopeOf(`<struct>${member("__proto__", `<struct>${success("x")}</struct>`)}</struct>`)),
      "HTTP status 200",
    ],
    ["nothing at all", (response: ServerResponse) => response.end(), "HTTP status 200"],
    [
      "half an answer that ends in good order",
      (response: ServerResponse) => response.end("<?xml version='1.0'?><methodResponse><params>"),
      "HTTP status 200",
    ],
    [
      "64 KB of header",
      (response: ServerResponse) => response.setHeader("x-long", "y".repeat(65_536)).end(envelopeOf("x")),
      "no HTTP",
    ],
  ])("%s", async (_name, answer, what) => {
    const { read, write, reads, writes } = await bothWays(raw((response) => void answer(response)));
    expect({ reads, writes }).toEqual({ reads: 1, writes: 1 });
    expect(read).toMatchObject({ code: "XAPI_PROTOCOL", message: expect.stringContaining(what) });
    expect(write).toMatchObject({ code: "XAPI_PROTOCOL" });
  });

  test("an answer that is cut off is a lost connection: the reading call is sent once more, the writing one is not", async () => {
    const cutOff = raw((response) => {
      response.setHeader("content-length", 10_000).write("<?xml version='1.0'?><methodResponse>");
      setTimeout(() => response.destroy(), 20);
    });
    const { read, write, reads, writes } = await bothWays(cutOff);
    expect({ reads, writes }).toEqual({ reads: 2, writes: 1 });
    expect([read, write]).toMatchObject([{ code: "XAPI_CONNECTION_LOST" }, { code: "XAPI_CONNECTION_LOST" }]);
  });
});

function envelopeOf(value: string): string {
  return `<?xml version="1.0"?><methodResponse><params><param><value>${value}</value></param></params></methodResponse>`;
}

const small = { ...usualLimits, bytes: 32_768, elements: 1000, silentMs: 200 };

/** A document made while it is read, so that it can be without end. */
function endless(head: string, piece: string): Readable {
  return Readable.from(
    (function* () {
      yield Buffer.from(head);
      for (;;) yield Buffer.from(piece);
    })(),
    { objectMode: false },
  );
}

describe("limits", () => {
  const head = "<?xml version='1.0'?><methodResponse><params><param><value>";
  test.each([
    ["text", endless(head, "x".repeat(1000)), "more than 0.03125 MB"],
    ["CDATA", endless(`${head}<![CDATA[`, "<value>".repeat(100)), "more than 0.03125 MB"],
    ["a comment", endless(`${head}<!--`, "-x".repeat(100)), "more than 0.03125 MB"],
    ["elements", endless(`${head}<array><data>`, "<value/>"), "more than 1000 elements"],
    ["nesting", endless(head, "<value><array><data>"), "more than 100 elements within each other"],
    ["a tag", endless(`${head}<va`, "lue"), "a tag of more than 256 bytes"],
    ["attributes", endless(`${head}<value`, ' a="1"'), "a tag of more than 256 bytes"],
    ["a processing instruction", endless("<?xml ", "x".repeat(100)), "a tag of more than 256 bytes"],
    [
      "entities",
      Readable.from([Buffer.from('<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa">]>')]),
      "a declaration",
    ],
  ])("%s without end", async (_name, stream, what) => {
    const error = await errorOf(decodeAnswer(stream, small));
    expect(error).toBeInstanceOf(AnswerTooLarge);
    expect(error.message).toContain(what);
    expect(stream.destroyed).toBe(true);
  });

  test("what is no XML-RPC is not read to its end", async () => {
    const stream = endless("<html>", "</p><p>".repeat(100));
    await errorOf(decodeAnswer(stream, usualLimits));
    expect(stream.destroyed).toBe(true);
  });

  test("an answer that stops in the middle", async () => {
    const stream = new PassThrough();
    stream.write(head);
    expect(await errorOf(decodeAnswer(stream, small))).toBeInstanceOf(AnswerStopped);
    expect(stream.destroyed).toBe(true);
  });

  test("the same over the wire: the code says what was exceeded, the connection is closed, nothing is sent twice", async () => {
    const endlessText = raw((response) => {
      const more = () => {
        while (response.write("<value><array><data>".repeat(100)));
      };
      response.on("drain", more).write(head);
      more();
    });
    await using server = await scriptedXapi(tls, endlessText);
    const client = connect(server);
    const read = await errorOf(client.call("network.get_all_records"));
    expect(read).toMatchObject({
      code: "XAPI_ANSWER_TOO_LARGE",
      message: expect.stringContaining("within each other"),
    });
    const write = await errorOf(client.call("network.create", {}));
    expect(write).toMatchObject({
      code: "XAPI_ANSWER_TOO_LARGE",
      message: expect.stringContaining("may have taken effect"),
    });
    expect([server.count("network.get_all_records"), server.count("network.create")]).toEqual([1, 1]);
    await client.close();
    await expect.poll(() => server.openConnections()).toBe(0);
  });

  test("a pool of 2,000 VMs stays far below them", async () => {
    const record = Array.from({ length: 100 }, (_, at) => member(`field_${at}`, "some value of a field")).join("");
    const vms = Array.from({ length: 2000 }, (_, at) => member(`OpaqueRef:${at}`, `<struct>${record}</struct>`));
    const text = envelopeOf(`<struct>${success(`<struct>${vms.join("")}</struct>`)}</struct>`);
    expect(text.length).toBeLessThan(usualLimits.bytes / 4);
    const value = (await decodeAnswer(Readable.from([Buffer.from(text)]), usualLimits)) as { Value: object };
    expect(Object.keys(value.Value)).toHaveLength(2000);
  });
});

describe("what the parser of the package could be made to do", () => {
  const decoded = (value: string) => decodeAnswer(Readable.from([Buffer.from(envelopeOf(value))]), usualLimits);

  test("member names such as __proto__ and constructor change no other object", async () => {
    const evil = `<struct>${member("polluted", "yes")}</struct>`;
    await decoded(
      `<struct>${member("__proto__", evil)}${member("constructor", `<struct>${member("prototype", evil)}</struct>`)}</struct>`,
    );
    expect(({} as { polluted?: string }).polluted).toBeUndefined();
    expect(Object.prototype).not.toHaveProperty("polluted");
  });

  test("a field that only a prototype has is not there", async () => {
    const record = `<struct>${member("__proto__", `<struct>${member("uuid", "x")}${member("name_label", "y")}</struct>`)}</struct>`;
    await using server = await scriptedXapi(
      tls,
      sessions(() => success(`<struct>${member("OpaqueRef:1", record)}</struct>`)),
    );
    const error = await errorOf(networks.getAllRecords(connect(server)));
    expect(error).toMatchObject({ code: "XAPI_PROTOCOL", message: expect.stringContaining("found nothing") });
  });

  test("of members of the same name the last one counts", async () => {
    expect(await decoded(`<struct>${member("a", "1")}${member("a", "2")}</struct>`)).toEqual({ a: "2" });
  });

  test("entities of XML are read, others stay as they are, none grows", async () => {
    expect(await decoded("&lt;&amp;&#x202e;&xxe;&lol;")).toBe("<&\u202e&xxe;&lol;");
  });

  test("invalid UTF-8 becomes replacement characters, also where a character spans two chunks", async () => {
    const bytes = Buffer.concat([
      Buffer.from(envelopeOf("a").split("a</value>")[0] ?? ""),
      Buffer.from([0xff, 0xc3, 0x28, 0xe2, 0x82]),
    ]);
    const rest = Buffer.concat([Buffer.from([0xac]), Buffer.from("</value></param></params></methodResponse>")]);
    expect(await decodeAnswer(Readable.from([bytes, rest]), usualLimits)).toBe("\ufffd\ufffd(€");
  });

  test("unknown elements, and values of the wrong form, are errors", async () => {
    for (const value of [
      "<script>x</script>",
      "<int>x</int>",
      "<boolean>2</boolean>",
      "<dateTime.iso8601>x</dateTime.iso8601>",
    ])
      await expect(decoded(value)).rejects.toThrow();
  });

  test("what is sent is escaped whatever it is", () => {
    const sent = encodeCall("x", ["]]><!--<![CDATA[&lol;", { "a<b>": "c" }]);
    expect(sent).toContain("<string>]]&gt;&lt;!--&lt;![CDATA[&amp;lol;</string>");
    expect(sent).toContain("<name>a&lt;b&gt;</name>");
  });
});
