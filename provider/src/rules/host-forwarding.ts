import { type Cidr, subnetOf } from "../validation/ipv4";
import { type Rule, ranks, roles } from "./rule";

/**
 * Rules that let an internal network out through the external interface and keep it closed otherwise.
 *
 * Turning forwarding on opens FORWARD through the stock chain, which accepts 22, 80 and 443 from anywhere, and an address
 * on the bridge exposes dom0's own services to guests; hence the closing rules. They name the internal bridge only: an
 * external-wide DROP would also cut other people's routing through dom0.
 */
export function hostForwardingRules(address: Cidr): Rule[] {
  const subnet = subnetOf(address);
  const inward = { inInterface: roles.externalInterface, outInterface: roles.bridge };
  const outward = { inInterface: roles.bridge, outInterface: roles.externalInterface };
  const accept = { jump: "ACCEPT" } as const;
  const drop = { jump: "DROP" } as const;
  const replies = "RELATED,ESTABLISHED" as const;
  return [
    { chain: "forward", rank: ranks.established, destination: subnet, ...inward, state: replies, target: accept },
    { chain: "forward", rank: ranks.network, source: subnet, ...outward, target: accept },
    { chain: "forward", rank: ranks.closing, inInterface: roles.bridge, target: drop },
    { chain: "forward", rank: ranks.closing, outInterface: roles.bridge, target: drop },
    { chain: "input", rank: ranks.established, inInterface: roles.bridge, state: replies, target: accept },
    { chain: "input", rank: ranks.network, inInterface: roles.bridge, protocol: "icmp", target: accept },
    { chain: "input", rank: ranks.closing, inInterface: roles.bridge, target: drop },
    {
      chain: "postrouting",
      rank: ranks.network,
      source: subnet,
      outInterface: roles.externalInterface,
      target: { jump: "SNAT", to: roles.externalAddress },
    },
  ];
}
