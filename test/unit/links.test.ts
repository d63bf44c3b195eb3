import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));
const files = walk(root).map((path) => relative(root, path));
const pages = files.filter((path) => path.endsWith(".md"));
const read = (path: string) => readFileSync(join(root, path), "utf8");

/** All files of the repository, without what is installed, built or kept for the next run. */
function walk(folder: string): string[] {
  const left = new Set(["node_modules", "dist", ".git", ".cache", "coverage"]);
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return left.has(entry.name) ? [] : walk(path);
    return entry.isFile() ? [path] : [];
  });
}

const fence = /^( *)(```+)[^\n]*\n.*?^\1\2 *$/gms;
const withoutCode = (text: string) => text.replace(fence, "");

/** The anchors that GitHub gives a page's headings: lower case, no punctuation, hyphens for blanks, a number for the second of a name. */
function anchorsOf(text: string): Set<string> {
  const seen = new Map<string, number>();
  const anchors = new Set<string>();
  for (const [, heading = ""] of withoutCode(text).matchAll(/^#{1,6} +(.+?) *#*$/gm)) {
    const shown = heading.replace(/!?\[([^\]]*)\]\([^)]*\)/g, "$1").toLowerCase();
    const slug = shown.replace(/[^\p{L}\p{M}\p{N}\p{Pc}\- ]/gu, "").replace(/ /g, "-");
    const count = seen.get(slug) ?? 0;
    seen.set(slug, count + 1);
    anchors.add(count === 0 ? slug : `${slug}-${count}`);
  }
  for (const [, id = ""] of withoutCode(text).matchAll(/<a (?:id|name)="([^"]+)"/g)) anchors.add(id);
  return anchors;
}

/** Links to other files and to anchors, pictures and definitions included; not those to other sites. */
function linksOf(text: string): string[] {
  const prose = withoutCode(text).replace(/(`+)(?!`).*?(?<!`)\1(?!`)/g, "");
  const found = [...prose.matchAll(/\]\(<?([^\s)>]+)>?(?: +"[^"]*")?\)/g), ...prose.matchAll(/^\[[^\]]+\]: +(\S+)/gm)];
  return found.map(([, link = ""]) => link).filter((link) => !/^[a-z][a-z+.-]*:/i.test(link));
}

/** Links of a page that lead nowhere. */
function deadLinks(page: string, text: string): string[] {
  return linksOf(text).filter((link) => {
    const [path = "", anchor] = link.split("#");
    const target = path === "" ? page : join(dirname(page), decodeURI(path));
    if (target.startsWith("..") || !existsSync(join(root, target))) return true;
    if (anchor === undefined) return false;
    return !target.endsWith(".md") || !anchorsOf(target === page ? text : read(target)).has(anchor);
  });
}

describe.each(pages)("%s", (page) => {
  test("has no link that leads nowhere", () => {
    expect(deadLinks(page, read(page))).toEqual([]);
  });
});

test("the pages are those that readers start from", () => {
  const first = ["README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md", "provider/README.md"];
  expect(pages).toEqual(expect.arrayContaining([...first, "docs/architecture.md", "docs/security.md"]));
});

test("npm shows the README of the package, so it links to no file beside it", () => {
  expect(linksOf(read("provider/README.md"))).toEqual([]);
});

test.each([
  ["[a](docs/none.md)", "docs/none.md"],
  ["![a](docs/none.svg)", "docs/none.svg"],
  ["[a]: none.md", "none.md"],
  ["# Here\n[a](#there)", "#there"],
  ["[a](docs/security.md#nowhere)", "docs/security.md#nowhere"],
  ["[a](package.json#name)", "package.json#name"],
  ["[a](../outside.md)", "../outside.md"],
])("a dead link is found in %j", (text, link) => {
  expect(deadLinks("README.md", text)).toEqual([link]);
});

test.each([
  "# `xennet off`, and *on*\n[a](#xennet-off-and-on)",
  "# Twice\n# Twice\n[a](#twice) [b](#twice-1)",
  '[a](docs/security.md#secrets) [b](docs/) [c](LICENSE "the licence")',
  "`[a](none.md)` and\n```\n[a](none.md)\n```",
])("no dead link is found in %j", (text) => {
  expect(deadLinks("README.md", text)).toEqual([]);
});

/** Paths that a page names: a path or a file's name in backticks, and in blocks of code what begins with a folder of the root. */
function pathsOf(text: string): string[] {
  const spans = [...withoutCode(text).matchAll(/`([^`\n]+)`/g)].map(([, code = ""]) => code);
  const path = /^(?![@/])[\w.@-]+(\/[\w.@-]+)+\/?$/;
  const name = /^\.?[\w-]+(\.[\w-]+)*\.(ts|mts|mjs|cjs|sh|awk|json|md|svg|yml|yaml|txt)$/;
  const folders = new Set(files.filter((file) => file.includes("/")).map((file) => file.split("/")[0]));
  const words = [...text.matchAll(fence)].flatMap(([block]) => block.split(/[\s"'|]+/));
  return [
    ...spans.filter((code) => path.test(code) || name.test(code)),
    ...words.filter((word) => path.test(word) && folders.has(word.split("/")[0])),
  ];
}

function missingPaths(text: string): string[] {
  const names = new Set(files.map((file) => basename(file)));
  return pathsOf(text).filter((path) => !(path.includes("/") ? existsSync(join(root, path)) : names.has(path)));
}

test.each(["CONTRIBUTING.md", "docs/architecture.md"])("every path that %s names is there", (page) => {
  expect(pathsOf(read(page)).length).toBeGreaterThan(30);
  expect(missingPaths(read(page))).toEqual([]);
});

test("a path that is not there is found, in prose and in a block", () => {
  const text =
    "`provder/src` `none.ts` `package.json` `/etc/xennet` `@pulumi/pulumi`\n```sh\nnpm test -- test/none.test.ts\n```\n";
  expect(missingPaths(text)).toEqual(["provder/src", "none.ts", "test/none.test.ts"]);
});
