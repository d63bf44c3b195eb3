import { expect, test } from "vitest";
import { plainSecrets, unknownSettings } from "../../../provider/src/hosts/plain-secrets.ts";

function environment(config: Record<string, string>, secret: readonly string[]) {
  return { PULUMI_CONFIG: JSON.stringify(config), PULUMI_CONFIG_SECRET_KEYS: JSON.stringify(secret) };
}

test("a password and a private key set without --secret are found, with the command that repairs it", () => {
  const config = { "xennet:config:password": "p", "xennet:sshPrivateKey": "k", "xennet:config:host": "h" };
  expect(plainSecrets(environment(config, []))).toStrictEqual([
    { property: "xennet:password", reason: expect.stringContaining('"pulumi config set xennet:password --secret"') },
    { property: "xennet:sshPrivateKey", reason: expect.stringContaining("xennet:sshPrivateKey --secret < <file>") },
  ]);
});

test("what is secret is fine, in both forms of the key", () => {
  const config = { "xennet:config:password": "p", "xennet:config:sshPassword": "q", "xennet:config:hosts": "{}" };
  expect(plainSecrets(environment(config, ["xennet:password", "xennet:config:sshPassword"]))).toStrictEqual([]);
});

test("a password in a plain object of hosts is found by its path", () => {
  const config = { "xennet:config:hosts": '{"lab": {"host": "h", "password": "p"}}' };
  expect(plainSecrets(environment(config, []))).toStrictEqual([
    { property: "xennet:hosts.lab.password", reason: expect.stringContaining("'xennet:hosts.lab.password' --secret") },
  ]);
  expect(plainSecrets(environment(config, ["xennet:hosts"]))).toStrictEqual([]);
});

test("outside a Pulumi program nothing can be said", () => {
  expect(plainSecrets({})).toStrictEqual([]);
});

test("finds keys that no setting has, and leaves those of others alone", () => {
  const config = {
    "xennet:config:sshport": "1",
    "xennet:config:sshPort": "22",
    "xennet:hosts": "{}",
    "aws:config:x": "1",
  };
  expect(unknownSettings({ PULUMI_CONFIG: JSON.stringify(config) })).toEqual(["xennet:sshport"]);
  expect(unknownSettings({})).toEqual([]);
});
