import * as pulumi from "@pulumi/pulumi";

/** Which inputs are secret: whoever gets the plain values must not quote these in a message. */
export async function namesOfSecrets(props: pulumi.Inputs): Promise<string[] | undefined> {
  const given = Object.entries(props).filter(([, value]) => value !== undefined);
  const secret = await Promise.all(given.map(([, value]) => pulumi.isSecret(pulumi.output(value))));
  const names = given.map(([key]) => key).filter((_, index) => secret[index]);
  return names.length === 0 ? undefined : names;
}

/**
 * No texts yet, for an output of its name that is made of these: the engine keeps that one secret when one of these is.
 * Always there, as a refresh cannot tell whether what it finds has to be secret.
 */
export function textsFrom(sources: readonly pulumi.Input<unknown>[]): pulumi.Output<string[]> {
  return pulumi.all([...sources]).apply((): string[] => []);
}

/**
 * An input that keeps an output of its name secret when what the output is made of is: the engine takes that from inputs.
 * There is none otherwise, so that a preview shows the output as not known yet.
 */
export function hiddenWith<T>(source: pulumi.Input<unknown>, placeholder: T): pulumi.Output<T | undefined> {
  const isHidden = pulumi.isSecret(pulumi.output(source));
  return pulumi.output(isHidden.then((hidden) => (hidden ? pulumi.secret(placeholder) : undefined))) as pulumi.Output<
    T | undefined
  >;
}
