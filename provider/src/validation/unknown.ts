/**
 * What the engine puts in the place of a value that is not known yet, in a preview and in the `diff` of a real update
 * (`runtime/rpc.unknownValue` of the Pulumi Node.js SDK; part of its wire protocol).
 */
export const unknownValue = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** Another provider may have put the mark into a word of its own, such as `<mark>/24`. */
const wordAroundMark = /^[\w./:-]*$/;

/**
 * True when the value is, or contains, a value that is not known yet; such values pass validation. A text of several words
 * that has the mark in it is checked like any other: it may hold whatever a check is there to refuse.
 */
export function isUnknown(value: unknown): boolean {
  if (typeof value === "string") return value.includes(unknownValue) && wordAroundMark.test(value);
  if (Array.isArray(value)) return value.some(isUnknown);
  if (value !== null && typeof value === "object") return Object.values(value).some(isUnknown);
  return false;
}
