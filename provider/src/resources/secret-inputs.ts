import * as pulumi from "@pulumi/pulumi";

/** Which inputs are secret: whoever gets the plain values must not quote these in a message. */
export async function namesOfSecrets(props: pulumi.Inputs): Promise<string[] | undefined> {
  const given = Object.entries(props).filter(([, value]) => value !== undefined);
  const secret = await Promise.all(given.map(([, value]) => pulumi.isSecret(pulumi.output(value))));
  const names = given.map(([key]) => key).filter((_, index) => secret[index]);
  return names.length === 0 ? undefined : names;
}
