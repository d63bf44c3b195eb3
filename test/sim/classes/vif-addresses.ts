import { isIP, isIPv4, isIPv6 } from "node:net";
import { XapiFailure } from "../errors.ts";
import { guestHasFeature, showGuestAddress } from "../guest.ts";
import { assertLicensed } from "../licence.ts";
import { type CallContext, type Method, method } from "../method.ts";
import { simVif } from "../ports.ts";
import { text, texts, type World } from "../world.ts";

type Family = "ipv4" | "ipv6";

/** What a VIF may use, and what the guest's tools are told to set. */
export const vifAddressMethods: Method[] = [
  method(
    "VIF.set_locking_mode",
    "self ref<VIF>, value network_default|locked|unlocked|disabled",
    "void",
    ({ world }: CallContext, self: string, value: string) => {
      if (value === "locked") assertLicensed(world, "VIF_locking");
      world.db.update("VIF", self, { locking_mode: value });
      return undefined;
    },
    { async: true, since: "1.10" },
  ),
  ...allowedMethods("ipv4"),
  ...allowedMethods("ipv6"),
  configureMethod("ipv4"),
  configureMethod("ipv6"),
];

function allowedMethods(family: Family): Method[] {
  const field = `${family}_allowed`;
  const options = { async: true, since: "1.10" };
  const write = (world: World, self: string, addresses: readonly string[]): undefined => {
    if (addresses.length > 0) assertLicensed(world, "VIF_locking");
    for (const address of addresses) {
      if (!isAllowed(world, family, address)) throw new XapiFailure("INVALID_IP_ADDRESS_SPECIFIED", [field]);
    }
    world.db.update("VIF", self, { [field]: [...new Set(addresses)] });
  };
  const current = (world: World, self: string) => texts(world.db.row("VIF", self)[field]);
  const set = ({ world }: CallContext, self: string, value: readonly string[]) => write(world, self, value);
  const add = ({ world }: CallContext, self: string, value: string) =>
    write(world, self, [...current(world, self), value]);
  const remove = ({ world }: CallContext, self: string, value: string): undefined => {
    world.db.update("VIF", self, { [field]: current(world, self).filter((address) => address !== value) });
  };
  return [
    method(`VIF.set_${field}`, "self ref<VIF>, value set<string>", "void", set, options),
    method(`VIF.add_${field}`, "self ref<VIF>, value string", "void", add, options),
    method(`VIF.remove_${field}`, "self ref<VIF>, value string", "void", remove, options),
  ];
}

function configureMethod(family: Family): Method {
  const signature = "self ref<VIF>, mode None|Static, address string=, gateway string=";
  const run = async ({ world }: CallContext, self: string, mode: string, address: string, gateway: string) => {
    const vm = text(world.db.row("VIF", self)["VM"]);
    await world.operations.oneAtATime(vm, () => configure(world, family, self, mode, address, gateway));
    return undefined;
  };
  return method(`VIF.configure_${family}`, signature, "void", run, { async: true, since: "2.5" });
}

async function configure(
  world: World,
  family: Family,
  self: string,
  mode: string,
  address: string,
  gateway: string,
): Promise<void> {
  const row = world.db.row("VIF", self);
  const vm = text(row["VM"]);
  if (mode === "Static") assertAddress(world, family, self, address, gateway);
  if (!guestHasFeature(world, vm, "feature-static-ip-setting")) throw new XapiFailure("VM_LACKS_FEATURE", [vm]);
  world.db.update("VIF", self, {
    [`${family}_configuration_mode`]: mode,
    [`${family}_addresses`]: mode === "Static" ? [address] : [],
    [`${family}_gateway`]: mode === "Static" ? gateway : "",
  });
  if (row["currently_attached"] !== true) return;
  const port = simVif(world, self);
  if (family === "ipv4") await world.backplane.configureIpv4(port, port.ipv4);
  showGuestAddress(world, self);
}

function assertAddress(world: World, family: Family, self: string, address: string, gateway: string): void {
  assertLicensed(world, "Guest_ip_setting");
  const isAddress = family === "ipv4" ? isIPv4 : isIPv6;
  if (!address.includes("/") || !isAddressOrCidr(family, address)) {
    throw new XapiFailure("INVALID_CIDR_ADDRESS_SPECIFIED", ["address"]);
  }
  const row = world.db.row("VIF", self);
  const [bare = ""] = address.split("/");
  if (row["locking_mode"] === "locked" && !texts(row[`${family}_allowed`]).includes(bare)) {
    throw new XapiFailure("ADDRESS_VIOLATES_LOCKING_CONSTRAINT", [address]);
  }
  if (gateway !== "" && !isAddress(gateway)) throw new XapiFailure("INVALID_IP_ADDRESS_SPECIFIED", ["gateway"]);
}

function isAllowed(world: World, family: Family, value: string): boolean {
  return isAddressOrCidr(family, value) && (world.profile.allowsNetworks || !value.includes("/"));
}

function isAddressOrCidr(family: Family, value: string): boolean {
  const [address = "", prefix, ...rest] = value.split("/");
  if (rest.length > 0 || isIP(address) !== (family === "ipv4" ? 4 : 6)) return false;
  return prefix === undefined || (/^\d+$/.test(prefix) && Number(prefix) <= (family === "ipv4" ? 32 : 128));
}
