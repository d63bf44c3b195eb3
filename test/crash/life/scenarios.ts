import type { Props } from "../../../provider/src/handlers/handler.ts";
import { urnOf } from "../../lab/handlers/host-under-test.ts";
import type { Host } from "../../lab/host.ts";
import type { Declaration, Kind, Made } from "./mini-engine.ts";

/** What is deployed, and what an update makes of it. */
export interface Scenario {
  readonly name: string;
  readonly program: readonly Declaration[];
  /** A port moved, a network renamed, a VIF moved. */
  readonly changed: readonly Declaration[];
  /** A power cut ends guests: it is tried where none runs. */
  readonly survivesPowerCuts: boolean;
  /** What is on the host before anything is declared. */
  prepare(host: Host): Promise<void>;
}

type Of = (name: string) => Made;

const declaration = (kind: Kind, name: string, uses: readonly string[], inputs: (of: Of) => Props): Declaration => ({
  ...{ kind, name, uses },
  inputs: (of) => ({ owner: urnOf(kind, name), ...inputs(of) }),
});

const network = (name: string, given: Props) => declaration("XenNetwork", name, [], () => given);

const vif = (name: string, on: string, given: Props) =>
  declaration("XenVif", name, [on], (of) => ({ network: of(on).id, ...given }));

const forwarding = (name: string, on: string, address: string) =>
  declaration("HostForwarding", name, [on], (of) => ({
    ...{ network: of(on).id, networkLabel: of(on).outs["nameLabel"], address },
  }));

/** What the class of a PortForward hands on from its forwarding. */
const forward = (name: string, by: string, given: Props) =>
  declaration("PortForward", name, [by], (of) => {
    const { network: id, networkLabel, address } = of(by).outs;
    return { forwarding: of(by).id, network: id, networkLabel, forwardingAddress: address, ...given };
  });

/** The recipe: two halted VMs, whose VIFs are taken over. */
function webServerProgram(vary: { label?: string; port?: number; second?: string } = {}): Declaration[] {
  const server = (number: number, on: string) =>
    vif(`server${number}`, on, { vm: `Fedora server ${number}`, onDeviceConflict: "takeOver" });
  return [
    network("internal", { nameLabel: vary.label ?? "Internal network" }),
    network("other", { nameLabel: "Other network" }),
    forwarding("nat", "internal", "192.168.100.1/24"),
    server(1, "internal"),
    server(2, vary.second ?? "internal"),
    forward("http", "nat", { externalPort: 80, target: "192.168.100.11", targetPort: 80 }),
    forward("alternate", "nat", { externalPort: vary.port ?? 8080, target: "192.168.100.12", targetPort: 80 }),
  ];
}

/** Three networks, five VIFs on running VMs, three forwardings, five forwards. */
function networksProgram(vary: { label?: string; port?: number; moved?: string } = {}): Declaration[] {
  const server = (number: number, device: string, on: string, index = "abc".indexOf(on)) =>
    vif(`vif${number}${device}`, on, {
      ...{ vm: `Fedora server ${number}`, device },
      ipv4: { address: `10.20.${index}.1${number}/24` },
    });
  const port = (externalPort: number, by: string, target: string, name = `p${externalPort}`) =>
    forward(name, by, { externalPort, target, targetPort: 80 });
  return [
    network("a", { nameLabel: vary.label ?? "Network a" }),
    network("b", { nameLabel: "Network b", mtu: 9000 }),
    network("c", { nameLabel: "Network c", bridge: "shopbr" }),
    ...[..."abc"].map((on, index) => forwarding(`nat-${on}`, on, `10.20.${index}.1/24`)),
    server(1, "1", "a"),
    server(1, "2", "b"),
    server(1, "3", vary.moved ?? "c", 2),
    server(2, "1", "a"),
    server(2, "2", "b"),
    port(8001, "nat-a", "10.20.0.11"),
    port(vary.port ?? 8002, "nat-a", "10.20.0.12", "p8002"),
    port(8003, "nat-b", "10.20.1.11"),
    port(8004, "nat-b", "10.20.1.12"),
    port(8005, "nat-c", "10.20.2.11"),
  ];
}

export const twoWebServers: Scenario = {
  name: "two web servers",
  program: webServerProgram(),
  changed: webServerProgram({ label: "Renamed network", port: 8081, second: "other" }),
  survivesPowerCuts: true,
  prepare: async () => {},
};

export const threeNetworks: Scenario = {
  name: "three networks",
  program: networksProgram(),
  changed: networksProgram({ label: "Renamed network", port: 8012, moved: "a" }),
  survivesPowerCuts: false,
  prepare: async ({ simulator: { admin } }) => {
    for (const number of [1, 2]) {
      const [vm = ""] = await admin.call<string[]>("VM.get_by_name_label", `Fedora server ${number}`);
      await admin.call("VM.start", vm, false, false);
    }
  },
};
