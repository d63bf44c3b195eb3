import { beforeAll, expect, test } from "vitest";
import { XapiClient } from "../../../provider/src/xapi/client.ts";
import * as networks from "../../../provider/src/xapi/networks.ts";
import type { XapiValue } from "../../../provider/src/xapi/xml-rpc.ts";
import type { TlsIdentity } from "../../sim/contract.ts";
import { makeTlsIdentity } from "../../sim/tls.ts";
import { failure, member, type Script, scriptedXapi, success } from "./scripted-xapi.ts";

const password = "correct horse battery staple";
let tls: TlsIdentity;

beforeAll(async () => {
  tls = await makeTlsIdentity("xcp-ng-host");
});

/** One call against a scripted answer: what was sent, and what came of it. */
async function callOnce<T>(script: Script, work: (client: XapiClient) => Promise<T>) {
  await using server = await scriptedXapi(tls, (request) =>
    request.method.startsWith("session.") ? success("OpaqueRef:session-1") : script(request),
  );
  const client = new XapiClient({ url: server.url, username: "root", password, fingerprint: server.fingerprint });
  try {
    const result: { value?: T; error?: Error } = await work(client).then(
      (value) => ({ value }),
      (error: Error) => ({ error }),
    );
    const sent = server.requests.find((request) => !request.method.startsWith("session."))?.body ?? "";
    return { sent, requests: server.requests.map(({ body }) => body).join("\n"), ...result };
  } finally {
    await client.close();
  }
}

const send = (value: XapiValue) =>
  callOnce(
    () => success(""),
    (client) => client.call("network.create", value),
  );

test("texts with markup, carriage returns and several CDATA ends go out escaped, not cut", async () => {
  const { sent } = await send("<a> & b]]>c]]>\r\nü");
  expect(sent).toContain("<string>&lt;a&gt; &amp; b]]&gt;c]]&gt;&#xD;\nü</string>");
});

test("whole numbers go out as XAPI's digits, the rest by its type", async () => {
  const { sent } = await send({ MTU: 1500, managed: true, tags: ["a", ""], other_config: {} });
  expect(sent).toContain("<name>MTU</name><value><string>1500</string></value>");
  expect(sent).toContain("<name>managed</name><value><boolean>1</boolean></value>");
  expect(sent).toMatch(/<array><data><value><string>a<\/string><\/value><value><string\/><\/value><\/data><\/array>/);
  expect(sent).toContain("<name>other_config</name><value><struct/></value>");
});

test("the session goes in front of the parameters", async () => {
  const { sent } = await send("x");
  expect(sent).toMatch(/<params><param><value><string>OpaqueRef:session-1<.*<string>x</s);
});

test("a character XML cannot carry is refused without quoting the text it is in", async () => {
  const { error, requests } = await send("very\u0001private");
  expect(error).toMatchObject({ code: "XAPI_VALUE_UNREPRESENTABLE" });
  expect(`${error?.message}${error?.stack}${error?.cause}`).not.toContain("private");
  expect(requests).not.toContain("network.create");
});

test("a network's record is decoded to its types, unknown fields left out, absent ones by default", async () => {
  const record = [
    member("uuid", "6a9c1f3e-0000-4000-8000-000000000001"),
    member("name_label", "Internal &amp; more"),
    member("name_description", ""),
    member("VIFs", "<array><data></data></array>"),
    member("PIFs", "<array><data><value>OpaqueRef:pif</value></data></array>"),
    member("MTU", "9000"),
    member("bridge", "xapi1"),
    member("other_config", `<struct>${member("automatic", "false")}</struct>`),
    member("blobs", "<struct></struct>"),
    member("snapshot_time", "<dateTime.iso8601>20260821T02:00:23Z</dateTime.iso8601>"),
  ].join("");
  const answer = success(`<struct>${member("OpaqueRef:net", `<struct>${record}</struct>`)}</struct>`);
  const { value } = await callOnce(() => answer, networks.getAllRecords);
  expect(value).toStrictEqual([
    {
      ref: "OpaqueRef:net",
      uuid: "6a9c1f3e-0000-4000-8000-000000000001",
      name_label: "Internal & more",
      name_description: "",
      VIFs: [],
      PIFs: ["OpaqueRef:pif"],
      MTU: 9000,
      bridge: "xapi1",
      managed: true,
      tags: [],
      default_locking_mode: undefined,
      other_config: { automatic: "false" },
    },
  ]);
});

test("an object that is gone is nothing, and any other failure is an error with code and parameters", async () => {
  const uuid = "6a9c1f3e-0000-4000-8000-000000000001";
  const get = (client: XapiClient) => networks.getByUuid(client, uuid);
  expect(await callOnce(() => failure("UUID_INVALID", "network", uuid), get)).toMatchObject({ value: undefined });
  const { error } = await callOnce(() => failure("RBAC_PERMISSION_DENIED", "network.get_by_uuid", "no"), get);
  expect(error).toMatchObject({ xapiCode: "RBAC_PERMISSION_DENIED", params: ["network.get_by_uuid", "no"] });
  expect(error?.message).toContain("pool-admin");
});

test("an answer that is not XML-RPC names the HTTP status and the setting", async () => {
  const { error } = await callOnce(
    ({ response }) => void response.writeHead(503, { "content-type": "text/html" }).end("<html><p>busy</p></html>"),
    networks.getAllRecords,
  );
  expect(error).toMatchObject({ code: "XAPI_PROTOCOL", message: expect.stringContaining("503") });
  expect(error?.message).toContain("xennet:xapiUrl");
});

test("a session reference in a failure's parameters does not reach the error", async () => {
  const { error } = await callOnce(
    () => failure("HANDLE_INVALID", "session", "OpaqueRef:session-1"),
    networks.getAllRecords,
  );
  expect(JSON.stringify({ ...error, message: error?.message })).not.toContain("session-1");
});
