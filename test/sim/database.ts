import { randomUUID } from "node:crypto";
import { EventEmitter } from "node:events";
import type { Value } from "./contract.ts";
import { XapiFailure } from "./errors.ts";
import type { ClassTable } from "./fields.ts";

/** The fields of one object. */
export type Row = Readonly<Record<string, Value>>;

/** Computes a field that follows from other objects, e.g. `network.VIFs`. */
export type DerivedField = (ref: string, row: Row) => Value;

/** An object that went, for `del` events. */
interface Deletion {
  readonly className: string;
  readonly ref: string;
  readonly created: number;
  readonly generation: number;
}

interface Entry {
  row: Row;
  readonly created: number;
  modified: number;
}

const keptDeletions = 2000;

/** XAPI's database: rows by class and reference, a generation a write, and fields derived when they are read. */
export class Database {
  readonly tables: ReadonlyMap<string, ClassTable>;
  readonly changes = new EventEmitter().setMaxListeners(0);
  generation = 1;
  #entries = new Map<string, Map<string, Entry>>();
  #derived = new Map<string, DerivedField>();
  #pointers = new Map<string, Set<string>>();
  #deletions: Deletion[] = [];
  #forgottenUpTo = 0;

  constructor(tables: ReadonlyMap<string, ClassTable>) {
    this.tables = tables;
    for (const name of tables.keys()) this.#entries.set(name, new Map());
  }

  /** Declares how a field is computed; it is never stored. */
  derive(className: string, field: string, compute: DerivedField): void {
    this.#derived.set(`${className}.${field}`, compute);
  }

  /** Declares a set of references as the other side of a field, e.g. `network.VIFs` of `VIF.network`. */
  backReference(className: string, field: string, ofClass: string, pointer: string): void {
    this.derive(className, field, (ref) => this.where(ofClass, pointer, ref));
    this.#pointers.set(ofClass, (this.#pointers.get(ofClass) ?? new Set()).add(pointer));
  }

  insert(className: string, values: Row): string {
    const ref = `OpaqueRef:${randomUUID()}`;
    const row: Record<string, Value> = {};
    for (const field of this.table(className).values()) row[field.name] = values[field.name] ?? field.initial;
    if (values["uuid"] === undefined) row["uuid"] = randomUUID();
    const generation = this.#nextGeneration();
    this.#table(className).set(ref, { row, created: generation, modified: generation });
    this.#changed(className, row, generation);
    return ref;
  }

  update(className: string, ref: string, values: Row): void {
    const entry = this.#entry(className, ref);
    const known = Object.entries(values).filter(([name]) => this.table(className).has(name));
    const before = entry.row;
    entry.row = { ...before, ...Object.fromEntries(known) };
    entry.modified = this.#nextGeneration();
    this.#changed(className, before, entry.modified);
    this.#changed(className, entry.row, entry.modified);
  }

  remove(className: string, ref: string): void {
    const { row, created } = this.#entry(className, ref);
    this.#table(className).delete(ref);
    const generation = this.#nextGeneration();
    this.#deletions.push({ className, ref, created, generation });
    if (this.#deletions.length > keptDeletions) this.#forgottenUpTo = this.#deletions.shift()?.generation ?? 0;
    this.#changed(className, row, generation);
  }

  has(className: string, ref: string): boolean {
    return this.#entries.get(className)?.has(ref) ?? false;
  }

  /** The stored fields; {@link record} has the derived ones too. */
  row(className: string, ref: string): Row {
    return this.#entry(className, ref).row;
  }

  record(className: string, ref: string): Record<string, Value> {
    const { row } = this.#entry(className, ref);
    const record: Record<string, Value> = {};
    for (const name of this.table(className).keys()) record[name] = this.#read(className, ref, row, name);
    return record;
  }

  field(className: string, ref: string, name: string): Value {
    return this.#read(className, ref, this.#entry(className, ref).row, name);
  }

  refs(className: string): string[] {
    return [...this.#table(className).keys()];
  }

  /** References of the objects whose field holds this value. */
  where(className: string, field: string, value: Value): string[] {
    return this.refs(className).filter((ref) => this.row(className, ref)[field] === value);
  }

  byUuid(className: string, uuid: string): string {
    const [ref] = this.where(className, "uuid", uuid);
    if (ref === undefined) throw new XapiFailure("UUID_INVALID", [className, uuid]);
    return ref;
  }

  /** What happened after a generation, coalesced: one entry an object. `undefined` when that is not known any more. */
  since(generation: number): { changed: ObjectChange[]; deleted: Deletion[] } | undefined {
    if (generation > 0 && generation < this.#forgottenUpTo) return undefined;
    const changed: ObjectChange[] = [];
    for (const [className, entries] of this.#entries) {
      for (const [ref, entry] of entries) {
        if (entry.modified > generation) changed.push({ className, ref, added: entry.created > generation });
      }
    }
    // What came and went in between was never seen, so it is not reported as gone either.
    const deleted = this.#deletions.filter((one) => one.generation > generation && one.created <= generation);
    return { changed, deleted };
  }

  /** Counts an object as modified, for derived fields that changed without a write to it. */
  touch(className: string, ref: string): void {
    const entry = this.#entries.get(className)?.get(ref);
    if (entry === undefined) return;
    entry.modified = this.#nextGeneration();
    this.changes.emit("change");
  }

  /** The answer makes every object what it is now, and forgets what came since. */
  save(): () => void {
    const copyOf = (all: Map<string, Map<string, Entry>>) =>
      new Map([...all].map(([name, entries]) => [name, new Map([...entries].map(([ref, one]) => [ref, { ...one }]))]));
    const kept = copyOf(this.#entries);
    const { generation } = this;
    const deletions = [...this.#deletions];
    const forgottenUpTo = this.#forgottenUpTo;
    return () => {
      this.#entries = copyOf(kept);
      this.generation = generation;
      this.#deletions = [...deletions];
      this.#forgottenUpTo = forgottenUpTo;
      this.changes.emit("change");
    };
  }

  table(className: string): ClassTable {
    const table = this.tables.get(className);
    if (table === undefined) throw new Error(`There is no class ${className}.`);
    return table;
  }

  #read(className: string, ref: string, row: Row, name: string): Value {
    const derived = this.#derived.get(`${className}.${name}`);
    return derived ? derived(ref, row) : (row[name] ?? "");
  }

  /** A write to an object is also one to those whose back references may have changed by it. */
  #changed(className: string, row: Row, generation: number): void {
    for (const pointer of this.#pointers.get(className) ?? []) {
      const type = this.table(className).get(pointer)?.type;
      if (type?.kind !== "ref") continue;
      const entry = this.#entries.get(type.of)?.get(String(row[pointer]));
      if (entry !== undefined) entry.modified = generation;
    }
    this.changes.emit("change");
  }

  #nextGeneration(): number {
    this.generation += 1;
    return this.generation;
  }

  #table(className: string): Map<string, Entry> {
    const entries = this.#entries.get(className);
    if (entries === undefined) throw new Error(`There is no class ${className}.`);
    return entries;
  }

  #entry(className: string, ref: string): Entry {
    const entry = this.#table(className).get(ref);
    if (entry === undefined) throw new XapiFailure("HANDLE_INVALID", [className, ref]);
    return entry;
  }
}

/** An object that was made or written. */
export interface ObjectChange {
  readonly className: string;
  readonly ref: string;
  readonly added: boolean;
}
