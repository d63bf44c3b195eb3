import { once } from "node:events";
import { connect as connectTcp } from "node:net";
import { beforeAll, expect, onTestFinished, test } from "vitest";
import { XapiClient, type XapiClientOptions } from "../../../provider/src/xapi/client.ts";
import type { XapiEndpoint } from "../../../provider/src/xapi/endpoint.ts";
import type { Tunnel } from "../../../provider/src/xapi/tunnel.ts";
import type { TlsIdentity } from "../../sim/contract.ts";
import { makeTlsIdentity } from "../../sim/tls.ts";
import { errorOf, password, sessions } from "./clients.ts";
import { failure, type Request, type ScriptedXapi, scriptedXapi, success } from "./scripted-xapi.ts";

let tls: TlsIdentity;
let other: TlsIdentity;

beforeAll(async () => {
  [tls, other] = await Promise.all([makeTlsIdentity("xcp-ng-host"), makeTlsIdentity("xcp-ng-master")]);
});

const ok = sessions(() => success("done"));
const member = "https://127.0.0.1";
const wrongPin = "AB:".repeat(31).concat("AB");

/** A tunnel from whose far end each address leads to one of the servers. */
function tunnelTo(servers: Record<string, ScriptedXapi | undefined>) {
  const dialled: string[] = [];
  const tunnel: Tunnel = {
    name: "the SSH connection to 192.0.2.7:22",
    async dial(host, port) {
      dialled.push(`${host}:${port}`);
      const server = servers[host];
      if (server === undefined) throw new Error("Connection refused");
      const socket = connectTcp(server.port, new URL(server.url).hostname);
      await once(socket, "connect");
      return socket;
    },
  };
  return { tunnel, dialled };
}

function clientOver(tunnel: Tunnel, endpoint: Partial<XapiEndpoint> = {}, options: XapiClientOptions = {}): XapiClient {
  const client = new XapiClient({ url: member, username: "root", password, tunnel, ...endpoint }, options);
  onTestFinished(() => client.close());
  return client;
}

function pointingTo(master: string, thumbprint?: string) {
  return (request: Request) => {
    if (thumbprint !== undefined) {
      request.response.setHeader("x-xenapi-response-host-certificate-thumbprint", thumbprint);
    }
    return failure("HOST_IS_SLAVE", master);
  };
}

async function expectNothingSent(server: ScriptedXapi) {
  await expect.poll(() => server.openConnections()).toBe(0);
  expect(server.connections()).toBe(1);
  expect(server.applicationBytes()).toBe(0);
}

test("on the far end's own loopback any certificate will do, and calls share few connections", async () => {
  await using server = await scriptedXapi(tls, ok);
  const { tunnel, dialled } = tunnelTo({ "127.0.0.1": server });
  const client = clientOver(tunnel);
  const calls = Array.from({ length: 40 }, () => client.call("pool.get_all"));
  expect(new Set(await Promise.all(calls))).toEqual(new Set(["done"]));
  expect(new Set(dialled)).toEqual(new Set(["127.0.0.1:443"]));
  expect(dialled.length).toBeLessThanOrEqual(8);
  await client.close();
  await expect.poll(() => server.openConnections()).toBe(0);
  expect(client.counters).toMatchObject({ logins: 1, logouts: 1 });
});

test("a pin that is configured counts on the loopback as well", async () => {
  await using server = await scriptedXapi(tls, ok);
  const { tunnel } = tunnelTo({ "127.0.0.1": server });
  const error = await errorOf(clientOver(tunnel, { fingerprint: wrongPin }).call("pool.get_all"));
  expect(error).toMatchObject({ code: "XAPI_CERTIFICATE_MISMATCH" });
  await expectNothingSent(server);
  expect(await clientOver(tunnel, { fingerprint: server.fingerprint }).call("pool.get_all")).toBe("done");
});

test("any other address is verified as without a tunnel", async () => {
  await using server = await scriptedXapi(tls, ok);
  const { tunnel } = tunnelTo({ "192.0.2.8": server });
  const url = "https://192.0.2.8";
  await expect(clientOver(tunnel, { url }).call("pool.get_all")).rejects.toMatchObject({
    code: "XAPI_CERTIFICATE_UNTRUSTED",
  });
  await expectNothingSent(server);
  expect(await clientOver(tunnel, { url, fingerprint: server.fingerprint }).call("pool.get_all")).toBe("done");
});

test("the master that the loopback's member names is reached by the tunnel, and trusted by its announced thumbprint", async () => {
  await using master = await scriptedXapi(other, ok);
  await using slave = await scriptedXapi(tls, pointingTo("192.0.2.8", master.fingerprint));
  const { tunnel, dialled } = tunnelTo({ "127.0.0.1": slave, "192.0.2.8": master });
  expect(await clientOver(tunnel).call("pool.get_all")).toBe("done");
  expect(dialled).toEqual(["127.0.0.1:443", "192.0.2.8:443"]);
});

test.each([
  ["another thumbprint", wrongPin, "XAPI_CERTIFICATE_MISMATCH"],
  ["no thumbprint, as by an older member,", undefined, "XAPI_CERTIFICATE_UNTRUSTED"],
])("a master announced with %s gets nothing", async (_what, thumbprint, code) => {
  await using master = await scriptedXapi(other, ok);
  await using slave = await scriptedXapi(tls, pointingTo("192.0.2.8", thumbprint));
  const { tunnel } = tunnelTo({ "127.0.0.1": slave, "192.0.2.8": master });
  await expect(clientOver(tunnel).call("pool.get_all")).rejects.toMatchObject({ code });
  await expectNothingSent(master);
});

test("a master of which an older member announces nothing is verified by its authority", async () => {
  await using master = await scriptedXapi(other, ok);
  await using slave = await scriptedXapi(tls, pointingTo("192.0.2.8"));
  const { tunnel } = tunnelTo({ "127.0.0.1": slave, "192.0.2.8": master });
  expect(await clientOver(tunnel, { ca: other.cert }).call("pool.get_all")).toBe("done");
});

test("a master that sends us to its own loopback vouches for nothing", async () => {
  await using slave = await scriptedXapi(tls, pointingTo("127.0.0.1"));
  const { tunnel } = tunnelTo({ "127.0.0.1": slave });
  await expect(clientOver(tunnel).call("pool.get_all")).rejects.toMatchObject({ code: "XAPI_CERTIFICATE_UNTRUSTED" });
});

test.each([["dies"], ["becomes a member"]])(
  "when the master %s in the middle, the new one is found by the member",
  async (how) => {
    let announce = pointingTo("192.0.2.8");
    await using slave = await scriptedXapi(tls, (request) => announce(request));
    let demoted = false;
    const former = await scriptedXapi(other, (request) =>
      demoted ? failure("HOST_IS_SLAVE", "192.0.2.9") : ok(request),
    );
    await using successor = await scriptedXapi(
      other,
      sessions(() => success("from the new one")),
    );
    const servers: Record<string, ScriptedXapi | undefined> = { "127.0.0.1": slave, "192.0.2.8": former };
    const client = clientOver(tunnelTo(servers).tunnel, { ca: other.cert });
    expect(await client.call("network.create", {})).toBe("done");
    announce = pointingTo("192.0.2.9");
    servers["192.0.2.9"] = successor;
    demoted = how === "becomes a member";
    if (how === "dies") {
      servers["192.0.2.8"] = undefined;
      await former[Symbol.asyncDispose]();
    }
    expect(await client.call("pool.get_all")).toBe("from the new one");
    expect(await client.call("network.create", {})).toBe("from the new one");
    expect(successor.count("network.create")).toBe(1);
    if (how !== "dies") await former[Symbol.asyncDispose]();
  },
);

test("what cannot be reached is named with the tunnel", async () => {
  const { tunnel } = tunnelTo({});
  const error = await errorOf(clientOver(tunnel).call("pool.get_all"));
  expect(error).toMatchObject({ code: "XAPI_UNREACHABLE" });
  expect(error.message).toMatchInlineSnapshot(
    `"XAPI cannot be reached at https://127.0.0.1 through the SSH connection to 192.0.2.7:22: Connection refused. Check that the host's toolstack runs and that "xennet:xapiUrl" (environment: XENNET_XAPI_URL) is right as seen from dom0."`,
  );
});

test("a call without an answer names the tunnel", async () => {
  await using server = await scriptedXapi(
    tls,
    sessions(() => undefined),
  );
  const client = clientOver(tunnelTo({ "127.0.0.1": server }).tunnel, {}, { callDeadlineMs: 300 });
  await expect(client.call("VIF.plug", "x")).rejects.toThrow("through the SSH connection to 192.0.2.7:22");
});
