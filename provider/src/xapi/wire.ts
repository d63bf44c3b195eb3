import type { Agent } from "node:https";
import xmlrpc from "xmlrpc";
import { XapiConnectionError } from "./errors";

/** What can be sent to XAPI: whole numbers go as XAPI's integers. */
export type XapiValue = string | number | boolean | readonly XapiValue[] | { readonly [key: string]: XapiValue };

/** Where and over what a request goes. */
export interface Route {
  readonly host: string;
  readonly port: number;
  readonly agent: Agent;
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

/** What came back: the decoded answer, and the headers in lower case. */
export interface Answer {
  readonly value: unknown;
  readonly headers: Readonly<Record<string, string>>;
}

/** The answer came, but it is not XML-RPC. */
export class MalformedAnswer extends Error {
  readonly status: number;

  constructor(status: number, cause: unknown) {
    super(`HTTP status ${status}`, { cause });
    this.status = status;
  }
}

/** One XML-RPC request over HTTPS. Rejects with {@link MalformedAnswer} or with what the connection reports. */
export function exchange(method: string, params: readonly XapiValue[], route: Route): Promise<Answer> {
  const encoded = params.map(encode);
  return new Promise((resolve, reject) => {
    // The package hands its options to https.request as they are, so agent and signal get there too.
    const options = { ...route, headers: { ...route.headers }, path: "/" };
    const client = xmlrpc.createSecureClient(options);
    let headers: Record<string, string> = {};
    client.headersProcessors.processors.push({
      composeRequest: () => {},
      parseResponse: (received) => {
        headers = received;
      },
    });
    try {
      client.methodCall(method, encoded, (error, value) => {
        if (error) reject(toError(error));
        else resolve({ value, headers });
      });
    } catch (error) {
      // The serializer's message quotes the whole text, which may be the password: it must not become the cause.
      const isText = error instanceof Error && error.message.startsWith("Invalid character");
      reject(isText ? unrepresentable(method) : error);
    }
  });
}

/**
 * XAPI's integers are bare digits. Strings bypass the package's own encoding, which puts anything with `<` or `&` into
 * CDATA, where a carriage return is lost and a second `]]>` breaks the document.
 */
function encode(value: XapiValue): unknown {
  if (typeof value === "string") return new Text(value);
  if (typeof value === "number") return Number.isInteger(value) ? new Text(String(value)) : value;
  if (typeof value === "boolean") return value;
  if (isList(value)) return value.map(encode);
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, encode(member)]));
}

function isList(value: XapiValue): value is readonly XapiValue[] {
  return Array.isArray(value);
}

interface XmlElement {
  ele(name: string): XmlElement;
  txt(text: string): XmlElement;
}

class Text extends xmlrpc.CustomType {
  override serialize(xml: XmlElement): XmlElement {
    const element = xml.ele("string");
    return this.raw === "" ? element : element.txt(this.raw);
  }
}

function toError(error: object): Error {
  const status = (error as { res?: { statusCode?: number; complete?: boolean } }).res;
  if (status?.statusCode !== undefined && (error as { code?: unknown }).code === undefined) {
    return new MalformedAnswer(status.statusCode, error);
  }
  return error as Error;
}

function unrepresentable(method: string): Error {
  return new XapiConnectionError(
    "XAPI_VALUE_UNREPRESENTABLE",
    `${method} was not sent: one of its values holds a character that XML cannot carry (a control character). Remove it.`,
  );
}
