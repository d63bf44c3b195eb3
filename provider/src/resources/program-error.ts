import { RunError } from "@pulumi/pulumi";
import { printableText } from "../core/foreign-text";

/**
 * An error that ends the program with its message alone.
 *
 * It has no stack: the SDK hands it to `util.inspect` with colours even where it does not print it, and Node 20.20 and
 * 22.23 never return from that for a frame in `node_modules/@pulumi/<file>` (Node 24 does). The user could do nothing with
 * the frames anyway.
 */
export function programError(message: string): RunError {
  return Object.assign(new RunError(printableText(message)), { stack: "" });
}
