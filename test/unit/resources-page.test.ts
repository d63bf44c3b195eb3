import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { settingsOf } from "../../provider/src/handlers/forwarding/host-forwarding-spec.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const read = (path: string) => readFileSync(join(root, path), "utf8");
const page = read("docs/resources.md");

/** An input as the source declares it; `default` is the text after `@default`. */
interface Declared {
  readonly name: string;
  readonly isOptional: boolean;
  readonly default: string | undefined;
}

/** Described once, at the top; and what the class hands on for others, and shows nobody. */
const elsewhere = new Set(["host", "networkLabel"]);

function inputsOf(source: string, kind: string): Declared[] {
  const body = new RegExp(`export interface ${kind}Args \\{\\n(.*?)\\n\\}\\n`, "s").exec(source)?.[1] ?? "";
  const members = [...body.matchAll(/\/\*\*(.*?)\*\/\s+readonly (\w+)(\??):/gs)];
  return members.map(([, comment = "", name = "", mark]) => ({
    name,
    isOptional: mark === "?",
    default: /@default ((?:.|\n)+)/
      .exec(comment)?.[1]
      ?.replace(/\s*\n\s*\*?/g, " ")
      .trim(),
  }));
}

function outputsOf(source: string, inputs: readonly Declared[]): string[] {
  const known = new Set([...inputs.map(({ name }) => name), ...elsewhere]);
  return [...source.matchAll(/declare readonly (\w+):/g)]
    .map(([, name = ""]) => name)
    .filter((name) => !known.has(name));
}

/** Rows of a section's table by the names in their first cell, and its text. */
function sectionOf(kind: string) {
  const text = page.split(/^## /m).find((section) => section.startsWith(`${kind}\n`)) ?? "";
  const rows = new Map<string, { meaning: string; default: string }>();
  for (const line of text.split("\n").filter((candidate) => candidate.startsWith("| `"))) {
    const [, names = "", meaning = "", fallback = ""] = line.split(/(?<!\\)\|/).map((cell) => cell.trim());
    for (const [, name = ""] of names.matchAll(/`(\w+)`/g)) rows.set(name, { meaning, default: fallback });
  }
  return { text, rows };
}

describe.each([
  ["XenNetwork", "xen-network"],
  ["XenVif", "xen-vif"],
  ["HostForwarding", "host-forwarding"],
  ["PortForward", "port-forward"],
])("the page of resources, on %s", (kind, file) => {
  const source = read(`provider/src/resources/${file}.ts`);
  const inputs = inputsOf(source, kind);
  const { text, rows } = sectionOf(kind);

  test("has a row with meaning and default for each input, and no row for anything else", () => {
    expect(inputs.length).toBeGreaterThan(5);
    expect([...rows.keys()].sort()).toEqual(
      inputs
        .map(({ name }) => name)
        .filter((name) => !elsewhere.has(name))
        .sort(),
    );
    expect([...rows].filter(([, row]) => row.meaning === "" || row.default === "")).toEqual([]);
  });

  test("gives the defaults that the source gives", () => {
    const differing = inputs.flatMap(({ name, isOptional, default: declared }) => {
      const shown = rows.get(name)?.default ?? "";
      if (elsewhere.has(name)) return [];
      if (!isOptional) return shown.startsWith("required") ? [] : [`${name}: required, shown as ${shown}`];
      const literal = /^(true|false|-?[0-9]+|"[^"]*")/.exec(declared ?? "")?.[1];
      if (literal === undefined) return [];
      return shown.includes(`\`${literal}\``) ? [] : [`${name}: ${literal}, shown as ${shown}`];
    });
    expect(differing).toEqual([]);
  });

  test("names each output", () => {
    const paragraph = /^Outputs: .*$(\n.+$)*/m.exec(text)?.[0] ?? "";
    expect(outputsOf(source, inputs).filter((name) => !paragraph.includes(`\`${name}\``))).toEqual([]);
  });
});

test("the page of the host program names each setting that a forwarding can ask for", () => {
  const everything = {
    ...{ address: "192.168.100.1/24", forwardingScope: "global", arp: true, proxyArp: true, sendRedirects: true },
    ...{ arpFilter: false, persistence: "none" },
  };
  const host = read("docs/host-program.md");
  const bullet = /^\* `setting`: .*$(\n {2}.+$)*/m.exec(host)?.[0] ?? "";
  const named = settingsOf(everything).map(([key]) => key);
  expect(named).toHaveLength(9);
  expect(named.filter((key) => !bullet.includes(`\`${key} `))).toEqual([]);
});
