import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { parse } from "yaml";

const root = fileURLToPath(new URL("../..", import.meta.url));
const examples = readdirSync(join(root, "examples"), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => `examples/${entry.name}`);

const read = (path: string) => readFileSync(join(root, path), "utf8");

test("every example is a package and a project of its own, with a name no other has", () => {
  const projects = ["", ...examples.map((folder) => `${folder}/`)].map((folder) => parse(read(`${folder}Pulumi.yaml`)));
  const names = projects.map((project) => project.name);
  expect(new Set(names).size).toBe(names.length);
  for (const folder of examples) {
    expect(existsSync(join(root, folder, "package.json"))).toBe(true);
    expect(existsSync(join(root, folder, "README.md"))).toBe(true);
  }
});

test("every project refreshes before an up, so that up also repairs the host", () => {
  for (const folder of ["", ...examples.map((example) => `${example}/`)]) {
    expect(parse(read(`${folder}Pulumi.yaml`)).options).toEqual({ refresh: "always" });
  }
});

test("every example is in the README, and in the lockfile as it is", () => {
  const { packages } = JSON.parse(read("package-lock.json"));
  for (const folder of examples) {
    expect(read("README.md")).toContain(`](${folder}/)`);
    const { name, version, dependencies } = JSON.parse(read(`${folder}/package.json`));
    expect(packages[folder]).toEqual({ name, version, dependencies });
    expect(packages[`node_modules/${name}`]).toEqual({ resolved: folder, link: true });
  }
});

test("there is one copy of the SDK in the tree, which instanceof and start-up time depend on", () => {
  const copies = Object.keys(JSON.parse(read("package-lock.json")).packages).filter((path) =>
    path.endsWith("node_modules/@pulumi/pulumi"),
  );
  expect(copies).toEqual(["node_modules/@pulumi/pulumi"]);
});

test("the lockfile names no registry", () => {
  expect(read("package-lock.json")).not.toMatch(/"resolved": "https?:/);
});
