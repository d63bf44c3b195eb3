import { expect, test } from "vitest";
import { XennetError } from "../../../provider/src/core/errors.ts";
import type { Inventory } from "../../../provider/src/lookups/inventory.ts";
import type { LookUp } from "../../../provider/src/lookups/look-up.ts";
import { xenHostLookUp } from "../../../provider/src/lookups/xen-host.ts";
import { xenNetworkLookUp } from "../../../provider/src/lookups/xen-network.ts";
import { xenPifLookUp } from "../../../provider/src/lookups/xen-pif.ts";
import { xenVifsLookUp } from "../../../provider/src/lookups/xen-vifs.ts";
import { xenVmLookUp } from "../../../provider/src/lookups/xen-vm.ts";
import { oddTexts } from "../../support/odd-texts.ts";

const empty: Inventory = { networks: [], vms: [], vifs: [], pifs: [], hosts: [], guestMetrics: new Map() };

const refusals = ["ARGUMENT_INVALID", "REFERENCE_UNKNOWN", "REFERENCE_AMBIGUOUS"];

test.each<[string, LookUp<unknown>, readonly string[], object]>([
  ["getXenVm", xenVmLookUp, ["nameLabel", "uuid"], {}],
  ["getXenNetwork", xenNetworkLookUp, ["nameLabel", "uuid"], {}],
  ["getXenHost", xenHostLookUp, ["nameLabel", "uuid"], {}],
  ["getXenPif", xenPifLookUp, ["device", "uuid"], {}],
  ["getXenPif of a host", xenPifLookUp, ["onHost"], { device: "eth0" }],
  ["listXenVifs", xenVifsLookUp, ["vm", "network"], {}],
])("1,000 odd texts in each argument of %s are found or refused, and nothing else", (_name, kind, keys, more) => {
  for (const [seed, key] of keys.entries()) {
    for (const text of oddTexts(1000, seed)) {
      const given = { ...more, [key]: text };
      try {
        kind.check(given);
        kind.find(empty, given);
        expect.unreachable(JSON.stringify(text));
      } catch (error) {
        expect(error, JSON.stringify(text)).toBeInstanceOf(XennetError);
        expect(refusals).toContain((error as XennetError).code);
        expect((error as XennetError).property).toBe(key);
      }
    }
  }
});
