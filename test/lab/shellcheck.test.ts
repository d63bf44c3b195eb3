import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { program } from "./host-program/box.ts";
import { run } from "./shell.ts";

const inside = fileURLToPath(new URL("inside/", import.meta.url));
const scripts = readdirSync(inside).filter((name) => name.endsWith(".sh"));

test("shellcheck finds nothing in the host program, which is POSIX sh", async () => {
  expect(await run(["shellcheck", "--shell=sh", "-"], { input: program() })).toEqual({
    status: 0,
    stdout: "",
    stderr: "",
  });
});

test("shellcheck finds something in a script with a fault", async () => {
  const found = await run(["shellcheck", "--shell=sh", "-"], { input: "#!/bin/sh\nrm $1\n" });
  expect(found).toMatchObject({ status: 1, stdout: expect.stringContaining("SC2086") });
});

test.each(scripts)("shellcheck finds nothing in the lab's %s", async (name) => {
  expect(await run(["shellcheck", `${inside}${name}`])).toEqual({ status: 0, stdout: "", stderr: "" });
});
