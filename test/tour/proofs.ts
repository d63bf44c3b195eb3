/** Tells the tour's story and counts its proofs. */
export class Proofs {
  readonly #started = Date.now();
  readonly #print: (line: string) => void;
  #text = "";
  #chapters = 0;
  #passed = 0;
  #failed = 0;

  constructor(print: (line: string) => void = console.log) {
    this.#print = print;
  }

  /** Everything that was said so far. */
  get text(): string {
    return this.#text;
  }

  chapter(title: string): void {
    this.#chapters += 1;
    this.say(`\n${this.#chapters}. ${title}`);
  }

  say(line: string): void {
    this.#text += `${line}\n`;
    this.#print(line);
  }

  /** One proof: what was asked, what answered, and what should have, if that is another. */
  prove(holds: boolean, asked: string, answered: string, wanted?: string): void {
    if (holds) this.#passed += 1;
    else this.#failed += 1;
    const end = holds || wanted === undefined ? "" : ` (wanted: ${wanted})`;
    this.say(`   ${holds ? "✔" : "✘"} ${asked} → ${answered}${end}`);
  }

  /** The last line; answers whether every proof passed and there was one. */
  total(): boolean {
    const all = this.#passed + this.#failed;
    const seconds = ((Date.now() - this.#started) / 1000).toFixed(1);
    const verdict = this.#failed === 0 ? "" : `, ${this.#failed} FAILED`;
    this.say(`\n${this.#passed} of ${all} proofs passed${verdict}, in ${seconds} s.`);
    return all > 0 && this.#failed === 0;
  }
}
