import { contains, parseCidr } from "../../validation/ipv4";
import { expected, type Problem } from "../../validation/problem";
import { isUnknown } from "../../validation/unknown";
import type { VifRecord } from "../../xapi/vifs";
import type { Props } from "../handler";
import { textsOf } from "../props";
import { guestAddressOf } from "./fields";

/**
 * XAPI refuses an address that a locked VIF does not allow (ADDRESS_VIOLATES_LOCKING_CONSTRAINT), but only once the guest's
 * tools run, and a VIF that is to be replaced is gone by then. What is not declared is as on the VIF that stays, if any.
 */
export function checkLockedAddress(news: Props, kept: VifRecord | undefined): Problem[] {
  const { lockingMode = kept?.locking_mode, ipv4Allowed = kept?.ipv4_allowed ?? [] } = news;
  const address = parseCidr(guestAddressOf(news["ipv4"])?.address)?.address;
  if (lockingMode !== "locked" || address === undefined || isUnknown([ipv4Allowed, address])) return [];
  const allowed = textsOf({ ipv4Allowed }, "ipv4Allowed");
  const covers = (entry: string) => {
    const network = parseCidr(entry.includes("/") ? entry : `${entry}/32`);
    return network !== undefined && contains(network, address);
  };
  if (allowed.some(covers)) return [];
  const has = allowed.length === 0 ? "it has none" : allowed.join(", ");
  return [expected("ipv4.address", `an address that ipv4Allowed has, as lockingMode is "locked" (${has})`, address)];
}
