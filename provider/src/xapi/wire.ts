import type { IncomingMessage } from "node:http";
import { type Agent, request } from "node:https";
import { type AnswerLimits, AnswerStopped, AnswerTooLarge, usualLimits } from "./xml-limits";
import { decodeAnswer, encodeCall, Fault, type XapiValue } from "./xml-rpc";

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
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** The answer came, but it is not XML-RPC. */
export class MalformedAnswer extends Error {
  /** Undefined when it is not even HTTP. */
  readonly status: number | undefined;

  constructor(status: number | undefined, cause?: unknown) {
    super(status === undefined ? "no HTTP" : `HTTP status ${status}`, { cause });
    this.status = status;
  }
}

/**
 * One XML-RPC request over HTTPS. Rejects with {@link MalformedAnswer}, {@link Fault}, {@link AnswerTooLarge},
 * {@link AnswerStopped}, or with what the connection reports. No redirect is followed, and nothing compressed is asked for.
 */
export async function exchange(
  method: string,
  params: readonly XapiValue[],
  route: Route,
  limits: AnswerLimits = usualLimits,
): Promise<Answer> {
  const response = await send(encodeCall(method, params), route);
  const { statusCode, headers } = response;
  if (statusCode !== 200) {
    response.destroy();
    throw new MalformedAnswer(statusCode);
  }
  try {
    return { value: await decodeAnswer(response, limits), headers };
  } catch (error) {
    throw isItsOwn(error) ? error : new MalformedAnswer(statusCode, error);
  }
}

function send(body: string, { headers, ...to }: Route): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const length = { "content-length": Buffer.byteLength(body) };
    const kinds = { "user-agent": "pulumi-xennet", "content-type": "text/xml", accept: "text/xml" };
    const sent = request({ ...to, method: "POST", path: "/", headers: { ...headers, ...kinds, ...length } });
    sent.once("response", resolve);
    sent.on("error", (error: NodeJS.ErrnoException) => {
      // Node's parser of HTTP: too large a header, or no HTTP at all.
      reject(error.code?.startsWith("HPE_") ? new MalformedAnswer(undefined, error) : error);
    });
    sent.end(body);
  });
}

/** True for what is no complaint of the parser: the connection broke, a limit was met, XML-RPC's own failure. */
function isItsOwn(error: unknown): boolean {
  const isFinding = error instanceof Fault || error instanceof AnswerTooLarge || error instanceof AnswerStopped;
  return isFinding || (error instanceof Error && typeof (error as NodeJS.ErrnoException).code === "string");
}
