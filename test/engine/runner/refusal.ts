/** Something the engine refuses to do with a resource, in its own words. */
export class Refusal extends Error {
  readonly urn: string;
  readonly messages: readonly string[];

  constructor(urn: string, messages: readonly string[]) {
    super(messages.join("\n"));
    this.urn = urn;
    this.messages = messages;
  }
}

/** A protected resource was to be deleted. Unlike after any other failure, the other deletes go on. */
export class ProtectedError extends Error {
  constructor(urn: string) {
    super(
      `resource "${urn}" cannot be deleted\nbecause it is protected. To unprotect the resource, either remove the ` +
        "`protect` flag from the resource in your Pulumi program and run `pulumi up`, or use the command:\n" +
        `\`pulumi state unprotect '${urn}'\``,
    );
  }
}

export function protectedFromReplacement(urn: string): Refusal {
  return new Refusal(urn, [
    `unable to replace resource "${urn}"\nas it is currently marked for protection. To unprotect the resource, ` +
      "remove the `protect` flag from the resource in your Pulumi program and run `pulumi up`",
  ]);
}

export function protectedDependent(dependent: string, replaced: string): Refusal {
  return new Refusal(replaced, [
    `unable to replace resource "${dependent}" as part of replacing "${replaced}" as it is currently marked for ` +
      "protection. To unprotect the resource, remove the `protect` flag from the resource in your Pulumi program and " +
      `run \`pulumi up\`, or use the command:\n\`pulumi state unprotect '${dependent}'\``,
  ]);
}

export function dependsOnUntargeted(urn: string, untargeted: string): Refusal {
  return new Refusal(urn, [
    `Resource '${urn}' depends on '${untargeted}' which was was not specified in --target list.`,
  ]);
}

export function deletesUntargeted(urn: string): Refusal {
  return new Refusal(urn, [
    `Resource '${urn}' will be destroyed but was not specified in --target list.\n` +
      "Either include resource in --target list or pass --target-dependents to proceed.",
  ]);
}

export function targetNotFound(urn: string): string {
  const hint = urn.includes("$") ? "" : " Did you forget to escape $ in your shell?";
  return `Target '${urn}' could not be found in the stack.${hint}`;
}
