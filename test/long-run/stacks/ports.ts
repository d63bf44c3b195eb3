import { type ForwardPart, firstPort, PORTS, type Program, type StackName } from "./program.ts";

/** The first port of the stack, beginning somewhere, from which so many are free. */
export function freePort(program: Program, stack: StackName, size: number, from: number): number | undefined {
  const places = PORTS - size + 1;
  const ports = Array.from({ length: places }, (_, index) => firstPort(stack) + ((index + from) % places));
  return ports.find((port) => !program.forwards.some((one) => overlap(one, { port, size })));
}

export function overlap(one: Pick<ForwardPart, "port" | "size">, other: Pick<ForwardPart, "port" | "size">): boolean {
  return one.port < other.port + other.size && other.port < one.port + one.size;
}
