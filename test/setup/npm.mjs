/** How to run npm: the one that runs us, else the one on the PATH. */
export function npmCommand(args) {
  const script = process.env.npm_execpath;
  const isNpm = script !== undefined && /npm-cli\.c?js$/.test(script);
  return isNpm ? { command: process.execPath, args: [script, ...args] } : { command: "npm", args };
}
