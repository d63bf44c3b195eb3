import { XennetError } from "../core/errors";
import { quoted } from "../core/foreign-text";
import type { Props } from "./handler";
import { textOf } from "./props";

/** True for a resource that is only read, as `.get()` does: it carries no owner of ours, and is never written. */
export function isOnlyRead(props: Props): boolean {
  return props["owner"] === undefined;
}

/** What is declared of a resource that is only read. */
export function inputsOfExisting(props: Props): Props {
  return { host: textOf(props, "host") ?? "default" };
}

/**
 * Ends a read that found nothing. Before it was ever found that is an error, as the engine would record a resource without
 * properties and go on; later it is gone.
 */
export function notFound(what: "network" | "VIF", id: string, props: Props) {
  if (isOnlyRead(props) && props["uuid"] === undefined) {
    const reason = `expected the id of a ${what} of the pool, found no ${what} for ${quoted(id)}`;
    throw new XennetError("REFERENCE_UNKNOWN", reason, { property: "id" });
  }
  return { id: "", props: {}, inputs: {} };
}
