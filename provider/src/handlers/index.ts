import { XennetError } from "../core/errors";
import { isUnknown } from "../validation/unknown";
import { answerForGone, isForgotten, stillDeclared } from "./forgotten";
import { hostForwardingHandler } from "./forwarding/host-forwarding";
import { portForwardHandler } from "./forwarding/port-forward";
import type { CheckAnswer, Handler, Props } from "./handler";
import { xenNetworkHandler } from "./network/xen-network";
import { presentable, shownAnswer, shownFailure } from "./presentable";
import { installProcessEnd } from "./process-end";
import { plain, textOf } from "./props";
import { type ConfigSource, runtime, showWarning } from "./runtime";
import { registerSecretInputs } from "./secret-values";
import { xenVifHandler } from "./vif/xen-vif";

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
    return shownAnswer(await call(handler, method, args));
  } catch (error) {
    throw presentable(error, method, args.at(-1) as Props);
  }
}

/** The arguments of each method end with the bag that names the host profile. */
async function call(handler: Handler, method: keyof Handler, args: readonly unknown[]): Promise<unknown> {
  const bags = args.map((arg) => (typeof arg === "object" && arg !== null ? plain(arg as Props) : arg));
  const last = bags.at(-1) as Props;
  const profile = textOf(last, "host") ?? "default";
  if (method === "check") return checkOn(handler, profile, bags[0] as Props, last);
  const [id, olds] = [bags[0] as string, bags[1] as Props];
  if (isForgotten(profile)) {
    const gone = { kind: kindOf(handler), profile, address: runtime.addressOf(profile), warn: showWarning };
    return answerForGone(gone, method, id, last);
  }
  const host = await runtime.host(profile);
  if (method === "diff") return handler.diff(host, id, olds, last);
  if (method === "create") return handler.create(host, last);
  if (method === "read") return handler.read(host, id, last);
  if (method === "update") return handler.update(host, id, olds, last);
  return handler.delete(host, id, last);
}

function kindOf(handler: Handler): string {
  return Object.keys(handlers).find((kind) => handlers[kind] === handler) ?? "resource";
}

/** In `check` an error is one more failure of a property, so that it is shown like the others. */
async function checkOn(handler: Handler, profile: string, olds: Props, given: Props): Promise<CheckAnswer> {
  const { secretInputs, ...news } = given;
  // Nothing can be asked of a host whose profile is not known yet.
  if (isUnknown(profile)) return { inputs: news, failures: [] };
  registerSecretInputs(news, secretInputs);
  const { inputs, failures } = await answerOrFailure(handler, profile, olds, news);
  // In their normal form as well, as errors of the create or update to come have them.
  registerSecretInputs(inputs, secretInputs);
  return { inputs, failures: failures.map((failure) => shownFailure(failure, secretInputs)) };
}

async function answerOrFailure(handler: Handler, profile: string, olds: Props, news: Props): Promise<CheckAnswer> {
  try {
    if (isForgotten(profile)) throw stillDeclared(profile);
    return await handler.check(await runtime.host(profile), olds, news);
  } catch (error) {
    if (!(error instanceof XennetError)) throw error;
    const reason = `${error.message} (${error.code})`;
    return { inputs: news, failures: [{ property: error.property ?? "host", reason }] };
  }
}
