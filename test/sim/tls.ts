import { execFile } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { TlsIdentity } from "./contract.ts";

const run = promisify(execFile);

/** Makes what a fresh host has: a self-signed RSA-2048 certificate of ten years. Needs the `openssl` program. */
export async function makeTlsIdentity(commonName: string): Promise<TlsIdentity> {
  const folder = await mkdtemp(join(tmpdir(), "xapi-tls-"));
  const key = join(folder, "key.pem");
  const cert = join(folder, "cert.pem");
  const wanted = ["-newkey", "rsa:2048", "-nodes", "-sha256", "-days", "3650", "-subj", `/CN=${commonName}`];
  try {
    await run("openssl", ["req", "-x509", ...wanted, "-keyout", key, "-out", cert]);
    return { key: await readFile(key, "utf8"), cert: await readFile(cert, "utf8") };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    throw new Error("The simulator makes its certificate with openssl, which is not installed: apt install openssl.");
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** SHA-256 of a certificate, upper-case hex with colons, as `Certificate.fingerprint` shows it. */
export function fingerprintOf(certificatePem: string): string {
  return new X509Certificate(certificatePem).fingerprint256;
}
