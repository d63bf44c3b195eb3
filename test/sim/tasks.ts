import { now } from "./clock.ts";
import type { Value } from "./contract.ts";
import { descriptionOf } from "./errors.ts";
import type { CallContext, Method } from "./method.ts";
import { xmlValue } from "./xml.ts";

/** Starts a call in the background and answers the task that shows how it goes. */
export function startTask(context: CallContext, method: Method, work: () => Promise<Value | undefined>): string {
  const { db } = context.world;
  const { host: resident_on } = context.endpoint;
  const created = { name_label: `Async.${method.name}`, created: now(), finished: now(), resident_on };
  const task = db.insert("task", { ...created, status: "pending", type: "<none/>", result: "" });
  const finish = (fields: Record<string, Value>) => {
    if (db.has("task", task)) db.update("task", task, { ...fields, finished: now(), progress: 1 });
  };
  work().then(
    (value) => finish({ status: "success", result: resultText(context, method, value) }),
    (error: unknown) => finish({ status: "failure", error_info: descriptionOf(error) }),
  );
  return task;
}

/** A fragment of XML over either transport; nothing for a call without a result. */
function resultText(context: CallContext, method: Method, value: Value | undefined): string {
  if (method.result.kind === "void" || value === undefined) return "";
  return xmlValue(method.result, value, context.world.db.tables);
}
