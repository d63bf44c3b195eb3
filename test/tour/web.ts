import { setTimeout as delay } from "node:timers/promises";
import type { HttpAnswer } from "../lab/lab.ts";

/** How long the host may take to make forwards true again by itself. */
const HEALING_MS = 65_000;

/** An answer that was waited for. */
export interface Awaited {
  readonly answer: HttpAnswer;
  readonly holds: boolean;
  /** `, after 1.2 s` if it was not there at once. */
  readonly waited: string;
}

/** Asks until the answer is the wanted one, at most for 65 s; then the last answer stands. */
export async function waitForAnswer(
  ask: () => Promise<HttpAnswer>,
  isWanted: (answer: HttpAnswer) => boolean,
  signal: AbortSignal,
): Promise<Awaited> {
  const started = Date.now();
  for (let asked = 1; ; asked += 1) {
    const answer = await ask();
    const holds = isWanted(answer);
    const elapsed = Date.now() - started;
    const waited = asked === 1 ? "" : `, after ${(elapsed / 1000).toFixed(1)} s`;
    if (holds || elapsed > HEALING_MS) return { answer, holds, waited };
    await delay(50, undefined, { signal });
  }
}

/** Whether this guest answered, on this port of its own, to this client. */
export function isFrom(answer: HttpAnswer, vm: string, port: number, peer: string): boolean {
  const body = bodyOf(answer);
  return body?.["vm"] === vm && body["port"] === port && body["peer"] === peer;
}

/** Who the answering server says has asked it. */
export function peerOf(answer: HttpAnswer): unknown {
  return bodyOf(answer)?.["peer"];
}

/** Whether dom0's own web page answered. */
export function isDom0Page(answer: HttpAnswer): boolean {
  return answer.kind === "answered" && answer.body.includes("<title>Welcome to");
}

/** An answer in words. */
export function describe(answer: HttpAnswer): string {
  if (answer.kind !== "answered") return `${answer.kind} (${answer.code})`;
  if (isDom0Page(answer)) return "dom0's own page";
  const body = bodyOf(answer);
  if (body === undefined) return `HTTP ${answer.status}: ${answer.body.slice(0, 80)}`;
  return `"${body["vm"]}" on its port ${body["port"]}, which sees the client as ${body["peer"]}`;
}

function bodyOf(answer: HttpAnswer): Record<string, unknown> | undefined {
  if (answer.kind !== "answered") return undefined;
  try {
    return JSON.parse(answer.body) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}
