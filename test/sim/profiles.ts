import type { ProfileName, TlsKind } from "./contract.ts";
import type { ApiVersion } from "./fields.ts";

/** What sets a product apart: fields and calls follow from the API version, the rest is named here. */
export interface Profile {
  readonly name: ProfileName;
  readonly api: ApiVersion;
  readonly softwareVersion: Readonly<Record<string, string>>;
  /** Devices that `VM.get_allowed_VIF_devices` offers; create takes higher ones too. */
  readonly vifDevices: number;
  /** OTHER_OPERATION_IN_PROGRESS names the task as well; since xapi 25.27. */
  readonly namesTaskInProgress: boolean;
  /** `ipv4_allowed` and `ipv6_allowed` take whole networks as well as addresses; since XCP-ng 8.3. */
  readonly allowsNetworks: boolean;
  /** Whether there is JSON-RPC as well, which is documented since 7.3. */
  readonly json: boolean;
  readonly edition: string;
  /** A new network has to be given its names; since 6.0 they may be left out. */
  readonly wantsNetworkNames: boolean;
  /** What the network is called over which the host itself talks to guests. */
  readonly ownNetwork: OwnNetwork;
  /** An internal network's bridge outlives its last port, until a reboot or the network's end; before 6.0 (CA-58805). */
  readonly bridgesStay: boolean;
  /** A member that is asked tells the fingerprint of its master along with HOST_IS_SLAVE; since xapi 24.1. */
  readonly vouchesForMaster: boolean;
  /** What a VIF on a network that is not shared fails with when HA protects its VM. */
  readonly haFailure: (network: string) => readonly [code: string, ...params: string[]];
  readonly tls: TlsKind;
}

/** A host's own network. */
interface OwnNetwork {
  readonly name_label: string;
  readonly name_description: string;
  readonly other_config: Readonly<Record<string, string>>;
}

const managementNetwork: OwnNetwork = {
  name_label: "Host internal management network",
  name_description:
    "Network on which guests will be assigned a private link-local IP address which can be used to talk XenAPI",
  other_config: {
    is_guest_installer_network: "true",
    is_host_internal_management_network: "true",
    ip_begin: "169.254.0.1",
    ip_end: "169.254.255.254",
    netmask: "255.255.0.0",
  },
};

/** As the management network was called, and numbered, before 6.0. */
const installerNetwork: OwnNetwork = {
  name_label: "Guest installer network",
  name_description: "Network on which guests are installed",
  other_config: {
    is_guest_installer_network: "true",
    ip_begin: "192.168.128.1",
    ip_end: "192.168.128.254",
    netmask: "255.255.255.0",
  },
};

/** What all of today's have in common. */
const today = {
  json: true,
  edition: "xcp-ng",
  wantsNetworkNames: false,
  ownNetwork: managementNetwork,
  bridgesStay: false,
  tls: "modern",
} as const;

/** What no release knew before XCP-ng 8. */
const formerly = {
  vifDevices: 7,
  allowsNetworks: false,
  json: false,
  edition: "free",
  vouchesForMaster: false,
  namesTaskInProgress: false,
  haFailure: () => ["HA_OPERATION_WOULD_BREAK_FAILOVER_PLAN"] as const,
  tls: "legacy",
} as const;

const common = {
  platform_name: "XCP",
  product_brand: "XCP-ng",
  hostname: "localhost",
  dbv: "0.0.1",
  network_backend: "openvswitch",
};

export const profiles: Readonly<Record<ProfileName, Profile>> = {
  "xcp-ng-8.3": {
    name: "xcp-ng-8.3",
    ...today,
    api: [2, 21],
    softwareVersion: {
      ...common,
      product_version: "8.3.0",
      product_version_text: "8.3",
      product_version_text_short: "8.3",
      platform_version: "3.4.0",
      build_number: "cloud",
      date: "20260514T00:00:00Z",
      xapi: "26.1",
      xapi_build: "26.1.4",
      xen: "4.17.6",
      linux: "4.19.0+1",
      xencenter_min: "2.21",
      xencenter_max: "2.21",
    },
    vifDevices: 16,
    allowsNetworks: true,
    vouchesForMaster: true,
    namesTaskInProgress: true,
    haFailure: (network) => ["HA_CONSTRAINT_VIOLATION_NETWORK_NOT_SHARED", network],
  },
  // As published by a user of 8.2.1 in vatesfr/xen-orchestra#7490.
  "xcp-ng-8.2": {
    name: "xcp-ng-8.2",
    ...today,
    api: [2, 16],
    softwareVersion: {
      ...common,
      product_version: "8.2.1",
      product_version_text: "8.2",
      product_version_text_short: "8.2",
      platform_version: "3.2.1",
      build_number: "release/yangtze/master/58",
      date: "2023-10-18",
      xapi: "1.20",
      xen: "4.13.5-9.39",
      linux: "4.19.0+1",
      xencenter_min: "2.16",
      xencenter_max: "2.16",
      db_schema: "5.603",
    },
    vifDevices: 7,
    allowsNetworks: false,
    vouchesForMaster: false,
    namesTaskInProgress: false,
    haFailure: () => ["HA_OPERATION_WOULD_BREAK_FAILOVER_PLAN"],
  },
  // Release 6.2.0-70446c. JSON-RPC is in its code, but was documented and used from 7.3 on only.
  "xenserver-6.2": {
    name: "xenserver-6.2",
    ...formerly,
    api: [2, 0],
    softwareVersion: {
      ...common,
      product_brand: "XenServer",
      product_version: "6.2.0",
      product_version_text: "6.2",
      product_version_text_short: "6.2",
      platform_version: "1.8.0",
      build_number: "70446c",
      date: "2013-06-14",
      dbv: "2013.0621",
      xapi: "1.3",
      xen: "4.1.5",
      linux: "2.6.32.43-0.4.1.xs1.8.0.835.170778xen",
      xencenter_min: "2.0",
      xencenter_max: "2.0",
    },
    wantsNetworkNames: false,
    ownNetwork: managementNetwork,
    bridgesStay: false,
  },
  // Release 5.6.0-31188p, before Feature Pack 1 and with it before Open vSwitch.
  "xenserver-5.6": {
    name: "xenserver-5.6",
    ...formerly,
    api: [1, 7],
    softwareVersion: {
      product_brand: "XenServer",
      product_version: "5.6.0",
      build_number: "31188p",
      hostname: "localhost",
      date: "2010-05-17",
      dbv: "2010.0521",
      xapi: "1.3",
      xen: "3.4.2",
      linux: "2.6.27.42-0.1.1.xs5.6.0.44.111158xen",
    },
    wantsNetworkNames: true,
    ownNetwork: installerNetwork,
    bridgesStay: true,
  },
};
