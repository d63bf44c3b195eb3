import type { HostSnapshot } from "../dom0/host";
import { expected, type Problem } from "../validation/problem";
import { isUnknown } from "../validation/unknown";
import type { Props } from "./handler";
import { textOf } from "./props";

/** A declared outside must be there: what the host cannot resolve it waits for, and nobody would know why. */
export function checkOutside(news: Props, snapshot: HostSnapshot): Problem[] {
  const [name, address] = [textOf(news, "externalInterface"), textOf(news, "externalAddress")];
  if (isUnknown([name, address])) return [];
  const there = snapshot.addresses.filter((found) => name === undefined || found.interface === name);
  const list = snapshot.addresses.map((found) => `${found.interface} ${found.address}`).join(", ");
  if (name !== undefined && there.length === 0) {
    return [expected("externalInterface", `an interface of the host that has an IPv4 address (${list})`, name)];
  }
  const isThere = address === undefined || there.some((found) => found.address.split("/")[0] === address);
  return isThere ? [] : [expected("externalAddress", `an address of the host (${list})`, address)];
}
