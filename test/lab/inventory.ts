import type { ProfileName } from "../sim/contract.ts";
import { profiles } from "../sim/profiles.ts";
import type { Inventory } from "./dom0-tree.ts";

/** What a dom0 knows of itself. */
export interface HostIdentity {
  readonly hostUuid: string;
  readonly controlDomainUuid: string;
  readonly profile: ProfileName;
}

/** `/etc/xensource-inventory` of a host whose management interface is xenbr0; its release is the one that XAPI shows. */
export function inventoryOf({ hostUuid, controlDomainUuid, profile }: HostIdentity): Inventory {
  const { softwareVersion } = profiles[profile];
  const shown = (name: string) => softwareVersion[name] ?? "";
  return {
    PRIMARY_DISK: "/dev/sda",
    PRODUCT_BRAND: shown("product_brand"),
    PRODUCT_NAME: "xenenterprise",
    PRODUCT_VERSION: shown("product_version"),
    PRODUCT_VERSION_TEXT: shown("product_version_text"),
    PRODUCT_VERSION_TEXT_SHORT: shown("product_version_text_short"),
    PLATFORM_NAME: shown("platform_name"),
    PLATFORM_VERSION: shown("platform_version"),
    COMPANY_NAME: "Open Source",
    COMPANY_NAME_SHORT: "Open Source",
    BUILD_NUMBER: shown("build_number"),
    INSTALLATION_UUID: hostUuid,
    CONTROL_DOMAIN_UUID: controlDomainUuid,
    MANAGEMENT_INTERFACE: "xenbr0",
    MANAGEMENT_ADDRESS_TYPE: "IPv4",
    DOM0_VCPUS: "2",
  };
}
