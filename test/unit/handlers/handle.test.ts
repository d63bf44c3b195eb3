import { expect, test } from "vitest";
import { configure, handle } from "../../../provider/src/handlers/index.ts";

/** A host where nothing listens. */
const settings = new Map([
  ["xennet:host", "192.0.2.1"],
  ["xennet:password", "x"],
  ["xennet:xapiUrl", "https://127.0.0.1:9"],
  ["xennet:sshPort", "9"],
]);
const unreachable = { get: (key: string) => settings.get(key) };

const network = { owner: "urn:pulumi:dev::shop::t::n", nameLabel: "Internal network" };

test("missing configuration is a failure of the check that names each key and the command which sets it", async () => {
  configure({ get: () => undefined });
  const { failures } = (await handle("XenNetwork", "check", [{}, network])) as {
    failures: Array<{ property: string; reason: string }>;
  };
  expect(failures.map((failure) => failure.property)).toEqual(["host"]);
  expect(failures[0]?.reason).toContain("pulumi config set xennet:host");
  expect(failures[0]?.reason).toContain("pulumi config set xennet:password --secret");
});

test("an error the package expects has its code and no stack trace", async () => {
  configure({ get: () => undefined });
  const failure = (await handle("XenNetwork", "read", ["x", network]).catch((error: unknown) => error)) as Error;
  expect(failure.message).toMatch(/\(CONFIG_INVALID\) Note: refresh, destroy .*XENNET_HOST.*--refresh=false/s);
  expect(failure.stack).toBe("");
});

test("a refused value that is secret is not shown, and neither is the list of secrets stored", async () => {
  configure(unreachable);
  const given = { ...network, mtu: 7, nameLabel: "hidden\nname", secretInputs: ["nameLabel"] };
  const answer = (await handle("XenNetwork", "check", [{}, given])) as {
    inputs: object;
    failures: Array<{ property: string; reason: string }>;
  };
  expect(answer.failures).toEqual([
    { property: "mtu", reason: "expected an MTU in bytes, an integer from 68 to 65535, found 7" },
    { property: "", reason: "nameLabel: expected a text without control characters, found a secret value" },
  ]);
  expect(answer.inputs).not.toHaveProperty("secretInputs");
});

test("a message about one property does not quote another one that is secret, in whatever form", async () => {
  configure(unreachable);
  const ofForwarding = { forwarding: "host/token", network: "pool/network", forwardingAddress: "10.66.77.1/24" };
  const given = { owner: network.owner, ...ofForwarding, externalPort: 80, target: "192.168.100.11" };
  const check = (secretInputs: string[]) => handle("PortForward", "check", [{}, { ...given, secretInputs }]);
  const reasonOf = (answer: unknown) => (answer as { failures: Array<{ reason: string }> }).failures[0]?.reason;
  const reason = 'expected an address in the forwarding\'s network 10.66.77.0/24, found "192.168.100.11"';
  expect(reasonOf(await check([]))).toBe(reason);
  expect(reasonOf(await check(["forwardingAddress"]))).toBe(reason.replace("10.66.77.0/24", "[secret]"));
});

test("that a secret port is taken is told without the port", async () => {
  configure(unreachable);
  const ofForwarding = { forwarding: "host/token", network: "pool/network", forwardingAddress: "192.168.100.1/24" };
  const given = { ...ofForwarding, externalPort: 8123, target: "192.168.100.11", secretInputs: ["externalPort"] };
  const check = async (name: string) => {
    const owner = `urn:pulumi:dev::shop::t::${name}`;
    const answer = (await handle("PortForward", "check", [{}, { ...given, owner }])) as { failures: object[] };
    return answer.failures;
  };
  expect(await check("one")).toEqual([]);
  expect(await check("two")).toEqual([
    {
      property: "",
      reason:
        'externalPort: expected one forward a port, but two of this program ask for the same: "one" of stack shop/dev and "two" of stack shop/dev',
    },
  ]);
});

test("nothing is asked of a host whose profile is not known yet", async () => {
  const given = { ...network, host: "04da6b54-80e4-46f7-96ec-b56ff0331ba9" };
  expect(await handle("XenNetwork", "check", [{}, given])).toMatchObject({ failures: [] });
});

test("a kind that only a newer version knows is refused by name", async () => {
  await expect(handle("XenRouter", "create", [{}])).rejects.toThrow(
    /does not know the resource XenRouter.*KIND_UNKNOWN/,
  );
});
