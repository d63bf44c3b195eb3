import { all, type Input, type Output } from "@pulumi/pulumi";
import { shadowedService } from "../rules/ports";
import { type ResourceOptions, warnAbout, XennetResource } from "./declaration";
import type { HostForwarding } from "./host-forwarding";

/** What a {@link PortForward} declares. */
export interface PortForwardArgs {
  /** The forwarding whose external address is used and in whose network the target lies. */
  readonly forwarding: HostForwarding;
  /** @default "tcp" */
  readonly protocol?: Input<"tcp" | "udp"> | undefined;
  /** Port of the external address, 1 to 65535; 22 (tcp) is refused, and 443 (tcp) unless `xennet:xapiVia` is `ssh`: they are dom0's own. */
  readonly externalPort: Input<number>;
  /** Address of the guest, inside the forwarding's network; a prefix length is ignored. */
  readonly target: Input<string>;
  /** Port of the guest, 1 to 65535. @default - the external port */
  readonly targetPort?: Input<number> | undefined;
}

/**
 * Sends a port of the host's external address to a guest. Connections which are open when the target changes stay with the
 * old one until they end.
 *
 * @example
 * new PortForward("http", { forwarding: nat, externalPort: 80, target: "192.168.100.11" });
 * @example
 * new PortForward("alt", { forwarding: nat, externalPort: 8080, target: "192.168.100.12", targetPort: 80 });
 */
export class PortForward extends XennetResource {
  declare readonly host: Output<string>;
  /** Id of the forwarding. */
  declare readonly forwarding: Output<string>;
  declare readonly protocol: Output<string>;
  declare readonly externalPort: Output<number>;
  declare readonly target: Output<string>;
  declare readonly targetPort: Output<number>;
  /** The rules as text, one line each: the table, then the rule as `iptables-save` prints it. */
  declare readonly rules: Output<string[]>;
  /** What the last refresh found missing on the host; the next `up` puts it back. */
  declare readonly drift: Output<string[]>;

  constructor(name: string, args: PortForwardArgs, opts?: ResourceOptions) {
    const { forwarding, ...own } = args;
    const parts = {
      host: forwarding.host,
      forwarding: forwarding.id,
      network: forwarding.network,
      forwardingAddress: forwarding.address,
      networkLabel: forwarding.networkLabel,
      externalInterface: forwarding.externalInterface,
      externalAddress: forwarding.externalAddress,
    };
    // `check` fills `rules` in; as it is derived from these inputs it has to be secret when one of them is.
    const rules = all([
      own.externalPort,
      own.target,
      own.targetPort,
      forwarding.address,
      forwarding.externalAddress,
    ]).apply((): string[] => []);
    super("PortForward", name, { ...own, ...parts, rules, drift: undefined }, opts);
    const warn = ([protocol, port]: [string | undefined, number]) => shadowedService(protocol ?? "tcp", port);
    warnAbout(this, all([own.protocol, own.externalPort]), warn as (value: unknown) => string | undefined);
  }
}
