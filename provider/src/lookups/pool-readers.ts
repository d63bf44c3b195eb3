import * as pulumi from "@pulumi/pulumi";
import { printableText } from "../core/foreign-text";
import { redact } from "../core/redact";
import { usableProfile } from "../hosts/usable-profile";
import type { PoolReader } from "./pool-reader";

const readers = new Map<string, Promise<PoolReader>>();

/** The reader that all look-ups of this program with the same host profile share; an error for an incomplete profile. */
export function poolReader(profile: string): Promise<PoolReader> {
  const known = readers.get(profile);
  if (known !== undefined) return known;
  const made = makeReader(profile);
  readers.set(profile, made);
  return made;
}

async function makeReader(profile: string): Promise<PoolReader> {
  // In the program secrets of the stack's configuration come in clear, as in the provider.
  const config = (key: string) => new pulumi.Config("xennet").get(key.replace(/^xennet:/, ""));
  const settings = await usableProfile(profile, { config, env: process.env });
  // Loaded when first needed: programs without look-ups start without the clients of XAPI and SSH.
  const [{ PoolReader }, { Host }, { Claims }] = await Promise.all([
    import("./pool-reader.js"),
    import("../hosts/host.js"),
    import("../hosts/claims.js"),
  ]);
  const said = new Set<string>();
  const warn = (text: string) => {
    if (!said.has(text)) void pulumi.log.warn(printableText(redact(text)));
    said.add(text);
  };
  // A host of their own for each look: it knows the way to XAPI, which may be dom0's SSH, and closes all of it.
  return new PoolReader(() => new Host(settings, { claims: new Claims(), seenIds: new Set(), warn }));
}
