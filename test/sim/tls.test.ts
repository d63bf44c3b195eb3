import { createPrivateKey, X509Certificate } from "node:crypto";
import { once } from "node:events";
import { type ConnectionOptions, connect } from "node:tls";
import { expect, onTestFinished, test } from "vitest";
import { startSimulator } from "./simulator.ts";
import { fingerprintOf, makeTlsIdentity } from "./tls.ts";

test("a host's certificate is self-signed RSA-2048 of ten years in the host's name", async () => {
  const { key, cert } = await makeTlsIdentity("xenserver-lab");
  const certificate = new X509Certificate(cert);
  expect(certificate.subject).toBe("CN=xenserver-lab");
  expect(certificate.verify(certificate.publicKey)).toBe(true);
  expect(certificate.checkPrivateKey(createPrivateKey(key))).toBe(true);
  expect(certificate.publicKey.asymmetricKeyDetails).toMatchObject({ modulusLength: 2048 });
  const years = (Date.parse(certificate.validTo) - Date.parse(certificate.validFrom)) / (365.25 * 24 * 3600 * 1000);
  expect(years).toBeCloseTo(10, 1);
  expect(fingerprintOf(cert)).toMatch(/^([0-9A-F]{2}:){31}[0-9A-F]{2}$/);
});

test("no two hosts have the same certificate", async () => {
  const [one, other] = [await makeTlsIdentity("xenserver-lab"), await makeTlsIdentity("xenserver-lab")];
  expect(fingerprintOf(one.cert)).not.toBe(fingerprintOf(other.cert));
});

test("a host of 2010 speaks TLS 1.0 with RSA key exchange only, and shows a certificate of 1024 bits", async () => {
  const simulator = await startSimulator({ password: "correct horse", tls: "legacy" });
  onTestFinished(() => simulator.close());
  expect(new X509Certificate(simulator.certificatePem).publicKey.asymmetricKeyDetails).toMatchObject({
    modulusLength: 1024,
  });
  await expect(handshake(simulator, {})).rejects.toMatchObject({ code: "ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION" });
  const old = { minVersion: "TLSv1", ciphers: "DEFAULT:@SECLEVEL=0" } as const;
  expect(await handshake(simulator, old)).toBe("TLSv1 AES256-SHA");
  await expect(handshake(simulator, { ...old, ciphers: "ECDHE-RSA-AES256-SHA:@SECLEVEL=0" })).rejects.toThrow();
});

async function handshake({ port }: { port: number | undefined }, options: ConnectionOptions): Promise<string> {
  const socket = connect({ host: "127.0.0.1", port: Number(port), rejectUnauthorized: false, ...options });
  try {
    await once(socket, "secureConnect");
    return `${socket.getProtocol()} ${socket.getCipher().name}`;
  } finally {
    socket.destroy();
  }
}
