import { beforeAll, describe, expect, test } from "vitest";
import type { TlsIdentity } from "../../sim/contract.ts";
import { makeTlsIdentity } from "../../sim/tls.ts";
import { issue } from "./certificates.ts";
import { connect, errorOf, sessions } from "./clients.ts";
import { failure, type Request, type ScriptedXapi, scriptedXapi, success } from "./scripted-xapi.ts";

let tls: TlsIdentity;

beforeAll(async () => {
  tls = await makeTlsIdentity("xcp-ng-host");
});

const ok = sessions(() => success("done"));

describe("pool member", () => {
  const toMaster = (thumbprint?: string) => (request: Request) => {
    if (thumbprint !== undefined && request.method.startsWith("session.login")) {
      request.response.setHeader("x-xenapi-response-host-certificate-thumbprint", thumbprint);
    }
    return failure("HOST_IS_SLAVE", "127.0.0.2");
  };

  async function pool(thumbprint: (master: ScriptedXapi) => string | undefined) {
    const master = await scriptedXapi(await issue(tls, "127.0.0.2"), ok, { address: "127.0.0.2" });
    // The redirect has no port: both listen on the same one.
    const member = await scriptedXapi(tls, toMaster(thumbprint(master)), { port: master.port });
    return { master, member };
  }

  test("the master is followed on the same port, and trusted by the thumbprint the pinned member announces", async () => {
    const { master, member } = await pool((server) => server.fingerprint);
    await using _master = master;
    await using _member = member;
    expect(await connect(member).call("pool.get_all")).toBe("done");
    expect(member.requests.map(({ method }) => method)).toStrictEqual(["session.login_with_password"]);
  });

  test("a master with another certificate than announced gets nothing", async () => {
    const { master, member } = await pool(() => "AB:".repeat(31).concat("AB"));
    await using _master = master;
    await using _member = member;
    await expect(connect(member).call("pool.get_all")).rejects.toMatchObject({ code: "XAPI_CERTIFICATE_MISMATCH" });
    await expect.poll(() => master.openConnections()).toBe(0);
    expect(master.applicationBytes()).toBe(0);
  });

  test("an older member announces nothing: the error names the settings for the master", async () => {
    const { master, member } = await pool(() => undefined);
    await using _master = master;
    await using _member = member;
    const error = await errorOf(connect(member).call("pool.get_all"));
    expect(error).toMatchObject({ code: "XAPI_CERTIFICATE_UNTRUSTED" });
    expect(error.message).toContain(`pulumi config set xennet:xapiUrl ${master.url}`);
    expect(error.message).toContain(`pulumi config set xennet:xapiFingerprint ${master.fingerprint}`);
    await expect.poll(() => master.openConnections()).toBe(0);
    expect(master.applicationBytes()).toBe(0);
  });

  test("members that point at each other end in an error", async () => {
    await using member = await scriptedXapi(tls, (request) => {
      request.response.setHeader("x-xenapi-response-host-certificate-thumbprint", member.fingerprint);
      return failure("HOST_IS_SLAVE", "127.0.0.1");
    });
    await expect(connect(member).call("pool.get_all")).rejects.toMatchObject({ code: "XAPI_MASTER_UNKNOWN" });
    expect(member.requests.length).toBeLessThanOrEqual(4);
  });
});
