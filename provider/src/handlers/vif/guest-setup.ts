import { parseCidr, renderIpv4 } from "../../validation/ipv4";
import type { GuestAddress } from "./fields";

/** Who sets the address in the guest. */
export type AddressSetter = "xapi" | "guest" | "none";

/** Whether XAPI sets a guest's address, and what the guest's administrator writes where it cannot. */
export interface GuestSetup {
  readonly setBy: AddressSetter;
  readonly netplan?: string;
  readonly networkManager?: string;
  readonly ifcfg?: string;
  readonly ifupdown?: string;
  readonly windows?: string;
}

/** The guest's setting as text for each common way to make it; none where XAPI does it, or nothing is declared. */
export function guestSetup(
  setBy: AddressSetter,
  address: GuestAddress | undefined,
  mac: string,
  device: string,
): GuestSetup {
  const cidr = parseCidr(address?.address);
  if (setBy !== "guest" || address === undefined || cidr === undefined) return { setBy };
  const setting: Setting = {
    address: cidr.address,
    prefix: cidr.prefix,
    mask: renderIpv4(2 ** 32 - 2 ** (32 - cidr.prefix)),
    gateway: address.gateway,
    mac: mac.toLowerCase(),
    device,
  };
  return {
    setBy,
    netplan: netplan(setting),
    networkManager: networkManager(setting),
    ifcfg: ifcfg(setting),
    ifupdown: ifupdown(setting),
    windows: windows(setting),
  };
}

interface Setting {
  readonly address: string;
  readonly prefix: number;
  readonly mask: string;
  /** Empty for none. */
  readonly gateway: string;
  readonly mac: string;
  readonly device: string;
}

function netplan({ address, prefix, gateway, mac, device }: Setting): string {
  return text(
    `# /etc/netplan/60-xen-vif${device}.yaml, mode 600; then: netplan apply`,
    "network:",
    "  version: 2",
    "  ethernets:",
    `    xen-vif${device}:`,
    "      match:",
    `        macaddress: "${mac}"`,
    "      dhcp4: false",
    `      addresses: ["${address}/${prefix}"]`,
    // "default" is not known to netplan before 0.103; this is known to all.
    ...only(gateway, "      routes:", '        - to: "0.0.0.0/0"', `          via: "${gateway}"`),
  );
}

function networkManager({ address, prefix, gateway, mac, device }: Setting): string {
  const file = `/etc/NetworkManager/system-connections/xen-vif${device}.nmconnection`;
  return text(
    `# ${file}, owner root, mode 600; then: nmcli connection reload && nmcli connection up xen-vif${device}`,
    "[connection]",
    `id=xen-vif${device}`,
    "type=ethernet",
    "",
    "[ethernet]",
    `mac-address=${mac.toUpperCase()}`,
    "",
    "[ipv4]",
    "method=manual",
    `address1=${address}/${prefix}${gateway && `,${gateway}`}`,
  );
}

/** Guests of the time of XenServer 5 and 6 (EL 5) know no PREFIX, and no interface without DEVICE. */
function ifcfg({ address, mask, gateway, mac, device }: Setting): string {
  return text(
    `# /etc/sysconfig/network-scripts/ifcfg-xen-vif${device}; then: ifup xen-vif${device}. On EL 5 and 6: ifcfg-eth${device}, with DEVICE=eth${device} in it; then: ifup eth${device}`,
    "TYPE=Ethernet",
    `NAME=xen-vif${device}`,
    `HWADDR=${mac.toUpperCase()}`,
    "BOOTPROTO=none",
    "ONBOOT=yes",
    `IPADDR=${address}`,
    `NETMASK=${mask}`,
    ...only(gateway, `GATEWAY=${gateway}`, "DEFROUTE=yes"),
  );
}

/** ifupdown matches by name only, so the text says how to find the name; before 0.7 it wants the netmask apart. */
function ifupdown({ address, mask, gateway, mac, device }: Setting): string {
  return text(
    `# /etc/network/interfaces; put the interface's name for eth${device}: ip -o link | grep -i ${mac}`,
    `auto eth${device}`,
    `iface eth${device} inet static`,
    `    address ${address}`,
    `    netmask ${mask}`,
    ...only(gateway, `    gateway ${gateway}`),
  );
}

/** netsh takes the number of an interface for its name; PowerShell finds it by the MAC, since Windows 8. */
function windows({ address, mask, gateway, mac }: Setting): string {
  const windowsMac = mac.toUpperCase().replaceAll(":", "-");
  return text(
    "# In PowerShell, as administrator",
    `$adapter = Get-NetAdapter | Where-Object MacAddress -eq "${windowsMac}"`,
    `netsh interface ipv4 set address "name=$($adapter.ifIndex)" source=static address=${address} mask=${mask} gateway=${gateway || "none"}`,
    "# Before Windows 8 and Server 2012, in a command prompt; the connection with the MAC: getmac /v",
    `# netsh interface ip set address "Local Area Connection" static ${address} ${mask} ${gateway ? `${gateway} 1` : "none"}`,
  );
}

/** The lines, where there is a gateway. */
function only(gateway: string, ...lines: readonly string[]): readonly string[] {
  return gateway === "" ? [] : lines;
}

function text(...lines: readonly string[]): string {
  return `${lines.join("\n")}\n`;
}
