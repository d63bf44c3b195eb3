import { onTestFinished } from "vitest";
import { XapiClient, type XapiClientOptions } from "../../../provider/src/xapi/client.ts";
import { failure, type Request, type ScriptedXapi, success } from "./scripted-xapi.ts";

export const password = "correct horse battery staple";

/** A client that pins the server's certificate, closed at the end of the test. */
export function connect(server: ScriptedXapi, options: XapiClientOptions = {}): XapiClient {
  const endpoint = { url: server.url, username: "root", password, fingerprint: server.fingerprint };
  const client = new XapiClient(endpoint, options);
  onTestFinished(() => client.close());
  return client;
}

/** The error a call is expected to end with. */
export async function errorOf(call: Promise<unknown>): Promise<Error> {
  return call.then(
    () => {
      throw new Error("the call was answered");
    },
    (error: Error) => error,
  );
}

/** A host that gives out sessions 1, 2, … and forgets those in `expired`. */
export function sessions(
  answer: (request: Request, session: string) => string | undefined,
  expired = new Set<string>(),
) {
  let issued = 0;
  return (request: Request) => {
    if (request.method === "session.login_with_password") {
      issued += 1;
      return success(`OpaqueRef:session-${issued}`);
    }
    const session = request.texts[0] ?? "";
    if (expired.has(session)) return failure("SESSION_INVALID", session);
    return request.method === "session.logout" ? success("") : answer(request, session);
  };
}
