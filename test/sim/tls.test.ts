import { createPrivateKey, X509Certificate } from "node:crypto";
import { expect, test } from "vitest";
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
