import { XennetError } from "../core/errors";

/** The lines of a text from the host, read one by one, and errors that show where reading stopped. */
export class LineSource {
  readonly #lines: readonly string[];
  readonly #code: string;
  readonly #subject: string;
  #at = 0;

  constructor(text: string, code: string, subject: string) {
    const lines = text.split("\n");
    // Every line ends with a newline, so the piece after the last one is empty.
    this.#lines = lines.at(-1) === "" ? lines.slice(0, -1) : lines;
    this.#code = code;
    this.#subject = subject;
  }

  next(): string | undefined {
    const line = this.#lines[this.#at];
    this.#at += 1;
    return line;
  }

  /** All that was not read yet, as text. */
  rest(): string {
    const rest = this.#lines.slice(this.#at);
    this.#at = this.#lines.length;
    return rest.map((line) => `${line}\n`).join("");
  }

  /** The first three groups of the pattern; groups it does not have are empty. */
  match(text: string, pattern: RegExp): [string, string, string] {
    const found = pattern.exec(text);
    if (found === null) throw this.malformed("the line has another form than expected");
    return [found[1] ?? "", found[2] ?? "", found[3] ?? ""];
  }

  malformed(problem: string): XennetError {
    const line = this.#lines[this.#at - 1];
    const where = line === undefined ? "at its end" : `in line ${this.#at}: ${JSON.stringify(line.slice(0, 200))}`;
    return new XennetError(
      this.#code,
      `${this.#subject} could not be read: ${problem} (${where}). The program on the host and this provider may not fit together.`,
    );
  }
}
