import type { Host } from "../lab/host.ts";
import { startHost } from "../lab/host.ts";
import type { LabOptions } from "../lab/lab.ts";
import { type CapturedHost, captureHost, compareHosts, isOfNewVif } from "../lab/same-host.ts";
import { run } from "../lab/shell.ts";
import { OLD_NETWORK } from "./looks/declared.ts";
import { type Look, look, lookAfter, text } from "./looks/look.ts";
import { existingLabel, PLACES, SLOTS, type Slot, STACKS, type VmName } from "./stacks/program.ts";
import { HANDLERS, type Handlers } from "./stacks/provider-process.ts";
import { Stack } from "./stacks/stack.ts";

const HEAL = "[ ! -x /usr/local/sbin/xennet ] || xennet apply || { sleep 0.3; xennet apply; } || echo failed: $?";

export interface MachineOptions extends LabOptions {
  /** Others than the provider's, to see that what they do wrong is found. */
  readonly handlers?: Handlers | undefined;
}

/** One host of the long run: a lab, two stacks on it, and what the host was like before anything was declared. */
export class Machine implements AsyncDisposable {
  readonly host: Host;
  readonly stacks = { one: new Stack("one"), two: new Stack("two") };
  readonly baseline: CapturedHost;
  readonly slots: readonly Slot[];
  /** Whether XAPI can put a VIF on another network. */
  readonly canMoveVifs: boolean;
  readonly handlers: Handlers;
  readonly #bare: Look;

  private constructor(host: Host, options: MachineOptions, baseline: CapturedHost, bare: Look) {
    this.host = host;
    this.handlers = options.handlers ?? HANDLERS;
    this.baseline = baseline;
    this.#bare = bare;
    const isOld = options.profile?.startsWith("xenserver-") === true;
    this.canMoveVifs = !isOld;
    this.slots = isOld ? SLOTS.filter((slot) => slot !== "named") : SLOTS;
  }

  static async start(options: MachineOptions): Promise<Machine> {
    const host = await startHost(options);
    try {
      await makeOldNetworks(host);
      return new Machine(host, options, await captureHost(host.lab, host.simulator), await look(host));
    } catch (error) {
      await host.close();
      throw error;
    }
  }

  look(): Promise<Look> {
    return look(this.host);
  }

  /** As the host does by itself within a minute; what it is like then. */
  async heal(): Promise<Look> {
    const now = await lookAfter(this.host, HEAL);
    if (/failed: /.test(now.said)) throw new Error(`xennet apply: ${now.said}`);
    return now;
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
  async #onLan(script: string): Promise<void> {
    const { status, stderr } = await run([...this.host.lab.enterLan, "sh", "-ec", script]);
    if (status !== 0) throw new Error(`${script}: ${stderr}`);
  }

  /** A call as another client of XAPI makes it. */
  xe<T = unknown>(method: string, ...args: readonly unknown[]): Promise<T> {
    return this.host.simulator.admin.call<T>(method, ...(args as never[]));
  }

  /** Leaves so many KiB of the disk. */
  async fillDisk(left: number): Promise<void> {
    await this.#onLan(`mount -o remount,size=$(($(df --output=used /run | tail -n 1) + ${left}))k /run`);
  }

  async freeDisk(): Promise<void> {
    await this.#onLan("mount -o remount,size=50% /run");
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
    const found = compareHosts(this.baseline, now).filter((one) => !isOfLastPlug(one));
    const problems = found.filter((one) => !isOfNewVif(one));
    const [were, are] = [vifsOf(this.baseline), vifsOf(now)];
    if (JSON.stringify(were) !== JSON.stringify(are)) problems.push(...found.filter(isOfNewVif));
    return problems;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.host.close();
  }
}

/** XAPI writes down the MTU that a VIF's device had when it was plugged, and nobody can write another one. */
const isOfLastPlug = (difference: string): boolean => /^XAPI VIF \S+ MTU /.test(difference);

/** For each stack a network that somebody made long ago, and a VIF on it that a VM has had since. */
async function makeOldNetworks(host: Host): Promise<void> {
  const { vms } = await look(host);
  for (const stack of STACKS) {
    const network = await host.simulator.admin.call<string>("network.create", {
      ...{ name_label: existingLabel(stack), name_description: "made by hand", MTU: 1500, other_config: OLD_NETWORK },
    });
    const place = PLACES[stack].find(({ existing }) => existing === "adopt");
    const vm = vms.find((one) => text(one, "name_label") === place?.vm)?.ref ?? "";
    await host.simulator.admin.call("VIF.create", {
      ...{ device: place?.device ?? "", network, VM: vm, MAC: "", MTU: 1500, other_config: { theirs: "kept" } },
      ...{ qos_algorithm_type: "", qos_algorithm_params: {} },
    });
  }
}

/** The VIFs by what their VMs see of them. */
function vifsOf({ xapi }: CapturedHost): string[] {
  const byUuid = new Map<string, string[]>();
  for (const [key, value] of xapi) {
    const [kind, uuid = "", field = ""] = key.split(" ");
    if (kind === "VIF" && field !== "uuid" && field !== "MTU")
      byUuid.set(uuid, [...(byUuid.get(uuid) ?? []), `${field} ${value}`]);
  }
  return [...byUuid.values()].map((fields) => fields.sort().join("\n")).sort();
}
