import { expect, test } from "vitest";
import { guestSetup } from "../../../provider/src/handlers/vif/guest-setup.ts";
import { isIpv6 } from "../../../provider/src/validation/ipv6.ts";

const address = { address: "192.168.100.11/26", gateway: "192.168.100.1" };

function shown(texts: object): string {
  return Object.entries(texts)
    .map(([name, text]) => `== ${name}\n${text}`)
    .join("");
}

test("writes an address with gateway for every common guest, matched by MAC address where the format can", () => {
  const { setBy, ...texts } = guestSetup("guest", address, "02:16:3e:00:00:0A", "1");
  expect(setBy).toBe("guest");
  expect(shown(texts)).toMatchInlineSnapshot(`
    "== netplan
    # /etc/netplan/60-xen-vif1.yaml, mode 600; then: netplan apply
    network:
      version: 2
      ethernets:
        xen-vif1:
          match:
            macaddress: "02:16:3e:00:00:0a"
          dhcp4: false
          addresses: ["192.168.100.11/26"]
          routes:
            - to: "0.0.0.0/0"
              via: "192.168.100.1"
    == networkManager
    # /etc/NetworkManager/system-connections/xen-vif1.nmconnection, owner root, mode 600; then: nmcli connection reload && nmcli connection up xen-vif1
    [connection]
    id=xen-vif1
    type=ethernet

    [ethernet]
    mac-address=02:16:3E:00:00:0A

    [ipv4]
    method=manual
    address1=192.168.100.11/26,192.168.100.1
    == ifcfg
    # /etc/sysconfig/network-scripts/ifcfg-xen-vif1; then: ifup xen-vif1. On EL 5 and 6: ifcfg-eth1, with DEVICE=eth1 in it; then: ifup eth1
    TYPE=Ethernet
    NAME=xen-vif1
    HWADDR=02:16:3E:00:00:0A
    BOOTPROTO=none
    ONBOOT=yes
    IPADDR=192.168.100.11
    NETMASK=255.255.255.192
    GATEWAY=192.168.100.1
    DEFROUTE=yes
    == ifupdown
    # /etc/network/interfaces; put the interface's name for eth1: ip -o link | grep -i 02:16:3e:00:00:0a
    auto eth1
    iface eth1 inet static
        address 192.168.100.11
        netmask 255.255.255.192
        gateway 192.168.100.1
    == windows
    # In PowerShell, as administrator
    $adapter = Get-NetAdapter | Where-Object MacAddress -eq "02-16-3E-00-00-0A"
    netsh interface ipv4 set address "name=$($adapter.ifIndex)" source=static address=192.168.100.11 mask=255.255.255.192 gateway=192.168.100.1
    # Before Windows 8 and Server 2012, in a command prompt; the connection with the MAC: getmac /v
    # netsh interface ip set address "Local Area Connection" static 192.168.100.11 255.255.255.192 192.168.100.1 1
    "
  `);
});

test("writes an address without gateway without a default route", () => {
  const { setBy, ...texts } = guestSetup("guest", { ...address, gateway: "" }, "02:16:3e:00:00:0A", "1");
  expect(shown(texts)).toMatchInlineSnapshot(`
    "== netplan
    # /etc/netplan/60-xen-vif1.yaml, mode 600; then: netplan apply
    network:
      version: 2
      ethernets:
        xen-vif1:
          match:
            macaddress: "02:16:3e:00:00:0a"
          dhcp4: false
          addresses: ["192.168.100.11/26"]
    == networkManager
    # /etc/NetworkManager/system-connections/xen-vif1.nmconnection, owner root, mode 600; then: nmcli connection reload && nmcli connection up xen-vif1
    [connection]
    id=xen-vif1
    type=ethernet

    [ethernet]
    mac-address=02:16:3E:00:00:0A

    [ipv4]
    method=manual
    address1=192.168.100.11/26
    == ifcfg
    # /etc/sysconfig/network-scripts/ifcfg-xen-vif1; then: ifup xen-vif1. On EL 5 and 6: ifcfg-eth1, with DEVICE=eth1 in it; then: ifup eth1
    TYPE=Ethernet
    NAME=xen-vif1
    HWADDR=02:16:3E:00:00:0A
    BOOTPROTO=none
    ONBOOT=yes
    IPADDR=192.168.100.11
    NETMASK=255.255.255.192
    == ifupdown
    # /etc/network/interfaces; put the interface's name for eth1: ip -o link | grep -i 02:16:3e:00:00:0a
    auto eth1
    iface eth1 inet static
        address 192.168.100.11
        netmask 255.255.255.192
    == windows
    # In PowerShell, as administrator
    $adapter = Get-NetAdapter | Where-Object MacAddress -eq "02-16-3E-00-00-0A"
    netsh interface ipv4 set address "name=$($adapter.ifIndex)" source=static address=192.168.100.11 mask=255.255.255.192 gateway=none
    # Before Windows 8 and Server 2012, in a command prompt; the connection with the MAC: getmac /v
    # netsh interface ip set address "Local Area Connection" static 192.168.100.11 255.255.255.192 none
    "
  `);
});

test.each(["xapi", "none"] as const)("writes nothing when the setter is %s", (setBy) => {
  expect(guestSetup(setBy, address, "02:16:3e:00:00:0A", "1")).toEqual({ setBy });
});

test.each([
  ["192.168.100.11/8", "255.0.0.0"],
  ["192.168.100.11/24", "255.255.255.0"],
  ["192.168.100.11/30", "255.255.255.252"],
])("the netmask of %s is %s", (given, mask) => {
  expect(guestSetup("guest", { address: given, gateway: "" }, "02:16:3e:00:00:0A", "0").windows).toContain(
    `mask=${mask} `,
  );
});

test.each(["::", "::1", "fd00::11", "1:2:3:4:5:6:7:8", "::ffff:10.0.0.1", "1:2:3:4:5:6:7::"])("%s is IPv6", (text) => {
  expect(isIpv6(text)).toBe(true);
});

test.each([
  "",
  ":",
  ":::",
  "1::2::3",
  "1:2:3:4:5:6:7",
  "12345::",
  "fe80::1%eth0",
  "10.0.0.1",
  "::1:2:3:4:5:6:7:8",
  "g::",
])("%j is not IPv6", (text) => {
  expect(isIpv6(text)).toBe(false);
});
