import { XennetError } from "../core/errors";
import { redact } from "../core/redact";
import type { Problem } from "../validation/problem";
import { isUnknown } from "../validation/unknown";
import { hostForwardingHandler } from "./forwarding/host-forwarding";
import { portForwardHandler } from "./forwarding/port-forward";
import type { CheckAnswer, Handler, Props } from "./handler";
import { xenNetworkHandler } from "./network/xen-network";
import { installProcessEnd } from "./process-end";
import { plain, textOf } from "./props";
import { type ConfigSource, runtime } from "./runtime";
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
    return await call(handler, method, args);
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
  const host = await runtime.host(profile);
  const [id, olds] = [bags[0] as string, bags[1] as Props];
  if (method === "diff") return handler.diff(host, id, olds, last);
  if (method === "create") return handler.create(host, last);
  if (method === "read") return handler.read(host, id, last);
  if (method === "update") return handler.update(host, id, olds, last);
  return handler.delete(host, id, last);
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
  return { inputs, failures: failures.map((failure) => withoutSecrets(failure, secretInputs)) };
}

async function answerOrFailure(handler: Handler, profile: string, olds: Props, news: Props): Promise<CheckAnswer> {
  try {
    return await handler.check(await runtime.host(profile), olds, news);
  } catch (error) {
    if (!(error instanceof XennetError)) throw error;
    const reason = redact(`${error.message} (${error.code})`);
    return { inputs: news, failures: [{ property: error.property ?? "host", reason }] };
  }
}

/** The provider gets secret inputs in clear; the class says which they are, and no message may show them. */
function withoutSecrets(failure: Problem, secretInputs: unknown): Problem {
  const root = failure.property.split(/[.[]/)[0] ?? "";
  if (!Array.isArray(secretInputs) || !secretInputs.includes(root)) {
    return { property: failure.property, reason: redact(failure.reason) };
  }
  // Every message says what was expected, then what was found.
  const [wanted] = failure.reason.split(", found ");
  const usual =
    wanted === failure.reason ? "expected another value, found a secret one" : `${wanted}, found a secret value`;
  const reason = redact(failure.ifSecret ?? usual);
  // The engine quotes the value of the property a failure names, a secret one too; so this failure names it in its text.
  return { property: "", reason: `${failure.property}: ${reason}` };
}

/** Refreshing and destroying run with the configuration stored at the last up; so does the refresh before an up. */
const usesStoredConfig: ReadonlySet<keyof Handler> = new Set(["read", "delete"]);
const aboutSettings =
  /^(SSH_|XAPI_(UNREACHABLE|TIMEOUT|CERTIFICATE|LEGACY|AUTH|ENDPOINT)|CONFIG_|CONFIRMATION_WINDOW|PROFILE_|HOST_MISMATCH)/;
const storedConfigHint =
  "Note: refresh, destroy and the refresh before an up use the settings stored at the last up. If you changed them since, " +
  "give the new ones as environment variables (XENNET_HOST, XENNET_PASSWORD, XENNET_XAPI_FINGERPRINT, …), or run " +
  "`pulumi up --refresh=false` once.";

/**
 * The error as the engine shows it: message, code and facts, no credential, and no stack trace (the SDK prints it with the
 * paths of the machine, and the user can do nothing with it). What keeps a half-made resource in the state stays on it.
 */
function presentable(error: unknown, method: keyof Handler, given: Props): Error {
  const source = error instanceof Error ? error : new Error(String(error));
  const known = source instanceof XennetError;
  const code = known ? ` (${source.code})` : "";
  const stored = known && usesStoredConfig.has(method) && aboutSettings.test(source.code) ? ` ${storedConfigHint}` : "";
  const message = redact(`${source.message}${code}${stored}`);
  const shown = Object.assign(new Error(message), partialState(source, message, given));
  // An error nobody expected is a defect of this package: its trace goes into the report.
  shown.stack = known ? "" : redact(source.stack ?? "");
  return shown;
}

/** The SDK puts the provider's own text into what succeeds only; a state without it can be neither refreshed nor destroyed. */
function partialState(source: Error, message: string, { __provider }: Props): object {
  const { id, properties } = source as { id?: string; properties?: Props };
  if (id === undefined) return {};
  const kept = __provider === undefined ? {} : { __provider };
  return { id, properties: { ...plain(properties ?? {}), ...kept }, reasons: [message] };
}
