import { XennetError } from "../core/errors";
import { ownLines } from "../core/foreign-text";
import { lookAtHostKey } from "../dom0/host-key-look";
import type { Problem } from "../validation/problem";
import { lookAtCertificate } from "../xapi/certificate-look";
import { howToCompareCertificate } from "../xapi/connection-errors";
import { lackingPins, lackOf, type PinKey, whereToRead } from "./legacy-crypto";
import type { HostProfile } from "./profile";
import { settingName } from "./profile-keys";

/** For one look; it may come on top of a connection that failed already. */
const lookMs = 5000;

/** A problem for each pin that the profile lacks for old cryptography, with what the host shows. */
export function pinProblems(profile: HostProfile): Promise<Problem[]> {
  const { name } = profile;
  return Promise.all(
    lackingPins(profile).map(async (key) => ({
      property: settingName(name, key),
      reason: `missing configuration: ${lackOf(name, key)}. ${await adviceFor(profile, key)}`,
    })),
  );
}

/** The codes by which a host that offers nothing but old cryptography is refused, each with the pin its message names. */
const namedBy = { XAPI_LEGACY_CRYPTO: "xapiFingerprint", SSH_LEGACY_CRYPTO: "sshHostKey" } as const;

/** To an error of this code the other pins that the profile lacks, so that one preview shows everything; any other error as it is. */
export function withOtherPins(profile: HostProfile, code: keyof typeof namedBy): (error: unknown) => Promise<unknown> {
  return async (error) => {
    if (!(error instanceof XennetError) || error.code !== code) return error;
    const others = lackingPins(profile).filter((key) => key !== namedBy[code]);
    if (others.length === 0) return error;
    const told = others.map(async (key) => `${lackOf(profile.name, key)}, too. ${await adviceFor(profile, key)}`);
    const message = ownLines([error.message, ...(await Promise.all(told))]);
    return new XennetError(code, message, { facts: error.facts, property: error.property, cause: error });
  };
}

/** What the host shows and how to pin it; else where to read it. */
async function adviceFor(profile: HostProfile, key: PinKey): Promise<string> {
  const { read, isFarOff } = whereToRead(profile, key);
  if (isFarOff) return read;
  try {
    return await lookOnce(profile, key);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return `It could not be seen: ${reason} ${read}`;
  }
}

/** What each host showed, or why it showed nothing, for the life of the process: many resources ask the same. */
const seen = new Map<string, Promise<string>>();

function lookOnce(profile: HostProfile, key: PinKey): Promise<string> {
  const { name, xapi, ssh } = profile;
  const settings = key === "xapiFingerprint" ? [xapi.url] : [ssh.host, ssh.port, ssh.knownHostsFile];
  const which = JSON.stringify([key, name, ...settings]);
  const known = seen.get(which);
  if (known !== undefined) return known;
  const look = looks[key](profile);
  seen.set(which, look);
  return look;
}

const looks: Readonly<Record<PinKey, (profile: HostProfile) => Promise<string>>> = {
  async xapiFingerprint({ name, xapi }) {
    const seen = await lookAtCertificate(xapi, lookMs);
    return `${xapi.url} shows the SHA-256 fingerprint ${seen}. ${howToCompareCertificate(name, seen)}`;
  },
  sshHostKey: ({ ssh }) => lookAtHostKey(ssh, lookMs),
};
