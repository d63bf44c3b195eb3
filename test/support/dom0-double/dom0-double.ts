import { HOST_UUID } from "./fragment.ts";
import { readScript } from "./script-reader.ts";
import { type ExecAnswer, type SshServerOptions, TestSshServer } from "./ssh-server.ts";
import { XennetDouble } from "./xennet-double.ts";

/** What happens around one command of the host program. */
export interface Faults {
  /** Asked before each command runs: `before` drops the connection without running it, `after` once it ran. */
  drop?: (command: string, count: number) => "before" | "after" | undefined;
  /** Answers in the place of the host program; undefined lets that one answer. */
  answer?: (command: string, count: number) => ExecAnswer | undefined;
  /** Changes what the host program answers. */
  rewrite?: (command: string, stdout: string) => string;
  /** Awaited before each command runs. */
  delay?: (command: string) => Promise<void>;
}

/** A dom0 to talk to over real SSH, with the host program's contract behind it. */
export class Dom0Double {
  readonly ssh: TestSshServer;
  readonly xennet: XennetDouble;
  readonly faults: Faults;
  /** Commands of the host program, in order. */
  readonly calls: string[];

  private constructor(ssh: TestSshServer, xennet: XennetDouble, faults: Faults, calls: string[]) {
    this.ssh = ssh;
    this.xennet = xennet;
    this.faults = faults;
    this.calls = calls;
  }

  static async start(
    options: { installed?: number; now?: () => number; onForward?: SshServerOptions["onForward"] } = {},
  ): Promise<Dom0Double> {
    const { onForward, ...program } = options;
    const xennet = new XennetDouble(HOST_UUID, program);
    const faults: Faults = {};
    const calls: string[] = [];
    const onExec = (command: string, stdin: string) => answer(xennet, faults, calls, command, stdin);
    return new Dom0Double(
      await TestSshServer.start({ onExec, ...(onForward === undefined ? {} : { onForward }) }),
      xennet,
      faults,
      calls,
    );
  }

  count(command: string): number {
    return this.calls.filter((call) => call === command).length;
  }

  async stop(): Promise<void> {
    await this.ssh.stop();
  }
}

async function answer(
  xennet: XennetDouble,
  faults: Faults,
  calls: string[],
  command: string,
  stdin: string,
): Promise<ExecAnswer | undefined> {
  if (command !== "/bin/sh -s") return { stdout: "", stderr: `unexpected command: ${command}`, code: 127 };
  const script = readScript(stdin);
  calls.push(script.command);
  await faults.delay?.(script.command);
  const count = calls.filter((call) => call === script.command).length;
  const drop = faults.drop?.(script.command, count);
  if (drop === "before") return undefined;
  const result = faults.answer?.(script.command, count) ?? runScript(xennet, script);
  if (drop === "after") return undefined;
  const stdout = faults.rewrite?.(script.command, result.stdout) ?? result.stdout;
  return { ...result, stdout: `Welcome\n${script.marker}\n${stdout}` };
}

function runScript(xennet: XennetDouble, script: ReturnType<typeof readScript>): { stdout: string; code: number } {
  const installed = xennet.installed ?? 0;
  if (installed > script.wantedVersion) return { stdout: `error PROGRAM_NEWER ${installed}\n`, code: 65 };
  if (installed !== script.wantedVersion) {
    if (!script.carries) return { stdout: `error PROGRAM_ABSENT ${xennet.installed ?? "none"}\n`, code: 65 };
    if (script.command === "transact") {
      if (script.host !== xennet.host) return { stdout: `error HOST_MISMATCH ${xennet.host}\n`, code: 65 };
      xennet.installed = script.wantedVersion;
    }
  }
  return xennet.run(script.command, script.argument, script.input);
}
