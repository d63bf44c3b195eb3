import { describe, expect, test } from "vitest";
import { legs } from "../../support/legs.ts";
import { makeBox } from "./box.ts";
import { declare, hostForwarding, newToken, pendingOf, portForward, put, remove, transact } from "./declarations.ts";
import { eventually, hostState, lines, snapshot } from "./host-state.ts";

const kinds = () => legs("legacy", "nft", "1.3.5");
const awkKinds = ["gawk", "bwk", "busybox", "lint"] as const;

// busybox brings its awk along; the others have mawk unless told. At once, as these tests mostly wait.
describe.concurrent.each([
  ...(["dash", "bash", "busybox"] as const).map((shell) => ({ shell, kinds: kinds(), awk: undefined })),
  ...awkKinds.map((awk) => ({ shell: "dash" as const, kinds: ["nft"] as const, awk })),
])("in $shell, awk $awk", ({ shell, kinds: backends, awk }) => {
  test.each(backends)("declare, heal, fall back, switch off and remove work, iptables %s", async (backend) => {
    const box = await makeBox({ shell, backend, ...(awk && { awk }) });
    try {
      const [forwarding, web, bad] = [newToken(), newToken(), newToken()];
      await box.sh("rm /usr/local/sbin/xennet");
      await box.plug();
      const bare = await hostState(box);
      await box.install();

      const operations = [put(forwarding, hostForwarding(box, forwarding)), put(web, portForward(box, web, 8080))];
      const answer = await declare(box, [
        ...operations,
        put(bad, portForward(box, bad, 81).replace("-j DNAT", "-j NOSUCH")),
      ]);
      expect(answer.stderr).toBe(
        `xennet: iptables refuses the rules of ${bad}: ${/RULE_REFUSED (.*)/.exec(answer.stdout)?.[1]}\n`,
      );
      expect(lines(answer.stdout, "outcome").map((line) => line.split(" ", 3).slice(1).join(" "))).toEqual([
        "ok",
        "ok",
        "error RULE_REFUSED",
      ]);
      expect(await box.xennet("apply")).toEqual({ code: 0, stdout: "", stderr: "" });
      const declared = await hostState(box);

      await box.sh(
        "iptables -F XENNET-FORWARD; iptables -D FORWARD -j XENNET-FORWARD; ip addr del 192.168.100.1/24 dev xapi1",
      );
      expect(lines(await snapshot(box), "missing").length).toBeGreaterThan(3);
      expect(await box.xennet("apply")).toEqual({ code: 0, stdout: "changed\n", stderr: "" });
      expect(await hostState(box)).toBe(declared);

      await transact(box, [remove(web)], 1);
      await eventually("the guard has gone back", async () => (await box.sh("iptables-save")).includes(web));

      const number = pendingOf(await transact(box, [remove(web)]));
      expect(await box.xennet(`revert ${number}`)).toEqual({ code: 0, stdout: `reverted ${number}\n`, stderr: "" });
      // On a busy machine what was killed may still be there for a moment.
      const running = () => box.sh("cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' ' || true");
      await eventually("the guard is gone", async () => !(await running()).includes("sleep 61"));
      expect((await box.xennet("off")).stderr).toBe("");
      expect(await box.sh("iptables-save")).not.toContain("XENNET");
      expect((await box.xennet("on")).stderr).toBe("");
      expect(await box.xennet("status")).toMatchObject({ code: 0, stderr: "" });
      expect((await box.xennet("remove")).stderr).toBe("");
      expect(await hostState(box)).toBe(bare);
    } finally {
      await box.close();
    }
  });

  test("a xapi that hangs is given up", async () => {
    const box = await makeBox({ shell, ...(awk && { awk }) });
    try {
      await box.sh("echo hangs >/mnt/xapi");
      const token = newToken();
      const answer = await declare(box, [put(token, hostForwarding(box, token))]);
      expect(lines(answer.stdout, "fragment")).toEqual([`${token} waiting`]);
    } finally {
      await box.close();
    }
  });
});
