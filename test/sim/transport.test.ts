import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect as connectTls } from "node:tls";
import { expect, onTestFinished, test } from "vitest";
import { connect, jsonCall, password, post, simulate, xmlCall, xmlClient } from "./fixtures.ts";

const login = `<methodCall><methodName>session.login_with_password</methodName><params>
  <param><value><string>root</string></value></param><param><value>${password}</value></param></params></methodCall>`;

function xmlRequest(method: string, ...params: string[]): string {
  const values = params.map((param) => `<param><value>${param}</value></param>`).join("");
  return `<?xml version="1.0"?><methodCall><methodName>${method}</methodName><params>${values}</params></methodCall>`;
}

test("integers are written bare, without a type tag, in XML", async () => {
  const simulator = await simulate();
  const { session, call } = await connect(simulator);
  const [network = ""] = await call<string[]>("network.get_all");
  const reply = await post(simulator, "/", xmlRequest("network.get_MTU", session, network));
  expect(reply.body).toContain("<name>Value</name><value>1500</value>");
});

test("booleans, dates and floats have their tags in XML", async () => {
  const simulator = await simulate();
  const { session, call } = await connect(simulator);
  const [vm = ""] = await call<string[]>("VM.get_all");
  const { body } = await post(simulator, "/", xmlRequest("VM.get_record", session, vm));
  expect(body).toContain("<name>is_control_domain</name><value><boolean>1</boolean></value>");
  expect(body).toContain("<name>snapshot_time</name><value><dateTime.iso8601>19700101T00:00:00Z</dateTime.iso8601>");
  expect(body).toContain("<name>HVM_shadow_multiplier</name><value><double>1</double></value>");
});

test("a reply has exactly the content type that clients compare with", async () => {
  const simulator = await simulate();
  const request = JSON.stringify({
    jsonrpc: "2.0",
    method: "session.login_with_password",
    params: ["root", password],
    id: 1,
  });
  expect((await post(simulator, "/", login)).contentType).toBe("text/xml");
  expect((await post(simulator, "/jsonrpc", request)).contentType).toBe("application/json");
});

test.each(["/", "/RPC2", "/xmlrpc", "/anything"])("XML-RPC is served at POST %s", async (path) => {
  const simulator = await simulate();
  expect((await post(simulator, path, login)).body).toContain("<value>Success</value>");
});

test("a failure is HTTP 200 with Status and ErrorDescription", async () => {
  const simulator = await simulate();
  const reply = await post(simulator, "/", xmlRequest("network.get_all", "OpaqueRef:none"));
  expect(reply.status).toBe(200);
  expect(reply.body).toContain(
    "<name>ErrorDescription</name><value><array><data><value>SESSION_INVALID</value><value>OpaqueRef:none</value>",
  );
});

test("JSON-RPC 2.0 carries the code as message and the parameters as data", async () => {
  const simulator = await simulate();
  expect(await jsonCall(simulator, "network.get_all", ["OpaqueRef:none"])).toEqual({
    jsonrpc: "2.0",
    error: { code: 1, message: "SESSION_INVALID", data: ["OpaqueRef:none"] },
    id: 7,
  });
});

test("JSON-RPC 1.0 carries the error as an array", async () => {
  const simulator = await simulate();
  const reply = await jsonCall(simulator, "network.get_all", ["OpaqueRef:none"], 1);
  expect(reply).toEqual({ result: null, error: ["SESSION_INVALID", "OpaqueRef:none"], id: 7 });
});

test("integers are numbers and dates are text in JSON", async () => {
  const simulator = await simulate();
  const { result: session } = await jsonCall(simulator, "session.login_with_password", ["root", password]);
  const { result } = await jsonCall(simulator, "VM.get_all_records", [session as string]);
  const [record] = Object.values(result as Record<string, Record<string, unknown>>);
  expect(record).toMatchObject({ domid: 0, snapshot_time: "19700101T00:00:00Z", is_control_domain: true });
});

test("system.listMethods answers a bare array to anybody over XML", async () => {
  const simulator = await simulate();
  const names = await new Promise((resolve, reject) => {
    xmlClient(simulator).methodCall("system.listMethods", [], (error, value) =>
      error ? reject(error) : resolve(value),
    );
  });
  expect(names).toEqual(expect.arrayContaining(["VIF.plug", "network.get_all_records", "session.logout"]));
});

test("a chunked body is refused", async () => {
  const simulator = await simulate();
  expect((await post(simulator, "/", login, { "transfer-encoding": "chunked" })).status).toBe(411);
});

test("a body of more than 300 KiB is refused", async () => {
  const simulator = await simulate();
  const { session, call } = await connect(simulator);
  const [network = ""] = await call<string[]>("network.get_all");
  const fits = xmlRequest("network.set_name_description", session, network, "x".repeat(299 * 1024));
  expect((await post(simulator, "/", fits)).body).toContain("<value>Success</value>");
  const tooLong = xmlRequest("network.set_name_description", session, network, "x".repeat(301 * 1024));
  expect((await post(simulator, "/", tooLong)).status).toBe(413);
});

test("text that is no UTF-8 is an invalid value", async () => {
  const simulator = await simulate();
  const body = Buffer.from(xmlRequest("session.login_with_password", "r\u00f6\u00f6t", password), "latin1");
  expect((await post(simulator, "/", body)).body).toContain("<value>INVALID_VALUE</value>");
});

test("a body that is no call is refused", async () => {
  const simulator = await simulate();
  expect((await post(simulator, "/", "<methodCall><methodName>x</methodCall>")).status).toBe(400);
  expect((await post(simulator, "/jsonrpc", "{")).status).toBe(400);
});

test("markup and other scripts pass unharmed in both directions", async () => {
  const simulator = await simulate();
  const { call } = await connect(simulator);
  const [network = ""] = await call<string[]>("network.get_all");
  const name = `<b>"Büro" & 'Lager' 雪 ]]></b>`;
  await call("network.set_name_label", network, name);
  expect(await call("network.get_name_label", network)).toBe(name);
});

test("an unknown call is named", async () => {
  const simulator = await simulate();
  const { call } = await connect(simulator);
  await expect(call("network.paint")).rejects.toThrow("MESSAGE_METHOD_UNKNOWN network.paint");
});

test("a wrong number of parameters is counted without the session", async () => {
  const simulator = await simulate();
  const { call } = await connect(simulator);
  await expect(call("network.get_MTU")).rejects.toThrow("MESSAGE_PARAMETER_COUNT_MISMATCH network.get_MTU 1 0");
});

test("an underscore may stand for the dot", async () => {
  const simulator = await simulate();
  const { call } = await connect(simulator);
  expect(await call("network_get_all")).toHaveLength(2);
  expect(await call("VM_guest_metrics_get_all")).toHaveLength(2);
});

test("an integer may be sent as text or number, a boolean only as boolean", async () => {
  const simulator = await simulate();
  const { call } = await connect(simulator);
  const [network = ""] = await call<string[]>("network.get_all");
  await call("network.set_MTU", network, 9000);
  await call("network.set_MTU", network, "1400");
  expect(await call("network.get_MTU", network)).toBe("1400");
  const [pool = ""] = await call<string[]>("pool.get_all");
  await expect(call("pool.set_wlb_enabled", pool, "true")).rejects.toThrow("INVALID_VALUE");
});

test("a bad reference and a bad UUID name their class", async () => {
  const simulator = await simulate();
  const { call } = await connect(simulator);
  await expect(call("VM.get_record", "OpaqueRef:no")).rejects.toThrow("HANDLE_INVALID VM OpaqueRef:no");
  await expect(call("VIF.get_by_uuid", "no")).rejects.toThrow("UUID_INVALID VIF no");
});

test("the server shows the certificate that it announces, over TLS 1.2", async () => {
  const simulator = await simulate();
  const socket = connectTls({ host: "127.0.0.1", port: simulator.port ?? 0, rejectUnauthorized: false });
  onTestFinished(() => void socket.destroy());
  await new Promise((resolve) => socket.once("secureConnect", resolve));
  expect(socket.getPeerCertificate().fingerprint256).toBe(simulator.fingerprint);
  expect(socket.getProtocol()).toBe("TLSv1.2");
});

test("a Unix socket serves the same as a port", async () => {
  const folder = await mkdtemp(join(tmpdir(), "xapi-socket-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const socketPath = join(folder, "xapi");
  const { certificatePem, url } = await simulate({ listen: { path: socketPath } });
  expect(url).toBe("");
  expect((await post({ certificatePem, socketPath }, "/", login)).body).toContain("<value>Success</value>");
});

test("the handler for plain HTTP shows the welcome page", async () => {
  const simulator = await simulate();
  const server = createServer(simulator.httpHandler).listen(0, "127.0.0.1");
  onTestFinished(() => void server.close());
  await new Promise((resolve) => server.once("listening", resolve));
  const reply = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  expect(reply.headers.get("content-type")).toBe("text/html");
  expect(await reply.text()).toContain("Welcome to XCP-ng");
});

test("each call over the wire is recorded with what it is", async () => {
  const simulator = await simulate();
  const { call } = await connect(simulator);
  const network = await call<string>("network.create", { other_config: {} });
  await call("Async.network.destroy", network);
  await expect(xmlCall(simulator, "network.get_all", "OpaqueRef:no")).rejects.toThrow("SESSION_INVALID");
  expect(simulator.calls.map(({ method, async, writing, error }) => [method, async, writing, error])).toEqual([
    ["session.login_with_password", false, false, undefined],
    ["network.create", false, true, undefined],
    ["network.destroy", true, true, undefined],
    ["network.get_all", false, false, "SESSION_INVALID"],
  ]);
  expect(simulator.countCalls("network.create")).toBe(1);
  expect(simulator.countCalls((one) => one.writing)).toBe(2);
});
