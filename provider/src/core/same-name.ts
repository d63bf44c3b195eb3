/**
 * True when both name the same thing: what is not known, or not there, is not the same as another thing that is not known. To
 * compare optional values, absent ones too, there is `equal`.
 */
export function sameName(a: unknown, b: unknown): boolean {
  return a !== undefined && a !== "" && a === b;
}
