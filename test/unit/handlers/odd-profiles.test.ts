import { expect, test } from "vitest";
import { configure, handle } from "../../../provider/src/handlers/index.ts";
import { isUnknown } from "../../../provider/src/validation/unknown.ts";
import { oddTexts } from "../../support/odd-texts.ts";

interface Answer {
  readonly failures: ReadonlyArray<{ readonly property: string; readonly reason: string }>;
}

test("1,000 odd texts as name of a host profile are a profile nobody has described, in every resource", async () => {
  const hosts = JSON.stringify({ main: { host: "127.0.0.1", password: "x", xapiUrl: "https://127.0.0.1:9" } });
  configure({ get: (key) => (key === "xennet:hosts" ? hosts : undefined) });
  for (const [seed, kind] of ["XenNetwork", "XenVif", "HostForwarding", "PortForward"].entries()) {
    for (const host of oddTexts(1000, seed)) {
      if (isUnknown(host)) continue;
      const { failures } = (await handle(kind, "check", [{}, { host }])) as Answer;
      expect(failures, `${kind} ${JSON.stringify(host)}`).not.toEqual([]);
      for (const { property } of failures) expect(property).toBe("host");
    }
  }
});
