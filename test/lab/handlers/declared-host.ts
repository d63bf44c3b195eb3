import { expect } from "vitest";
import { hostForwardingHandler } from "../../../provider/src/handlers/forwarding/host-forwarding.ts";
import { portForwardHandler } from "../../../provider/src/handlers/forwarding/port-forward.ts";
import type { Handler, Props } from "../../../provider/src/handlers/handler.ts";
import { xenNetworkHandler } from "../../../provider/src/handlers/network/xen-network.ts";
import { xenVifHandler } from "../../../provider/src/handlers/vif/xen-vif.ts";
import type { Host as HostContext } from "../../../provider/src/hosts/host.ts";
import type { Host } from "../host.ts";
import { urnOf } from "./host-under-test.ts";

export interface Declared {
  readonly id: string;
  readonly outs: Props;
}

/** Check, then create, as an `up` does. */
export async function declare(handler: Handler, context: HostContext, given: Props): Promise<Declared> {
  const { inputs, failures } = await handler.check(context, {}, given);
  expect(failures).toEqual([]);
  return handler.create(context, inputs);
}

/** The internal network, and both guests running on it with the addresses of the recipe. */
export async function declareGuests(host: Host, context: HostContext): Promise<Declared> {
  const network = await declare(xenNetworkHandler, context, {
    ...{ owner: urnOf("XenNetwork", "internal"), nameLabel: "Internal network" },
  });
  for (const number of [1, 2]) {
    const vm = `Fedora server ${number}`;
    await declare(xenVifHandler, context, {
      ...{ owner: urnOf("XenVif", `server${number}`), vm, network: network.id, onDeviceConflict: "takeOver" },
    });
    await host.lab.setGuestAddress(vm, `192.168.100.1${number}/24`, "192.168.100.1");
    const [ref = ""] = await host.simulator.admin.call<string[]>("VM.get_by_name_label", vm);
    await host.simulator.admin.call("VM.start", ref, false, false);
  }
  return network;
}

export function declareForwarding(context: HostContext, network: Declared, given: Props = {}): Promise<Declared> {
  const owner = urnOf("HostForwarding", "nat");
  return declare(hostForwardingHandler, context, { owner, network: network.id, address: "192.168.100.1/24", ...given });
}

/** What the class of a PortForward hands on from its forwarding. */
export function forwardInputs(name: string, forwarding: Declared, given: Props, stack = "dev"): Props {
  const { network, address, externalInterface, externalAddress } = forwarding.outs;
  return {
    ...{ owner: urnOf("PortForward", name, stack), forwarding: forwarding.id, network, forwardingAddress: address },
    ...(externalInterface === undefined ? {} : { externalInterface }),
    ...(externalAddress === undefined ? {} : { externalAddress }),
    ...given,
  };
}

export function declareForward(context: HostContext, forwarding: Declared, given: Props, stack?: string) {
  return declare(portForwardHandler, context, forwardInputs(`p${given["externalPort"]}`, forwarding, given, stack));
}
