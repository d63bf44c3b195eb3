import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { parseProgram } from "../../../provider/src/dom0/program-text.ts";
import { type ProgramCommand, renderScript } from "../../../provider/src/dom0/remote-script.ts";
import { legs } from "../../support/legs.ts";

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

/** Says its arguments, its own text's version and what came by stdin. */
const program = (version: number) =>
  parseProgram(`#!/bin/sh
# xennet program ${version} format 1
echo "version ${version}: $*"
[ "$1" = transact ] && cat
printf '%s\n' '$HOME \`id\` \\\\ "quotes"'
[ "$1" = revert ] && exit 75
exit 0
`);

const INPUT = "xennet-transaction 1\nname $(touch /nonexistent) `id` \\ 'x' \"y\"\ncommit\n";
const transact: ProgramCommand = { name: "transact", host: "6d1f4b1e-9d0c", input: INPUT };

interface Host {
  readonly paths: { program: string; inventory: string };
  run(script: string): { status: number | null; stdout: string };
}

function newHost(shell: readonly string[], installed?: number): Host {
  const folder = mkdtempSync(join(tmpdir(), "xennet-script-"));
  folders.push(folder);
  mkdirSync(join(folder, "sbin"));
  const paths = { program: join(folder, "sbin/xennet"), inventory: join(folder, "inventory") };
  writeFileSync(paths.inventory, "PRODUCT='x'\nINSTALLATION_UUID='6d1f4b1e-9d0c'\n");
  if (installed !== undefined) {
    writeFileSync(paths.program, program(installed).text);
    chmodSync(paths.program, 0o700);
  }
  const [command = "sh", ...args] = shell;
  return { paths, run: (input) => spawnSync(command, [...args, "-s"], { input, encoding: "utf8" }) };
}

const shells = legs<[name: string, command: string[]]>(
  ["dash", ["dash"]],
  ["bash", ["bash", "--posix"]],
  ["busybox", ["busybox", "sh"]],
);

describe.each(shells)("in %s", (_name, shell) => {
  function answer(host: Host, command: ProgramCommand, carry: boolean, version = 2) {
    const script = renderScript(command, program(version), carry, host.paths);
    const { status, stdout } = host.run(script.text);
    const [marker, ...lines] = stdout.split("\n");
    expect(marker).toBe(script.marker);
    return { status, lines: lines.slice(0, -1) };
  }
  const literal = '$HOME `id` \\\\ "quotes"';

  test("the installed program of the same version is run, and gets the transaction word for word", () => {
    const host = newHost(shell, 2);
    expect(answer(host, { name: "snapshot" }, false).lines).toEqual(["version 2: snapshot", literal]);
    expect(answer(host, { name: "confirm", generation: 7 }, false).lines[0]).toBe("version 2: confirm 7");
    expect(answer(host, { name: "revert", generation: 7 }, false).status).toBe(75);
    const { lines } = answer(host, transact, true);
    expect(lines).toEqual(["version 2: transact", ...INPUT.trimEnd().split("\n"), literal]);
  });

  test("a host without the program says so, unless the script brings it", () => {
    const host = newHost(shell);
    expect(answer(host, transact, false)).toEqual({ status: 65, lines: ["error PROGRAM_ABSENT none"] });
    expect(answer(host, { name: "snapshot" }, true).lines).toEqual(["version 2: snapshot", literal]);
    expect(existsSync(host.paths.program)).toBe(false);
  });

  test("a transaction installs the program it brings, over an older one too, and leaves no other file", () => {
    for (const installed of [undefined, 1]) {
      const host = newHost(shell, installed);
      const { status, lines } = answer(host, transact, true);
      expect({ status, first: lines[0] }).toEqual({ status: 0, first: "version 2: transact" });
      expect(readFileSync(host.paths.program, "utf8")).toBe(program(2).text);
      expect(statSync(host.paths.program).mode & 0o777).toBe(0o700);
      expect(spawnSync("ls", ["-A", join(host.paths.program, "..")], { encoding: "utf8" }).stdout).toBe("xennet\n");
    }
  });

  test("a newer program is left alone", () => {
    const host = newHost(shell, 3);
    for (const command of [transact, { name: "snapshot" } as const]) {
      expect(answer(host, command, true)).toEqual({ status: 65, lines: ["error PROGRAM_NEWER 3"] });
    }
    expect(readFileSync(host.paths.program, "utf8")).toBe(program(3).text);
  });

  test("a program that goes between the look at it and its run is missing, and not a failure nobody expects", () => {
    const host = newHost(shell, 2);
    // What the shell says of a command that is not there.
    writeFileSync(host.paths.program, '#!/bin/sh\n# xennet program 2 format 1\nrm "$0"\nexit 127\n');
    const { status, lines } = answer(host, transact, false);
    expect({ status, lines }).toEqual({
      status: 65,
      lines: [`error PROGRAM_MISSING ${host.paths.program} was removed meanwhile`],
    });
  });

  test("another host gets no program", () => {
    const host = newHost(shell);
    const other: ProgramCommand = { ...transact, host: "11111111-2222" };
    expect(answer(host, other, true)).toEqual({ status: 65, lines: ["error HOST_MISMATCH 6d1f4b1e-9d0c"] });
    expect(existsSync(host.paths.program)).toBe(false);
  });

  test("a program that cannot be written is reported and not run", () => {
    const host = newHost(shell);
    rmSync(join(host.paths.program, ".."), { recursive: true });
    const { status, lines } = answer(host, transact, true);
    expect(status).toBe(65);
    expect(lines).toEqual([`error PROGRAM_INSTALL_FAILED ${host.paths.program} could not be written`]);
  });

  test("a script that is cut short anywhere does nothing at all", () => {
    const host = newHost(shell);
    const { text, marker } = renderScript(transact, program(2), true, host.paths);
    for (let part = 1; part < 40; part += 1) {
      const { stdout } = host.run(text.slice(0, Math.floor((text.lastIndexOf("}") * part) / 40)));
      expect(stdout).not.toContain(marker);
    }
    expect(existsSync(host.paths.program)).toBe(false);
  });
});

test("the host's identity cannot carry shell text", () => {
  const command: ProgramCommand = { ...transact, host: "'; reboot; '" };
  expect(() => renderScript(command, program(2), true)).toThrow(/Not a host UUID/);
});
