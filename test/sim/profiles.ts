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
  readonly json: boolean;
  /** A member that is asked tells the fingerprint of its master along with HOST_IS_SLAVE; since xapi 24.1. */
  readonly vouchesForMaster: boolean;
  /** What a VIF on a network that is not shared fails with when HA protects its VM. */
  readonly haFailure: (network: string) => readonly [code: string, ...params: string[]];
  readonly tls: TlsKind;
}

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
    json: true,
    vouchesForMaster: true,
    namesTaskInProgress: true,
    haFailure: (network) => ["HA_CONSTRAINT_VIOLATION_NETWORK_NOT_SHARED", network],
    tls: "modern",
  },
  // As published by a user of 8.2.1 in vatesfr/xen-orchestra#7490.
  "xcp-ng-8.2": {
    name: "xcp-ng-8.2",
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
    json: true,
    vouchesForMaster: false,
    namesTaskInProgress: false,
    haFailure: () => ["HA_OPERATION_WOULD_BREAK_FAILOVER_PLAN"],
    tls: "modern",
  },
};
