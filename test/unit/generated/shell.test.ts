import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parseProgram } from "../../../provider/src/dom0/program-text.ts";
import { renderScript } from "../../../provider/src/dom0/remote-script.ts";
import { cases, hostileText, sampled } from "../../support/generated.ts";
import { legs } from "../../support/legs.ts";

const text = "#!/bin/sh\n# xennet program 7 format 1\ncat\n";
let folder = "";
let paths = { program: "", inventory: "" };

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "xennet-generated-"));
  paths = { program: join(folder, "xennet"), inventory: join(folder, "inventory") };
  writeFileSync(paths.program, text);
  chmodSync(paths.program, 0o700);
});
afterAll(() => rmSync(folder, { recursive: true }));

const perScript = 100;
const [firstShell = ["sh"], ...otherShells] = [["dash"], ["bash", "--posix"], ["busybox", "sh"]].filter(
  ([shell = ""]) => isThere(shell),
);

/**
 * NUL ends a text in a shell, and half characters are none in UTF-8; neither is ever sent. Every line begins with a word of ours:
 * dash 0.5.12 loses a byte above 127 behind the first letters of a delimiter at the beginning of a line.
 */
const sendable = hostileText.map((raw) => `owner ${raw.replace(/[\0\n]|\p{Surrogate}/gu, "")}`);

test.each(legs(firstShell, ...otherShells))(
  "what is sent to dom0 arrives as it is, and nothing of it runs: %s",
  (shell = "", ...options) => {
    const pwned = "/tmp/xennet-pwned";
    rmSync(pwned, { force: true });
    const texts = sampled(`shell (${shell})`, sendable);
    for (let at = 0; at < cases; at += perScript) {
      const input = `${texts.slice(at, at + perScript).join("\n")}\n`;
      const script = renderScript({ name: "transact", host: "6d1f4b1e-9d0c", input }, parseProgram(text), false, paths);
      const { status, stdout, stderr } = spawnSync(shell, [...options, "-s"], { input: script.text, encoding: "utf8" });
      expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
      expect(stdout === `${script.marker}\n${input}`, JSON.stringify(input)).toBe(true);
    }
    expect(existsSync(pwned)).toBe(false);
  },
);

function isThere(command: string): boolean {
  try {
    execFileSync("sh", ["-c", `command -v ${command}`]);
    return true;
  } catch {
    return false;
  }
}
