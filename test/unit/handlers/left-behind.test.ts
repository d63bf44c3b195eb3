import { expect, test } from "vitest";
import { parseSnapshot } from "../../../provider/src/dom0/snapshot.ts";
import { portForwardHandler } from "../../../provider/src/handlers/forwarding/port-forward.ts";
import type { HostContext } from "../../../provider/src/hosts/context.ts";
import { HOST_UUID } from "../../support/dom0-double/fragment.ts";

const token = "aaaaaaaaaaaa";

/** The warnings of a delete after which the host says that these paths could not be taken away. */
async function warningsOf(left: readonly string[]): Promise<string[]> {
  const warnings: string[] = [];
  const snapshot = parseSnapshot(
    [
      ...["xennet-snapshot 1", `host ${HOST_UUID}`, "boot 1", "program none", "format none", "off no"],
      ...["confirmed none", "pending none", ...left.map((path) => `left ${path}`), "end", ""],
    ].join("\n"),
  );
  const host = {
    ...{ profile: "default", hostUuid: async () => HOST_UUID, assertSafeWindow: async () => {} },
    dom0: { submit: async () => ({ token, result: "ok", snapshot }) },
    warn: (text: string) => warnings.push(text),
  };
  await portForwardHandler.delete(host as unknown as HostContext, `${HOST_UUID}/${token}`, { incarnation: "1" });
  return warnings;
}

test("a destroy does not claim that the host is as it was when something could not be taken away", async () => {
  expect(await warningsOf([])).toEqual([]);
  expect(await warningsOf(["/etc/cron.d/xennet", "/etc/sysconfig/iptables"])).toEqual([
    expect.stringMatching(
      /not quite as it was: "\/etc\/cron.d\/xennet", "\/etc\/sysconfig\/iptables" could not be taken away/,
    ),
  ]);
});
