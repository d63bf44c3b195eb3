import type { Inventory } from "./dom0-tree.ts";

/** `/etc/xensource-inventory` of an XCP-ng 8.3 whose management interface is xenbr0. */
export function inventoryOf(host: { readonly hostUuid: string; readonly controlDomainUuid: string }): Inventory {
  return {
    PRIMARY_DISK: "/dev/sda",
    PRODUCT_BRAND: "XCP-ng",
    PRODUCT_NAME: "xenenterprise",
    PRODUCT_VERSION: "8.3.0",
    PRODUCT_VERSION_TEXT: "8.3",
    PRODUCT_VERSION_TEXT_SHORT: "8.3",
    PLATFORM_NAME: "XCP",
    PLATFORM_VERSION: "3.4.0",
    COMPANY_NAME: "Open Source",
    COMPANY_NAME_SHORT: "Open Source",
    BUILD_NUMBER: "cloud",
    INSTALLATION_UUID: host.hostUuid,
    CONTROL_DOMAIN_UUID: host.controlDomainUuid,
    MANAGEMENT_INTERFACE: "xenbr0",
    MANAGEMENT_ADDRESS_TYPE: "IPv4",
    DOM0_VCPUS: "2",
  };
}
