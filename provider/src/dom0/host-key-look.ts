import { hostKeyOf } from "./host-key";
import { hostKeyCheck, howToPin } from "./host-key-check";
import { attempts } from "./ssh";
import { endpointName, type SshEndpoint } from "./ssh-endpoint";
import { SshError } from "./ssh-errors";

/**
 * What to do to pin the key that a host shows, by a handshake in which old algorithms will do. Whatever key is shown it is
 * refused, so no login is tried; rejects when none was shown.
 */
export async function lookAtHostKey(endpoint: SshEndpoint, timeoutMs: number): Promise<string> {
  const { host, port, username, knownHostsFile, profile } = endpoint;
  // Without any credential, so that none can be sent.
  const stranger: SshEndpoint = {
    host,
    port,
    username,
    password: "",
    knownHostsFile,
    profile,
    allowLegacyCrypto: true,
  };
  const check = await hostKeyCheck(stranger);
  let advice: string | undefined;
  const refuse = (blob: Buffer): SshError => {
    const refusal = check.refuse(blob);
    const isOther = refusal?.code === "SSH_HOST_KEY_MISMATCH";
    const seen = hostKeyOf(blob);
    const name = endpointName(endpoint);
    advice = isOther ? refusal.message : `${name} shows a key of the type ${seen.type}. ${howToPin(stranger, seen)}`;
    return refusal ?? new SshError("SSH_HOST_KEY_UNKNOWN", advice);
  };
  const limits = { deadline: Date.now() + timeoutMs, signal: undefined };
  const looked = attempts(stranger, { ...check, refuse }, { legacy: true, ...limits });
  const failure = await looked.catch((error: unknown) => error);
  if (advice === undefined) throw failure;
  return advice;
}
