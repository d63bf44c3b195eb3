import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./root.mjs";

// Inside node_modules, so that the stamps go away together with what they vouch for.
const folder = join(root, "node_modules/.xennet-setup");

/** Whether the step `name` was last done for exactly this. */
export function isStamped(name, value) {
  try {
    return readFileSync(join(folder, name), "utf8") === value;
  } catch (error) {
    if (error.code === "ENOENT") return false;
    throw error;
  }
}

/** Notes that the step `name` was done for this. */
export function writeStamp(name, value) {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, name), value);
}

/** One digest of some files: of their names in the project and of what they hold. */
export function digestOf(paths) {
  const hash = createHash("sha256");
  for (const path of [...paths].sort())
    hash
      .update(`${path}\0`)
      .update(readFileSync(join(root, path)))
      .update("\0");
  return hash.digest("hex");
}
