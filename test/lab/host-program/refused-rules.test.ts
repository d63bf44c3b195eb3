import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Box, backends, makeBox } from "./box.ts";
import { declare, hostForwarding, newToken, portForward, put, transact } from "./declarations.ts";
import { countersOf, lines, setCounters, snapshot } from "./host-state.ts";
import { unwrapTool, wrapTool } from "./wrapped-tool.ts";

describe.each(backends())("rules that iptables refused while healing, iptables %s", (backend) => {
  let box: Box;
  const [forwarding, web] = [newToken(), newToken()];
  const closing = `-i xapi1 -m comment --comment xennet-${forwarding} -j DROP`;
  const counted = `-A XENNET-INPUT ${closing}`;

  /** iptables-restore that knows no port 8080, when it tests or only when it commits. */
  const refuse = (when: "test" | "commit") =>
    wrapTool(
      box,
      "iptables-restore",
      `case "$*" in *--help*) exec $REAL "$@" ;; ${when === "commit" ? '*--test*) exec $REAL "$@" ;;' : ""} esac
input=$(cat)
case $input in *"--dport 8080 "*) echo "no port 8080" >&2; exit 1 ;; esac
printf '%s\\n' "$input" | $REAL "$@"
exit`,
    );
  const accept = () => unwrapTool(box, "iptables-restore");
  const states = async () => lines(await snapshot(box), "fragment").sort();
  const both = [`${forwarding} active`, `${web} active`].sort();
  const waiting = [`${forwarding} active`, `${web} waiting`].sort();
  const count = () => setCounters(box, "XENNET-INPUT", closing, "7 500");

  beforeEach(async () => {
    box = await makeBox({ backend });
    await box.plug();
    await declare(box, [put(forwarding, hostForwarding(box, forwarding)), put(web, portForward(box, web, 8080))]);
  });
  afterEach(() => box.close());

  const lose = async (when: "test" | "commit") => {
    await refuse(when);
    await box.sh("iptables -t nat -F XENNET-PREROUTING");
    const healed = await box.xennet("apply");
    expect(healed.stderr).toContain(`iptables refuses the rules of ${web}: no port 8080`);
    expect(await states()).toEqual(waiting);
  };

  test("come back with the next apply that finds them accepted, and no apply before starts a counter anew", async () => {
    await lose("test");
    await count();
    for (let run = 0; run < 2; run += 1) expect(await box.xennet("apply")).toEqual({ code: 0, stdout: "", stderr: "" });
    expect(await countersOf(box, counted)).toEqual(["[7:500]"]);
    await accept();
    expect((await box.xennet("apply")).stdout).toBe("changed\n");
    expect(await states()).toEqual(both);
    await count();
    expect((await box.xennet("apply")).stdout).toBe("");
    expect(await countersOf(box, counted)).toEqual(["[7:500]"]);
  });

  test("by the kernel alone are not loaded again every minute, and come back with a transaction that changes nothing", async () => {
    await lose("commit");
    await count();
    await accept();
    expect((await box.xennet("apply")).stdout).toBe("");
    expect(await countersOf(box, counted)).toEqual(["[7:500]"]);
    const answer = await transact(box, [put(web, portForward(box, web, 8080))]);
    expect([answer.code, answer.stdout]).toEqual([0, expect.stringMatching(/^unchanged$/m)]);
    expect(await states()).toEqual(both);
  });
});
