// The package brings no types; these are the parts that the tests use.
declare module "xen-api" {
  export interface XapiRecord {
    readonly $ref: string;
    readonly $id: string;
    readonly $type: string;
    readonly uuid: string;
    readonly [field: string]: unknown;
  }

  export interface XapiOptions {
    readonly url: string;
    readonly auth: { readonly user: string; readonly password: string };
    readonly allowUnauthorized?: boolean;
    readonly transport?: "auto" | "json-rpc" | "xml-rpc";
    readonly watchEvents?: boolean | readonly string[];
    /** Milliseconds between two looks at the events. */
    readonly debounce?: number;
    /** Milliseconds until it looks at the events again after it could not; a minute by default. */
    readonly eventPollDelay?: number;
  }

  export interface Xapi {
    readonly status: "connected" | "connecting" | "disconnected";
    readonly pool: XapiRecord;
    readonly sessionId: string;
    readonly objectsFetched: Promise<void>;
    readonly objects: { readonly all: Readonly<Record<string, XapiRecord>> };
    connect(): Promise<void>;
    disconnect(): Promise<void>;
    call<T = unknown>(method: string, ...params: unknown[]): Promise<T>;
    callAsync<T = unknown>(method: string, ...params: unknown[]): Promise<T>;
    barrier(ref?: string): Promise<XapiRecord>;
    getObjectByRef(ref: string, otherwise?: unknown): XapiRecord;
    getObjectByUuid(uuid: string): XapiRecord;
    setFieldEntry(type: string, ref: string, field: string, key: string, value: string | null): Promise<void>;
  }

  export function createClient(options: XapiOptions): Xapi;
}
