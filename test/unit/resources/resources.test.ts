import { createRequire } from "node:module";
import { beforeAll, expect, test } from "vitest";

const require = createRequire(import.meta.url);
// The built package and the one copy of the SDK, as a program loads them.
const pulumi: typeof import("@pulumi/pulumi") = require("@pulumi/pulumi");
const xennet: typeof import("../../../provider/src/index.ts") = require("../../../provider/dist/index.js");

interface Registered {
  readonly type: string;
  readonly name: string;
  readonly inputs: Record<string, unknown>;
}

const registered: Registered[] = [];

beforeAll(async () => {
  await pulumi.runtime.setMocks(
    {
      call: () => ({}),
      newResource: ({ type, name, inputs }) => {
        registered.push({ type, name, inputs });
        return { id: `id-of-${name}`, state: inputs };
      },
    },
    "shop",
    "dev",
  );
});

async function settled<T>(output: import("@pulumi/pulumi").Output<T>): Promise<T> {
  return new Promise((resolve) => output.apply(resolve));
}

test("a resource has the fixed type token, its owner mark, and hands on ids and plain inputs only", async () => {
  const network = new xennet.XenNetwork("internal", { nameLabel: "Internal network", mtu: 9000 });
  const nat = new xennet.HostForwarding("nat", { network, address: "192.168.100.1/24" });
  const forward = new xennet.PortForward("http", { forwarding: nat, externalPort: 8080, target: "192.168.100.11" });
  const vif = new xennet.XenVif("web1", { vm: "Fedora server 1", network });
  await Promise.all([settled(forward.urn), settled(vif.urn)]);
  const found = Object.fromEntries(registered.map(({ name, type, inputs }) => [name, { type, inputs }]));
  for (const kind of ["XenNetwork", "HostForwarding", "PortForward", "XenVif"]) {
    const type = `pulumi-nodejs:dynamic/xennet:${kind}`;
    expect(registered.filter((resource) => resource.type === type)).toHaveLength(1);
  }
  expect(found["nat"]?.inputs).toMatchObject({
    ...{ network: "id-of-internal", networkLabel: "Internal network", networkMtu: 9000 },
  });
  expect(found["http"]?.inputs).toMatchObject({ forwarding: "id-of-nat", forwardingAddress: "192.168.100.1/24" });
  expect(found["web1"]?.inputs).toMatchObject({
    network: "id-of-internal",
    owner: "urn:pulumi:dev::shop::pulumi-nodejs:dynamic/xennet:XenVif::web1",
  });
});

test("refuses deleteBeforeReplace: false, which the host cannot honour", () => {
  expect(() => new xennet.XenNetwork("other", { nameLabel: "x" }, { deleteBeforeReplace: false })).toThrow(
    /deleteBeforeReplace: false cannot be honoured/,
  );
});

test("refuses the import option with the way that works", () => {
  const options = { import: "pool/network" } as object;
  expect(() => new xennet.XenNetwork("other", { nameLabel: "x" }, options)).toThrow(
    'XenNetwork "other": Pulumi cannot import dynamic resources; to take over what is there, use the input `adopt`',
  );
});

test("refuses a password stored without --secret, naming the command", () => {
  process.env["PULUMI_CONFIG"] = JSON.stringify({ "xennet:config:password": "in clear" });
  process.env["PULUMI_CONFIG_SECRET_KEYS"] = "[]";
  try {
    expect(() => new xennet.XenNetwork("third", { nameLabel: "x" })).toThrow(
      /pulumi config set xennet:password --secret/,
    );
  } finally {
    delete process.env["PULUMI_CONFIG"];
    delete process.env["PULUMI_CONFIG_SECRET_KEYS"];
  }
});

test.each([
  [undefined, "nothing"],
  ["nat", '"nat"'],
  [7, "a number"],
  [{}, "an object"],
])("a forwarding that is %j is refused by name", (given, found) => {
  const make = () =>
    new xennet.PortForward("http", { forwarding: given as never, externalPort: 80, target: "10.0.0.2" });
  expect(make).toThrow(`PortForward "http": forwarding: expected a HostForwarding, found ${found}`);
});

test("the rules' text, and drift that quotes it, are secret when what they are made of is", async () => {
  const network = new xennet.XenNetwork("for-secrets", { nameLabel: "Internal network" });
  const open = new xennet.HostForwarding("open", { network, address: "192.168.100.1/24" });
  const hidden = new xennet.HostForwarding("hidden", { network, address: pulumi.secret("192.168.100.1/24") });
  const given = { forwarding: open, externalPort: 8080 };
  const forwards = [
    new xennet.PortForward("hidden", { ...given, target: pulumi.secret("192.168.100.11") }),
    new xennet.PortForward("open", { ...given, target: "192.168.100.11" }),
  ];
  const marks = [hidden, open, ...forwards].map(({ rules, drift }) =>
    Promise.all([pulumi.isSecret(rules as never), pulumi.isSecret(drift as never)]),
  );
  expect(await Promise.all(marks)).toEqual([
    [true, true],
    [false, false],
    [true, true],
    [false, false],
  ]);
});

test.each([
  ["forwarding's external interface", { nat: { externalInterface: pulumi.secret("eth1") } }],
  ["forwarding's external address", { nat: { externalAddress: pulumi.secret("192.0.2.7") } }],
  ["forwarding's address", { nat: { address: pulumi.secret("192.168.100.1/24") } }],
  ["network's name", { network: { nameLabel: pulumi.secret("Internal network") } }],
  ["network's bridge", { network: { bridge: pulumi.secret("internal0") } }],
  ["name of a network that is only named", { nat: { network: pulumi.secret("Internal network") } }],
  ["forward's own protocol", { forward: { protocol: pulumi.secret("udp" as const) } }],
])("a forward's rules and drift are secret when the %s is", async (what, given) => {
  const { network = {}, nat = {}, forward = {} } = given as Record<string, object>;
  const internal = new xennet.XenNetwork(`net: ${what}`, { nameLabel: "Internal network", ...network });
  const forwarding = new xennet.HostForwarding(`nat: ${what}`, {
    ...{ network: internal, address: "192.168.100.1/24" },
    ...nat,
  });
  const target = "192.168.100.11";
  const http = new xennet.PortForward(`http: ${what}`, { forwarding, externalPort: 8080, target, ...forward });
  expect(await Promise.all([http.rules, http.drift].map((value) => pulumi.isSecret(value)))).toEqual([true, true]);
  const ofForwarding = [forwarding.rules, forwarding.drift, forwarding.shadowedBy];
  const isOwn = "forward" in given;
  expect(await Promise.all(ofForwarding.map((value) => pulumi.isSecret(value)))).toEqual([!isOwn, !isOwn, !isOwn]);
});

test("the target's port is as secret as the external port that it is taken from", async () => {
  const network = new xennet.XenNetwork("for-ports", { nameLabel: "Internal network" });
  const forwarding = new xennet.HostForwarding("for-ports", { network, address: "192.168.100.1/24" });
  const given = { forwarding, target: "192.168.100.11" };
  const range = new xennet.PortForward("hidden range", { ...given, externalPort: pulumi.secret("27431-27435") });
  const both = new xennet.PortForward("own port", { ...given, externalPort: pulumi.secret(80), targetPort: 8080 });
  const open = new xennet.PortForward("open port", { ...given, externalPort: 80 });
  const marks = [range, both, open].map(({ targetPort }) => pulumi.isSecret(targetPort));
  expect(await Promise.all(marks)).toEqual([true, false, false]);
});

test("what has the guest's address in it is secret when the address is", async () => {
  const given = { vm: "Fedora server 1", adopt: true } as const;
  const address = "192.168.100.11/24";
  const hidden = new xennet.XenVif("hidden", { ...given, ipv4: pulumi.secret({ address }) });
  const open = new xennet.XenVif("open", { ...given, ipv4: { address } });
  const isSecret = (vif: InstanceType<typeof xennet.XenVif>) =>
    Promise.all([vif.guestSetup, vif.guestAddresses, vif.drift].map((value) => pulumi.isSecret(value as never)));
  expect(await isSecret(hidden)).toEqual([true, true, true]);
  expect(await isSecret(open)).toEqual([false, false, false]);
  const withSecretMac = new xennet.XenVif("mac", {
    ...given,
    ipv4: { address },
    mac: pulumi.secret("02:16:3e:00:00:01"),
  });
  expect(await isSecret(withSecretMac)).toEqual([true, false, false]);
});

test("what a resource keeps of the object that a secret text names is secret, too", async () => {
  const text = pulumi.secret("a name");
  const network = new xennet.XenNetwork("adopted by a secret", { adopt: true, nameLabel: text });
  const vif = new xennet.XenVif("of a secret VM", { vm: text, network });
  const nat = new xennet.HostForwarding("of a secret network", { network: text, address: "192.168.100.1/24" });
  await Promise.all([settled(vif.urn), settled(nat.urn)]);
  const inputsOf = (name: string) => registered.find((resource) => resource.name === name)?.inputs ?? {};
  expect(inputsOf("adopted by a secret")["secretInputs"]).toEqual(["nameLabel", "selector", "former"]);
  expect(inputsOf("of a secret VM")["secretInputs"]).toEqual(["vm", "vmUuid"]);
  expect(inputsOf("of a secret network")["secretInputs"]).toContain("networkUuid");
});
