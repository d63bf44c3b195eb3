import { quoted } from "../core/foreign-text";
import { XapiConnectionError } from "./errors";
import { certificatesIn, normalizeFingerprint, type Trust } from "./trust";
import { isLoopback, type Tunnel } from "./tunnel";

/** Where a host's XAPI is and how to log in there. */
export interface XapiEndpoint {
  /** `https://<host>[:port]`. */
  readonly url: string;
  readonly username: string;
  readonly password: string;
  /** SHA-256 of the host's certificate: hex, with or without colons, in any case. Decides alone when given. */
  readonly fingerprint?: string | undefined;
  /** PEM: the certificate authority, or the host's own certificate. */
  readonly ca?: string | undefined;
  /** True to speak TLS 1.0 with the old suites where nothing better is offered; only with a pin, or to a tunnel's own loopback. */
  readonly allowLegacyCrypto?: boolean | undefined;
  /** Profile the settings come from, named in error messages. `default` unless given. */
  readonly profile?: string | undefined;
  /** Way to the host; the URL is then as seen from the tunnel's far end. A TCP connection of this process unless given. */
  readonly tunnel?: Tunnel | undefined;
}

/** Host and port of a URL as sockets take them: an IPv6 address without its brackets. */
export function addressOf(url: string): { host: string; port: number } {
  const { hostname, port } = new URL(url);
  return { host: hostname.replace(/^\[(.*)\]$/, "$1"), port: port === "" ? 443 : Number(port) };
}

/** What decides about the endpoint's certificate; throws XAPI_ENDPOINT_INVALID when address, pin or authority is malformed. */
export function trustOf(endpoint: XapiEndpoint): Trust {
  if (!URL.canParse(endpoint.url) || new URL(endpoint.url).protocol !== "https:") {
    throw invalid("the address is not an https URL; over anything else the password would be sent in clear");
  }
  const pin = endpoint.fingerprint;
  const fingerprint = pin === undefined ? undefined : normalizeFingerprint(pin);
  if (pin !== undefined && fingerprint === undefined) throw invalid(`${quoted(pin)} is not a SHA-256 fingerprint`);
  if (endpoint.ca !== undefined && !holdsCertificates(endpoint.ca))
    throw invalid("the authority is not a PEM certificate");
  const vouched = endpoint.tunnel !== undefined && isLoopback(addressOf(endpoint.url).host);
  return { fingerprint, ca: endpoint.ca, vouched, allowLegacy: endpoint.allowLegacyCrypto };
}

function holdsCertificates(pem: string): boolean {
  try {
    return certificatesIn(pem).length > 0;
  } catch {
    return false;
  }
}

function invalid(reason: string): XapiConnectionError {
  return new XapiConnectionError("XAPI_ENDPOINT_INVALID", `XAPI cannot be called: ${reason}.`);
}
