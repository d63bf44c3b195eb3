import { spawn } from "node:child_process";

/** What a command answered. */
export interface CommandResult {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** PATH of everything the lab runs. */
export const SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

const DEADLINE_MS = 120_000;

interface RunOptions {
  /** Text for its stdin. */
  readonly input?: string;
  readonly deadlineMs?: number;
  readonly searchPath?: string;
}

/** Runs a command in a bare environment; a deadline that passes is an error. */
export function run(argv: readonly string[], options: RunOptions = {}): Promise<CommandResult> {
  const { input = "", deadlineMs = DEADLINE_MS, searchPath = SYSTEM_PATH } = options;
  const [program = "", ...args] = argv;
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: "pipe", env: { PATH: searchPath, HOME: "/root" } });
    const deadline = setTimeout(() => {
      child.kill("SIGKILL");
      reject(
        new Error(`${program} did not end within ${deadlineMs / 1000} s; it was given: ${input || args.join(" ")}`),
      );
    }, deadlineMs);
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
    });
    // A command may end without reading its input.
    child.stdin.on("error", () => {});
    child.on("error", (error) => {
      clearTimeout(deadline);
      reject(error);
    });
    child.on("close", (code, signal) => {
      clearTimeout(deadline);
      resolve({ status: code ?? 128, stdout, stderr: signal === null ? stderr : `${stderr}ended by ${signal}\n` });
    });
    child.stdin.end(input);
  });
}

/** Runs a bash script behind the prefix of some namespaces; an exit status other than 0 is an error. */
export async function runScript(enter: readonly string[], script: string): Promise<string> {
  const { status, stdout, stderr } = await run([...enter, "bash", "--norc", "-es"], { input: script });
  if (status !== 0) throw new Error(`Lab command ended with status ${status}: ${stderr.trim()}\n${script.trim()}`);
  return stdout;
}
