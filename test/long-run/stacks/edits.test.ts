import fc from "fast-check";
import { expect, test } from "vitest";
import { anyEdit } from "../any-action.ts";
import { edited } from "./edits.ts";
import { registrationsOf } from "./goals.ts";
import { EMPTY, type Program, SLOTS, type Slot, STACKS } from "./program.ts";

function portsOf({ forwards }: Program): number[] {
  return forwards.flatMap(({ port, size }) => Array.from({ length: size }, (_, index) => port + index));
}

const twice = <T>(list: readonly T[]): T[] => list.filter((item, index) => list.indexOf(item) !== index);

test("whatever is edited, a program can be had: a run of it that nothing disturbs has to succeed", () => {
  fc.assert(
    fc.property(fc.array(anyEdit, { maxLength: 40 }), fc.constantFrom(...STACKS), (edits, stack) => {
      const program = edits.reduce<Program>((so, next) => edited(so, next, stack, SLOTS), EMPTY);
      const goals = registrationsOf(stack, program);
      const names = goals.map(({ name }) => name);
      expect(twice(names)).toEqual([]);
      expect(goals.flatMap(({ needs }) => needs).filter((name) => !names.includes(name))).toEqual([]);
      expect(twice(portsOf(program))).toEqual([]);
      expect(twice(program.vifs.map(({ vm, device }) => `${vm} ${device}`))).toEqual([]);
      expect(twice(program.vifs.flatMap(({ mac }) => mac ?? []))).toEqual([]);
      const slots = [...program.forwards, ...program.vifs].map(({ slot }) => slot);
      expect(slots.filter((slot: Slot) => program.networks[slot] === undefined)).toEqual([]);
    }),
    { numRuns: 500 },
  );
});
