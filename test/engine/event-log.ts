import { existsSync, readFileSync } from "node:fs";
import type { ReportedError, Step, StepOp } from "./engine.ts";
import { SECRET_TEXT } from "./runner/text.ts";
import { SIGNATURE_KEY } from "./runner/values.ts";

interface StepMetadata {
  readonly op: StepOp;
  readonly urn: string;
  readonly type: string;
  readonly old?: RecordedState | null;
  readonly new?: RecordedState | null;
}

interface RecordedState {
  readonly custom?: boolean;
  readonly inputs?: Readonly<Record<string, unknown>>;
  readonly outputs?: Readonly<Record<string, unknown>>;
}

interface EngineEvent {
  readonly resourcePreEvent?: { readonly metadata: StepMetadata };
  readonly resOutputsEvent?: { readonly metadata: StepMetadata };
  readonly resOpFailedEvent?: { readonly metadata: StepMetadata };
  readonly diagnosticEvent?: { readonly urn?: string; readonly message: string; readonly severity: string };
}

interface StartedStep {
  readonly urn: string;
  step: Step | undefined;
}

const DEFAULT_PROVIDER = "pulumi:providers:pulumi-nodejs";
/** The engine marks colours in its log even where it prints none. */
const COLOUR = /<\{%[a-z ]+%\}>/g;
const STACK_TYPE = "pulumi:pulumi:Stack";

export interface EventLog {
  /** In the order in which they began. */
  readonly steps: Step[];
  readonly errors: ReportedError[];
  /** Outputs of the stack. */
  readonly outputs: Record<string, unknown>;
}

/** Reads the engine's own event log. */
export function readEventLog(file: string): EventLog {
  const events = existsSync(file) ? parseLines(readFileSync(file, "utf8")) : [];
  const started: StartedStep[] = [];
  let outputs: Record<string, unknown> = {};
  for (const { resourcePreEvent, resOutputsEvent, resOpFailedEvent } of events) {
    const metadata = (resourcePreEvent ?? resOutputsEvent ?? resOpFailedEvent)?.metadata;
    if (metadata === undefined || metadata.type === DEFAULT_PROVIDER) continue;
    if (metadata.type === STACK_TYPE) outputs = { ...(metadata.new?.outputs ?? {}) };
    if (resourcePreEvent !== undefined) {
      // The end of a component's step is told when its outputs are registered, if ever.
      const step = isCustom(metadata) || metadata.op === "refresh" ? undefined : toStep(metadata, undefined);
      started.push({ urn: metadata.urn, step });
      continue;
    }
    const unfinished = started.find(({ urn, step }) => urn === metadata.urn && step === undefined);
    if (unfinished === undefined) continue;
    unfinished.step = toStep(metadata, resOpFailedEvent === undefined ? undefined : errorsAbout(metadata.urn, events));
  }
  return {
    steps: started.flatMap(({ step }) => (step === undefined ? [] : [step])),
    errors: errorsIn(events),
    outputs: showSecrets(outputs),
  };
}

function parseLines(text: string): EngineEvent[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as EngineEvent);
}

function toStep(metadata: StepMetadata, error: string | undefined): Step {
  const diffs = metadata.op === "same" ? [] : changedInputs(metadata);
  return {
    op: metadata.op,
    urn: metadata.urn,
    type: metadata.type,
    name: metadata.urn.split("::").slice(3).join("::"),
    ...(diffs.length > 0 ? { diffs } : {}),
    ...(error === undefined ? {} : { error }),
  };
}

function isCustom({ old, new: next }: StepMetadata): boolean {
  return (next ?? old)?.custom === true;
}

function changedInputs({ old, new: next }: StepMetadata): string[] {
  if (!old || !next) return [];
  const [before, after] = [old.inputs ?? {}, next.inputs ?? {}];
  const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
  keys.delete("__provider");
  return [...keys].filter((key) => JSON.stringify(before[key]) !== JSON.stringify(after[key]));
}

function errorsAbout(urn: string, events: readonly EngineEvent[]): string {
  const about = errorsIn(events).filter((error) => error.urn === urn);
  return about.map(({ message }) => message).join("\n");
}

function errorsIn(events: readonly EngineEvent[]): ReportedError[] {
  return events.flatMap(({ diagnosticEvent: event }) =>
    event?.severity === "error" ? [{ urn: event.urn ?? "", message: event.message.replace(COLOUR, "").trim() }] : [],
  );
}

function showSecrets(outputs: Record<string, unknown>): Record<string, unknown> {
  const isSecret = (value: unknown) => typeof value === "object" && value !== null && SIGNATURE_KEY in value;
  return Object.fromEntries(
    Object.entries(outputs).map(([key, value]) => [key, isSecret(value) ? SECRET_TEXT : value]),
  );
}
