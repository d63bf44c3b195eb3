import { createHash } from "node:crypto";

/** True for six hexadecimal bytes with colons; XAPI looks at nothing else, not even the multicast bit. */
export function isMac(text: string): boolean {
  return /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i.test(text);
}

/** The address that XAPI derives for a device of a VM: the same whenever the VIF is made again. */
export function macFromSeed(seed: string, device: number): string {
  let chained = Buffer.from(seed);
  for (let round = 0; round < 2 * device + 1; round += 1) chained = md5(chained);
  const last = md5(chained);
  const first = ((chained[0] ?? 0) | 0b10) & ~0b1;
  const bytes = [first, chained[1], chained[2], chained[3], last[1], last[2]];
  return bytes.map((byte) => (byte ?? 0).toString(16).padStart(2, "0")).join(":");
}

function md5(data: Buffer): Buffer<ArrayBuffer> {
  return Buffer.from(createHash("md5").update(data).digest());
}
