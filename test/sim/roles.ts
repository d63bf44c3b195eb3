import type { Role } from "./contract.ts";
import { XapiFailure } from "./errors.ts";
import { isWriting, type Method } from "./method.ts";

const roles: readonly Role[] = [
  "pool-admin",
  "pool-operator",
  "vm-power-admin",
  "vm-admin",
  "vm-operator",
  "read-only",
];

/** Whoever may write an object's fields and call its methods; the first that matches counts. */
const rules: ReadonlyArray<readonly [call: RegExp, role: Role]> = [
  [/^session\.(set|add_to|remove_from)_|^network\.(add|remove)_purpose$/, "pool-admin"],
  [/\.(set|add|remove)_tags$|^pool\..*_gui_config$|^VIF\.configure_ipv[46]$/, "vm-operator"],
  [/^VM\.(set_affinity|start_on|snapshot|revert)$/, "vm-power-admin"],
  [/^VM\.(start|pause|unpause|shutdown|(clean|hard)_(shutdown|reboot))$/, "vm-operator"],
  [/^network\.(set_MTU|create|destroy)$/, "vm-admin"],
  [/^VIF\.(set_locking_mode|(set|add|remove)_ipv[46]_allowed)$/, "pool-operator"],
  [/^(VM|VM_metrics|VM_guest_metrics|VIF|VIF_metrics)\./, "vm-admin"],
  [/^task\.(set|add_to|remove_from)_|^host\.get_management_interface$/, "pool-operator"],
];

/** The least role that may make a call. */
function roleFor({ name }: Method): Role {
  const writing =
    isWriting(name) || /^host\.get_management_interface$|^(session|task)\.(set|add_to|remove_from)_/.test(name);
  if (!writing) return "read-only";
  return rules.find(([call]) => call.test(name))?.[1] ?? "pool-operator";
}

/** Throws unless the role of a session may make a call; the permission is named in lower case. */
export function assertAllowed(role: Role, method: Method): void {
  const least = roleFor(method);
  if (roles.indexOf(role) <= roles.indexOf(least)) return;
  const allowed = roles.slice(0, roles.indexOf(least) + 1).join(", ");
  throw new XapiFailure("RBAC_PERMISSION_DENIED", [method.name.toLowerCase(), `Only these roles may: ${allowed}.`]);
}
