/** What a script for `/bin/sh -s` asks of the host program, read from its text. */
export interface ReadScript {
  readonly marker: string;
  readonly wantedVersion: number;
  /** True when the script brings the program along. */
  readonly carries: boolean;
  /** The host which the program may be installed on. */
  readonly host: string | undefined;
  readonly command: string;
  readonly argument: number | undefined;
  readonly input: string;
}

/** Reads the frame that provider/src/dom0/remote-script.ts renders; its tests run the same frame in real shells. */
export function readScript(script: string): ReadScript {
  const marker = match(script, /^echo (xennet-answer-\w+)$/m)[1] ?? "";
  const wantedVersion = Number(match(script, /-ne (\d+) \]; then$/m)[1]);
  const frame = withoutHereDocuments(script);
  const call = match(frame.text, /^"\$program" (\w+)(?: (\d+))? <(?:\/dev\/null|<'(\w+)')$/m);
  const [, command = "", argument, delimiter] = call;
  return {
    marker,
    wantedVersion,
    carries: [...frame.documents.values()].some((text) => text.includes("# xennet program ")),
    host: /^if \[ "\$found" != '([^']+)' \]/m.exec(frame.text)?.[1],
    command,
    argument: argument === undefined ? undefined : Number(argument),
    input: delimiter === undefined ? "" : (frame.documents.get(delimiter) ?? ""),
  };
}

function withoutHereDocuments(script: string): { text: string; documents: Map<string, string> } {
  const documents = new Map<string, string>();
  const text = script.replace(
    /^(.*<<'(\w+)'.*)\n([\s\S]*?)^\2\n/gm,
    (_all, line: string, delimiter: string, body: string) => {
      documents.set(delimiter, body);
      return `${line}\n`;
    },
  );
  return { text, documents };
}

function match(text: string, pattern: RegExp): RegExpExecArray {
  const found = pattern.exec(text);
  if (found === null) throw new Error(`The script has nothing like ${pattern}:\n${text.slice(0, 2000)}`);
  return found;
}
