import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { configCommand } from "../../../provider/src/core/settings.ts";

/** The words that a shell makes of a command. */
const words = (command: string) =>
  execFileSync("sh", ["-c", `printf '%s\\0' ${command}`], { encoding: "utf8" })
    .split("\0")
    .slice(0, -1);

test.each([
  ["lab", "xennet:hosts.lab.host"],
  ["o'brien", `xennet:hosts["o'brien"].host`],
  ['a"b', 'xennet:hosts["a\\"b"].host'],
  ["a.b]$(id)`id`", 'xennet:hosts["a.b]$(id)`id`"].host'],
  ["-x\ny", 'xennet:hosts["-x\ny"].host'],
])("the command for a profile named %j is one that a shell and Pulumi read", (profile, path) => {
  const command = configCommand(profile, "host", { value: "it's <here>" });
  expect(words(command)).toEqual(["pulumi", "config", "set", "--path", path, "it's <here>"]);
});
