import { now } from "../clock.ts";
import { XapiFailure } from "../errors.ts";
import { type CallContext, type Method, method } from "../method.ts";

/** Tasks as the client's own house: what runs in the background is started by `startTask`. */
export const taskMethods: Method[] = [
  method("task.create", "label string, description string", "ref<task>", ({ world }, label: string, text: string) =>
    world.db.insert("task", { name_label: label, name_description: text, created: now(), status: "pending" }),
  ),
  method("task.destroy", "self ref<task>", "void", ({ world }: CallContext, self: string) => {
    world.db.remove("task", self);
    return undefined;
  }),
  method("task.cancel", "task ref<task>", "void", cancel),
];

function cancel({ world }: CallContext, task: string): undefined {
  if (world.db.row("task", task)["status"] !== "pending") return;
  throw new XapiFailure("OPERATION_NOT_ALLOWED", ["The operation cannot be cancelled any more."]);
}
