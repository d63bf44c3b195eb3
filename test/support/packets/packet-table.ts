/** Who asks whom, and what comes of it; the same for the traced rules and for real requests. */
export interface PacketRow {
  readonly from: "client" | "vm1" | "vm2" | "dom0";
  /** `address:port`. */
  readonly to: string;
  /** `<who>:<port> sees <peer>`; refused: told at once; dropped: no answer. */
  readonly fate: string;
}

/** Inputs of one forwarding and of its forwards, and the packets that tell what they do. */
export interface PacketScenario {
  readonly title: string;
  readonly forwarding: Readonly<Record<string, unknown>>;
  readonly forwards: ReadonlyArray<Readonly<Record<string, unknown>>>;
  readonly packets: readonly PacketRow[];
}

/** The lab's addresses: the client is 192.168.1.50, a server outside .60:8000, dom0 .10; the guests serve 80 and 8080. */
export const names: Readonly<Record<string, string>> = {
  client: "192.168.1.50",
  outside: "192.168.1.60",
  dom0: "192.168.1.10",
  vm1: "192.168.100.11",
  vm2: "192.168.100.12",
};

const vm1 = names["vm1"];
const vm2 = names["vm2"];

const row = (from: PacketRow["from"], to: string, fate: string): PacketRow => ({ from, to, fate });

export const scenarios: readonly PacketScenario[] = [
  {
    title: "forwards of every kind",
    forwarding: {},
    forwards: [
      { externalPort: 80, target: vm1 },
      { externalPort: 8080, target: vm2, targetPort: 80, hairpin: true },
      { externalPort: "9079-9080", target: vm1, targetPort: 8079 },
      { externalPort: "7999-8000", target: vm2, targetPort: "79-80" },
      { externalPort: 8081, target: vm1, targetPort: 8080, sources: ["192.168.1.0/26"] },
      { externalPort: 8082, target: vm1, targetPort: 8080, sources: ["192.168.1.60"] },
      { externalPort: 8083, target: vm1, targetPort: 8080, notSources: ["192.168.1.48/28"] },
      { externalPort: 8084, target: vm1, targetPort: 8080, notSources: ["192.168.1.60"] },
      { externalPort: 8085, target: vm1, targetPort: 8080, enabled: false },
    ],
    packets: [
      row("client", "192.168.1.10:80", "vm1:80 sees 192.168.1.50"),
      row("client", "192.168.1.10:8080", "vm2:80 sees 192.168.1.50"),
      row("client", "192.168.1.10:9080", "vm1:8080 sees 192.168.1.50"),
      row("client", "192.168.1.10:8000", "vm2:80 sees 192.168.1.50"),
      row("client", "192.168.1.10:8081", "vm1:8080 sees 192.168.1.50"),
      row("client", "192.168.1.10:8082", "refused"),
      row("client", "192.168.1.10:8083", "refused"),
      row("client", "192.168.1.10:8084", "vm1:8080 sees 192.168.1.50"),
      row("client", "192.168.1.10:8085", "refused"),
      row("client", "192.168.1.10:8086", "refused"),
      row("client", "192.168.100.11:80", "dropped"),
      row("client", "192.168.100.12:80", "dropped"),
      row("vm1", "192.168.1.60:8000", "outside:8000 sees 192.168.1.10"),
      row("vm1", "192.168.1.10:8080", "vm2:80 sees 192.168.100.1"),
      row("vm2", "192.168.1.10:8080", "vm2:80 sees 192.168.100.1"),
      row("vm1", "192.168.1.10:80", "dropped"),
      row("vm1", "192.168.1.10:443", "dropped"),
      row("vm1", "192.168.100.1:22", "dropped"),
      row("vm1", "192.168.100.12:8080", "vm2:8080 sees 192.168.100.11"),
      row("dom0", "192.168.1.10:8080", "vm2:80 sees 192.168.1.10"),
      row("dom0", "192.168.100.12:80", "vm2:80 sees 192.168.100.1"),
    ],
  },
  {
    title: "a way out to some networks only, and dom0's web port for guests",
    forwarding: { outbound: ["192.168.1.60"], guestAccessToHost: [{ protocol: "tcp", port: 80 }] },
    forwards: [{ externalPort: 8080, target: vm2, targetPort: 80 }],
    packets: [
      row("client", "192.168.1.10:8080", "vm2:80 sees 192.168.1.50"),
      row("vm1", "192.168.1.60:8000", "outside:8000 sees 192.168.1.10"),
      row("vm1", "192.168.1.50:8000", "dropped"),
      row("vm1", "192.168.1.10:443", "dropped"),
      row("vm1", "192.168.1.10:8080", "dropped"),
    ],
  },
  {
    title: "no way out, and an open way in",
    forwarding: { outbound: "none", inbound: "network" },
    forwards: [{ externalPort: 8080, target: vm2, targetPort: 80 }],
    packets: [
      row("client", "192.168.1.10:8080", "vm2:80 sees 192.168.1.50"),
      row("client", "192.168.100.11:8080", "vm1:8080 sees 192.168.1.50"),
      row("vm1", "192.168.1.60:8000", "dropped"),
      row("vm1", "192.168.1.10:80", "dropped"),
    ],
  },
  {
    title: "masquerading, with the forward's rules bound to the declared address",
    forwarding: { snat: "masquerade", externalAddress: "192.168.1.10", clampMss: 1200 },
    forwards: [{ protocol: "both", externalPort: 8080, target: vm2, targetPort: 80 }],
    packets: [
      row("client", "192.168.1.10:8080", "vm2:80 sees 192.168.1.50"),
      row("vm1", "192.168.1.60:8000", "outside:8000 sees 192.168.1.10"),
    ],
  },
];
