import { spawn } from "node:child_process";
import { INSIDE } from "./namespaces.ts";
import { SYSTEM_PATH } from "./shell.ts";

/** What came of one HTTP request over a connection of its own. */
export type HttpAnswer =
  | { readonly kind: "answered"; readonly status: number; readonly body: string; readonly ms: number }
  | { readonly kind: "refused" | "unreachable" | "timeout" | "failed"; readonly code: string; readonly ms: number };

interface AgentActions {
  dial: { input: { path: string; host: string; port: number }; result: true };
  expose: { input: { host: string; port: number; path: string }; result: true };
  serve: { input: { name: string; host: string; port: number }; result: true };
  get: { input: { url: string; timeoutMs: number }; result: HttpAnswer };
}

/** A Node process inside one of the lab's network namespaces. */
export interface Agent {
  ask<A extends keyof AgentActions>(action: A, input: AgentActions[A]["input"]): Promise<AgentActions[A]["result"]>;
  stop(): Promise<void>;
}

interface Reply {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: string;
}

/** Starts an agent behind the prefix of some namespaces; resolves when it listens to us. */
export async function startAgent(enter: readonly string[]): Promise<Agent> {
  const [program = "", ...args] = [...enter, process.execPath, `${INSIDE}agent.mjs`];
  const child = spawn(program, args, {
    detached: true,
    stdio: ["ignore", "ignore", "pipe", "ipc"],
    env: { PATH: SYSTEM_PATH },
  });
  const waiting = new Map<number, (reply: Reply) => void>();
  let complaints = "";
  let gone = false;
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    complaints += text;
  });
  const ended = new Promise<void>((resolve) => {
    const end = () => {
      gone = true;
      for (const [id, answer] of waiting) answer({ id, error: `the agent ended. ${complaints.trim()}` });
      resolve();
    };
    child.on("error", end);
    // "close" does not come after a disconnect of our own.
    child.on("exit", end);
  });
  child.on("message", (reply: Reply) => waiting.get(reply.id)?.(reply));

  const reply = (id: number) =>
    new Promise<unknown>((resolve, reject) => {
      waiting.set(id, ({ result, error }) => {
        waiting.delete(id);
        if (error === undefined) resolve(result);
        else reject(new Error(`Lab agent: ${error}`));
      });
    });
  let lastId = 0;
  await reply(0);
  return {
    ask: async <A extends keyof AgentActions>(action: A, input: AgentActions[A]["input"]) => {
      if (gone) throw new Error(`Lab agent: ${action} was asked of an agent that has ended. ${complaints.trim()}`);
      lastId += 1;
      const answer = reply(lastId);
      child.send({ id: lastId, action, ...input });
      return (await answer) as AgentActions[A]["result"];
    },
    // nsenter forks, so a signal would reach nsenter only: the end of the channel ends the agent.
    stop: async () => {
      if (child.connected) child.disconnect();
      await ended;
    },
  };
}
