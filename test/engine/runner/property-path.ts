/** A path to a property or a part of one: keys of maps, indices of lists, and `*` for all of a level. */
export type PropertyPath = readonly (string | number)[];

/** Parses a path such as `rules[0].port`, `labels["a.b"]` or `*`; undefined if it is none. */
export function parsePropertyPath(text: string): PropertyPath | undefined {
  const elements: (string | number)[] = [];
  let rest = text;
  while (rest !== "") {
    // A dot separates two elements; before an index the engine puts up with one.
    if (rest.startsWith(".")) {
      if (elements.length === 0 || rest === ".") return undefined;
      rest = rest.slice(1);
    }
    const match = ELEMENT.exec(rest);
    if (match === null) return undefined;
    const { name, quoted, index } = match.groups as { name?: string; quoted?: string; index?: string };
    if (quoted !== undefined) elements.push(quoted.replaceAll('\\"', '"'));
    else if (index !== undefined) elements.push(index === "*" ? index : Number(index));
    else elements.push(name ?? "");
    rest = rest.slice(match[0].length);
  }
  return elements;
}

const ELEMENT = /^(?:\["(?<quoted>(?:\\"|[^"])*)"\]|\[(?<index>\*|[+-]?\d+)\]|(?<name>[^.[]+))/;
