import { createHash } from "node:crypto";

/**
 * The MAC address that XAPI chooses for a device of a VM with this `other_config:mac_seed`: always the same
 * (`VIF.create` without a MAC address, in xapi's sources).
 */
export function chosenMac(seed: string, device: number): string {
  const chain = (text: Buffer | string) => createHash("md5").update(text).digest();
  let digest = chain(seed);
  for (let round = 0; round < 2 * device; round += 1) digest = chain(digest);
  const octets = [...digest.subarray(0, 4), ...chain(digest).subarray(1, 3)];
  // Locally administered, and of one receiver.
  octets[0] = ((octets[0] ?? 0) & 0xfc) | 0x02;
  return octets.map((octet) => octet.toString(16).padStart(2, "0")).join(":");
}
