import * as pulumi from "@pulumi/pulumi";

/** Which inputs are secret: whoever gets the plain values must not quote these in a message. */
export async function namesOfSecrets(props: pulumi.Inputs): Promise<string[] | undefined> {
  const given = Object.entries(props).filter(([, value]) => value !== undefined);
  const secret = await Promise.all(given.map(([, value]) => pulumi.isSecret(pulumi.output(value))));
  const names = given.map(([key]) => key).filter((_, index) => secret[index]);
  return names.length === 0 ? undefined : names;
}

/**
 * The inputs, each with a secret inside secret as a whole: of a property that becomes a secret while its value stays, the
 * engine marks the recorded output only then. Others stay as they are, as parts of them may not be known yet.
 */
export function wholeSecrets(props: pulumi.Inputs): pulumi.Inputs {
  const isCompound = (value: unknown) =>
    typeof value === "object" && value !== null && !pulumi.Output.isInstance(value);
  const whole = async (value: unknown) =>
    (await pulumi.isSecret(pulumi.output(value))) ? pulumi.secret(value) : value;
  return Object.fromEntries(
    Object.entries(props).map(([key, value]) => [key, isCompound(value) ? whole(value) : value]),
  );
}

/**
 * No texts yet, for an output of its name that is made of these: the engine keeps that one secret when one of these is.
 * Always there, as a refresh cannot tell whether what it finds has to be secret; and always known, as the SDK hands on an
 * unknown value without its mark.
 */
export function textsFrom(sources: readonly pulumi.Input<unknown>[]): pulumi.Output<string[]> {
  return markedAs(sources, (hidden) => (hidden ? pulumi.secret<string[]>([]) : [])) as pulumi.Output<string[]>;
}

/**
 * An input that keeps an output of its name secret when what the output is made of is: the engine takes that from inputs.
 * There is none otherwise, so that a preview shows the output as not known yet.
 */
export function hiddenWith<T>(source: pulumi.Input<unknown>, placeholder: T): pulumi.Output<T | undefined> {
  return markedAs(source, (hidden) => (hidden ? pulumi.secret(placeholder) : undefined)) as pulumi.Output<
    T | undefined
  >;
}

function markedAs(source: pulumi.Input<unknown>, make: (isHidden: boolean) => unknown): pulumi.Output<unknown> {
  return pulumi.output(pulumi.isSecret(pulumi.output(source)).then(make));
}
