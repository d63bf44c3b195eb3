import type { ReportedError, Step, StepOp } from "../engine.ts";
import { InitializationError } from "./provider-client.ts";
import type { Refreshed } from "./refresh.ts";
import { refreshStep } from "./refresh.ts";
import type { Refusal } from "./refusal.ts";
import type { ResourceState } from "./resource-state.ts";
import { changedInputs, isHidden, type PlannedStep, subjectOf } from "./steps.ts";
import { describeChanges, describeProperties, shortDiff } from "./text.ts";
import { nameOf, STACK_TYPE } from "./urn.ts";

export type OperationKind = "preview" | "up" | "refresh" | "destroy";

export interface ReportOptions {
  readonly kind: OperationKind;
  readonly title: string;
  readonly onOutput: (text: string) => void;
}

const SIGNS: Partial<Record<StepOp, string>> = {
  create: "+ ",
  update: "~ ",
  replace: "+-",
  "create-replacement": "++",
  "delete-replaced": "--",
  delete: "- ",
  "remove-pending-replace": "- ",
  read: "> ",
  "read-replacement": ">>",
  discard: "< ",
  "discard-replaced": "<<",
  refresh: "~ ",
};

/** Collects what a run did, and tells a person about it as it happens. */
export class Report {
  readonly steps: Step[] = [];
  readonly errors: ReportedError[] = [];
  readonly #options: ReportOptions;
  readonly #started = Date.now();
  readonly #counts = new Map<StepOp, number>();
  #stdout = "";
  #stderr = "";

  constructor(options: ReportOptions) {
    this.#options = options;
    this.#print(`stack runner of pulumi-xennet (stands in for the Pulumi engine): ${options.title}`);
  }

  get stdout(): string {
    return this.#stdout;
  }

  get stderr(): string {
    return this.#stderr;
  }

  get hasErrors(): boolean {
    return this.errors.length > 0;
  }

  step(step: PlannedStep, failure?: Error): void {
    const isPreview = this.#options.kind === "preview";
    if (failure !== undefined) {
      this.error(`${isPreview ? "Preview failed: " : ""}${messageOf(failure)}`, subjectOf(step));
      // Like the engine, which tells no step that a preview could not show.
      if (isPreview) return;
    }
    if (isHidden(step)) return;
    this.#add(step.op, subjectOf(step), changedInputs(step), failure);
    const remark = remarkOn(step);
    if (step.op === "same" && remark === "") return;
    this.#printStep(step.op, subjectOf(step), failure === undefined ? remark : " FAILED");
    for (const line of detailsOf(step)) this.#print(line);
  }

  /** A refresh of its own is told as what it found; before another operation it is a step like the others. */
  refreshed(old: ResourceState, result: Refreshed): void {
    const step = refreshStep(old, result.resource);
    if (isHidden(step)) return;
    const op = this.#options.kind === "refresh" ? result.outcome : "refresh";
    this.#add(op, old, op === "same" ? [] : result.diffs);
    if (result.outcome === "same") return;
    const change = result.outcome === "delete" ? "is gone" : "changed outside";
    this.#printStep("refresh", old, `${remarkOn(step)} (${change})`);
    const { resource } = result;
    if (resource === undefined) return;
    for (const line of describeChanges(old.inputs, resource.inputs)) this.#print(line);
    const inputs = new Set(Object.keys(old.inputs));
    const onlyOutputs = (state: ResourceState) =>
      Object.fromEntries(Object.entries(state.outputs).filter(([key]) => !inputs.has(key)));
    for (const line of describeChanges(onlyOutputs(old), onlyOutputs(resource))) this.#print(line);
  }

  error(message: string, resource?: ResourceState): void {
    this.errors.push({ urn: resource?.urn ?? "", message });
    const subject = resource === undefined ? "" : `${shortType(resource.type)} ${nameOf(resource.urn)}: `;
    this.#print(`error: ${subject}${message}`, "stderr");
  }

  /** What the engine refuses names its resource itself. */
  refused({ urn, messages }: Refusal): void {
    for (const message of messages) {
      this.errors.push({ urn, message });
      this.#print(`error: ${message}`, "stderr");
    }
  }

  message(severity: "info" | "warning" | "error", message: string, urn: string): void {
    if (severity === "error") this.errors.push({ urn, message: message.trim() });
    const subject = urn === "" || urn.includes(`::${STACK_TYPE}::`) ? "" : `${nameOf(urn)}: `;
    this.#print(`${severity}: ${subject}${message.trimEnd()}`, severity === "error" ? "stderr" : "stdout");
  }

  printed(source: "program" | "provider", line: string): void {
    this.#print(`${source}: ${line}`);
  }

  finish(outcome: "done" | "failed" | "cancelled"): void {
    const isPreview = this.#options.kind === "preview";
    const counts = [...this.#counts].map(([op, count]) => `${count} ${countName(op, isPreview)}`);
    const seconds = ((Date.now() - this.#started) / 1000).toFixed(1);
    const verdict = { done: isPreview ? "preview" : "done", failed: "FAILED", cancelled: "CANCELLED" }[outcome];
    this.#print(`${verdict}: ${counts.length === 0 ? "nothing to do" : counts.join(", ")} (${seconds} s)`);
  }

  #add(op: StepOp, resource: ResourceState, diffs: readonly string[], failure?: Error): void {
    if (failure === undefined) this.#counts.set(op, (this.#counts.get(op) ?? 0) + 1);
    this.steps.push({
      op,
      urn: resource.urn,
      type: resource.type,
      name: nameOf(resource.urn),
      ...(diffs.length > 0 ? { diffs } : {}),
      ...(failure === undefined ? {} : { error: messageOf(failure) }),
    });
  }

  #printStep(op: StepOp, resource: ResourceState, remark: string): void {
    this.#print(`  ${SIGNS[op] ?? "  "} ${op} ${shortType(resource.type)} ${nameOf(resource.urn)}${remark}`);
  }

  #print(line: string, stream: "stdout" | "stderr" = "stdout"): void {
    const text = `${line}\n`;
    if (stream === "stdout") this.#stdout += text;
    else this.#stderr += text;
    this.#options.onOutput(text);
  }
}

function detailsOf(step: PlannedStep): string[] {
  if (step.op === "create" && step.new !== undefined) return describeProperties(step.new.inputs);
  const isChange = step.op === "update" || step.op === "replace";
  return isChange && step.old !== undefined && step.new !== undefined
    ? describeChanges(step.old.inputs, step.new.inputs)
    : [];
}

/** What a person should know of a step besides its properties, as the engine marks it. */
function remarkOn({ op, old, new: next }: PlannedStep): string {
  if (old === undefined) return "";
  if (next === undefined) return old.retainOnDelete && op.startsWith("delete") ? " [retain]" : "";
  const changed = op === "same" ? [] : [shortDiff(old.inputs, next.inputs)];
  if (old.protect !== next.protect) changed.push("~protect");
  const marks = changed.filter((change) => change !== "").join("");
  return marks === "" ? "" : ` [diff: ${marks}]`;
}

function messageOf(error: Error): string {
  if (!(error instanceof InitializationError)) return error.message;
  return `exists, but is not finished; the next up updates it:\n  - ${error.reasons.join("\n  - ")}`;
}

/** `pulumi-nodejs:dynamic/xennet:XenVif` → `xennet:XenVif`. */
function shortType(type: string): string {
  return type.replace(/^pulumi-nodejs:dynamic\//, "");
}

function countName(op: StepOp, isPreview: boolean): string {
  if (op === "same") return "unchanged";
  if (op === "refresh") return "read";
  return isPreview ? `to ${op}` : `${op}`;
}
