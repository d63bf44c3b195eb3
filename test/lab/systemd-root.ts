import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";

const RECIPE = new URL("systemd-root.json", import.meta.url);

/** The folder with systemd and what else a systemd dom0 runs; `npm run test:all` makes it from Debian packages when root runs it. */
export function systemdRoot(): string {
  const digest = createHash("sha256").update(readFileSync(RECIPE)).digest("hex").slice(0, 12);
  return `/var/cache/pulumi-xennet/systemd-${digest}`;
}

/** Why no systemd dom0 can be built here; nothing when one can. */
export function systemdObstacle(): string | undefined {
  if (process.platform !== "linux") return "it needs Linux";
  if (process.getuid?.() !== 0) return "it needs root";
  if (!existsSync("/usr/bin/systemd-nspawn")) return "it needs the package systemd-container";
  if (!existsSync(systemdRoot())) return `${systemdRoot()} is missing; \`npm run test:all\` as root on Debian makes it`;
  return undefined;
}
