/** What a call answers when it fails: a code and its parameters, as in `ErrorDescription`. */
export class XapiFailure extends Error {
  readonly code: string;
  readonly params: readonly string[];

  constructor(code: string, params: readonly string[] = []) {
    super([code, ...params].join(" "));
    this.name = "XapiFailure";
    this.code = code;
    this.params = params;
  }
}

/** For a value of the wrong kind or an unknown word of an enumeration. */
export function invalidValue(name: string, found: unknown): XapiFailure {
  return new XapiFailure("INVALID_VALUE", [name, typeof found === "string" ? found : JSON.stringify(found)]);
}

/** The `ErrorDescription` of whatever a call threw. What is not a failure of XAPI is a fault of the simulator or its lab. */
export function descriptionOf(error: unknown): readonly string[] {
  if (error instanceof XapiFailure) return [error.code, ...error.params];
  return ["INTERNAL_ERROR", error instanceof Error ? (error.stack ?? error.message) : String(error)];
}
