import { expect, test } from "vitest";
import { parseSnapshot } from "../../../provider/src/dom0/snapshot.ts";
import { checkForwardingOnHost } from "../../../provider/src/handlers/forwarding/forwarding-conflicts.ts";
import { deleteVif } from "../../../provider/src/handlers/vif/delete.ts";
import { vmRecordKey } from "../../../provider/src/handlers/vif/vm-records.ts";
import { Claims } from "../../../provider/src/hosts/claims.ts";
import type { HostContext } from "../../../provider/src/hosts/context.ts";
import { HOST_UUID, hostForwardingText } from "../../support/dom0-double/fragment.ts";

const owner = "urn:pulumi:dev::shop::pulumi-nodejs:dynamic/xennet:HostForwarding::other";
const internal = "5f0b0d0e-6a1e-4b8e-9f5e-0f2f6a0b7c11";

/** A host with another stack's forwarding, whose network has no bridge, or the one given. */
function snapshotWith(bridge: string) {
  const theirs = hostForwardingText(internal);
  return parseSnapshot(
    [
      ...["xennet-snapshot 1", `host ${HOST_UUID}`, "boot 1", "program 2", "format 1", "off no", "confirmed 1"],
      ...["pending none", "external xenbr0 192.168.1.10/24 static", `bridge ${internal} ${bridge}`],
      ...[`fragment ${theirs.token} waiting`, theirs.text.trimEnd(), "end", ""],
    ].join("\n"),
  );
}

function problems(bridge: string, externalInterface?: string) {
  const host = { profile: "default", claims: new Claims() } as unknown as HostContext;
  const news = { owner, address: "10.1.0.1/24", ...(externalInterface === undefined ? {} : { externalInterface }) };
  return checkForwardingOnHost(host, { olds: {}, news }, undefined, snapshotWith(bridge)).map(({ reason }) => reason);
}

test("an interface that nobody declared is not the bridge of a network that has none yet", () => {
  expect(problems("- absent")).toEqual([]);
  expect(problems("xapi0 present")).toEqual([]);
  expect(problems("xapi0 present", "xapi0")).toEqual([
    expect.stringMatching(
      /^expected an interface to the outside, found "xapi0", the bridge of the internal network that "nat"/,
    ),
  ]);
});

test("a replaced VIF is put back by the life of the resource that began with it only, not by any without a name", async () => {
  const values = {
    ...{ network: internal, locking_mode: "network_default", ipv4_allowed: [], ipv6_allowed: [] },
    ...{ qos_algorithm_type: "", qos_algorithm_params: {}, currently_attached: true },
    ...{ ipv4_configuration_mode: "None", ipv4_addresses: [], ipv4_gateway: "" },
    ...{ ipv6_configuration_mode: "None", ipv6_addresses: [], ipv6_gateway: "" },
  };
  const record = {
    ...{ owner, vm: "vm-uuid", uuid: "vif-uuid", device: "0", mac: "02:00:00:00:00:01", macGenerated: false },
    ...{ values, otherConfig: {} },
  };
  const vm = { ref: "vm", uuid: "vm-uuid", other_config: { [vmRecordKey("replaced", owner)]: JSON.stringify(record) } };
  const host = {
    poolView: async () => ({ vms: [vm], vifs: [], networks: [] }),
    poolChanged: () => {
      throw new Error("it was put back");
    },
  };
  await deleteVif(host as unknown as HostContext, undefined, { owner });
  await expect(
    deleteVif(host as unknown as HostContext, undefined, { owner, incarnation: "1" }),
  ).resolves.toBeUndefined();
});
