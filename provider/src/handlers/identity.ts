import { randomBytes } from "node:crypto";
import { XennetError } from "../core/errors";
import { quoted } from "../core/foreign-text";

/** Version of the outputs' shape; states of every earlier version stay readable. */
export const stateVersion = 1;

/** An id: the pool or host something belongs to, and its own UUID or token there. */
export interface Id {
  readonly realm: string;
  readonly own: string;
}

/** `<pool or host UUID>/<UUID or token>`. */
export function renderId(id: Id): string {
  return `${id.realm}/${id.own}`;
}

/** Takes an id apart; `undefined` for a text that is none, such as a bare UUID. */
export function parseId(text: string): Id | undefined {
  const match = /^([0-9a-f-]{36})\/([0-9a-f-]{12,36})$/i.exec(text);
  return match?.[1] && match[2] ? { realm: match[1], own: match[2] } : undefined;
}

/** The own part of an id of this pool or host; an id of another one is an error, never "gone". */
export function ownPartOf(id: string, realm: string, what: "pool" | "host", profile: string): string {
  const parsed = parseId(id);
  if (parsed === undefined) {
    const shown = id.length > 80 ? `${id.slice(0, 60)}…` : id;
    throw new XennetError("ID_MALFORMED", `expected an id of the form <${what} UUID>/<own id>, found "${shown}"`);
  }
  if (parsed.realm !== realm) {
    throw new XennetError(
      "PROFILE_POINTS_ELSEWHERE",
      `the host profile ${quoted(profile)} now points at ${what} ${realm}, but this resource lives on ${what} ${parsed.realm}. ` +
        `Point the profile (or XENNET_HOST) back at the ${what} the resource was made on. If that was installed anew, the ` +
        "resource went with it: take it out of the state (pulumi state delete <URN>), and run up again",
    );
  }
  return parsed.own;
}

/** New with every create, so that a delete meant for an earlier life of the resource does nothing. */
export function newIncarnation(): string {
  return randomBytes(8).toString("hex");
}

/** Names a fragment and marks its rules. */
export function newToken(): string {
  return randomBytes(6).toString("hex");
}
