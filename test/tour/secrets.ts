import type { Host } from "../lab/host.ts";

/** A place where no secret may be. */
export interface Place {
  readonly name: string;
  readonly text: string;
}

/** `<secret> in <place>` for every secret that is found. */
export function findSecrets({ xapi, lab }: Host, places: readonly Place[]): string[] {
  const secrets = [
    { name: "the password", forms: formsOf(xapi.password) },
    { name: "the private key", forms: privateKeyLines(lab.ssh.privateKey) },
  ];
  return places.flatMap(({ name: place, text }) => [
    ...secrets
      .filter(({ forms }) => forms.some((form) => text.includes(form)))
      .map(({ name }) => `${name} in ${place}`),
    // Session references and all others look like this; identities that last are UUIDs, without the prefix.
    ...(/OpaqueRef:(?!NULL)/.test(text) ? [`a XAPI reference in ${place}`] : []),
  ]);
}

function formsOf(secret: string): string[] {
  return [secret, encodeURIComponent(secret), Buffer.from(secret).toString("base64").replace(/=+$/, "")];
}

/** Every line of the key's body but the first, which is the same in all keys. */
function privateKeyLines(key: string): string[] {
  const lines = key.split("\n").filter((line) => line !== "" && !line.startsWith("-----"));
  return lines.slice(1).filter((line) => line.length > 20);
}
