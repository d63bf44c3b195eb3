import { createHmac } from "node:crypto";
import { type HostKey, parseKeyWords } from "./host-key";

/** What a known_hosts file says of one host. */
export interface KnownKeys {
  readonly trusted: readonly HostKey[];
  readonly revoked: readonly HostKey[];
}

/**
 * Looks a host up in the text of an OpenSSH known_hosts file (sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT"): plain, hashed,
 * wildcard and negated patterns, `[host]:port` for other ports than 22. Certificate authorities are not supported.
 */
export function findKnownKeys(text: string, host: string, port: number): KnownKeys {
  const name = host.toLowerCase();
  const wanted = port === 22 ? name : `[${name}]:${port}`;
  const trusted: HostKey[] = [];
  const revoked: HostKey[] = [];
  for (const line of text.split(/\r?\n/)) {
    const entry = parseEntry(line);
    if (entry === undefined || !matchesHost(entry.hosts, wanted)) continue;
    if (entry.marker === "@revoked") revoked.push(entry.key);
    else if (entry.marker === undefined) trusted.push(entry.key);
  }
  return { trusted, revoked };
}

interface Entry {
  readonly marker: string | undefined;
  readonly hosts: string;
  readonly key: HostKey;
}

function parseEntry(line: string): Entry | undefined {
  const words = line.trim().split(/\s+/);
  if (words[0] === undefined || words[0] === "" || words[0].startsWith("#")) return undefined;
  const marker = words[0].startsWith("@") ? words.shift() : undefined;
  const [hosts, type, base64] = words;
  const key = parseKeyWords(type, base64);
  return hosts === undefined || key === undefined ? undefined : { marker, hosts, key };
}

function matchesHost(hosts: string, wanted: string): boolean {
  if (hosts.startsWith("|1|")) return matchesHashed(hosts, wanted);
  let matched = false;
  for (const pattern of hosts.toLowerCase().split(",")) {
    if (pattern.startsWith("!")) {
      // A negated pattern rules the whole line out, wherever it stands.
      if (matchesPattern(pattern.slice(1), wanted)) return false;
    } else if (matchesPattern(pattern, wanted)) {
      matched = true;
    }
  }
  return matched;
}

function matchesHashed(hosts: string, wanted: string): boolean {
  const [, , salt, hash] = hosts.split("|");
  if (salt === undefined || hash === undefined) return false;
  return createHmac("sha1", Buffer.from(salt, "base64")).update(wanted).digest("base64") === hash;
}

function matchesPattern(pattern: string, wanted: string): boolean {
  // Back to the last `*` only, as a regular expression of many of them would take for ever.
  let [at, from, star, mark] = [0, 0, -1, 0];
  while (from < wanted.length) {
    const sign = pattern.charAt(at);
    if (sign === "*") [star, mark, at] = [at, from, at + 1];
    else if (sign === "?" || sign === wanted.charAt(from)) [at, from] = [at + 1, from + 1];
    else if (star >= 0) [mark, at, from] = [mark + 1, star + 1, mark + 1];
    else return false;
  }
  return /^\**$/.test(pattern.slice(at));
}
