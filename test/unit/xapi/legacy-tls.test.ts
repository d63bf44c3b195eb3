import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { connect } from "node:tls";
import { beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { XapiClient } from "../../../provider/src/xapi/client.ts";
import type { XapiEndpoint } from "../../../provider/src/xapi/endpoint.ts";
import type { XapiConnectionError } from "../../../provider/src/xapi/errors.ts";
import type { TlsIdentity } from "../../sim/contract.ts";
import { makeTlsIdentity, tlsServers } from "../../sim/tls.ts";
import { type ClientHello, helloCollector } from "./client-hello.ts";
import { errorOf, password, sessions } from "./clients.ts";
import { hostOf2009, webServer } from "./raw-servers.ts";
import { failure, type ScriptedXapi, scriptedXapi, success } from "./scripted-xapi.ts";

/** The suites that Node 20 offered before there was a choice, as in IANA's registry; newer versions leave some out. */
const recorded =
  `1302 1303 1301 c02f c02b c030 c02c 009e c027 0067 c028 006b 00a3 009f cca9 cca8 ccaa c0af c0ad c0a3 c09f
  c05d c061 c057 c053 00a2 c0ae c0ac c0a2 c09e c05c c060 c056 c052 c024 006a c023 0040 c00a c014 0039 0038 c009 c013 0033
  0032 009d c0a1 c09d c051 009c c0a0 c09c c050 003d 003c 0035 002f 00ff`.split(/\s+/);
const suiteNames = ({ suites }: ClientHello) => suites.map((suite) => suite.toString(16).padStart(4, "0"));
/** Announces secure renegotiation (RFC 5746); no suite. */
const signal = "00ff";

const wrongPin = "AB:".repeat(31).concat("AB");
const ok = sessions(() => success("done"));
let old: TlsIdentity;
let modern: TlsIdentity;
beforeAll(async () => {
  [old, modern] = await Promise.all([makeTlsIdentity("xenserver-5.6", "legacy"), makeTlsIdentity("xcp-ng")]);
});

const oldHost = () => scriptedXapi({ ...old, ...tlsServers.legacy }, ok);

function clientOf(server: { url: string; fingerprint?: string }, trust: Partial<XapiEndpoint> = {}): XapiClient {
  const { url, fingerprint } = server;
  const client = new XapiClient({ url, username: "root", password, fingerprint, ...trust });
  onTestFinished(() => client.close());
  return client;
}

const refusal = async (client: XapiClient) => (await errorOf(client.call("pool.get_all"))) as XapiConnectionError;

async function hello(offering: (port: number) => Promise<unknown>): Promise<ClientHello> {
  const { port, hellos } = await helloCollector();
  await offering(port);
  const [first] = hellos;
  if (first === undefined) throw new Error("nothing was offered");
  return first;
}

const offered = (trust: Partial<XapiEndpoint>) =>
  hello((port) => refusal(clientOf({ url: `https://127.0.0.1:${port}` }, trust)));

const offeredByNode = () =>
  hello((port) => once(connect({ port, host: "127.0.0.1", rejectUnauthorized: false }), "error"));

async function expectNothingSent(server: ScriptedXapi, connections: number) {
  await expect.poll(() => server.openConnections()).toBe(0);
  expect([server.connections(), server.applicationBytes()]).toEqual([connections, 0]);
}

describe("without the setting", () => {
  test("a client offers what Node does: TLS 1.2 and 1.3, and no suite that was not offered before", async () => {
    for (const trust of [{}, { fingerprint: wrongPin }, { allowLegacyCrypto: false, fingerprint: wrongPin }]) {
      const found = await offered(trust);
      expect(found).toEqual(await offeredByNode());
      expect(found.versions).toEqual([0x0304, 0x0303]);
      expect(suiteNames(found).filter((suite) => !recorded.includes(suite))).toEqual([]);
    }
  });

  test("an old host is refused with what it offered and the two commands that let it in; nothing was sent", async () => {
    await using server = await oldHost();
    const error = await refusal(clientOf(server, { fingerprint: undefined }));
    expect(error.code).toBe("XAPI_LEGACY_CRYPTO");
    expect(error.message).toContain(
      `offers nothing better than TLSv1 with the suite AES256-SHA and a certificate with a key of 1024 bits, SHA-256 fingerprint ${server.fingerprint}. Nothing was sent to it.`,
    );
    expect(error.message).toContain(`"pulumi config set xennet:xapiFingerprint ${server.fingerprint}"`);
    expect(error.message).toContain('"pulumi config set xennet:allowLegacyCrypto true"');
    // One that failed, and one that found out why.
    await expectNothingSent(server, 2);
  });

  test("an old host that is pinned already lacks the setting only", async () => {
    await using server = await oldHost();
    const error = await refusal(clientOf(server, { profile: "attic" }));
    expect(error.code).toBe("XAPI_LEGACY_CRYPTO");
    expect(error.message).toContain("pulumi config set --path 'xennet:hosts.attic.allowLegacyCrypto' true");
    expect(error.message).not.toContain("xapiFingerprint");
  });

  test("an old host with another certificate than the pinned one is first of all another host", async () => {
    await using server = await oldHost();
    const error = await refusal(clientOf(server, { fingerprint: wrongPin }));
    expect(error.code).toBe("XAPI_CERTIFICATE_MISMATCH");
    await expectNothingSent(server, 2);
  });

  test("a handshake that succeeds, or fails for another reason, is not followed by a second one", async () => {
    await using server = await scriptedXapi(modern, ok);
    expect(await clientOf(server).call("pool.get_all")).toBe("done");
    expect(server.connections()).toBe(1);
    await using other = await scriptedXapi(modern, ok);
    expect(await refusal(clientOf(other, { fingerprint: wrongPin }))).toMatchObject({
      code: "XAPI_CERTIFICATE_MISMATCH",
    });
    await expectNothingSent(other, 1);
    const web = await webServer();
    const error = await refusal(clientOf({ url: `https://127.0.0.1:${web.port}` }));
    expect([error.code, web.connections()]).toEqual(["XAPI_UNREACHABLE", 1]);
    expect(error.message).toContain("what answers there speaks no TLS.");
  });
});

describe("with the setting", () => {
  test("the old versions come after the new ones, and so do their suites", async () => {
    const [usual, legacy] = [await offeredByNode(), await offered({ fingerprint: wrongPin, allowLegacyCrypto: true })];
    expect(legacy.versions).toEqual([0x0304, 0x0303, 0x0302, 0x0301]);
    const suites = (found: ClientHello) => suiteNames(found).filter((suite) => suite !== signal);
    expect(suites(legacy).slice(0, suites(usual).length)).toEqual(suites(usual));
    expect(suites(legacy)).toEqual(expect.arrayContaining(["0035", "002f"]));
    expect(suites(legacy).filter((suite) => !recorded.includes(suite))).toEqual([]);
  });

  test("a pinned old host is served over TLS 1.0, with as many logins and connections as a new one", async () => {
    for (const [server, expected] of [
      [await oldHost(), "TLSv1 AES256-SHA"],
      [await scriptedXapi(modern, ok), "TLSv1.3 TLS_AES_256_GCM_SHA384"],
    ] as const) {
      await using host = server;
      const client = clientOf(host, { allowLegacyCrypto: true });
      for (let n = 0; n < 3; n += 1) expect(await client.call("pool.get_all")).toBe("done");
      expect(host.handshakes).toEqual([expected]);
      expect([client.counters.logins, client.counters.calls, host.connections()]).toEqual([1, 3, 1]);
    }
  });

  test("without a pin old TLS is not spoken, and no authority stands in for one", async () => {
    for (const trust of [{}, { ca: old.cert }]) {
      await using server = await oldHost();
      const endpoint = { fingerprint: undefined, allowLegacyCrypto: true, ...trust };
      expect((await refusal(clientOf(server, endpoint))).code).toBe("XAPI_LEGACY_CRYPTO");
      await expectNothingSent(server, 2);
    }
    const { versions } = await offered({ allowLegacyCrypto: true, ca: old.cert });
    expect(versions).toEqual([0x0304, 0x0303]);
  });

  test("an old pool master to which a member points has to be pinned itself", async () => {
    const pointing = () => failure("HOST_IS_SLAVE", "127.0.0.3");
    await using member = await scriptedXapi({ ...old, ...tlsServers.legacy }, pointing);
    const identity = await makeTlsIdentity("master", "legacy");
    const listen = { address: "127.0.0.3", port: member.port };
    await using master = await scriptedXapi({ ...identity, ...tlsServers.legacy }, ok, listen);
    const error = await refusal(clientOf(member, { allowLegacyCrypto: true }));
    expect(error.code).toBe("XAPI_LEGACY_CRYPTO");
    expect(error.message).toContain(`"pulumi config set xennet:xapiUrl ${master.url}"`);
    await expectNothingSent(master, 2);
  });

  test("a host from before secure renegotiation (RFC 5746) is not given up", async () => {
    const { port, answers } = await hostOf2009(old.cert);
    const url = `https://127.0.0.1:${port}`;
    const client = clientOf(
      { url },
      { fingerprint: new X509Certificate(old.cert).fingerprint256, allowLegacyCrypto: true },
    );
    await refusal(client);
    // A handshake message of type ClientKeyExchange, not an alert.
    expect(answers).toEqual(["record 22, message 16"]);
  });
});
