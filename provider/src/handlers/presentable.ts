import { XennetError } from "../core/errors";
import { printable, printableText, quoted } from "../core/foreign-text";
import { redact } from "../core/redact";
import { defaultProfile } from "../core/settings";
import { isSilence } from "../core/silence";
import type { Problem } from "../validation/problem";
import type { Handler, Props } from "./handler";
import { plain, textOf } from "./props";
import { offloads } from "./vif/fields";

/** Outputs that are texts of ours about the host, with its rules and names in them; all others are data, kept as they are. */
const describing = ["rules", "drift", "shadowedBy"];

/** What a handler answers, with nothing in its descriptions that a terminal would take for a command. */
export function shownAnswer(answer: unknown): unknown {
  if (answer === null || typeof answer !== "object") return answer;
  const shown = Object.entries(answer).map(([key, value]) => [
    key,
    ["inputs", "outs", "props"].includes(key) ? shownProps(value as Props) : value,
  ]);
  return Object.fromEntries(shown);
}

function shownProps(props: Props): Props {
  const shown = { ...props };
  for (const key of describing) {
    const value = shown[key];
    if (Array.isArray(value)) shown[key] = value.map((line) => (typeof line === "string" ? printable(line) : line));
  }
  return shown;
}

/**
 * A failure as the engine may show it. The provider gets secret inputs in clear; the class says which they are, and no message
 * may show them.
 */
export function shownFailure(failure: Problem, secretInputs: unknown): Problem {
  const root = failure.property.split(/[.[]/)[0] ?? "";
  if (!Array.isArray(secretInputs) || !secretInputs.includes(root)) {
    return { property: printable(failure.property), reason: printableText(redact(failure.reason)) };
  }
  // Every message says what was expected, then what was found.
  const [wanted] = failure.reason.split(", found ");
  const usual =
    wanted === failure.reason ? "expected another value, found a secret one" : `${wanted}, found a secret value`;
  const reason = printableText(redact(failure.ifSecret ?? usual));
  // The engine quotes the value of the property a failure names, a secret one too; so this failure names it in its text.
  return { property: "", reason: `${pathIn(failure.property)}: ${reason}` };
}

/** What this package calls the parts of a property; any other name in a path is the user's, and in a secret object a secret. */
const partNames = ["address", "gateway", "uuid", "nameLabel", "source", "protocol", "port"];
const ownPath = new RegExp(`^\\w+(\\[\\d+\\]|\\.(${[...partNames, ...offloads].join("|")})(?=[.[]|$))*`);

/** The path of a secret property, without the keys that the user chose. */
function pathIn(property: string): string {
  const [own = ""] = ownPath.exec(property) ?? [];
  return own === property ? own : `${own}[secret]`;
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
export function presentable(error: unknown, method: keyof Handler, given: Props): Error {
  const source = error instanceof Error ? error : new Error(String(error));
  const known = source instanceof XennetError;
  const code = known ? ` (${source.code})` : "";
  const stored = known && usesStoredConfig.has(method) && aboutSettings.test(source.code) ? ` ${storedConfigHint}` : "";
  const said = alreadySaid(source, textOf(given, "host") ?? defaultProfile);
  const message = printableText(redact(said ?? `${source.message}${code}${stored}`));
  const shown = Object.assign(new Error(message), partialState(source, message, given));
  // An error nobody expected is a defect of this package: its trace goes into the report.
  shown.stack = known ? "" : traceOf(source, message);
  return shown;
}

/** When a host's silence was told last, by what was said. */
const silences = new Map<string, number>();

/** One attempt decides for fifty resources; fifty times the same paragraph would hide that it is one trouble. */
function alreadySaid(error: Error, profile: string): string | undefined {
  if (!isSilence(error)) return undefined;
  const last = silences.get(error.message);
  silences.set(error.message, performance.now());
  if (last === undefined || performance.now() - last > sameTroubleMs) return undefined;
  return `The host of profile ${quoted(profile)} does not answer; the message of another resource of this run says why. (${(error as XennetError).code})`;
}

/** As long as one attempt decides for others. */
const sameTroubleMs = 60_000;

/** V8 puts the message in front of the frames, as it was. */
function traceOf({ name, message: raw, stack = "" }: Error, message: string): string {
  const head = raw === "" ? name : `${name}: ${raw}`;
  const frames = stack.startsWith(head) ? stack.slice(head.length) : `\n${stack}`;
  const shown = frames.split("\n").map((frame) => printable(redact(frame)));
  return [`${name}: ${message}`, ...shown.slice(1)].join("\n");
}

/** The SDK puts the provider's own text into what succeeds only; a state without it can be neither refreshed nor destroyed. */
function partialState(source: Error, message: string, { __provider }: Props): object {
  const { id, properties } = source as { id?: string; properties?: Props };
  if (id === undefined) return {};
  const kept = __provider === undefined ? {} : { __provider };
  return { id, properties: { ...plain(properties ?? {}), ...kept }, reasons: [message] };
}
