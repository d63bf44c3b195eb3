import { beforeAll, describe, expect, test } from "vitest";
import type { TlsIdentity } from "../../sim/contract.ts";
import { makeTlsIdentity } from "../../sim/tls.ts";
import { connect, errorOf, sessions } from "./clients.ts";
import { type Request, scriptedXapi, success } from "./scripted-xapi.ts";

let tls: TlsIdentity;

beforeAll(async () => {
  tls = await makeTlsIdentity("xcp-ng-host");
});

const ok = sessions(() => success("done"));
const breakOff = ({ response }: Request) => void response.socket?.destroy();

describe("connection", () => {
  test("that breaks before a writing call is answered is not repeated, and the error says what may have happened", async () => {
    await using server = await scriptedXapi(tls, sessions(breakOff));
    const error = await errorOf(connect(server).call("network.create", {}));
    expect(error).toMatchObject({ code: "XAPI_CONNECTION_LOST" });
    expect(error.message).toContain("may have taken effect");
    expect(server.count("network.create")).toBe(1);
  });

  test("that breaks before a reading call is answered is made again, once", async () => {
    let breaks = 1;
    await using server = await scriptedXapi(
      tls,
      sessions((request) => (breaks-- > 0 ? breakOff(request) : success("x"))),
    );
    const client = connect(server);
    expect(await client.call("network.get_all_records")).toBe("x");
    breaks = 2;
    await expect(client.call("network.get_all_records")).rejects.toMatchObject({ code: "XAPI_CONNECTION_LOST" });
    expect(server.count("network.get_all_records")).toBe(4);
  });

  test("that breaks in the middle of an answer counts as lost", async () => {
    await using server = await scriptedXapi(
      tls,
      sessions(({ response }) => {
        response.writeHead(200, { "content-type": "text/xml", "content-length": 500 });
        response.write("<?xml version='1.0'?><methodResponse>", () => response.socket?.destroy());
        return undefined;
      }),
    );
    await expect(connect(server).call("VIF.destroy", "x")).rejects.toMatchObject({ code: "XAPI_CONNECTION_LOST" });
  });

  test("to a port where nothing listens is unreachable, naming address and settings", async () => {
    const gone = await scriptedXapi(tls, ok);
    await gone[Symbol.asyncDispose]();
    const error = await errorOf(connect(gone).call("pool.get_all"));
    expect(error).toMatchObject({ code: "XAPI_UNREACHABLE" });
    expect(error.message).toContain(gone.url);
    expect(error.message).toContain("XENNET_XAPI_URL");
  });

  test("an answer that does not come ends the call at its deadline, and only that call", async () => {
    await using server = await scriptedXapi(
      tls,
      sessions(({ method }) => (method.includes("slow") ? undefined : success("x"))),
    );
    const client = connect(server, { callDeadlineMs: 600 });
    const slow = client.call("VIF.slow");
    expect(await client.call("pool.get_all")).toBe("x");
    await expect(slow).rejects.toMatchObject({ code: "XAPI_TIMEOUT", message: expect.stringContaining("0.6 s") });
    expect(await client.call("pool.get_all")).toBe("x");
  });
});
