import type { Engine } from "../engine.ts";
import { RunnerStack } from "./stack.ts";

/** The stack runner of pulumi-xennet: it plays the engine's side of Pulumi's protocol where there is no engine. */
export function stackRunner(): Engine {
  return {
    name: "stack runner of pulumi-xennet (stands in for the Pulumi engine)",
    isReal: false,
    openStack: (options) => RunnerStack.open(options),
  };
}
