import type { Host } from "../lab/host.ts";
import { startHost } from "../lab/host.ts";
import type { LabOptions } from "../lab/lab.ts";
import { type CapturedHost, captureHost, compareHosts, isOfNewVif } from "../lab/same-host.ts";
import { run } from "../lab/shell.ts";
import { type Look, look, text } from "./looks/look.ts";
import type { Slot, VmName } from "./stacks/program.ts";
import { SLOTS } from "./stacks/program.ts";
import { Stack } from "./stacks/stack.ts";

/** One host of the long run: a lab, two stacks on it, and what the host was like before anything was declared. */
export class Machine implements AsyncDisposable {
  readonly host: Host;
  readonly stacks = { one: new Stack("one"), two: new Stack("two") };
  readonly baseline: CapturedHost;
  readonly slots: readonly Slot[];
  readonly #bare: Look;

  private constructor(host: Host, options: LabOptions, baseline: CapturedHost, bare: Look) {
    this.host = host;
    this.baseline = baseline;
    this.#bare = bare;
    this.slots = options.profile?.startsWith("xenserver-") === true ? SLOTS.filter((slot) => slot !== "named") : SLOTS;
  }

  static async start(options: LabOptions): Promise<Machine> {
    const host = await startHost(options);
    try {
      return new Machine(host, options, await captureHost(host.lab, host.simulator), await look(host));
    } catch (error) {
      await host.close();
      throw error;
    }
  }

  look(): Promise<Look> {
    return look(this.host);
  }

  /** What a host has where nothing is declared. */
  get bare(): Look {
    return this.#bare;
  }

  /** Runs a script as dom0's administrator; what it says. */
  async console(script: string): Promise<string> {
    const { stdout, stderr } = await this.host.lab.runInDom0(script);
    return `${stdout}${stderr}`.trim();
  }

  /** As the administrator of the machine on which the lab runs. */
  async onLan(script: string): Promise<void> {
    const { status, stderr } = await run([...this.host.lab.enterLan, "sh", "-ec", script]);
    if (status !== 0) throw new Error(`${script}: ${stderr}`);
  }

  /** A call as another client of XAPI makes it. */
  xe<T = unknown>(method: string, ...args: readonly unknown[]): Promise<T> {
    return this.host.simulator.admin.call<T>(method, ...(args as never[]));
  }

  async vm(name: VmName): Promise<string> {
    const found = (await look(this.host)).vms.filter((vm) => text(vm, "name_label") === name);
    return found.find((vm) => vm["is_a_snapshot"] !== true)?.ref ?? "";
  }

  /**
   * What is left of everything that was declared; nothing on the same host. A revert makes VIFs anew, and so do hosts that cannot
   * move one: then it is the same VIF to its VM, and another one to XAPI.
   */
  async leftovers(): Promise<string[]> {
    const now = await captureHost(this.host.lab, this.host.simulator);
    const found = compareHosts(this.baseline, now);
    const problems = found.filter((one) => !isOfNewVif(one));
    const [were, are] = [vifsOf(this.baseline), vifsOf(now)];
    if (JSON.stringify(were) !== JSON.stringify(are)) problems.push(...found.filter(isOfNewVif));
    return problems;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.host.close();
  }
}

/** The VIFs by what their VMs see of them. */
function vifsOf({ xapi }: CapturedHost): string[] {
  const byUuid = new Map<string, string[]>();
  for (const [key, value] of xapi) {
    const [kind, uuid = "", field = ""] = key.split(" ");
    if (kind === "VIF" && field !== "uuid") byUuid.set(uuid, [...(byUuid.get(uuid) ?? []), `${field} ${value}`]);
  }
  return [...byUuid.values()].map((fields) => fields.sort().join("\n")).sort();
}
