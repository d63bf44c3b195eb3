export function npmCommand(args: readonly string[]): { readonly command: string; readonly args: string[] };
