import { XennetError } from "../core/errors";
import { configCommand, defaultProfile } from "../core/settings";
import type { Forwarder } from "../dom0/host";
import { endpointName, type SshEndpoint, settingName } from "../dom0/ssh-endpoint";
import type { Tunnel } from "../xapi/tunnel";

/** XAPI's way through an SSH connection, whose host key was verified before anything went over it. */
export function tunnelOver(forwarder: Forwarder, ssh: SshEndpoint): Tunnel {
  return {
    name: `the SSH connection to ${endpointName(ssh)}`,
    async dial(host, port, signal) {
      try {
        return await forwarder.forward(host, port, signal);
      } catch (error) {
        throw error instanceof XennetError ? named(error, ssh) : error;
      }
    },
  };
}

/** Whoever reads about SSH has to know that it was XAPI that was wanted. */
function named(error: XennetError, ssh: SshEndpoint): XennetError {
  const instead =
    error.code === "SSH_FORWARDING_REFUSED"
      ? ` Or reach XAPI by HTTPS: run "${configCommand(ssh.profile ?? defaultProfile, "xapiVia", { value: "direct" })}".`
      : "";
  const text = `XAPI is reached through SSH (${settingName(ssh, "xapiVia")}). ${error.message}${instead}`;
  return new XennetError(error.code, text, { facts: error.facts, property: error.property, cause: error });
}
