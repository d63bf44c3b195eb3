import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { expect, test } from "vitest";

const root = fileURLToPath(new URL("../../../provider/src", import.meta.url));

/** What is no message: texts for a guest, for iptables, and the quoting itself. */
const elsewhere = [
  "core/foreign-text.ts",
  "core/settings.ts",
  "handlers/vif/guest-setup.ts",
  "rules/saved.ts",
  "dom0/program-text.ts",
];

/** Commands and names of ours, which hold nothing that a host said. */
const ours =
  /^(configCommand|settingCommand|setCommand|environmentOverride|certificateCommand|command|password|user|shown|HEADER)\b/;

test('between quotes a value stands only as quoted() writes it: a `"` in a name must not end them', () => {
  const bare: string[] = [];
  for (const entry of readdirSync(root, { withFileTypes: true, recursive: true })) {
    const file = join(entry.parentPath, entry.name);
    if (!entry.isFile() || !entry.name.endsWith(".ts") || elsewhere.includes(relative(root, file))) continue;
    const visit = (node: ts.Node) => {
      if (ts.isTemplateExpression(node))
        bare.push(...between(node).map((value) => `${relative(root, file)}: ${value}`));
      ts.forEachChild(node, visit);
    };
    visit(ts.createSourceFile(file, readFileSync(file, "utf8"), ts.ScriptTarget.Latest, true));
  }
  expect(bare).toEqual([]);
});

/** The expressions of a template that stand between a quote and a quote. */
function between({ head, templateSpans }: ts.TemplateExpression): string[] {
  const texts = [head.text, ...templateSpans.map(({ literal }) => literal.text)];
  return templateSpans
    .filter((_span, at) => texts[at]?.endsWith('"') && texts[at + 1]?.startsWith('"'))
    .map(({ expression }) => expression.getText())
    .filter((expression) => !ours.test(expression));
}
