export interface Answer {
  readonly stdout: string;
  readonly code: number;
}

interface Generation {
  readonly number: number;
  /** Token → fragment with its serial line. */
  readonly fragments: ReadonlyMap<string, string>;
}

interface Pending extends Generation {
  readonly deadline: number;
}

const NOTHING: Generation = { number: 0, fragments: new Map() };

/**
 * The host program's contract (docs/host-program.md) as far as it concerns the one who calls it: generations, fragments,
 * outcomes. It makes no rules.
 */
export class XennetDouble {
  readonly host: string;
  readonly now: () => number;
  installed: number | undefined;
  #confirmed: Generation | undefined;
  #pending: Pending | undefined;
  #last = 0;

  constructor(host: string, options: { installed?: number; now?: () => number } = {}) {
    this.host = host;
    this.installed = options.installed;
    this.now = options.now ?? (() => performance.now());
  }

  /** Tokens of the confirmed generation. */
  get confirmedTokens(): string[] {
    return [...(this.#confirmed?.fragments.keys() ?? [])].sort();
  }

  get pendingGeneration(): number | undefined {
    return this.#livePending()?.number;
  }

  run(command: string, argument: number | undefined, input: string): Answer {
    switch (command) {
      case "snapshot":
        return { stdout: this.#snapshot(), code: 0 };
      case "transact":
        return this.transact(input);
      case "confirm":
        return this.#confirm(argument);
      case "revert":
        return this.#revert(argument);
      default:
        return { stdout: "", code: 64 };
    }
  }

  transact(input: string): Answer {
    const lines = input.split("\n");
    const host = /^host (.+)$/.exec(lines[1] ?? "")?.[1];
    const window = Number(/^window (\d+)$/.exec(lines[2] ?? "")?.[1]);
    const isWhole = lines[0] === "xennet-transaction 1" && lines.at(-2) === "commit" && lines.at(-1) === "";
    if (!isWhole || Number.isNaN(window)) return { stdout: "error MALFORMED transaction\n", code: 65 };
    if (host !== this.host) return { stdout: `error HOST_MISMATCH ${this.host}\n`, code: 65 };
    const pending = this.#livePending();
    if (pending !== undefined) return this.#busy(pending);
    return { stdout: this.#apply(lines.slice(3, -2), window) + this.#snapshot(), code: 0 };
  }

  #apply(lines: readonly string[], window: number): string {
    const number = this.#last + 1;
    const before = this.#effective().fragments;
    const fragments = new Map(before);
    const outcomes: string[] = [];
    for (let at = 0; at < lines.length; at += 1) {
      const [operation, token = "", incarnation = ""] = (lines[at] ?? "").split(" ");
      if (operation === "remove") outcomes.push(remove(fragments, token, incarnation));
      else {
        const end = lines.indexOf("end", at);
        outcomes.push(store(fragments, token, lines.slice(at + 1, end), number));
        at = end;
      }
    }
    const isChanged = fragments.size !== before.size || [...fragments].some(([key, text]) => before.get(key) !== text);
    if (!isChanged) return [...outcomes, "unchanged", ""].join("\n");
    this.#last = number;
    this.#pending = { number, fragments, deadline: this.now() + window * 1000 };
    return [...outcomes, `pending ${number} ${window}`, ""].join("\n");
  }

  #confirm(number: number | undefined): Answer {
    const pending = this.#livePending();
    if (pending === undefined && number !== undefined && this.#confirmed?.number === number) {
      return { stdout: `confirmed ${number}\n${this.#snapshot()}`, code: 0 };
    }
    if (pending === undefined || pending.number !== number) return { stdout: `error EXPIRED ${number}\n`, code: 65 };
    this.#pending = undefined;
    this.#confirmed = pending;
    if (pending.fragments.size === 0) {
      this.#confirmed = undefined;
      this.installed = undefined;
    }
    return { stdout: `confirmed ${number}\n${this.#snapshot()}`, code: 0 };
  }

  #revert(number: number | undefined): Answer {
    const pending = this.#livePending();
    if (pending !== undefined && pending.number !== number) return this.#busy(pending);
    if (pending === undefined && this.#confirmed?.number === number) {
      return { stdout: `error CONFIRMED ${number} is confirmed already\n`, code: 65 };
    }
    this.#pending = undefined;
    return { stdout: `reverted ${number}\n`, code: 0 };
  }

  #busy(pending: Pending): Answer {
    return { stdout: `error PENDING ${pending.number} ${this.#secondsLeft(pending)}\n`, code: 75 };
  }

  #snapshot(): string {
    const pending = this.#livePending();
    const lines = [
      "xennet-snapshot 1",
      `host ${this.host}`,
      "boot 4e1b1f0a-0000-4000-8000-000000000001",
      `program ${this.installed ?? "none"}`,
      `format ${this.#confirmed === undefined && pending === undefined ? "none" : 1}`,
      "off no",
      `confirmed ${this.#confirmed?.number ?? "none"}`,
      pending === undefined ? "pending none" : `pending ${pending.number} ${this.#secondsLeft(pending)}`,
      "external xenbr0 192.168.1.10/24 static",
    ];
    for (const [token, text] of this.#effective().fragments) lines.push(`fragment ${token} active`, text.trimEnd());
    return [...lines, "end", ""].join("\n");
  }

  #effective(): Generation {
    return this.#livePending() ?? this.#confirmed ?? NOTHING;
  }

  #livePending(): Pending | undefined {
    if (this.#pending !== undefined && this.#pending.deadline <= this.now()) this.#pending = undefined;
    return this.#pending;
  }

  #secondsLeft(pending: Pending): number {
    return Math.ceil((pending.deadline - this.now()) / 1000);
  }
}

function remove(fragments: Map<string, string>, token: string, incarnation: string): string {
  const isThere = fragments.get(token)?.includes(`\nincarnation ${incarnation}\n`) === true;
  if (isThere) fragments.delete(token);
  return `outcome ${token} ${isThere ? "ok" : "absent"}`;
}

function store(fragments: Map<string, string>, token: string, body: readonly string[], serial: number): string {
  if (body.some((line) => line.startsWith("rule ") && line.includes(" --no-such-option"))) {
    return `outcome ${token} error RULE_REFUSED unknown option "--no-such-option"`;
  }
  const bare = (fragments.get(token) ?? "").replace(/^serial \d+\n/m, "");
  if (bare !== `${[...body, "end"].join("\n")}\n`) {
    fragments.set(token, `${[...body, `serial ${serial}`, "end"].join("\n")}\n`);
  }
  return `outcome ${token} ok`;
}
