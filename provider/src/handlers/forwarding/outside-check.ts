import { quoted } from "../../core/foreign-text";
import { sameName } from "../../core/same-name";
import type { HostSnapshot } from "../../dom0/host";
import { expected, type Problem } from "../../validation/problem";
import { isUnknown } from "../../validation/unknown";
import type { Props } from "../handler";
import { textOf } from "../props";
import { externalInterfaceOf } from "./surroundings";

/** A declared outside must be there: what the host cannot resolve it waits for, and nobody would know why. */
export function checkOutside(news: Props, snapshot: HostSnapshot): Problem[] {
  const [name, address] = [textOf(news, "externalInterface"), textOf(news, "externalAddress")];
  if (isUnknown([name, address])) return [];
  const outer = snapshot.addresses.filter((found) => !found.address.startsWith("127."));
  const there = outer.filter((found) => name === undefined || found.interface === name);
  const list = outer.map((found) => `${found.interface} ${found.address}`).join(", ");
  if (name !== undefined && there.length === 0) {
    return [expected("externalInterface", `an interface of the host that has an IPv4 address (${list})`, name)];
  }
  const found = there.find((candidate) => sameName(candidate.address.split("/")[0], address));
  if (address === undefined) return [];
  if (found === undefined) return [expected("externalAddress", `an address of the host (${list})`, address)];
  const outside = externalInterfaceOf(news, snapshot);
  if (outside === undefined || found.interface === outside) return [];
  const reason = `expected an address of the external interface ${outside}, found ${quoted(address)}, which is on ${found.interface}. If that is the outside, name it in externalInterface of the HostForwarding`;
  return [{ property: "externalAddress", reason }];
}
