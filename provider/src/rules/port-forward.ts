import type { Protocol } from "../validation/scalars";
import { type Rule, ranks, roles } from "./rule";

export interface PortForwardSpec {
  readonly protocol: Protocol;
  readonly externalPort: number;
  readonly target: string;
  readonly targetPort: number;
}

/**
 * The pair of rules behind one forward. DNAT is bound to the external address: without `-d` it would, on a Linux bridge
 * with bridge-nf-call-iptables, also take bridged guests' connections to other hosts. FORWARD names the port after DNAT
 * and takes only connections that were DNATed, so a neighbour that routes through dom0 does not reach the guest directly.
 */
export function portForwardRules(spec: PortForwardSpec): Rule[] {
  return [
    {
      chain: "prerouting",
      rank: ranks.portForward,
      destination: `${roles.externalAddress}/32`,
      inInterface: roles.externalInterface,
      protocol: spec.protocol,
      destinationPort: spec.externalPort,
      target: { jump: "DNAT", to: `${spec.target}:${spec.targetPort}` },
    },
    {
      chain: "forward",
      rank: ranks.portForward,
      destination: `${spec.target}/32`,
      inInterface: roles.externalInterface,
      outInterface: roles.bridge,
      protocol: spec.protocol,
      destinationPort: spec.targetPort,
      wasDnated: true,
      target: { jump: "ACCEPT" },
    },
  ];
}
