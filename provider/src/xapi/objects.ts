import type { XapiClient } from "./client";
import { isGone } from "./errors";

/** Resolves to undefined when the object is not there (any more); other failures pass. */
export async function unlessGone<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

/** Sets one key of an object's `other_config`, leaving all others: other tools write there too. */
export async function setOtherConfigKey(
  client: XapiClient,
  kind: string,
  ref: string,
  key: string,
  value: string,
): Promise<void> {
  // add_to fails with MAP_DUPLICATE_KEY on a key that is there; removing an absent one is fine.
  await removeOtherConfigKey(client, kind, ref, key);
  await client.call(`${kind}.add_to_other_config`, ref, key, value);
}

/** Removes one key of an object's `other_config`; an absent one is fine. */
export async function removeOtherConfigKey(client: XapiClient, kind: string, ref: string, key: string): Promise<void> {
  await client.call(`${kind}.remove_from_other_config`, ref, key);
}
