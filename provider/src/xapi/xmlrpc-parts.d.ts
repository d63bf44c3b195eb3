// The two halves of the package that work on texts and streams; its client reads answers of any size, twice.
declare module "xmlrpc/lib/serializer" {
  export function serializeMethodCall(method: string, params: readonly unknown[]): string;
}

declare module "xmlrpc/lib/deserializer" {
  import type { Readable } from "node:stream";

  class Deserializer {
    deserializeMethodResponse(stream: Readable, callback: (error: unknown, value?: unknown) => void): void;
  }
  export = Deserializer;
}
