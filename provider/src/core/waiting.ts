import { printable } from "./foreign-text";
import { redact } from "./redact";

/** When the user is told for the first time what is waited for, and how often after that. */
const firstMs = 10_000;
const againMs = 30_000;

/** Shows a line while the work goes on. */
export type Teller = (line: string) => void;

/** Pulumi shows what a provider process writes there under the stack. */
let tell: Teller = (line) => {
  process.stderr.write(`${line}\n`);
};

/** Leads the lines elsewhere, e.g. to Pulumi's log in a program; returns where they went before. */
export function tellWaitingTo(teller: Teller): Teller {
  const before = tell;
  tell = teller;
  return before;
}

interface Wait {
  readonly since: number;
  waiters: number;
  timer: NodeJS.Timeout;
}

const waits = new Map<string, Wait>();

/**
 * Resolves as `work` does. When that takes more than 10 s a line says for what: `what` goes after "Still waiting for", e.g.
 * `the SSH login at 192.0.2.7:22`. However many wait for the same thing at a time, it is said once.
 */
export async function whileWaiting<T>(what: string, work: Promise<T>): Promise<T> {
  const wait = waits.get(what) ?? begin(what);
  wait.waiters += 1;
  try {
    return await work;
  } finally {
    wait.waiters -= 1;
    if (wait.waiters === 0) {
      clearTimeout(wait.timer);
      waits.delete(what);
    }
  }
}

function begin(what: string): Wait {
  const since = performance.now();
  const say = () => {
    const seconds = Math.round((performance.now() - since) / 1000);
    tell(`Still waiting for ${printable(redact(what))} (${seconds} s so far).`);
    wait.timer = setTimeout(say, againMs).unref();
  };
  const wait: Wait = { since, waiters: 0, timer: setTimeout(say, firstMs).unref() };
  waits.set(what, wait);
  return wait;
}
