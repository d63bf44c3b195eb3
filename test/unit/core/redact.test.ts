import { expect, test } from "vitest";
import { XennetError } from "../../../provider/src/core/errors.ts";
import { redact, registerSecret } from "../../../provider/src/core/redact.ts";

test("a registered secret disappears in every form it takes on the way", () => {
  const secret = 'p&ss <w"rd> ü';
  registerSecret(secret);
  const forms = [secret, 'p&amp;ss &lt;w"rd&gt; ü', JSON.stringify(secret), encodeURIComponent(secret)];
  forms.push(Buffer.from(secret).toString("base64"));
  for (const form of forms) expect(redact(`before ${form} after`)).toMatch(/^before "?\[secret\]"? after$/);
});

test("a secret that contains another one goes whole", () => {
  registerSecret("inner-secret");
  registerSecret("inner-secret-and-more");
  expect(redact("x inner-secret-and-more y")).toBe("x [secret] y");
});

test("a short secret is hidden where it stands alone, and words that contain it stay readable", () => {
  registerSecret("xen");
  expect(redact("password xen for xenserver, xen-tools")).toBe("password [secret] for xenserver, xen-tools");
});

test("a private key disappears although nobody registered it, and lines of a registered one too", () => {
  const body = "b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gt";
  const key = `-----BEGIN OPENSSH PRIVATE KEY-----\n${body}\n-----END OPENSSH PRIVATE KEY-----\n`;
  expect(redact(`key: ${key}.`)).toBe("key: [secret]\n.");
  registerSecret(key);
  expect(redact(`line ${body} of it`)).toBe("line [secret] of it");
});

test("nothing and blanks are no secrets", () => {
  registerSecret(undefined);
  registerSecret("");
  registerSecret("  ");
  expect(redact("a  b")).toBe("a  b");
});

test("errors lose registered secrets from message, stack and facts", () => {
  registerSecret("hunter22");
  const error = new XennetError("SOME_CODE", "login with hunter22 failed", { facts: { reply: "hunter22?", tries: 2 } });
  expect(error.message).toBe("login with [secret] failed");
  expect(error.stack).not.toContain("hunter22");
  expect(error.facts).toStrictEqual({ reply: "[secret]?", tries: 2 });
});
