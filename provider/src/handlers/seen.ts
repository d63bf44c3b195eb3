import { XennetError } from "../core/errors";

/** XAPI's answer and the look that follows contradict each other: nothing is recorded as done. */
export function notDone(what: string, found: string): XennetError {
  return new XennetError(
    "XAPI_NOT_DONE",
    `${what}, which XAPI answered as done, but a look at the pool says otherwise: ${found}. ` +
      "Somebody else may have changed it at that moment. Run the command again; if that ends so too, look into the host's log /var/log/xensource.log",
  );
}
