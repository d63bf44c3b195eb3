import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { assertSendable } from "../../../provider/src/dom0/transaction-text.ts";
import { checkOwner } from "../../../provider/src/handlers/check-common.ts";
import { type Fragment, parseFragment, renderFragment } from "../../../provider/src/rules/fragment.ts";
import { describeOwner, parseOwner } from "../../../provider/src/rules/owner.ts";
import { checkText } from "../../../provider/src/validation/scalars.ts";
import { hostileText, meaningfulText, sampled } from "../../support/generated.ts";
import { legs } from "../../support/legs.ts";

const program = fileURLToPath(new URL("../../../provider/src/dom0/program", import.meta.url));
let folder = "";

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "xennet-generated-"));
  writeFileSync(join(folder, "inventory"), "INSTALLATION_UUID='6d1f4b1e-9d0c'\n");
});
afterAll(() => rmSync(folder, { recursive: true }));

/** A network each, as two stacks cannot forward for the same one. */
const networkOf = (at: number) => `5f0b0d0e-6a1e-4b8e-9f5e-${tokenOf(at)}`;
const tokenOf = (at: number) => at.toString(16).padStart(12, "0");

function fragment(at: number, owner: string, name: string, description: string): Fragment {
  return {
    ...{
      kind: "host-forwarding",
      token: tokenOf(at),
      incarnation: "0123456789abcdef",
      network: networkOf(at),
      claims: [],
      enabled: true,
    },
    ...{ owner, name, description, externalInterface: "auto", externalAddress: "auto", settings: [] },
  };
}

const awks = () => {
  const [first = "awk", ...others] = ["mawk", "gawk", "busybox awk", "original-awk"].filter(isThere);
  return legs(first, ...others);
};

/** Each is compared with every other one of its transaction. */
const batch = 250;

/** What the host program says of each fragment, by its token. */
function decisions(awk: string, texts: readonly string[]): Map<string, string> {
  const puts = texts.map((text, at) => `put ${tokenOf(at)}\n${text}`);
  const starts = Array.from({ length: Math.ceil(puts.length / batch) }, (_none, n) => n * batch);
  return new Map(starts.flatMap((start) => decide(awk, puts.slice(start, start + batch))));
}

function decide(awk: string, puts: readonly string[]): Array<[token: string, decision: string]> {
  const input = `xennet-transaction 1\nhost 6d1f4b1e-9d0c\nwindow 30\n${puts.join("")}commit\n`;
  const [command = "", ...applet] = awk.split(" ");
  const files = ["fragment.awk", "interfaces.awk", "conflicts.awk", "transaction.awk"].flatMap((file) => [
    "-f",
    join(program, file),
  ]);
  const variables = ["mode=check", `inventory_file=${join(folder, "inventory")}`, "irregular=", "dir="];
  const args = [...applet, ...variables.flatMap((text) => ["-v", text]), ...files];
  const { stdout, stderr } = spawnSync(command, args, {
    input,
    encoding: "utf8",
    env: { PATH: process.env["PATH"], LC_ALL: "C" },
  });
  expect(stderr).toBe("");
  const lines = stdout.split("\n").map((line) => /^(put|invalid) (\S+) ?(.*)$/.exec(line));
  return lines.flatMap((line) => (line === null ? [] : [[line[2] ?? "", `${line[1]} ${line[3]}`.trim()]]));
}

const isAccepted = (owner: string, name: string, description: string) =>
  [
    ...checkOwner("owner", owner),
    ...checkText("name", name, { min: 1 }),
    ...checkText("description", description, { min: 1 }),
  ].length === 0;

const urn = fc
  .tuple(meaningfulText, meaningfulText, hostileText)
  .map(
    ([stack, project, name]) =>
      `urn:pulumi:${stack.replaceAll(":", "")}::${project.replaceAll(":", "")}::pulumi-nodejs:dynamic/xennet:PortForward::${name}`,
  );

test.each(awks())(
  "what check lets pass comes back from a fragment as it was, and %s takes it for nothing else",
  (awk) => {
    const texts = sampled(
      `awk (${awk})`,
      fc.tuple(urn, fc.oneof(meaningfulText, hostileText), fc.oneof(meaningfulText, hostileText)),
    );
    const passing = texts.filter((given) => isAccepted(...given));
    expect(passing.length).toBeGreaterThan(1000);
    const rendered = passing.map(([owner, name, description], at) =>
      renderFragment(fragment(at, owner, name, description), []),
    );
    for (const [at, text] of rendered.entries()) {
      const [owner = "", name = "", description = ""] = passing[at] ?? [];
      assertSendable({ op: "put", token: tokenOf(at), text } as never);
      const parsed = parseFragment(text);
      // Blanks at the end of a line, and a text of them only, say nothing.
      expect(parsed).toMatchObject({ owner, name, description, settings: [], claims: [] });
    }
    const answers = decisions(awk, rendered);
    const refused = passing.filter((_given, at) => answers.get(tokenOf(at)) !== "put");
    expect(refused).toEqual([]);
  },
);

test.each(awks())(
  "what check refuses is refused before it is sent, or by %s: no line of it counts as another",
  (awk) => {
    const texts = sampled(`awk, refused (${awk})`, hostileText).filter(
      (text) => checkText("name", text, { min: 1 }).length > 0,
    );
    const sendable = texts.flatMap((text, at) => {
      try {
        const rendered = renderFragment(fragment(at, "urn:pulumi:a::b::c::d", "n", text), []);
        assertSendable({ op: "put", token: tokenOf(at), text: rendered } as never);
        return [rendered];
      } catch (error) {
        expect(error).toMatchObject({ code: "FRAGMENT_MALFORMED" });
        return [];
      }
    });
    for (const text of sendable) expect(parseFragment(text)?.settings).toEqual([]);
    const tokens = sendable.map((text) => /\ntoken (\S+)\n/.exec(text)?.[1] ?? "");
    const renumbered = sendable.map((text, at) => text.replace(`\ntoken ${tokens[at]}\n`, `\ntoken ${tokenOf(at)}\n`));
    // Whatever it says, there is an answer to each: none swallows the next.
    expect(decisions(awk, renumbered).size).toBe(renumbered.length);
  },
);

test("a resource's stack, project and name are read from its mark as they were put there", () => {
  const names = fc
    .tuple(meaningfulText, meaningfulText, meaningfulText)
    .map((parts) => parts.map((part) => part.replaceAll(":", "")));
  for (const [stack = "", project = "", name = ""] of sampled("names", names)) {
    if ([stack, project, name].includes("")) continue;
    const owner = `prefix-urn:pulumi:${stack}::${project}::pulumi-nodejs:dynamic/xennet:XenVif::${name}`;
    expect(parseOwner(owner)).toEqual({ stack, project, name });
    expect(describeOwner(owner)).toMatch(/^"(?:[^"\\]|\\.)*" of stack (?:[\w./-]+|"(?:[^"\\]|\\.)*")$/u);
  }
});

function isThere(command: string): boolean {
  try {
    execFileSync("sh", ["-c", `command -v ${command.split(" ")[0]}`]);
    return true;
  } catch {
    return false;
  }
}
