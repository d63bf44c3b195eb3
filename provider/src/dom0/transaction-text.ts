import { XennetError } from "../core/errors";
import type { FragmentChange } from "./fragment-change";
import { LineSource } from "./line-source";
import { type HostSnapshot, parseSnapshot } from "./snapshot";

/** What goes to `xennet transact`. */
export interface Transaction {
  /** INSTALLATION_UUID which the host must have. */
  readonly host: string;
  /** Seconds until the host goes back by itself. */
  readonly window: number;
  readonly changes: readonly FragmentChange[];
}

/** What the host made of one change. */
type ChangeResult = { readonly token: string; readonly result: "ok" | "absent" } | RefusedChange;

/** Why the host did not make one change; `text` may be empty. */
export interface RefusedChange {
  readonly token: string;
  readonly result: "error";
  readonly code: string;
  readonly text: string;
}

/** The answer of `xennet transact`. */
export interface TransactionAnswer {
  readonly results: ReadonlyMap<string, ChangeResult>;
  /** The generation that waits for its confirmation; undefined when nothing changed. */
  readonly pending: { readonly generation: number; readonly seconds: number } | undefined;
  readonly snapshot: HostSnapshot;
}

const TOKEN = /^[0-9a-f]{12}$/;

/** Throws FRAGMENT_MALFORMED for a change that must not be sent: it could be read as something else on the host. */
export function assertSendable(change: FragmentChange): void {
  if (!TOKEN.test(change.token)) throw malformed(change, "its token is not 12 lower-case hex digits");
  if (change.op === "remove") {
    if (!/^[0-9a-f]{16}$/.test(change.incarnation)) throw malformed(change, "its incarnation is not 16 hex digits");
    return;
  }
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there.
  if (/[\0-\x09\x0b-\x1f\x7f]/.test(change.text)) throw malformed(change, "it holds a control character");
  const lines = change.text.split("\n");
  if (lines[0] !== "xennet-fragment 1") throw malformed(change, 'it does not begin with "xennet-fragment 1"');
  if (lines.indexOf("end") !== lines.length - 2 || lines.at(-1) !== "") {
    throw malformed(change, 'it does not end with its only line "end"');
  }
  if (!lines.includes(`token ${change.token}`)) throw malformed(change, "it names another token");
}

/** The text for the standard input of `xennet transact`. */
export function renderTransaction(transaction: Transaction): string {
  const { host, window, changes } = transaction;
  const body = changes.map((change) =>
    change.op === "put" ? `put ${change.token}\n${change.text}` : `remove ${change.token} ${change.incarnation}\n`,
  );
  return `xennet-transaction 1\nhost ${host}\nwindow ${window}\n${body.join("")}commit\n`;
}

/** Reads the answer of `xennet transact`; each change must have got its result. */
export function parseTransactionAnswer(text: string, changes: readonly FragmentChange[]): TransactionAnswer {
  const lines = new LineSource(text, "ANSWER_MALFORMED", "The host's answer to a change");
  const results = new Map<string, ChangeResult>();
  for (;;) {
    const line = lines.next();
    if (line === undefined) throw lines.malformed('neither "pending" nor "unchanged" came');
    if (line.startsWith("outcome ")) {
      const result = readOutcome(line, lines);
      results.set(result.token, result);
      continue;
    }
    const [, generation, seconds] = lines.match(line, /^(unchanged|pending (\d+) (\d+))$/);
    for (const { token } of changes) {
      if (!results.has(token)) throw lines.malformed(`the outcome of ${token} is missing`);
    }
    const pending = line === "unchanged" ? undefined : { generation: Number(generation), seconds: Number(seconds) };
    return { results, pending, snapshot: parseSnapshot(lines.rest()) };
  }
}

/** Reads the answer of `xennet confirm`. */
export function parseConfirmation(text: string, generation: number): HostSnapshot {
  const lines = new LineSource(text, "ANSWER_MALFORMED", "The host's answer to a confirmation");
  if (lines.next() !== `confirmed ${generation}`) throw lines.malformed(`expected "confirmed ${generation}"`);
  return parseSnapshot(lines.rest());
}

function readOutcome(line: string, lines: LineSource): ChangeResult {
  const [token, result] = lines.match(line, /^outcome (\S+) (ok|absent|error .+)$/);
  if (result === "ok" || result === "absent") return { token, result };
  const [code, , text] = lines.match(result, /^error (\S+)( (.*))?$/);
  return { token, result: "error", code, text: text ?? "" };
}

function malformed(change: FragmentChange, problem: string): XennetError {
  return new XennetError(
    "FRAGMENT_MALFORMED",
    `The fragment ${JSON.stringify(change.token)} was not sent: ${problem}.`,
  );
}
