import { randomUUID } from "node:crypto";
import type { SeedUuids } from "./contract.ts";
import type { Row } from "./database.ts";
import { reportGuest } from "./guest.ts";
import type { World } from "./world.ts";

const gibibyte = 2 ** 30;

/** What one host shows of itself. */
export interface HostIdentity {
  readonly name: string;
  readonly address: string;
  readonly uuids: Pick<SeedUuids, "host" | "controlDomain">;
}

/** A pool of one host as it comes from the installer: one NIC, its network, the host's own network, dom0. */
export function seedPool(world: World, first: HostIdentity, poolUuid: string | undefined): string {
  const { db } = world;
  const network = db.insert("network", { name_label: "Pool-wide network associated with eth0", bridge: "xenbr0" });
  db.insert("network", { ...world.profile.ownNetwork, bridge: "xenapi" });
  const master = seedHost(world, first, network);
  db.insert("pool", { uuid: poolUuid ?? randomUUID(), name_label: "lab", master });
  seedVm(world, "Other install media", { is_a_template: true, is_default_template: true });
  return master;
}

/** What every installation has: the disk, the drive and the guest tools. */
const localStorage: ReadonlyArray<Readonly<Record<string, string>>> = [
  { device: "/dev/disk/by-id/ata-lab-part3" },
  { location: "/dev/xapi/cd", type: "cd" },
  { location: "/opt/xensource/packages/iso", legacy_mode: "true" },
];

/** A reference to a repository; the class is not served. */
const someSr = (): string => `OpaqueRef:${randomUUID()}`;

/** Another host of the pool: its NIC is on the pool-wide network. */
export function seedMember(world: World, identity: HostIdentity): string {
  const [network = ""] = world.db.where("network", "bridge", "xenbr0");
  return seedHost(world, identity, network);
}

function seedHost(world: World, identity: HostIdentity, network: string): string {
  const { db } = world;
  const host = seedHostRecord(world, identity);
  seedPif(world, host, network, identity.address);
  for (const device_config of localStorage)
    db.insert("PBD", { host, SR: someSr(), device_config, currently_attached: true });
  const dom0 = seedVm(world, `Control domain on host: ${identity.name}`, {
    uuid: identity.uuids.controlDomain ?? randomUUID(),
    is_control_domain: true,
    power_state: "Running",
    domid: 0,
    resident_on: host,
    HVM_boot_policy: "",
    domain_type: "pv",
  });
  db.update("host", host, { control_domain: dom0 });
  return host;
}

/**
 * The two servers of the recipe, halted, each with the VIF that a new VM gets on the external network. They ran before,
 * with guest tools: xapi keeps the report of the last run until the next start.
 */
export function seedRecipeGuests(world: World): void {
  const { db } = world;
  const [network = ""] = db.where("network", "bridge", "xenbr0");
  for (const name of ["Fedora server 1", "Fedora server 2"]) {
    const vm = seedVm(world, name, {});
    db.insert("VIF", { VM: vm, network, device: "0", MAC: randomMac(), MTU: 1500 });
    reportGuest(world, vm);
  }
}

/** Makes a halted HVM guest record; the fields given win. */
function seedVm(world: World, name: string, fields: Row): string {
  const memory = 2 * gibibyte;
  return world.db.insert("VM", {
    name_label: name,
    domid: -1,
    domarch: "",
    memory_static_max: memory,
    memory_dynamic_max: memory,
    memory_dynamic_min: memory,
    memory_static_min: memory / 2,
    VCPUs_max: 2,
    VCPUs_at_startup: 2,
    actions_after_shutdown: "destroy",
    actions_after_reboot: "restart",
    actions_after_crash: "restart",
    HVM_boot_policy: "BIOS order",
    HVM_boot_params: { order: "cdn" },
    domain_type: "hvm",
    other_config: { mac_seed: randomUUID() },
    metrics: world.db.insert("VM_metrics", { memory_actual: memory, VCPUs_number: 2 }),
    ...fields,
  });
}

function seedHostRecord(world: World, { name, address, uuids }: HostIdentity): string {
  const { db, profile } = world;
  const metrics = db.insert("host_metrics", { memory_total: 16 * gibibyte, live: true });
  return db.insert("host", {
    uuid: uuids.host ?? randomUUID(),
    name_label: name,
    name_description: "Default install",
    hostname: name,
    address,
    API_version_major: profile.api[0],
    API_version_minor: profile.api[1],
    API_version_vendor: "XenSource",
    software_version: profile.softwareVersion,
    enabled: true,
    edition: profile.edition,
    ssl_legacy: false,
    metrics,
  });
}

function seedPif(world: World, host: string, network: string, address: string): void {
  const { db } = world;
  const metrics = db.insert("PIF_metrics", { carrier: true, speed: 1000, duplex: true, device_name: "Virtual NIC" });
  db.insert("PIF", {
    device: "eth0",
    network,
    host,
    MAC: randomMac(),
    MTU: 1500,
    VLAN: -1,
    metrics,
    physical: true,
    currently_attached: true,
    management: true,
    ip_configuration_mode: "Static",
    IP: address,
    netmask: "255.255.255.0",
    gateway: "192.168.1.50",
    DNS: "192.168.1.50",
  });
}

/** Locally administered, unicast. */
function randomMac(): string {
  const bytes = randomUUID().replaceAll("-", "").slice(0, 10).match(/../g) ?? [];
  return ["02", ...bytes].join(":");
}
