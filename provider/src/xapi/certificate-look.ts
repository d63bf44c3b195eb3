import { connect } from "node:tls";
import { withDeadline } from "../core/deadline";
import { configuredPeer, unreachable } from "./connection-errors";
import { addressOf, type XapiEndpoint } from "./endpoint";
import { legacyTls } from "./legacy-tls";
import { fingerprintShown } from "./trust";
import { discard, handshake, serverName, timedOut } from "./verified-agent";

/**
 * Fingerprint of the certificate that a host shows, by a handshake in which old TLS will do. Nothing is sent over it, so that
 * whoever answers learns nothing. Not for an endpoint behind a tunnel.
 */
export async function lookAtCertificate(endpoint: XapiEndpoint, timeoutMs: number): Promise<string> {
  const { host, port } = addressOf(endpoint.url);
  const fail = (cause: Error) => unreachable(configuredPeer(endpoint), cause);
  const late = () => fail(timedOut(timeoutMs));
  return withDeadline(timeoutMs, late, async (signal) => {
    const socket = connect({ host, port, rejectUnauthorized: false, ...serverName(host), ...legacyTls });
    try {
      await handshake(socket, signal);
      return fingerprintShown(socket);
    } catch (cause) {
      throw fail(cause as Error);
    } finally {
      discard(socket);
    }
  });
}
