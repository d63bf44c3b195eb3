import { quoted } from "../core/foreign-text";

type Sentence = string | ((...params: string[]) => string);

const other = (text: string | undefined) => (text === undefined || text === "" ? "" : `: ${text}`);

/** What XAPI's error codes mean, with their parameters in XAPI's order (datamodel_errors.ml). */
const sentences: Readonly<Record<string, Sentence>> = {
  // Login and permissions
  SESSION_AUTHENTICATION_FAILED: "the host did not accept user name and password",
  SESSION_AUTHORIZATION_FAILED: "the user is known, but has no role on this pool",
  RBAC_PERMISSION_DENIED: (permission) =>
    `the user's role does not include ${quoted(permission)}; use a user with the role pool-admin`,
  SESSION_INVALID: "the host does not know the session any more",
  HOST_IS_SLAVE: (master) => `this host is a pool member; its master is ${master}`,
  HOST_STILL_BOOTING: "the host is still starting; try again when it is up",
  HOST_IN_EMERGENCY_MODE: "the pool member cannot reach its master and is in emergency mode",
  HOST_OFFLINE: (host) => `the host ${host} is offline`,
  // Any object
  HANDLE_INVALID: (kind, ref) => `there is no ${kind} with the reference ${ref} (any more)`,
  UUID_INVALID: (kind, uuid) => `there is no ${kind} with the UUID ${uuid} (any more)`,
  MAP_DUPLICATE_KEY: (kind, field, _ref, key) => `the ${kind}'s ${field} already has the key ${quoted(key)}`,
  MESSAGE_METHOD_UNKNOWN: (name) => `the host does not know the call ${name}; its version may be too old`,
  MESSAGE_REMOVED: "the host does not support this call any more",
  INVALID_VALUE: (field, value) => `${quoted(value)} is not accepted for ${quoted(field)}`,
  INTERNAL_ERROR: (text) => `the host reports an internal error${other(text)}`,
  LICENCE_RESTRICTION: (feature) => `the host's licence does not include ${quoted(feature)}`,
  OTHER_OPERATION_IN_PROGRESS: (kind, ref, operation) =>
    `another operation${operation ? ` (${operation})` : ""} is running on the ${kind} ${ref}; try again when it has ended`,
  OPERATION_NOT_ALLOWED: (reason) => `the host does not allow it now${other(reason)}`,
  TASK_CANCELLED: "the task was cancelled",
  // Networks
  BRIDGE_NAME_EXISTS: (bridge) => `the bridge name ${quoted(bridge)} is taken by another network`,
  BRIDGE_NOT_AVAILABLE: (bridge) => `the bridge ${quoted(bridge)} does not exist on the host`,
  NETWORK_CONTAINS_VIF: (...vifs) => `VIFs of the network are still plugged (${vifs.join(", ")}); unplug them first`,
  NETWORK_CONTAINS_PIF: (...pifs) => `the network belongs to host interfaces (${pifs.join(", ")})`,
  CANNOT_DESTROY_SYSTEM_NETWORK: "the network belongs to the host itself",
  NETWORK_UNMANAGED: "the network is not managed by XAPI",
  HOST_CANNOT_ATTACH_NETWORK: (host, network) => `the host ${host} cannot reach the network ${network}`,
  // VIFs
  VIF_IN_USE: (network, vif) => `the VIF ${vif} of the network ${network} is in use`,
  INVALID_DEVICE: (device) => `${quoted(device)} is not a device number`,
  DEVICE_ALREADY_EXISTS: (device) => `the VM already has a VIF on device ${device}`,
  DEVICE_ALREADY_ATTACHED: "the VIF is already plugged",
  DEVICE_ALREADY_DETACHED: "the VIF is already unplugged",
  DEVICE_DETACH_REJECTED: (_kind, _id, text) => `the guest refused to let go of the VIF${other(text)}`,
  DEVICE_DETACH_TIMEOUT: "the guest did not let go of the VIF in time",
  MAC_INVALID: (mac) => `${quoted(mac)} is not a MAC address`,
  INVALID_CIDR_ADDRESS_SPECIFIED: "the address is not in CIDR form",
  INVALID_IP_ADDRESS_SPECIFIED: "the address is not an IP address",
  // The address may be a secret of the program's.
  ADDRESS_VIOLATES_LOCKING_CONSTRAINT: () => "the VIF's locking does not allow the address",
  HA_CONSTRAINT_VIOLATION_NETWORK_NOT_SHARED: () =>
    "the VM is protected by high availability, which needs a network that all hosts share",
  HA_OPERATION_WOULD_BREAK_FAILOVER_PLAN: "it would break the pool's high-availability plan",
  // VMs
  VM_BAD_POWER_STATE: (_vm, wanted, actual) => `the VM must be ${wanted}, and is ${actual}`,
  VM_MISSING_PV_DRIVERS: "the VM has no paravirtual drivers (guest tools); shut it down first, or install them",
  VM_OLD_PV_DRIVERS: "the VM's paravirtual drivers (guest tools) are too old; shut it down first, or update them",
  VM_LACKS_FEATURE: () =>
    "the guest's tools do not offer it (or the VM never ran with them); install the guest tools and start it once",
};

/** The sentence for a failure; a code without one keeps its parameters readable. */
export function sentenceFor(xapiCode: string, params: readonly string[]): string {
  const sentence = Object.hasOwn(sentences, xapiCode) ? sentences[xapiCode] : undefined;
  if (sentence === undefined) return params.length === 0 ? "the host refused it" : params.join(", ");
  if (typeof sentence === "string") return sentence;
  return sentence(...params, ...missing(sentence.length - params.length));
}

function missing(count: number): string[] {
  return Array.from({ length: Math.max(0, count) }, () => "?");
}
