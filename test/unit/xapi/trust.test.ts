import { beforeAll, describe, expect, test } from "vitest";
import { XapiClient } from "../../../provider/src/xapi/client.ts";
import type { XapiEndpoint } from "../../../provider/src/xapi/endpoint.ts";
import { normalizeFingerprint } from "../../../provider/src/xapi/trust.ts";
import type { TlsIdentity } from "../../sim/contract.ts";
import { makeTlsIdentity } from "../../sim/tls.ts";
import { issue } from "./certificates.ts";
import { type Script, type ScriptedXapi, scriptedXapi, success } from "./scripted-xapi.ts";

const password = "correct horse battery staple";
let own: TlsIdentity;
let authority: TlsIdentity;

beforeAll(async () => {
  [own, authority] = await Promise.all([makeTlsIdentity("xcp-ng-host"), makeTlsIdentity("authority")]);
});

const answer: Script = ({ method }) => success(method.startsWith("session.login") ? "OpaqueRef:session-1" : "");

async function outcome(server: ScriptedXapi, trust: Partial<XapiEndpoint>) {
  const client = new XapiClient({ url: server.url, username: "root", password, ...trust });
  try {
    return await client.call("pool.get_all").then(
      () => "answered",
      (error: { code: string; message: string }) => error,
    );
  } finally {
    await client.close();
  }
}

/** Waits for the end of the connection first: bytes could still be on their way. */
async function expectNothingSent(server: ScriptedXapi) {
  await expect.poll(() => server.openConnections()).toBe(0);
  expect(server.connections()).toBe(1);
  expect(server.applicationBytes()).toBe(0);
}

describe("a certificate that is not the right one", () => {
  test("a wrong pin ends the connection after the handshake, before any byte of the request", async () => {
    await using server = await scriptedXapi(own, answer);
    const pin = "AB:".repeat(31).concat("AB");
    const error = await outcome(server, { fingerprint: pin });
    expect(error).toMatchObject({ code: "XAPI_CERTIFICATE_MISMATCH" });
    expect(error).toMatchObject({ message: expect.stringContaining(pin) });
    expect(error).toMatchObject({ message: expect.stringContaining(server.fingerprint) });
    await expectNothingSent(server);
  });

  test("a self-signed certificate nobody vouched for is refused with the setting that would pin it", async () => {
    await using server = await scriptedXapi(own, answer);
    const error = await outcome(server, {});
    expect(error).toMatchObject({ code: "XAPI_CERTIFICATE_UNTRUSTED" });
    const command = `pulumi config set xennet:xapiFingerprint ${server.fingerprint}`;
    expect(error).toMatchObject({ message: expect.stringContaining(command) });
    await expectNothingSent(server);
  });

  test("a certificate of the authority for another address is refused", async () => {
    await using server = await scriptedXapi(await issue(authority, "127.0.0.9"), answer);
    expect(await outcome(server, { ca: authority.cert })).toMatchObject({ code: "XAPI_CERTIFICATE_UNTRUSTED" });
    await expectNothingSent(server);
  });

  test("a certificate of another authority is refused", async () => {
    await using server = await scriptedXapi(await issue(authority, "127.0.0.1"), answer);
    expect(await outcome(server, { ca: own.cert })).toMatchObject({ code: "XAPI_CERTIFICATE_UNTRUSTED" });
    await expectNothingSent(server);
  });
});

describe("a certificate that is the right one", () => {
  test("is accepted by its fingerprint, in any case and without colons", async () => {
    await using server = await scriptedXapi(own, answer);
    const forms = [server.fingerprint, server.fingerprint.toLowerCase(), server.fingerprint.replaceAll(":", "")];
    for (const fingerprint of forms) expect(await outcome(server, { fingerprint })).toBe("answered");
    expect(server.applicationBytes()).toBeGreaterThan(0);
  });

  test("is accepted when given itself, whatever name it carries", async () => {
    await using server = await scriptedXapi(own, answer);
    expect(await outcome(server, { ca: own.cert })).toBe("answered");
  });

  test("is accepted by its authority and address", async () => {
    await using server = await scriptedXapi(await issue(authority, "127.0.0.1"), answer);
    expect(await outcome(server, { ca: authority.cert })).toBe("answered");
  });
});

test("a fingerprint is 64 hex digits, and comes out as XAPI prints it", () => {
  const hex = "0123456789abcdef".repeat(4);
  expect(normalizeFingerprint(`SHA256:${hex}`)).toMatch(/^01:23:45:67:89:AB:CD:EF:01/);
  expect(normalizeFingerprint(hex.slice(1))).toBeUndefined();
  expect(normalizeFingerprint("")).toBeUndefined();
});

test.each([
  [{ url: "http://127.0.0.1" }, "in clear"],
  [{ url: "127.0.0.1" }, "https URL"],
  [{ fingerprint: "AB:CD" }, "SHA-256"],
  [{ ca: "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----" }, "PEM"],
])("a malformed endpoint is refused before anything is sent: %j", (part, reason) => {
  const make = () => new XapiClient({ url: "https://127.0.0.1:9", username: "root", password, ...part });
  expect(make).toThrow(reason);
});
