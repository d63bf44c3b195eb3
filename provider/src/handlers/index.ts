import { XennetError } from "../core/errors";
import { redact } from "../core/redact";
import type { Handler, Props } from "./handler";
import { hostForwardingHandler } from "./host-forwarding";
import { portForwardHandler } from "./port-forward";
import { installProcessEnd } from "./process-end";
import { plain, textOf } from "./props";
import { type ConfigSource, runtime } from "./runtime";
import { xenNetworkHandler } from "./xen-network";
import { xenVifHandler } from "./xen-vif";

const handlers: Readonly<Record<string, Handler>> = {
  XenNetwork: xenNetworkHandler,
  XenVif: xenVifHandler,
  HostForwarding: hostForwardingHandler,
  PortForward: portForwardHandler,
};

/** Takes the stack's configuration. The SDK does not wait for it and never repeats it, so it neither waits nor throws. */
export function configure(config: ConfigSource): void {
  runtime.configure(config);
}

/**
 * Entry of the code that stacks keep in their state (`bridge.ts`): runs one method of one kind of resource. The signature
 * has to stay as it is, for states of every earlier release call it.
 */
export async function handle(kind: string, method: keyof Handler, args: readonly unknown[]): Promise<unknown> {
  installProcessEnd();
  const handler = handlers[kind];
  try {
    if (handler === undefined) throw new XennetError("KIND_UNKNOWN", `this version does not know the resource ${kind}`);
    return await call(handler, method, args);
  } catch (error) {
    throw presentable(error);
  }
}

/** The arguments of each method end with the bag that names the host profile. */
async function call(handler: Handler, method: keyof Handler, args: readonly unknown[]): Promise<unknown> {
  const bags = args.map((arg) => (typeof arg === "object" && arg !== null ? plain(arg as Props) : arg));
  const last = bags.at(-1) as Props;
  const profile = textOf(last, "host") ?? "default";
  if (method === "check") return checkOn(handler, profile, bags[0] as Props, last);
  const host = runtime.host(profile);
  const [id, olds] = [bags[0] as string, bags[1] as Props];
  if (method === "diff") return handler.diff(host, id, olds, last);
  if (method === "create") return handler.create(host, last);
  if (method === "read") return handler.read(host, id, last);
  if (method === "update") return handler.update(host, id, olds, last);
  return handler.delete(host, id, last);
}

/** In `check` a host profile that cannot be used is one more failure, so that it is shown like the others. */
async function checkOn(handler: Handler, profile: string, olds: Props, news: Props): Promise<unknown> {
  try {
    return await handler.check(runtime.host(profile), olds, news);
  } catch (error) {
    if (!(error instanceof XennetError) || error.code !== "CONFIG_INVALID") throw error;
    return { inputs: news, failures: [{ property: "host", reason: redact(error.message) }] };
  }
}

/**
 * The error as the engine shows it: message, code and facts, no credential, and no stack trace (the SDK prints it with the
 * paths of the machine, and the user can do nothing with it). What keeps a half-made resource in the state stays on it.
 */
function presentable(error: unknown): Error {
  const source = error instanceof Error ? error : new Error(String(error));
  const known = source instanceof XennetError;
  const code = known ? ` (${source.code})` : "";
  const message = redact(`${source.message}${code}`);
  const shown = Object.assign(new Error(message), partialState(source, message));
  // An error nobody expected is a defect of this package: its trace goes into the report.
  shown.stack = known ? "" : redact(source.stack ?? "");
  return shown;
}

function partialState(source: Error, message: string): object {
  const { id, properties } = source as { id?: string; properties?: Props };
  return id === undefined ? {} : { id, properties: plain(properties ?? {}), reasons: [message] };
}
