import { execFile } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { TlsIdentity, TlsKind } from "./contract.ts";

const run = promisify(execFile);

/** What the HTTPS server of a host speaks: stunnel since 8.2, or the one of 5.5 to 6.2 as far as an OpenSSL of today goes. */
export const tlsServers = {
  modern: {
    minVersion: "TLSv1.2",
    maxVersion: "TLSv1.2",
    ciphers: "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-AES128-GCM-SHA256",
  },
  legacy: { minVersion: "TLSv1", maxVersion: "TLSv1", ciphers: "AES256-SHA:AES128-SHA:@SECLEVEL=0" },
} as const;

const certificates = { modern: ["rsa:2048", "-sha256"], legacy: ["rsa:1024", "-sha1"] } as const;

/** Makes what a fresh host has: a self-signed certificate of ten years, RSA-2048 unless legacy. Needs the `openssl` program. */
export async function makeTlsIdentity(commonName: string, kind: TlsKind = "modern"): Promise<TlsIdentity> {
  const folder = await mkdtemp(join(tmpdir(), "xapi-tls-"));
  const key = join(folder, "key.pem");
  const cert = join(folder, "cert.pem");
  const wanted = ["-newkey", ...certificates[kind], "-nodes", "-days", "3650", "-subj", `/CN=${commonName}`];
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
