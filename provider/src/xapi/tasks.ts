import { type Clock, systemClock } from "../core/clock";
import { whileWaiting } from "../core/waiting";
import type { XapiClient } from "./client";
import { hasXapiCode, isGone, XapiConnectionError, XapiError } from "./errors";
import { RecordReader } from "./records";
import type { XapiValue } from "./xml-rpc";

/** How long a task may take. */
export interface TaskOptions {
  readonly deadlineMs: number;
  readonly clock?: Clock;
}

const firstPollMs = 50;
/** Shorter than the idle time of the client, so that the session lives until the task has ended. */
const longestPollMs = 500;

/** Runs an asynchronous call to its end, removes its task, and cancels it at the deadline. */
export function runTask(
  client: XapiClient,
  method: string,
  params: readonly XapiValue[],
  options: TaskOptions,
): Promise<void> {
  return whileWaiting(`XAPI's task ${method} to end`, untilEnded(client, method, params, options));
}

async function untilEnded(
  client: XapiClient,
  method: string,
  params: readonly XapiValue[],
  { deadlineMs, clock = systemClock }: TaskOptions,
): Promise<void> {
  const task = await client.call<string>(`Async.${method}`, ...params);
  const end = clock.now() + deadlineMs;
  let pollMs = firstPollMs;
  for (;;) {
    const state = new RecordReader("task", await client.call("task.get_record", task));
    const status = state.text("status");
    if (status !== "pending" && status !== "cancelling") {
      await removeTask(client, task);
      if (status === "success") return;
      throw new XapiError(method, status === "cancelled" ? ["TASK_CANCELLED", task] : state.texts("error_info"));
    }
    if (clock.now() >= end) {
      await cancelTask(client, task);
      throw expired(method, deadlineMs);
    }
    await clock.sleep(pollMs);
    pollMs = Math.min(pollMs * 2, longestPollMs);
  }
}

async function removeTask(client: XapiClient, task: string): Promise<void> {
  try {
    await client.call("task.destroy", task);
  } catch (error) {
    if (!isGone(error)) throw error;
  }
}

async function cancelTask(client: XapiClient, task: string): Promise<void> {
  try {
    await client.call("task.cancel", task);
  } catch (error) {
    // What cannot be cancelled runs on; the error about the deadline says so.
    if (!isGone(error) && !hasXapiCode(error, "OPERATION_NOT_ALLOWED")) throw error;
  }
}

function expired(method: string, deadlineMs: number): XapiConnectionError {
  return new XapiConnectionError(
    "XAPI_TIMEOUT",
    `${method} did not finish within ${deadlineMs / 1000} s. The host was told to cancel it, which it may not do: another operation on the VM may be in the way. Run "pulumi up --refresh" to go on from what is there.`,
    { facts: { method } },
  );
}
