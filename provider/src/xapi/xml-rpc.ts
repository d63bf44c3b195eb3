import type { Readable } from "node:stream";
import xmlrpc from "xmlrpc";
import Deserializer from "xmlrpc/lib/deserializer";
import { serializeMethodCall } from "xmlrpc/lib/serializer";
import { XapiConnectionError } from "./errors";
import { type AnswerLimits, XmlLimits } from "./xml-limits";

/** What can be sent to XAPI: whole numbers go as XAPI's integers. */
export type XapiValue = string | number | boolean | readonly XapiValue[] | { readonly [key: string]: XapiValue };

/** XML-RPC's own failure: the peer did not get as far as answering the call. */
export class Fault extends Error {
  readonly faultCode: string;

  constructor(text: string, code: string) {
    super(text);
    this.faultCode = code;
  }
}

/** The text of a request. */
export function encodeCall(method: string, params: readonly XapiValue[]): string {
  try {
    return serializeMethodCall(method, params.map(encode));
  } catch (error) {
    // The serializer's message quotes the whole text, which may be the password: it must not become the cause.
    const isText = error instanceof Error && error.message.startsWith("Invalid character");
    throw isText ? unrepresentable(method) : error;
  }
}

/**
 * The value that a stream of XML-RPC holds. Rejects with {@link Fault}, with what `limits` report, with what the stream ends with,
 * or with what the parser does not understand; nothing of the stream is read any more after that.
 */
export function decodeAnswer(stream: Readable, limits: AnswerLimits): Promise<unknown> {
  const limited = new XmlLimits(limits);
  return new Promise<unknown>((resolve, reject) => {
    const end = (error: unknown) => {
      reject(faultIn(error) ?? error);
      limited.destroy();
      stream.destroy();
    };
    stream.once("error", (error) => limited.destroy(error));
    new Deserializer().deserializeMethodResponse(stream.pipe(limited), (error, value) => {
      if (error === null || error === undefined) resolve(value);
      else end(error);
    });
  });
}

function faultIn(error: unknown): Fault | undefined {
  if (!(error instanceof Error) || !error.message.startsWith("XML-RPC fault")) return undefined;
  const { faultCode, faultString } = error as { faultCode?: unknown; faultString?: unknown };
  return new Fault(textOf(faultString), textOf(faultCode));
}

function textOf(value: unknown): string {
  return typeof value === "string" || typeof value === "number" ? String(value) : "";
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

function unrepresentable(method: string): Error {
  return new XapiConnectionError(
    "XAPI_VALUE_UNREPRESENTABLE",
    `${method} was not sent: one of its values holds a character that XML cannot carry (a control character). Remove it.`,
  );
}
