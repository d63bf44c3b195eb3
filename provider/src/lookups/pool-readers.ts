import * as pulumi from "@pulumi/pulumi";
import { redact } from "../core/redact";
import { requireProfile } from "../hosts/profile";
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
  const { xapi } = requireProfile(profile, { config, env: process.env });
  // Loaded when first needed: programs without look-ups start without a XAPI client.
  const { PoolReader } = await import("./pool-reader.js");
  return new PoolReader(xapi, (text) => void pulumi.log.warn(redact(text)));
}
