/** A moment in XAPI's notation, e.g. `20260821T02:00:23Z`. */
export function now(date: Date = new Date()): string {
  return `${date.toISOString().slice(0, 19).replaceAll("-", "")}Z`;
}
