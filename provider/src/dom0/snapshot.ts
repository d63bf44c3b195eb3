import { quoted } from "../core/foreign-text";
import { LineSource } from "./line-source";

/** What `xennet snapshot` saw of a host, typed. */
export interface HostSnapshot {
  /** INSTALLATION_UUID, which equals the XAPI host's UUID. */
  readonly host: string;
  readonly boot: string;
  /** Version of the installed host program; undefined while there is none. */
  readonly program: number | undefined;
  readonly format: number | undefined;
  /** True while `xennet off` is in force. */
  readonly off: boolean;
  readonly confirmed: number | undefined;
  readonly pending: PendingGeneration | undefined;
  /** Undefined when the host names no management interface. */
  readonly external: ExternalAddress | undefined;
  readonly bridges: readonly BridgeOfNetwork[];
  /** The fragments of the effective generation. */
  readonly fragments: readonly StoredFragment[];
  /** Tokens of stored fragments that cannot be read; they have no effect, and a `remove` drops them. */
  readonly damaged: readonly string[];
  readonly live: readonly TableLine[];
  readonly want: readonly (TableLine & { readonly token: string })[];
  readonly missing: readonly { readonly token: string; readonly what: string }[];
  readonly foreign: readonly TableLine[];
  readonly addresses: readonly { readonly interface: string; readonly address: string }[];
  readonly routes: readonly { readonly destination: string; readonly interface: string }[];
  readonly listens: readonly ListeningSocket[];
  /** Where the SSH connection that took the snapshot comes from, as dom0 sees it; undefined where nothing tells. */
  readonly client: string | undefined;
  /** Kernel settings that bear on ours; one that the host lacks is missing. */
  readonly sysctls: readonly { readonly key: string; readonly value: string }[];
  /** Interfaces that route, or did before a forwarding of ours switched it on: somebody else may rely on it. */
  readonly routed: readonly string[];
  /** What was placed on the host: files, and directories with all they hold. */
  readonly files: readonly string[];
  /** Of a host from which everything was to be removed: what could not be. */
  readonly left: readonly string[];
}

export interface PendingGeneration {
  readonly generation: number;
  readonly secondsLeft: number;
}

export interface ExternalAddress {
  readonly interface: string;
  /** With prefix length; undefined while the interface has none. */
  readonly address: string | undefined;
  readonly assignment: "static" | "dhcp";
}

export interface BridgeOfNetwork {
  readonly network: string;
  /** Undefined while the network has no bridge name yet. */
  readonly name: string | undefined;
  readonly present: boolean;
}

export interface StoredFragment {
  readonly token: string;
  readonly status: "active" | "waiting" | "off";
  /** The fragment as it was put, without the `serial` line which the host added. */
  readonly text: string;
  /** The generation which wrote it. */
  readonly serial: number | undefined;
}

export interface TableLine {
  readonly table: "filter" | "nat" | "mangle";
  readonly line: string;
}

export interface ListeningSocket {
  readonly protocol: "tcp" | "udp";
  readonly address: string;
  readonly port: number;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] extends readonly (infer E)[] ? E[] : T[K] };
type Draft = Mutable<HostSnapshot>;
type Reader = (draft: Draft, rest: string, lines: LineSource) => void;

const HEADER = "xennet-snapshot 1";
const REQUIRED = ["host", "boot", "program", "format", "off", "confirmed", "pending"] as const;
const ONCE = new Set<string>([...REQUIRED, "external", "client"]);

/** Reads the text of a snapshot; a line it does not know, or a missing `end`, is an error. */
export function parseSnapshot(text: string): HostSnapshot {
  const lines = new LineSource(text, "SNAPSHOT_MALFORMED", "The host's snapshot");
  const header = lines.next();
  if (header !== HEADER) throw lines.malformed(`expected "${HEADER}"`);
  const draft = emptyDraft();
  const seen = new Set<string>();
  for (;;) {
    const line = lines.next();
    if (line === undefined) throw lines.malformed('the closing "end" is missing');
    if (line === "end") break;
    readLine(draft, line, lines, seen);
  }
  if (lines.next() !== undefined) throw lines.malformed('there is something after "end"');
  for (const key of REQUIRED) {
    if (!seen.has(key)) throw lines.malformed(`the line ${quoted(key)} is missing`);
  }
  return draft;
}

function readLine(draft: Draft, line: string, lines: LineSource, seen: Set<string>): void {
  const space = line.indexOf(" ");
  const key = space < 0 ? line : line.slice(0, space);
  const reader = READERS.get(key);
  if (reader === undefined || space < 0) throw lines.malformed("unknown line");
  if (ONCE.has(key) && seen.has(key)) throw lines.malformed(`${quoted(key)} twice`);
  seen.add(key);
  reader(draft, line.slice(space + 1), lines);
}

const READERS: ReadonlyMap<string, Reader> = new Map<string, Reader>([
  [
    "host",
    (draft, rest, lines) => {
      draft.host = lines.match(rest, /^([0-9A-Za-z-]+)$/)[0];
    },
  ],
  [
    "boot",
    (draft, rest, lines) => {
      draft.boot = lines.match(rest, /^(\S+)$/)[0];
    },
  ],
  [
    "program",
    (draft, rest, lines) => {
      draft.program = numberOrNone(rest, lines);
    },
  ],
  [
    "format",
    (draft, rest, lines) => {
      draft.format = numberOrNone(rest, lines);
    },
  ],
  [
    "off",
    (draft, rest, lines) => {
      draft.off = lines.match(rest, /^(yes|no)$/)[0] === "yes";
    },
  ],
  [
    "confirmed",
    (draft, rest, lines) => {
      draft.confirmed = numberOrNone(rest, lines);
    },
  ],
  ["pending", readPending],
  ["external", readExternal],
  ["bridge", readBridge],
  ["fragment", readFragment],
  [
    "damaged",
    (draft, rest, lines) => {
      draft.damaged.push(lines.match(rest, /^([0-9a-f]{12})$/)[0]);
    },
  ],
  [
    "live",
    (draft, rest, lines) => {
      draft.live.push(tableLine(rest, lines));
    },
  ],
  ["want", readWant],
  ["missing", readMissing],
  [
    "foreign",
    (draft, rest, lines) => {
      draft.foreign.push(tableLine(rest, lines));
    },
  ],
  ["address", readAddress],
  ["route", readRoute],
  ["listen", readListen],
  [
    "client",
    (draft, rest, lines) => {
      draft.client = lines.match(rest, /^(\S+)$/)[0];
    },
  ],
  [
    "sysctl",
    (draft, rest, lines) => {
      const [key, value] = lines.match(rest, /^(\S+) (\S+)$/);
      draft.sysctls.push({ key, value });
    },
  ],
  [
    "routed",
    (draft, rest, lines) => {
      draft.routed.push(lines.match(rest, /^(\S+)$/)[0]);
    },
  ],
  [
    "file",
    (draft, rest, lines) => {
      draft.files.push(lines.match(rest, /^(\/.+)$/)[0]);
    },
  ],
  [
    "left",
    (draft, rest, lines) => {
      draft.left.push(lines.match(rest, /^(\/.+)$/)[0]);
    },
  ],
]);

function readPending(draft: Draft, rest: string, lines: LineSource): void {
  if (rest === "none") return;
  const [generation, left] = lines.match(rest, /^(\d+) (\d+)$/);
  draft.pending = { generation: Number(generation), secondsLeft: Number(left) };
}

function readExternal(draft: Draft, rest: string, lines: LineSource): void {
  const [name, address, how] = lines.match(rest, /^(\S+) (-|\S+\/\d+) (static|dhcp)$/);
  const assignment = how as ExternalAddress["assignment"];
  if (name !== "-") draft.external = { interface: name, address: address === "-" ? undefined : address, assignment };
}

function readBridge(draft: Draft, rest: string, lines: LineSource): void {
  const [network, name, presence] = lines.match(rest, /^(\S+) (\S+) (present|absent)$/);
  draft.bridges.push({ network, name: name === "-" ? undefined : name, present: presence === "present" });
}

function readFragment(draft: Draft, rest: string, lines: LineSource): void {
  const [token, status] = lines.match(rest, /^([0-9a-f]{12}) (active|waiting|off)$/);
  const kept: string[] = [];
  let serial: number | undefined;
  for (;;) {
    const line = lines.next();
    if (line === undefined) throw lines.malformed(`the fragment ${token} has no "end"`);
    const found = /^serial (\d+)$/.exec(line);
    if (found === null) kept.push(line);
    else serial = Number(found[1]);
    if (line === "end") break;
  }
  const text = `${kept.join("\n")}\n`;
  draft.fragments.push({ token, status: status as StoredFragment["status"], text, serial });
}

function readWant(draft: Draft, rest: string, lines: LineSource): void {
  const [token, of] = lines.match(rest, /^([0-9a-f]{12}) (.+)$/);
  draft.want.push({ token, ...tableLine(of, lines) });
}

function readMissing(draft: Draft, rest: string, lines: LineSource): void {
  const [token, what] = lines.match(rest, /^([0-9a-f]{12}) (.+)$/);
  draft.missing.push({ token, what });
}

function readAddress(draft: Draft, rest: string, lines: LineSource): void {
  const [name, address] = lines.match(rest, /^(\S+) (\S+)$/);
  draft.addresses.push({ interface: name, address });
}

function readRoute(draft: Draft, rest: string, lines: LineSource): void {
  const [destination, name] = lines.match(rest, /^(\S+) (\S+)$/);
  draft.routes.push({ destination, interface: name });
}

function readListen(draft: Draft, rest: string, lines: LineSource): void {
  const [protocol, address, port] = lines.match(rest, /^(tcp|udp) (\S+) (\d+)$/);
  draft.listens.push({ protocol: protocol as ListeningSocket["protocol"], address, port: Number(port) });
}

function tableLine(rest: string, lines: LineSource): TableLine {
  const [table, line] = lines.match(rest, /^(filter|nat|mangle) (.+)$/);
  return { table: table as TableLine["table"], line };
}

function numberOrNone(rest: string, lines: LineSource): number | undefined {
  const [value] = lines.match(rest, /^(\d+|none)$/);
  return value === "none" ? undefined : Number(value);
}

function emptyDraft(): Draft {
  return {
    host: "",
    boot: "",
    program: undefined,
    format: undefined,
    off: false,
    confirmed: undefined,
    pending: undefined,
    external: undefined,
    bridges: [],
    fragments: [],
    damaged: [],
    live: [],
    want: [],
    missing: [],
    foreign: [],
    addresses: [],
    routes: [],
    listens: [],
    client: undefined,
    sysctls: [],
    routed: [],
    files: [],
    left: [],
  };
}
