import type { ID, Input, Output } from "@pulumi/pulumi";
import { type ExistingState, type ResourceOptions, XennetResource } from "./declaration";
import { hiddenWith, textsFrom } from "./secret-inputs";
import { XenNetwork } from "./xen-network";

/** A static IPv4 setting of a guest. */
export interface GuestIpv4 {
  /** Address with prefix length, e.g. `192.168.100.11/24`. */
  readonly address: Input<string>;
  /** Gateway inside that network; usually the address of the {@link HostForwarding}. @default - no default route */
  readonly gateway?: Input<string> | undefined;
}

/** Offloads of a VIF that the host switches when it plugs it (`other_config:ethtool-*`). */
export interface VifEthtool {
  readonly rx?: Input<"on" | "off"> | undefined;
  /** Off, a router VM sends right checksums to VMs on its own host. */
  readonly tx?: Input<"on" | "off"> | undefined;
  readonly sg?: Input<"on" | "off"> | undefined;
  readonly tso?: Input<"on" | "off"> | undefined;
  readonly ufo?: Input<"on" | "off"> | undefined;
  readonly gso?: Input<"on" | "off"> | undefined;
}

/** Who sets a guest's address; where XAPI cannot, each way of the guest's administrator to do so as text. */
export interface VifGuestSetup {
  readonly setBy: "xapi" | "guest" | "none";
  /** A file for `/etc/netplan`. */
  readonly netplan?: string;
  /** A keyfile of NetworkManager. */
  readonly networkManager?: string;
  /** A file for `/etc/sysconfig/network-scripts`. */
  readonly ifcfg?: string;
  /** Lines for `/etc/network/interfaces`, which knows interfaces by name only. */
  readonly ifupdown?: string;
  /** Commands for PowerShell on Windows, with `netsh`. */
  readonly windows?: string;
}

/** What a {@link XenVif} declares. What is left out is XAPI's default, or with `adopt` what it is. */
export interface XenVifArgs {
  /** Name of the host profile. @default "default" */
  readonly host?: Input<string> | undefined;
  /** The VM, by UUID, name label, or the first 8 or more characters of its UUID. None or several is an error which lists the candidates. */
  readonly vm: Input<string>;
  /**
   * The network: a {@link XenNetwork}, or an existing one by UUID, name label, or the first 8 or more characters of its UUID.
   * Optional with `adopt` only.
   */
  readonly network?: XenNetwork | Input<string> | undefined;
  /** Device number inside the VM. A second VIF of a VM must name its own. @default "0" */
  readonly device?: Input<string | number> | undefined;
  /** MAC address, e.g. `02:16:3e:00:00:01`. @default - the one XAPI derives from VM and device, the same after a replace */
  readonly mac?: Input<string> | undefined;
  /** MTU in bytes, 68 to 65535; takes effect when the VIF is plugged the next time. @default - the network's */
  readonly mtu?: Input<number> | undefined;
  /**
   * Which packets of the guest pass: all, none, only those with its MAC and the addresses allowed, or what the network's
   * `default_locking_mode` says. @default "network_default"
   */
  readonly lockingMode?: Input<"network_default" | "locked" | "unlocked" | "disabled"> | undefined;
  /** IPv4 addresses of a `locked` VIF; with prefix length on XCP-ng 8.3 and later only. Never changes the mode. @default - none */
  readonly ipv4Allowed?: Input<Input<string>[]> | undefined;
  /** The same for IPv6. @default - none */
  readonly ipv6Allowed?: Input<Input<string>[]> | undefined;
  /** Limit of what the guest sends, in kilobytes (not bits) per second; takes effect at the next plug. @default - no limit */
  readonly rateLimitKBytesPerSecond?: Input<number> | undefined;
  /** Offloads, e.g. `{ tx: "off" }`; take effect at the next plug. @default - the host's */
  readonly ethtool?: Input<VifEthtool> | undefined;
  /** Keys of the VIF's `other_config`. Only the keys given here are managed; all others stay as they are. @default - none */
  readonly otherConfig?: Input<Record<string, Input<string>>> | undefined;
  /** Whether the VIF of a running VM is plugged; a VM that starts plugs all its VIFs. @default true, with `adopt` as it is */
  readonly plugged?: Input<boolean> | undefined;
  /**
   * The guest's address: set through XAPI where the guest's tools support it, otherwise it is the guest administrator's own
   * task (see `guestSetup`). @default - not managed
   */
  readonly ipv4?: Input<GuestIpv4> | undefined;
  /**
   * What to do when the VM already has a VIF on this device: `fail`; `takeOver`, which moves that VIF to our network,
   * keeping its UUID and MAC, and gives it back on destroy; or `replace`, which has a new VIF in its place, and on destroy
   * puts the old one back with the same device, MAC and settings, but a new UUID. @default "fail"
   */
  readonly onDeviceConflict?: Input<"fail" | "takeOver" | "replace"> | undefined;
  /**
   * Manage a VIF that is there, the one on `device` or the one with this UUID, instead of making one. Only what is declared
   * is changed, and destroy puts that back. @default - make a VIF
   */
  readonly adopt?: Input<true | { readonly uuid: Input<string> }> | undefined;
}

/**
 * A virtual network interface of a VM. Plugged at once when the VM runs.
 *
 * @example
 * new XenVif("web1", { vm: "Fedora server 1", network: internal });
 * @example
 * new XenVif("web1", {
 *   vm: "Fedora server 1",
 *   network: internal,
 *   onDeviceConflict: "takeOver",
 *   ipv4: { address: "192.168.100.11/24", gateway: "192.168.100.1" },
 * });
 * @example
 * new XenVif("router", { vm: "Router", adopt: true, ethtool: { tx: "off" } });
 */
export class XenVif extends XennetResource {
  declare readonly host: Output<string>;
  declare readonly vm: Output<string>;
  /** Id of the network; undefined for an adopted VIF whose network is not declared. */
  declare readonly network: Output<string | undefined>;
  declare readonly device: Output<string>;
  declare readonly mtu: Output<number | undefined>;
  declare readonly lockingMode: Output<string | undefined>;
  declare readonly ipv4Allowed: Output<string[] | undefined>;
  declare readonly ipv6Allowed: Output<string[] | undefined>;
  declare readonly rateLimitKBytesPerSecond: Output<number | undefined>;
  declare readonly ethtool: Output<Record<string, string> | undefined>;
  declare readonly otherConfig: Output<Record<string, string> | undefined>;
  declare readonly plugged: Output<boolean | undefined>;
  declare readonly ipv4: Output<{ address: string; gateway?: string } | undefined>;
  declare readonly onDeviceConflict: Output<string | undefined>;
  declare readonly adopt: Output<true | { uuid: string } | undefined>;
  /** UUID in XAPI, as `xe vif-list` shows it. */
  declare readonly uuid: Output<string>;
  declare readonly mac: Output<string>;
  /** Whether the VIF was plugged into a running VM when it was last looked at. */
  declare readonly currentlyAttached: Output<boolean>;
  /** Addresses the guest's tools reported when it was last looked at, link-local ones left out; often none right after a start. */
  declare readonly guestAddresses: Output<string[]>;
  /** Who sets `ipv4` in the guest: `xapi`, `guest` (its administrator), or `none` when nothing is declared. */
  declare readonly ipv4SetBy: Output<"xapi" | "guest" | "none">;
  /** What the guest's administrator writes where XAPI cannot set `ipv4`. */
  declare readonly guestSetup: Output<VifGuestSetup>;
  /** True when the VIF was there before, and destroy gives it back. */
  declare readonly takenOver: Output<boolean>;
  /** What the last look found amiss that is no property; the next `up` mends it. */
  declare readonly drift: Output<string[]>;

  /**
   * Reads a VIF that is there already and stays somebody else's: nothing is written to it, and destroy leaves it. Its `id`
   * is `<pool UUID>/<VIF UUID>`, as another stack's output has it. Fails when there is no such VIF.
   */
  static get(name: string, id: Input<ID>, state: ExistingState = {}, opts?: ResourceOptions): XenVif {
    const given: Partial<XenVifArgs> = { host: state.host ?? "default" };
    return new XenVif(name, given as XenVifArgs, { ...opts, id });
  }

  constructor(name: string, args: XenVifArgs, opts?: ResourceOptions) {
    const network = args.network instanceof XenNetwork ? args.network.id : args.network;
    const outputs = {
      ...{ uuid: undefined, currentlyAttached: undefined, ipv4SetBy: undefined, takenOver: undefined },
      ...derivedOutputs(args),
      // What is only read has no inputs of ours.
      drift: opts?.id === undefined ? textsFrom([args.ipv4]) : undefined,
    };
    super("XenVif", name, { mac: undefined, ...args, network, ...outputs }, opts);
  }
}

/** These are made of what is declared, so they have to be secret when that is. */
function derivedOutputs({ vm, ipv4, mac, device }: XenVifArgs) {
  return {
    vmUuid: hiddenWith(vm, ""),
    guestSetup: hiddenWith<VifGuestSetup>([ipv4, mac, device], { setBy: "none" }),
    guestAddresses: hiddenWith<string[]>(ipv4, []),
  };
}
