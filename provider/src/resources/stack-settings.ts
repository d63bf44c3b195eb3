import * as pulumi from "@pulumi/pulumi";
import { printableText } from "../core/foreign-text";
import { plainSecrets, unknownSettings } from "../hosts/plain-secrets";
import { programError } from "./program-error";

let warned = false;

/** Refuses a password that is stored in clear, and warns of settings nobody knows; in the program process only. */
export function checkStackSettings(): void {
  refusePlainSecrets();
  warnOfUnknownSettings();
}

/** Whether a value was stored with `--secret` is known in the program only; the provider process gets it in clear. */
function refusePlainSecrets(): void {
  const [problem] = plainSecrets(process.env);
  if (problem !== undefined) throw programError(`${problem.property} ${problem.reason}`);
}

/** Once a program: a misspelt key would otherwise be as if it had not been set. */
function warnOfUnknownSettings(): void {
  if (warned) return;
  warned = true;
  for (const key of unknownSettings(process.env)) {
    pulumi.log.warn(
      `${printableText(key)} is in the stack's configuration, but there is no such setting; is it misspelt?`,
    );
  }
}
