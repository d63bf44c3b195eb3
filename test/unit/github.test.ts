import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { tsImport } from "tsx/esm/api";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";

// It imports JSON as bundlers do, and not as Node does.
const parser: typeof import("@actions/workflow-parser") = await tsImport("@actions/workflow-parser", import.meta.url);

const root = fileURLToPath(new URL("../..", import.meta.url));
const read = (path: string) => readFileSync(join(root, path), "utf8");
const provider = JSON.parse(read("provider/package.json"));
const workflows = readdirSync(join(root, ".github/workflows")).map((name) => `.github/workflows/${name}`);
const forms = ["bug", "feature"].map((name) => `.github/ISSUE_TEMPLATE/${name}.yml`);

/** What GitHub's own parser finds wrong, expressions and their contexts included. */
async function faultsOf(name: string, content: string): Promise<string[]> {
  const { context, value } = parser.parseWorkflow({ name, content }, new parser.NoOperationTraceWriter());
  if (value !== undefined) await parser.convertWorkflowTemplate(context, value);
  return context.errors.getErrors().map(({ message }) => message);
}

describe.each(workflows)("%s", (path) => {
  test("is a workflow, as GitHub's own parser reads it", async () => {
    expect(await faultsOf(path, read(path))).toEqual([]);
  });

  test.each([
    ["a key that no job has", "runs-on:", "run-on:"],
    ["a permission that is none", "contents: read", "contents: reed"],
    ["an expression that does not end", "concurrency:\n  group: ", "concurrency:\n  group: ${{ github.ref "],
  ])("would not be one with %s", async (_, right, wrong) => {
    expect(read(path)).toContain(right);
    expect(await faultsOf(path, read(path).replace(right, wrong))).not.toEqual([]);
  });

  test("names every action by a commit, runs `.ci/run`, and lets no job write what it need not", () => {
    const { permissions, jobs } = parse(read(path));
    expect(permissions).toEqual({ contents: "read" });
    const steps = Object.values<{ steps: Step[] }>(jobs).flatMap((job) => job.steps);
    const used = steps.flatMap(({ uses }) => (uses === undefined ? [] : [uses]));
    expect(used.filter((action) => !/^[\w-]+\/[\w-]+@[0-9a-f]{40}$/.test(action))).toEqual([]);
    expect(steps.some(({ run }) => run?.includes(" .ci/run"))).toBe(true);
  });
});

interface Step {
  readonly uses?: string;
  readonly run?: string;
}

test("the tests run on the oldest release of each line of Node that `engines` allows", () => {
  const lines: string[] = JSON.parse(read("package.json")).engines.node.split(" || ");
  const { matrix } = parse(read(".github/workflows/test.yml")).jobs.all.strategy;
  expect(matrix.node).toEqual(lines.map((line) => line.replace(/^(\^|>=)/, "")));
});

test("a release is published from a tag, with provenance, and only after the tests", () => {
  const { on, jobs } = parse(read(".github/workflows/release.yml"));
  expect(on).toEqual({ push: { tags: ["v*"] } });
  expect(jobs.npm.permissions).toEqual({ contents: "read", "id-token": "write" });
  const runs: string[] = jobs.npm.steps.flatMap(({ run }: Step) => (run === undefined ? [] : [run]));
  const at = (text: string) => runs.findIndex((run) => run.includes(text));
  expect(at("npm publish --workspace provider --provenance")).toBe(runs.length - 1);
  expect(at(".ci/run")).toBeGreaterThanOrEqual(0);
});

/** GitHub's syntax of issue forms: what each kind of element must and may say; there is no linter of it for Node. */
const elements: Readonly<Record<string, { must: readonly string[]; may: readonly string[] }>> = {
  markdown: { must: ["value"], may: [] },
  textarea: { must: ["label"], may: ["description", "placeholder", "value", "render"] },
  input: { must: ["label"], may: ["description", "placeholder", "value"] },
  dropdown: { must: ["label", "options"], may: ["description", "multiple", "default"] },
  checkboxes: { must: ["label", "options"], may: ["description"] },
};

interface Element {
  readonly type: string;
  readonly id?: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly validations?: Readonly<Record<string, unknown>>;
}

test.each(forms)("%s is an issue form", (path) => {
  const form = parse(read(path));
  expect(Object.keys(form)).toEqual(["name", "description", "labels", "body"]);
  const body: Element[] = form.body;
  expect(body.some(({ type }) => type !== "markdown")).toBe(true);
  for (const { type, id, attributes, validations } of body) {
    const { must = [], may = [] } = elements[type] ?? {};
    expect(Object.keys(elements)).toContain(type);
    expect(Object.keys(attributes)).toEqual(expect.arrayContaining([...must]));
    expect(Object.keys(attributes).filter((key) => ![...must, ...may].includes(key))).toEqual([]);
    expect(Object.keys(validations ?? {}).filter((key) => key !== "required")).toEqual([]);
    if (type !== "markdown") expect(id).toMatch(/^[\w-]+$/);
  }
  for (const key of ["id", "label"] as const) {
    const values = body.map((one) => (key === "id" ? one.id : one.attributes[key])).filter((one) => one !== undefined);
    expect(new Set(values).size).toBe(values.length);
  }
});

test("reports of vulnerabilities go to the repository that the package names, in private", () => {
  const repository = provider.repository.url.replace(/^git\+|\.git$/g, "");
  expect(provider.homepage).toBe(`${repository}#readme`);
  expect(provider.bugs).toBe(`${repository}/issues`);
  const { blank_issues_enabled, contact_links } = parse(read(".github/ISSUE_TEMPLATE/config.yml"));
  expect(blank_issues_enabled).toBe(false);
  expect(contact_links.map(({ url }: { url: string }) => url)).toEqual([`${repository}/security/advisories/new`]);
});

test("Dependabot watches every kind of manifest, where it lies", () => {
  const { version, updates } = parse(read(".github/dependabot.yml"));
  expect(version).toBe(2);
  const watched = updates.map((update: Record<string, string>) => [update["package-ecosystem"], update["directory"]]);
  expect(watched).toEqual([
    ["npm", "/"],
    ["pip", "/test/setup"],
    ["github-actions", "/"],
  ]);
  expect(readdirSync(join(root, "test/setup"))).toContain("python-requirements.txt");
  const names = JSON.parse(read("package.json")).devDependencies;
  const ignored: string[] = updates[0].ignore.map((one: Record<string, string>) => one["dependency-name"]);
  expect(ignored.filter((name) => names[name] === undefined)).toEqual([]);
});
