import { expect } from "vitest";
import { hostForwardingHandler } from "../../provider/src/handlers/forwarding/host-forwarding.ts";
import { portForwardHandler } from "../../provider/src/handlers/forwarding/port-forward.ts";
import type { Handler, Props } from "../../provider/src/handlers/handler.ts";
import { xenNetworkHandler } from "../../provider/src/handlers/network/xen-network.ts";
import { DOM0_ADDRESS } from "./dom0.ts";
import { provider, urnOf } from "./handlers/host-under-test.ts";
import { type Host, startHost } from "./host.ts";
import { newToken, portForward, put, transaction } from "./host-program/declarations.ts";
import type { LabOptions } from "./lab.ts";
import { expectRecovery } from "./recovery.ts";
import { captureHost, compareHosts } from "./same-host.ts";

/** A host on which the provider has declared a forwarding and one forward: port 8080 of dom0 is answered by a guest. */
export interface ForwardedHost extends AsyncDisposable {
  readonly host: Host;
  /** Where the LAN's client asks. */
  externalAddress: string;
  /** Name of the internal bridge. */
  readonly bridge: string;
  /** `guest`, or what a request of the LAN's client met instead. */
  ask(): Promise<string>;
  /** Milliseconds from the end of `event` to the first good answer, printed; more than `limitMs` is an error. */
  recovery(title: string, limitMs: number, event: () => Promise<unknown>): Promise<number>;
  /** Runs a script in dom0; it must succeed. */
  onDom0(script: string): Promise<string>;
  startGuest(): Promise<void>;
  /** The bridge vanishes with its last port. */
  stopGuest(): Promise<void>;
  /** A change of the host that nobody confirms; answers the token by which its rules are known. */
  changeUnconfirmed(): Promise<string>;
  /** Takes everything declared away; answers what is not as it was. */
  destroy(): Promise<string[]>;
}

const GUEST = "Fedora server 1";

/** What tells why a forward does not answer. */
const LOOK =
  "exec 2>&1; date; uptime; xennet status; ip addr; ip neigh; iptables-save -c; ps -eo pid,stat,etimes,args; tail -n 30 /var/log/udev.log";

/** Starts a host, declares, and starts the guest. `before` runs before anything is declared. */
export async function startForwardedHost(
  options: LabOptions = {},
  before: (host: Host) => Promise<unknown> = async () => {},
): Promise<ForwardedHost> {
  const host = await startHost(options);
  try {
    await before(host);
    return await declareOn(host);
  } catch (error) {
    await host.close();
    throw error;
  }
}

async function declareOn(host: Host): Promise<ForwardedHost> {
  const { lab, simulator } = host;
  const bare = await captureHost(lab, simulator);
  const made = await declare(host);
  const records = await simulator.admin.call<Record<string, VmRecord>>("VM.get_all_records");
  const vm = Object.entries(records).find(([, { name_label }]) => name_label === GUEST);
  if (vm === undefined) throw new Error(`the simulator has no VM ${GUEST}`);
  const [ref, { VIFs }] = vm;
  const vif = VIFs[0] ?? "";
  const homeNetwork = await simulator.admin.call<string>("VIF.get_network", vif);
  // Halted, and not by VIF.move, which old hosts lack: the VIF must be the same one again in the end.
  simulator.admin.modify("VIF", vif, { network: await networkRef(host, made.network) });
  await lab.setGuestAddress(GUEST, "192.168.100.11/24", "192.168.100.1");

  const ask = async () => {
    const answer = await lab.clientGet(`http://${forwarded.externalAddress}:8080/`, 300);
    if (answer.kind !== "answered") return answer.kind;
    return JSON.parse(answer.body).vm === GUEST ? "guest" : answer.body;
  };
  const startGuest = async () => {
    await simulator.admin.call("VM.start", ref, false, false);
  };
  const stopGuest = async () => {
    await simulator.admin.call("VM.hard_shutdown", ref);
  };
  await startGuest();
  const forwarded: ForwardedHost = {
    host,
    externalAddress: DOM0_ADDRESS,
    bridge: await simulator.admin.call<string>("network.get_bridge", await networkRef(host, made.network)),
    ask,
    recovery: async (title, limitMs, event) => {
      await event();
      const describe = async () => (await lab.runInDom0(LOOK)).stdout;
      return expectRecovery({ title, limitMs, ask, describe });
    },
    onDom0: async (script) => {
      const { status, stdout, stderr } = await lab.runInDom0(`set -e\n${script}`);
      expect({ status, stderr }, script).toEqual({ status: 0, stderr: "" });
      return stdout;
    },
    startGuest,
    stopGuest,
    changeUnconfirmed: async () => {
      const token = newToken();
      const fragment = portForward({ network: made.network.split("/")[1] ?? "" }, token, 8443);
      const text = transaction(lab, [put(token, fragment)], 600);
      expect(await forwarded.onDom0(`xennet transact <<'END'\n${text}END`)).toMatch(/^pending \d+ \d+$/m);
      expect(await forwarded.onDom0("iptables-save")).toContain(token);
      return token;
    },
    destroy: async () => {
      await stopGuest();
      simulator.admin.modify("VIF", vif, { network: homeNetwork });
      await made.destroy();
      return compareHosts(bare, await captureHost(lab, simulator));
    },
    [Symbol.asyncDispose]: () => host.close(),
  };
  await forwarded.recovery("the first VM started", 65_000, async () => {});
  return forwarded;
}

interface VmRecord {
  readonly name_label: string;
  readonly VIFs: readonly string[];
}

const networkRef = async ({ simulator }: Host, id: string) =>
  simulator.admin.call<string>("network.get_by_uuid", id.split("/")[1] ?? "");

/** Network, forwarding and forward, as `pulumi up` makes them; destroyed by processes of their own, as `pulumi destroy` does. */
async function declare(host: Host) {
  await using run = provider(host);
  const context = run.process();
  const undo: Array<() => Promise<void>> = [];
  const create = async (handler: Handler, given: Props) => {
    const { inputs, failures } = await handler.check(context, {}, given);
    expect(failures).toEqual([]);
    const { id, outs } = await handler.create(context, inputs);
    undo.unshift(async () => {
      await using later = provider(host);
      await handler.delete(later.process(), id, outs);
    });
    return id;
  };
  const network = await create(xenNetworkHandler, { owner: urnOf("XenNetwork", "net"), nameLabel: "Internal" });
  const forwarding = await create(hostForwardingHandler, {
    network,
    owner: urnOf("HostForwarding", "nat"),
    address: "192.168.100.1/24",
  });
  await create(portForwardHandler, {
    ...{ network, owner: urnOf("PortForward", "web"), forwarding, forwardingAddress: "192.168.100.1/24" },
    ...{ externalPort: 8080, target: "192.168.100.11" },
  });
  return {
    network,
    destroy: async () => {
      for (const step of undo) await step();
    },
  };
}
