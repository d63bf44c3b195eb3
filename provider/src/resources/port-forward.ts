import { all, type Input, type Output } from "@pulumi/pulumi";
import { quoted } from "../core/foreign-text";
import { shadowedService } from "../rules/ports";
import { parsePortRange } from "../validation/port-range";
import type { Protocol } from "../validation/scalars";
import { type ResourceOptions, warnAbout, XennetResource } from "./declaration";
import type { HostForwarding } from "./host-forwarding";
import { programError } from "./program-error";
import { hiddenWith, textsFrom } from "./secret-inputs";

/** What a {@link PortForward} declares. */
export interface PortForwardArgs {
  /** The forwarding whose external address is used and in whose network the target lies. */
  readonly forwarding: HostForwarding;
  /** `both` takes the same ports of TCP and UDP. @default "tcp" */
  readonly protocol?: Input<"tcp" | "udp" | "both"> | undefined;
  /**
   * Port of the external address, 1 to 65535, or a range such as `"8000-8010"`. A port on which a program of dom0 listens
   * is refused without `allowManagementPort`; tcp 80 is a warning.
   */
  readonly externalPort: Input<number | string>;
  /** Address of the guest, inside the forwarding's network; a prefix length is ignored. */
  readonly target: Input<string>;
  /**
   * Port of the guest, 1 to 65535; for a range its first port, or a range of the same size. A range that keeps its numbers is
   * one rule, a shifted one is a rule a port (at most 1000). @default - the external port
   */
  readonly targetPort?: Input<number | string> | undefined;
  /** Only clients in these networks, e.g. `["203.0.113.0/24"]`; guests and dom0 with `hairpin` in any case. @default - every client */
  readonly sources?: Input<Input<string>[]> | undefined;
  /** Not clients in these networks: they meet dom0 itself. @default - none */
  readonly notSources?: Input<Input<string>[]> | undefined;
  /** One of several addresses of the forwarding's external interface. @default - the forwarding's */
  readonly externalAddress?: Input<string> | undefined;
  /**
   * Whether guests of the network, and dom0 itself, reach the forward by the external address too. The target then sees a
   * guest as dom0's internal address. @default false
   */
  readonly hairpin?: Input<boolean> | undefined;
  /** `false` keeps the declaration and takes its rules off the host. @default true */
  readonly enabled?: Input<boolean> | undefined;
  /** For people who look at the host; 1 to 255 characters. @default - none */
  readonly description?: Input<string> | undefined;
  /**
   * Allows ports on which dom0 itself listens. For tcp 22 and 443 the profile setting `xennet:managementSources` must also
   * name the networks, yours among them, that keep reaching dom0; for 443 `xennet:xapiVia` `ssh` does as well. @default false
   */
  readonly allowManagementPort?: Input<boolean> | undefined;
}

/**
 * Sends a port of the host's external address to a guest. Connections which are open when the target changes stay with the
 * old one until they end.
 *
 * @example
 * new PortForward("http", { forwarding: nat, externalPort: 80, target: "192.168.100.11" });
 * @example
 * new PortForward("alt", { forwarding: nat, externalPort: 8080, target: "192.168.100.12", targetPort: 80 });
 * @example
 * new PortForward("media", { forwarding: nat, protocol: "both", externalPort: "8000-8010", target: "192.168.100.11" });
 */
export class PortForward extends XennetResource {
  declare readonly host: Output<string>;
  /** Id of the forwarding. */
  declare readonly forwarding: Output<string>;
  declare readonly protocol: Output<string>;
  /** A number, or a range such as `8000-8010`. */
  declare readonly externalPort: Output<number | string>;
  declare readonly target: Output<string>;
  /** The first one, for a range. */
  declare readonly targetPort: Output<number>;
  declare readonly sources: Output<string[] | undefined>;
  declare readonly notSources: Output<string[] | undefined>;
  declare readonly hairpin: Output<boolean | undefined>;
  declare readonly enabled: Output<boolean | undefined>;
  declare readonly description: Output<string | undefined>;
  /** The rules as text, one line each: the table, then the rule as `iptables-save` prints it. */
  declare readonly rules: Output<string[]>;
  /** What the last refresh found missing on the host; the next `up` puts it back. */
  declare readonly drift: Output<string[]>;

  constructor(name: string, args: PortForwardArgs, opts?: ResourceOptions) {
    const { forwarding, ...own } = args;
    requireForwarding(name, forwarding);
    const parts = {
      host: forwarding.host,
      forwarding: forwarding.id,
      network: forwarding.network,
      forwardingAddress: forwarding.address,
      networkLabel: forwarding.networkLabel,
      externalInterface: forwarding.externalInterface,
      externalAddress: own.externalAddress ?? forwarding.externalAddress,
    };
    // Whatever is declared shows in the rules, and so do the bridge and the outside that the host tells.
    const { forwardingAddress, networkLabel, externalInterface, externalAddress } = parts;
    const ofForwarding = [forwardingAddress, networkLabel, externalInterface, externalAddress, forwarding.bridge];
    const texts = textsFrom([...Object.values(own), ...ofForwarding]);
    const outputs = { networkUuid: hiddenWith(forwarding.network, ""), rules: texts, drift: texts };
    // `check` takes the one for the other, but does not know that it is a secret.
    const targetPort = own.targetPort ?? hiddenWith(own.externalPort, own.externalPort);
    super("PortForward", name, { ...own, targetPort, ...parts, ...outputs }, opts);
    warnAbout(
      this,
      all([own.protocol, own.externalPort, own.enabled]),
      warning as (value: unknown) => string | undefined,
    );
  }
}

/** Without types a program may hand over anything; the rest of the constructor takes the forwarding's outputs. */
function requireForwarding(name: string, given: unknown): void {
  if (given !== null && typeof given === "object" && "networkLabel" in given) return;
  const found =
    given === undefined || given === null
      ? "nothing"
      : typeof given === "string"
        ? `${quoted(given)}`
        : `${typeof given === "object" ? "an" : "a"} ${typeof given}`;
  throw programError(`PortForward ${quoted(name)}: forwarding: expected a HostForwarding, found ${found}`);
}

function warning([protocol, externalPort, enabled]: [Protocol | undefined, unknown, boolean | undefined]) {
  const ports = parsePortRange(externalPort);
  return ports === undefined || enabled === false ? undefined : shadowedService(protocol ?? "tcp", ports);
}
