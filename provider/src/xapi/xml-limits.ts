import { Transform, type TransformCallback } from "node:stream";

/** What an answer of XAPI's may be at most. Whoever answers could otherwise fill this process's memory, or never end. */
export interface AnswerLimits {
  readonly bytes: number;
  /** Elements within each other. */
  readonly depth: number;
  readonly elements: number;
  /** How long nothing may come once the answer has begun. */
  readonly silentMs: number;
}

/**
 * A pool of 2,000 VMs and 4,000 VIFs answers with 25 to 50 MB of 2 to 4 million elements, at most 20 within each other; the whole
 * fits into Node's usual heap. XAPI writes an answer in one go, so one that stops has stopped.
 */
export const usualLimits: AnswerLimits = {
  bytes: 128 * 1024 * 1024,
  depth: 100,
  elements: 8_000_000,
  silentMs: 20_000,
};

/** XML-RPC has no attributes: no tag is longer than `</dateTime.iso8601>`, nor the declaration in front much longer. */
const longestTag = 256;

/** An answer that was given up: it is larger than it may be. */
export class AnswerTooLarge extends Error {}

/** An answer that stopped in the middle. */
export class AnswerStopped extends Error {}

const lessThan = "<".charCodeAt(0);
const greaterThan = ">".charCodeAt(0);
const slash = "/".charCodeAt(0);
const exclamation = "!".charCodeAt(0);
const question = "?".charCodeAt(0);

/** A tag of which `<` has come. */
interface Tag {
  first: number | undefined;
  last: number;
  length: number;
  /** How a `<!` goes on. */
  text: string;
}

/** Lets the bytes of an XML document pass, and ends with an error as soon as they go beyond the limits. */
export class XmlLimits extends Transform {
  readonly #limits: AnswerLimits;
  #bytes = 0;
  #elements = 0;
  #depth = 0;
  /** Undefined outside of tags. */
  #tag: Tag | undefined;
  /** What ends a comment or a CDATA section. */
  #until: string | undefined;
  #last = "";
  #timer: NodeJS.Timeout | undefined;

  constructor(limits: AnswerLimits) {
    super();
    this.#limits = limits;
    this.#expectMore();
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#expectMore();
    this.#bytes += chunk.length;
    const problem =
      this.#bytes > this.#limits.bytes ? `more than ${inMegabytes(this.#limits.bytes)}` : this.#scan(chunk);
    if (problem === undefined) done(null, chunk);
    else done(new AnswerTooLarge(problem));
  }

  override _final(done: (error?: Error | null) => void): void {
    clearTimeout(this.#timer);
    done();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    clearTimeout(this.#timer);
    done(error);
  }

  #expectMore(): void {
    clearTimeout(this.#timer);
    const { silentMs } = this.#limits;
    this.#timer = setTimeout(() => this.destroy(new AnswerStopped(`nothing for ${silentMs / 1000} s`)), silentMs);
  }

  #scan(chunk: Buffer): string | undefined {
    for (let at = 0; at < chunk.length; at += 1) {
      let problem: string | undefined;
      if (this.#until !== undefined) this.#inSection(chunk[at] as number);
      else if (this.#tag === undefined) {
        at = indexIn(chunk, lessThan, at);
        if (at < chunk.length) this.#tag = { first: undefined, last: 0, length: 0, text: "" };
      } else if ((this.#tag.first ?? chunk[at]) === exclamation) problem = this.#inDeclaration(chunk[at] as number);
      else {
        const end = indexIn(chunk, greaterThan, at);
        problem = this.#inTag(this.#tag, chunk.subarray(at, end), end < chunk.length);
        at = end;
      }
      if (problem !== undefined) return problem;
    }
    return undefined;
  }

  #inTag(tag: Tag, part: Buffer, isEnd: boolean): string | undefined {
    tag.first ??= part[0];
    tag.last = part.at(-1) ?? tag.last;
    tag.length += part.length;
    if (tag.length > longestTag) return `a tag of more than ${longestTag} bytes`;
    return isEnd ? this.#ended(tag) : undefined;
  }

  #inDeclaration(byte: number): string | undefined {
    const tag = this.#tag as Tag;
    tag.first = exclamation;
    tag.text += String.fromCharCode(byte);
    if (tag.text === "![CDATA[") this.#enter("]]>");
    else if (tag.text === "!--") this.#enter("-->");
    else if (!"![CDATA[".startsWith(tag.text) && tag.text !== "!-") return "a declaration, which XAPI never sends";
    return undefined;
  }

  #ended({ first, last }: Tag): string | undefined {
    this.#tag = undefined;
    if (first === question) return undefined;
    if (first === slash) {
      this.#depth -= 1;
      return undefined;
    }
    this.#elements += 1;
    if (this.#elements > this.#limits.elements) return `more than ${this.#limits.elements} elements`;
    if (last !== slash) this.#depth += 1;
    return this.#depth > this.#limits.depth ? `more than ${this.#limits.depth} elements within each other` : undefined;
  }

  #enter(until: string): void {
    this.#tag = undefined;
    this.#until = until;
    this.#last = "";
  }

  #inSection(byte: number): void {
    this.#last = (this.#last + String.fromCharCode(byte)).slice(-3);
    if (this.#last === this.#until) this.#until = undefined;
  }
}

/** Where a byte is; behind the end when it is not there. Text is most of an answer, and is looked through at the machine's speed. */
function indexIn(chunk: Buffer, byte: number, from: number): number {
  const at = chunk.indexOf(byte, from);
  return at < 0 ? chunk.length : at;
}

function inMegabytes(bytes: number): string {
  return `${bytes / (1024 * 1024)} MB`;
}
