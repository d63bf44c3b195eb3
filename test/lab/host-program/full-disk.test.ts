import { afterEach, beforeEach, expect, test } from "vitest";
import { type Box, makeBox } from "./box.ts";
import { declare, hostForwarding, newToken, portForward, put, remove, transact } from "./declarations.ts";
import { hostState, lines, snapshot } from "./host-state.ts";

let box: Box;
const forwarding = newToken();

beforeEach(async () => {
  box = await makeBox();
  await box.plug();
  await declare(box, [put(forwarding, hostForwarding(box, forwarding))]);
  await box.sh(
    `cp -a /etc/xennet /mnt/kept; mount -t tmpfs -o mode=700 tmpfs /etc/xennet; cp -a /mnt/kept/. /etc/xennet`,
  );
});
afterEach(() => box.close());

/** Leaves room for so many further files, or for so many pages of text. */
const room = {
  files: (folder: string, free: number) =>
    box.sh(`mount -o remount,nr_inodes=$(($(df --output=iused ${folder} | tail -n 1) + ${free})) ${folder}`),
  pages: (folder: string, free: number) =>
    box.sh(`mount -o remount,size=$(($(df --output=used ${folder} | tail -n 1) + 4 * ${free}))k ${folder}`),
};
const muchRoom = (folder: string) => box.sh(`mount -o remount,size=64m,nr_inodes=10000 ${folder}`);

/** The number of the last generation, and what the host remembers of it, counts on. */
const state = async () => (await hostState(box)).replace(/.*\/etc\/xennet\/(last|generations).*\n/g, "");
const declared = async () => lines(await snapshot(box), "fragment").map((line) => line.split(" ")[0]);

/** A forward, and a second forwarding that changes settings of the host; the tokens of both. */
const pair = () => [newToken(), newToken()] as const;
const putting = ([forward, second]: readonly [string, string]) => {
  const settings = ["proxy-arp on", "send-redirects off"];
  const text = hostForwarding(box, second, { name: "second", address: "192.168.101.1/24", settings });
  return [put(forward, portForward(box, forward, 8080)), put(second, text)];
};

/** As the provider does it: confirmed, or taken back; what went wrong, or nothing. */
async function change(operations: readonly string[]): Promise<string> {
  const answer = await transact(box, operations);
  const number = /^pending (\d+) \d+$/m.exec(answer.stdout)?.[1];
  if (number === undefined) {
    const problem = /^(?:error|outcome \S+ error) (.*)$/m.exec(answer.stdout)?.[1];
    return problem ?? `${answer.code} ${answer.stdout} ${answer.stderr}`;
  }
  const confirmed = await box.xennet(`confirm ${number}`);
  if (confirmed.code === 0) return "";
  expect(await box.xennet(`revert ${number}`)).toMatchObject({ code: 0 });
  return confirmed.stdout;
}

test.each([
  ["/etc/xennet", "files"],
  ["/etc/xennet", "pages"],
  ["/run", "files"],
  ["/run", "pages"],
] as const)(
  "a disk that is full on %s after so many %s fails the change, leaves the host as it was, and the next one works",
  async (folder, unit) => {
    const before = await state();
    let failures = 0;
    for (let problem = "?"; problem !== ""; ) {
      const tokens = pair();
      await room[unit](folder, failures);
      problem = await change(putting(tokens));
      await muchRoom(folder);
      if (problem !== "") {
        expect(problem, `room for ${failures} ${unit}`).toMatch(/STORE_FAILED/);
        expect(await state(), `room for ${failures} ${unit}`).toBe(before);
        expect(await declared()).toEqual([forwarding]);
        expect(await box.xennet("apply")).toMatchObject({ code: 0, stdout: "", stderr: "" });
        failures += 1;
        continue;
      }
      expect((await declared()).sort()).toEqual([forwarding, ...tokens].sort());
      expect(await change(tokens.map(remove))).toBe("");
    }
    expect(failures).toBeGreaterThan(0);
    const withoutNumber = (text: string) => text.replace(/.*\/etc\/xennet\/confirmed.*\n/g, "");
    expect(withoutNumber(await state())).toBe(withoutNumber(before));
  },
);
