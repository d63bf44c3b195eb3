import { isIP } from "node:net";
import { XennetError } from "../core/errors";
import { environmentOverride } from "../core/settings";
import { parseHostKeyPin } from "../dom0/host-key";
import { normalisedCidr } from "../validation/cidr-list";
import { expected, type Problem } from "../validation/problem";
import { certificatesIn, normalizeFingerprint } from "../xapi/trust";
import { windowRange } from "./confirmation-window";
import { type ProfileKey, type Settings, setCommand, settingName, xapiWays } from "./profile-keys";

/** Checks each value that is set; a value that may be secret is never quoted. */
export function checkSettings(profile: string, settings: Settings): Problem[] {
  return Object.entries(checks).flatMap(([key, check]) => {
    const value = settings(key as ProfileKey);
    if (value === undefined) return [];
    const name = settingName(profile, key as ProfileKey);
    const command = setCommand(profile, key as ProfileKey);
    const reason = check(value, name, command);
    if (reason === undefined) return [];
    if (reason.includes(command)) return [{ property: name, reason }];
    const remedy = `Run "${command} …", or set ${environmentOverride(profile, key)} in the environment`;
    return [{ property: name, reason: `${reason}. ${remedy}` }];
  });
}

/** Resolves to why the value is refused. */
type Check = (value: string, name: string, command: string) => string | undefined;

const checks: Partial<Record<ProfileKey, Check>> = {
  host: checkAddress,
  sshHost: checkAddress,
  xapiUrl: checkUrl,
  xapiVia: (value, name, command) =>
    isXapiWay(value)
      ? undefined
      : `${expected(name, '"direct" or "ssh"', value).reason}; run "${command} ssh" or "${command} direct"`,
  xapiFingerprint: (value, name) =>
    normalizeFingerprint(value) === undefined
      ? expected(name, "a SHA-256 fingerprint, 64 hex digits with or without colons", value).reason
      : undefined,
  xapiCa: checkCertificates,
  sshPort: (value, name) =>
    /^[1-9][0-9]{0,4}$/.test(value) && Number(value) <= 65535
      ? undefined
      : expected(name, "a port, an integer from 1 to 65535", value).reason,
  confirmationWindow: (value, name) =>
    /^[1-9][0-9]*$/.test(value) && Number(value) >= windowRange.shortest && Number(value) <= windowRange.longest
      ? undefined
      : expected(name, `seconds, an integer from ${windowRange.shortest} to ${windowRange.longest}`, value).reason,
  sshPrivateKey: checkPrivateKey,
  sshHostKey: checkHostKey,
  allowLegacyCrypto: (value, name, command) =>
    ["true", "false"].includes(value)
      ? undefined
      : `${expected(name, '"true" or "false"', value).reason}; run "${command} true" or "${command} false"`,
  managementSources: (value, name) => {
    const wrong = splitList(value).filter((part) => normalisedCidr(part) === undefined);
    const wanted = 'networks separated by commas, such as "192.0.2.0/24, 198.51.100.7"';
    if (splitList(value).length > 20) return expected(name, "at most 20 networks", value).reason;
    return wrong.length === 0 ? undefined : expected(name, wanted, wrong.join(", ")).reason;
  },
};

function isXapiWay(value: string): boolean {
  return xapiWays.some((way) => way === value);
}

/** The parts of a setting that holds several values, separated by commas. */
export function splitList(value: string): string[] {
  return value
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");
}

function checkAddress(value: string, name: string): string | undefined {
  const ok = isIP(value) !== 0 || /^[A-Za-z0-9_]([A-Za-z0-9._-]{0,251}[A-Za-z0-9_.])?$/.test(value);
  return ok ? undefined : expected(name, "a host name or IP address, without protocol and port", value).reason;
}

function checkUrl(value: string, name: string): string | undefined {
  const wanted = 'an address such as "https://192.0.2.7" or "https://192.0.2.7:8443"';
  const url = URL.canParse(value) ? new URL(value) : undefined;
  if (url !== undefined && (url.username !== "" || url.password !== "")) {
    return `expected ${wanted}, found one with a user name in it; set xennet:username and xennet:password instead`;
  }
  if (url?.protocol === "http:") return `expected ${wanted}: over http the password would be sent in clear`;
  const ok = url?.protocol === "https:" && url.hostname !== "" && url.pathname === "/" && url.search + url.hash === "";
  // Half a URL may still hold a password.
  return ok ? undefined : value.includes("@") ? `expected ${wanted}` : expected(name, wanted, value).reason;
}

function checkCertificates(value: string, _name: string, command: string): string | undefined {
  const wanted = `expected certificates as PEM text (-----BEGIN CERTIFICATE-----); run "${command}"`;
  try {
    return certificatesIn(value).length > 0 ? undefined : `${wanted}; found none`;
  } catch (error) {
    return `${wanted}; found one that cannot be read (${error instanceof Error ? error.message : error})`;
  }
}

function checkPrivateKey(value: string, _name: string, command: string): string | undefined {
  const block = /-----BEGIN ([A-Z0-9 ]*PRIVATE KEY)-----\s[\s\S]+-----END \1-----/;
  if (block.test(value)) return undefined;
  const found = /^[~./]|\.pem$|id_[a-z0-9]+$/.test(value) ? "what looks like a file name" : "something else";
  return `expected the private key itself as PEM or OpenSSH text, found ${found}; run "${command}"`;
}

function checkHostKey(value: string, name: string): string | undefined {
  try {
    parseHostKeyPin(value, name);
    return undefined;
  } catch (error) {
    // The setting is named before the reason, and a command follows it.
    if (error instanceof XennetError) return error.message.replace(`${name} `, "").replace(/\.$/, "");
    throw error;
  }
}
