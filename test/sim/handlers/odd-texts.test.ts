import { afterAll, beforeAll, expect, test } from "vitest";
import type { Handler, Props } from "../../../provider/src/handlers/handler.ts";
import { xenNetworkHandler } from "../../../provider/src/handlers/network/xen-network.ts";
import { xenVifHandler } from "../../../provider/src/handlers/vif/xen-vif.ts";
import { oddTexts } from "../../support/odd-texts.ts";
import { type PoolUnderTest, startPool, urnOf } from "./pool-under-test.ts";

let pool: PoolUnderTest;

beforeAll(async () => {
  pool = await startPool();
});
afterAll(() => pool?.[Symbol.asyncDispose]());

const network = { owner: urnOf("XenNetwork", "net"), nameLabel: "Internal network" };
const vif = {
  ...{ owner: urnOf("XenVif", "web"), vm: "Fedora server 1", device: "1" },
  network: "Pool-wide network associated with eth0",
};

/** A text property, with a place for the text where it lies deeper down. */
type Place = readonly [property: string, place: (text: string) => unknown];
const plain = (property: string): Place => [property, (text) => text];

const placesOfNetwork: readonly Place[] = [
  ...["owner", "nameLabel", "nameDescription", "defaultLockingMode", "bridge", "adopt"].map(plain),
  ["tags", (text) => [text]],
  ["otherConfig", (text) => ({ [text]: "value" })],
  ["otherConfig", (text) => ({ key: text })],
  ["adopt", (text) => ({ uuid: text })],
  ["adopt", (text) => ({ nameLabel: text })],
];
const placesOfVif: readonly Place[] = [
  ...["owner", "vm", "network", "device", "mac", "lockingMode", "onDeviceConflict", "adopt"].map(plain),
  ["ipv4Allowed", (text) => [text]],
  ["ipv6Allowed", (text) => [text]],
  ["ethtool", (text) => ({ tx: text })],
  ["ethtool", (text) => ({ [text]: "on" })],
  ["otherConfig", (text) => ({ [text]: "value" })],
  ["otherConfig", (text) => ({ key: text })],
  ["ipv4", (text) => ({ address: text })],
  ["ipv4", (text) => ({ address: "192.168.100.11/24", gateway: text })],
  ["adopt", (text) => ({ uuid: text })],
];

const cases: ReadonlyArray<readonly [string, string, Handler, Props, Place]> = [
  ...placesOfNetwork.map((place) => ["XenNetwork", place[0], xenNetworkHandler, network, place] as const),
  ...placesOfVif.map((place) => ["XenVif", place[0], xenVifHandler, vif, place] as const),
];

test.each(cases)("1,000 odd texts in %s.%s are refused by that property, or taken as they are", async (...given) => {
  const [, , handler, base, [property, place]] = given;
  const before = pool.writingCalls();
  const host = pool.newProcess();
  for (const text of oddTexts(1000, 5)) {
    const value = place(text);
    const { inputs, failures } = await handler.check(host, {}, { ...base, [property]: value });
    // With another owner it is another resource of the program, which may not want the same device.
    const about = failures.map((failure) => failure.property.split(/[.[]/)[0]);
    expect(
      about.every((name) => name === property || property === "owner"),
      JSON.stringify(text),
    ).toBe(true);
    if (failures.length === 0) expect(inputs[property]).toEqual(value);
  }
  expect(pool.writingCalls()).toBe(before);
});

test("texts that pass reach XAPI, and come back from it, as they are", async () => {
  const passing = async (given: (text: string) => Props) => {
    const texts: string[] = [];
    const host = pool.newProcess();
    for (const text of new Set(oddTexts(400, 7))) {
      const { failures } = await xenNetworkHandler.check(host, {}, { ...network, ...given(text) });
      if (failures.length === 0) texts.push(text);
    }
    expect(texts.length).toBeGreaterThan(50);
    return texts;
  };
  const keys = await passing((text) => ({ otherConfig: { [text]: text } }));
  const given = {
    ...network,
    nameLabel: [...keys.join("")].slice(0, 120).join(""),
    tags: await passing((text) => ({ tags: [text] })),
    otherConfig: Object.fromEntries(keys.map((text) => [text, text])),
  };
  const { inputs, failures } = await xenNetworkHandler.check(pool.host, {}, given);
  expect(failures).toEqual([]);
  const { id, outs } = await xenNetworkHandler.create(pool.host, inputs);
  const { name_label, tags, other_config } = await pool.record("network", String(outs["uuid"]));
  expect(name_label).toBe(given.nameLabel);
  expect(new Set(tags as string[])).toEqual(new Set(given.tags));
  expect(other_config).toMatchObject(given.otherConfig);
  const { props } = await xenNetworkHandler.read(pool.newProcess(), id, outs);
  expect(props).toEqual(outs);
});
