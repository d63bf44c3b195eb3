// What tsc leaves to others: it copies no shell or awk text, and keeps what it built of files that are gone.
import { cpSync, existsSync, readdirSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";

const src = fileURLToPath(new URL("../src/", import.meta.url));
const dist = fileURLToPath(new URL("../dist/", import.meta.url));

// The parts of the on-host program have to lie beside the code that puts them together.
rmSync(`${dist}dom0/program`, { recursive: true, force: true });
cpSync(`${src}dom0/program`, `${dist}dom0/program`, { recursive: true });

for (const built of readdirSync(dist, { recursive: true })) {
  const source = built.replace(/(\.d\.ts|\.js)(\.map)?$/, ".ts");
  if (source !== built && !existsSync(src + source)) rmSync(dist + built);
}
