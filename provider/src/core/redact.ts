const placeholder = "[secret]";
const privateKey = /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g;
/** Shorter lines of a multi-line secret (PEM armour, a last line of padding) say nothing on their own. */
const shortestLine = 16;
/** Shorter secrets occur inside ordinary words, so they are replaced only where they stand alone. */
const shortestAnywhere = 4;

const patterns = new Map<string, RegExp>();

/** Makes {@link redact} hide this value, and the forms it takes in XML, JSON, URLs and base64, from now on. */
export function registerSecret(secret: string | undefined): void {
  if (secret === undefined || secret.trim() === "") return;
  for (const form of formsOf(secret)) {
    if (!patterns.has(form)) patterns.set(form, patternOf(form));
  }
}

/** The text without any registered secret and without any private key. */
export function redact(text: string): string {
  let clean = text.replace(privateKey, placeholder);
  // Longest first: a secret that contains another one must go whole.
  for (const [, pattern] of [...patterns].sort(([a], [b]) => b.length - a.length)) {
    clean = clean.replace(pattern, placeholder);
  }
  return clean;
}

function formsOf(secret: string): Set<string> {
  const forms = new Set([
    secret,
    JSON.stringify(secret).slice(1, -1),
    encodeURIComponent(Buffer.from(secret).toString()),
    secret.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;"),
    Buffer.from(secret).toString("base64"),
  ]);
  for (const line of secret.split(/\r?\n/)) {
    if (line.length >= shortestLine && !line.startsWith("-----")) forms.add(line);
  }
  return forms;
}

function patternOf(form: string): RegExp {
  const literal = form.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
  return new RegExp(form.length >= shortestAnywhere ? literal : `(?<![\\w-])${literal}(?![\\w-])`, "g");
}
