/** The name of the profile that the flat configuration keys describe. */
export const defaultProfile = "default";

/** The command that sets a key of a profile, e.g. `pulumi config set xennet:password --secret`. */
export function configCommand(
  profile: string,
  key: string,
  { value, secret = false }: { value?: string; secret?: boolean } = {},
): string {
  const parts = ["pulumi config set"];
  if (profile === defaultProfile) parts.push(`xennet:${key}`);
  else parts.push(`--path ${inShell(`xennet:hosts${pathSegment(profile)}.${key}`)}`);
  if (value !== undefined) parts.push(/^[\w.:/<>-]+$/.test(value) ? value : inShell(value));
  if (secret) parts.push("--secret");
  return parts.join(" ");
}

/** How the environment overrides a key of a profile, e.g. `XENNET_XAPI_FINGERPRINT`. */
export function environmentOverride(profile: string, key: string): string {
  return profile === defaultProfile
    ? environmentVariable(key)
    : `XENNET_HOSTS (a JSON object with ${JSON.stringify(profile)}.${JSON.stringify(key)})`;
}

/** `xapiFingerprint` → `XENNET_XAPI_FINGERPRINT`. */
export function environmentVariable(key: string): string {
  return `XENNET_${key.replace(/[A-Z]/g, (capital) => `_${capital}`).toUpperCase()}`;
}

/** As Pulumi's property paths have it: within quotes only the quote itself is escaped. */
function pathSegment(profile: string): string {
  return /^[A-Za-z_][\w-]*$/.test(profile) ? `.${profile}` : `["${profile.replaceAll('"', '\\"')}"]`;
}

/** One word of a POSIX shell, which takes nothing in it for anything else. */
function inShell(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}
