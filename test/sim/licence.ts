import { XapiFailure } from "./errors.ts";
import { stringMap, type World } from "./world.ts";

/** Features that a licence may lack, and the key of `pool.restrictions` that says so. */
const restrictions = { VIF_locking: "restrict_vif_locking", Guest_ip_setting: "restrict_guest_ip_setting" } as const;

/** Throws when the pool's licence lacks a feature; XCP-ng's never does. */
export function assertLicensed(world: World, feature: keyof typeof restrictions): void {
  const [pool = ""] = world.db.refs("pool");
  if (stringMap(world.db.row("pool", pool)["restrictions"])[restrictions[feature]] !== "true") return;
  throw new XapiFailure("LICENCE_RESTRICTION", [feature]);
}
