import { expect, test } from "vitest";
import { PassphraseSecrets } from "./runner/secrets.ts";

// Written by the real engine: `pulumi stack init` and `pulumi config set --secret`.
const byEngine = {
  passphrase: "correct horse",
  salt: "v1:Rcb34XvnzA0=:v1:6pvtVrLzjwRyw4Rf:0x1zq8F5BfX0tw+82LenCp34XiQybA==",
  ciphertext: "v1:sRl/RX495UbRbV2D:Pj1SGpdNMmy5HN59sXCfCDoIftpZEImgLg==",
  text: "häm\\nmer",
};

test("a secret that the real engine encrypted can be read with the passphrase", async () => {
  const secrets = await PassphraseSecrets.open(byEngine.passphrase, byEngine.salt);
  expect(secrets.decrypt(byEngine.ciphertext)).toBe(byEngine.text);
});

test("a wrong passphrase is refused when the stack is opened", async () => {
  await expect(PassphraseSecrets.open("wrong", byEngine.salt)).rejects.toThrow("PULUMI_CONFIG_PASSPHRASE");
});

test("the same text keeps its ciphertext, so that an unchanged state stays the same file", async () => {
  const secrets = await PassphraseSecrets.open(byEngine.passphrase, byEngine.salt);
  secrets.decrypt(byEngine.ciphertext);
  expect(secrets.encrypt(byEngine.text)).toBe(byEngine.ciphertext);
  expect(secrets.encrypt("another")).toBe(secrets.encrypt("another"));
});

test("what one opening of the stack encrypts, another one reads", async () => {
  const created = await PassphraseSecrets.create("passphrase");
  const opened = await PassphraseSecrets.open("passphrase", created.salt);
  expect(opened.decrypt(created.encrypt("hush"))).toBe("hush");
});
