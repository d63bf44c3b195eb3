import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { TlsIdentity } from "../../sim/contract.ts";

const run = promisify(execFile);

/** A certificate for an IP address, signed by an authority. */
export async function issue(authority: TlsIdentity, address: string): Promise<TlsIdentity> {
  const folder = await mkdtemp(join(tmpdir(), "xapi-ca-"));
  const file = (name: string) => join(folder, name);
  try {
    await writeFile(file("ca.pem"), authority.cert);
    await writeFile(file("ca.key"), authority.key, { mode: 0o600 });
    const wanted = [
      "-newkey",
      "ec",
      "-pkeyopt",
      "ec_paramgen_curve:prime256v1",
      "-nodes",
      "-days",
      "2",
      "-subj",
      "/CN=issued",
      "-addext",
    ];
    const signed = ["-CA", file("ca.pem"), "-CAkey", file("ca.key"), "-keyout", file("key"), "-out", file("cert")];
    await run("openssl", ["req", "-x509", ...wanted, `subjectAltName=IP:${address}`, ...signed]);
    return { key: await readFile(file("key"), "utf8"), cert: await readFile(file("cert"), "utf8") };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
