import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { expect, test } from "vitest";
import { sameName } from "../../provider/src/core/same-name.ts";

const root = fileURLToPath(new URL("../../provider", import.meta.url));

test("two names that nobody knows are not the same name", () => {
  const pairs = [
    ["xapi0", "xapi0"],
    ["xapi0", "xapi1"],
    [undefined, undefined],
    ["", ""],
    ["xapi0", undefined],
  ] as const;
  expect(pairs.map(([a, b]) => sameName(a, b))).toEqual([true, false, false, false, false]);
});

/** Equality of any data, absent ones too, is what it is for. */
const allowed = ["src/handlers/props.ts: a === b"];

test("nowhere are two values compared that may both be undefined, nor is one looked for that may be", {
  timeout: 120_000,
}, () => {
  const config = ts.getParsedCommandLineOfConfigFile(`${root}/tsconfig.json`, {}, {
    ...ts.sys,
    onUnRecoverableConfigFileDiagnostic: () => {},
  } as ts.ParseConfigFileHost);
  const program = ts.createProgram(config?.fileNames ?? [], config?.options ?? {});
  const checker = program.getTypeChecker();
  const found: string[] = [];
  let compared = 0;
  const visit = (node: ts.Node): void => {
    const isLoose = isComparison(node)
      ? [node.left, node.right].every((side) => mayBeUndefined(checker, side))
      : isSearch(node) && node.arguments[0] !== undefined && mayBeUndefined(checker, node.arguments[0]);
    if (isComparison(node)) compared += 1;
    if (isLoose) found.push(`${relative(root, node.getSourceFile().fileName)}: ${node.getText()}`);
    ts.forEachChild(node, visit);
  };
  for (const file of program.getSourceFiles()) if (!file.fileName.includes("node_modules")) visit(file);
  expect(compared).toBeGreaterThan(500);
  expect(found.sort()).toEqual(allowed);
});

function isComparison(node: ts.Node): node is ts.BinaryExpression {
  const equality = [ts.SyntaxKind.EqualsEqualsEqualsToken, ts.SyntaxKind.ExclamationEqualsEqualsToken];
  if (!ts.isBinaryExpression(node) || !equality.includes(node.operatorToken.kind)) return false;
  return ![node.left, node.right].some((side) => ts.isIdentifier(side) && side.text === "undefined");
}

function isSearch(node: ts.Node): node is ts.CallExpression {
  if (!ts.isCallExpression(node) || !ts.isPropertyAccessExpression(node.expression)) return false;
  return ["includes", "indexOf"].includes(node.expression.name.text);
}

function mayBeUndefined(checker: ts.TypeChecker, node: ts.Node): boolean {
  const type = checker.getTypeAtLocation(node);
  const loose = ts.TypeFlags.Undefined | ts.TypeFlags.Unknown | ts.TypeFlags.Any;
  return (type.isUnion() ? type.types : [type]).some(({ flags }) => (flags & loose) !== 0);
}
