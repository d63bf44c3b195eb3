// tsc copies no shell script; the on-host program has to lie beside the code that sends it.
import { copyFileSync } from "node:fs";

const from = new URL("../src/dom0/program/xennet.sh", import.meta.url);
copyFileSync(from, new URL("../dist/dom0/program/xennet.sh", import.meta.url));
