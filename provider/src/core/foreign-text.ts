const most = 200;

/**
 * Text of a peer that has not proved who it is, or of a library that quotes one, as a message may show it: one line of
 * printable ASCII, so that no terminal takes any of it for a command.
 */
export function oneLine(text: string): string {
  const line = text
    .replace(/\s+/g, " ")
    .replace(/[^ -~]+/g, "?")
    .trim();
  return line.length > most ? `${line.slice(0, most)}…` : line;
}
