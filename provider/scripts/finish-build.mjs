// What tsc leaves to others: it copies no shell script, and keeps what it built of files that are gone.
import { copyFileSync, existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";

const src = fileURLToPath(new URL("../src/", import.meta.url));
const dist = fileURLToPath(new URL("../dist/", import.meta.url));

// The on-host program has to lie beside the code that sends it.
const program = "dom0/program/xennet.sh";
mkdirSync(`${dist}dom0/program`, { recursive: true });
copyFileSync(src + program, dist + program);

for (const built of readdirSync(dist, { recursive: true })) {
  const source = built.replace(/(\.d\.ts|\.js)(\.map)?$/, ".ts");
  if (source !== built && !existsSync(src + source)) rmSync(dist + built);
}
