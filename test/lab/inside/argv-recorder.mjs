// Samples the command line of every process of this machine as fast as it can without starving others, and prints each
// distinct one once, as a line of JSON. Its stdin names the file of dom0's pid namespace, then its end ends it.
import { readdirSync, readFileSync, readlinkSync, statSync } from "node:fs";
import { createInterface } from "node:readline";

const PAUSE_MS = 2;
const printed = new Set();
let dom0File;

const lines = createInterface({ input: process.stdin });
lines.on("line", (line) => {
  dom0File = line;
  sample();
});
lines.on("close", () => {
  if (dom0File !== undefined) look();
  process.exit();
});
console.log("ready");

function sample() {
  look();
  setTimeout(sample, PAUSE_MS);
}

function look() {
  const dom0 = attempt(() => statSync(dom0File).ino);
  for (const pid of readdirSync("/proc")) {
    if (!/^\d+$/.test(pid) || Number(pid) === process.pid) continue;
    const argv = attempt(() => readFileSync(`/proc/${pid}/cmdline`, "utf8"))
      ?.replaceAll("\0", " ")
      .trim();
    if (!argv) continue;
    const where = attempt(() => readlinkSync(`/proc/${pid}/ns/pid`)) === `pid:[${dom0}]` ? "dom0" : "workstation";
    const line = JSON.stringify({ where, argv });
    if (printed.has(line)) continue;
    printed.add(line);
    console.log(line);
  }
}

/** A process may end, and dom0 be down, between two looks. */
function attempt(read) {
  try {
    return read();
  } catch (error) {
    if (["ENOENT", "ESRCH", "EACCES", "EPERM", "EINVAL"].includes(error.code)) return undefined;
    throw error;
  }
}
