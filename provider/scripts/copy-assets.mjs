// tsc copies no shell script; the on-host program has to lie beside the code that sends it.
import { copyFileSync, mkdirSync } from "node:fs";

const from = new URL("../src/dom0/program/xennet.sh", import.meta.url);
const to = new URL("../dist/dom0/program/xennet.sh", import.meta.url);
mkdirSync(new URL(".", to), { recursive: true });
copyFileSync(from, to);
