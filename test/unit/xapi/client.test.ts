import { beforeAll, describe, expect, test } from "vitest";
import type { TlsIdentity } from "../../sim/contract.ts";
import { makeTlsIdentity } from "../../sim/tls.ts";
import { connect, password, sessions } from "./clients.ts";
import { failure, scriptedXapi, success } from "./scripted-xapi.ts";

let tls: TlsIdentity;

beforeAll(async () => {
  tls = await makeTlsIdentity("xcp-ng-host");
});

const ok = sessions(() => success("done"));

describe("session", () => {
  test("a hundred first calls at once share one login, eight requests and their connections at a time", async () => {
    await using server = await scriptedXapi(
      tls,
      sessions(() => success("done")),
    );
    const client = connect(server);
    const answers = await Promise.all(Array.from({ length: 100 }, () => client.call("pool.get_all")));
    expect(answers).toStrictEqual(Array(100).fill("done"));
    expect(server.count("session.login_with_password")).toBe(1);
    expect(server.mostAtOnce()).toBeLessThanOrEqual(8);
    expect(server.connections()).toBeLessThanOrEqual(8);
    expect(client.counters).toStrictEqual({ logins: 1, logouts: 0, calls: 100, writingCalls: 0 });
  });

  test("the login names user, password, version and a constant originator", async () => {
    await using server = await scriptedXapi(tls, ok);
    await connect(server).call("pool.get_all");
    expect(server.requests[0]?.texts).toStrictEqual(["root", password, "1.0", "pulumi-xennet"]);
  });

  test("goes without the originator where a host takes none", async () => {
    await using server = await scriptedXapi(tls, ({ method, texts }) =>
      method !== "session.login_with_password"
        ? success("")
        : texts.length > 3
          ? failure("MESSAGE_PARAMETER_COUNT_MISMATCH", method, "3", "4")
          : success("OpaqueRef:session-1"),
    );
    const client = connect(server);
    await client.call("pool.get_all");
    expect(server.requests.map(({ texts }) => texts)).toMatchObject([
      ["root", password, "1.0", "pulumi-xennet"],
      ["root", password, "1.0"],
      ["OpaqueRef:session-1"],
    ]);
    expect(client.counters.logins).toBe(1);
  });

  test("is given back soon after the last call, with its connections, and opened anew by the next", async () => {
    await using server = await scriptedXapi(tls, ok);
    const client = connect(server, { idleMs: 20 });
    await client.call("pool.get_all");
    await expect.poll(() => server.openConnections()).toBe(0);
    expect(client.counters).toMatchObject({ logins: 1, logouts: 1 });
    await client.call("pool.get_all");
    expect(client.counters).toMatchObject({ logins: 2 });
  });

  test("that the host forgot is replaced once for all calls that met it, and they are sent again", async () => {
    const expired = new Set<string>();
    await using server = await scriptedXapi(
      tls,
      sessions((_request, session) => success(session), expired),
    );
    const client = connect(server);
    await client.call("VIF.create", {});
    expired.add("OpaqueRef:session-1");
    const answers = await Promise.all(Array.from({ length: 20 }, () => client.call("VIF.create", {})));
    expect(new Set(answers)).toStrictEqual(new Set(["OpaqueRef:session-2"]));
    expect(server.count("session.login_with_password")).toBe(2);
  });

  test("that is forgotten again at once is an error", async () => {
    const all = new Set(Array.from({ length: 5 }, (_, index) => `OpaqueRef:session-${index + 1}`));
    await using server = await scriptedXapi(
      tls,
      sessions(() => success(""), all),
    );
    await expect(connect(server).call("pool.get_all")).rejects.toMatchObject({ xapiCode: "SESSION_INVALID" });
    expect(server.count("pool.get_all")).toBe(2);
  });

  test("a wrong password is tried once, and the error names user, setting and override, not the password", async () => {
    await using server = await scriptedXapi(tls, () =>
      failure("SESSION_AUTHENTICATION_FAILED", "root", `no: ${password}`),
    );
    const client = connect(server);
    const calls = await Promise.allSettled([client.call("pool.get_all"), client.call("VM.get_all")]);
    calls.push(...(await Promise.allSettled([client.call("PIF.get_all")])));
    expect(server.requests).toHaveLength(1);
    for (const call of calls) {
      const error = call.status === "rejected" ? call.reason : undefined;
      expect(error).toMatchObject({ code: "XAPI_AUTH_FAILED", xapiCode: "SESSION_AUTHENTICATION_FAILED" });
      expect(error.message).toContain('"root"');
      expect(error.message).toContain("pulumi config set xennet:password --secret");
      expect(error.message).toContain("XENNET_PASSWORD");
      expect(JSON.stringify(error) + error.stack).not.toContain(password);
    }
  });
});

describe("close", () => {
  test("gives the session back, closes the connections, and refuses later calls", async () => {
    await using server = await scriptedXapi(tls, ok);
    const client = connect(server);
    await client.call("pool.get_all");
    await client.close();
    expect(server.count("session.logout")).toBe(1);
    await expect.poll(() => server.openConnections()).toBe(0);
    await expect(client.call("pool.get_all")).rejects.toMatchObject({ code: "XAPI_CLOSED" });
  });

  test("ends within two seconds although the host answers nothing any more", async () => {
    await using server = await scriptedXapi(tls, (request) =>
      request.method === "session.login_with_password" ? success("OpaqueRef:session-1") : undefined,
    );
    const warnings: string[] = [];
    const client = connect(server, { onWarning: (text) => warnings.push(text) });
    const call = client.call("VIF.create", {}).then(
      () => undefined,
      (error) => error,
    );
    await expect.poll(() => server.count("VIF.create")).toBe(1);
    const start = performance.now();
    await client.close();
    expect(performance.now() - start).toBeLessThan(3000);
    expect(await call).toMatchObject({ code: "XAPI_CONNECTION_LOST" });
    expect(warnings).toHaveLength(1);
  });

  test("without any call does nothing", async () => {
    await using server = await scriptedXapi(tls, ok);
    await connect(server).close();
    expect(server.connections()).toBe(0);
  });
});
