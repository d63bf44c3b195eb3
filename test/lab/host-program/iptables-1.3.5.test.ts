import { afterEach, beforeEach, expect, test } from "vitest";
import { type Box, makeBox } from "./box.ts";
import { declare, hostForwarding, newToken, put, transact } from "./declarations.ts";
import { lines } from "./host-state.ts";
import { wrapTool } from "./wrapped-tool.ts";

// All that 1.3.5 says when another writer changed the table in between, or when the kernel refuses it.
const SAID = "iptables-restore: line 14 failed";
let box: Box;

beforeEach(async () => {
  box = await makeBox({ backend: "1.3.5" });
  await box.plug();
});
afterEach(() => box.close());

/** Fails so many commits; tests pass. */
const fail = (times: number) =>
  wrapTool(
    box,
    "iptables-restore",
    `case "$*" in *--test* | *--help*) exec $REAL "$@" ;; esac
echo x >>/mnt/commits
if [ "$(wc -l </mnt/commits)" -le ${times} ]; then cat >/dev/null; echo '${SAID}' >&2; exit 1; fi`,
  );
const forwarding = (token: string) => put(token, hostForwarding(box, token));

test("rules that another writer kept from being loaded are loaded at the next try", async () => {
  await fail(1);
  const token = newToken();
  const answer = await declare(box, [forwarding(token)]);
  expect([answer.stderr, lines(answer.stdout, "outcome")]).toEqual(["", [`${token} ok`]]);
  expect(await box.sh("iptables-save")).toContain(token);
});

test("a change whose every commit fails, without its rules too, fails with what iptables said, and nothing of them stays", async () => {
  await fail(99);
  const token = newToken();
  const answer = await transact(box, [forwarding(token)]);
  expect(lines(answer.stdout, "outcome")).toEqual([`${token} error RESTORE_FAILED iptables-restore failed: ${SAID}`]);
  expect(await box.sh("iptables-save")).not.toContain("XENNET");
  expect(await box.sh("ls -d /etc/xennet 2>/dev/null || true")).toBe("");
});
