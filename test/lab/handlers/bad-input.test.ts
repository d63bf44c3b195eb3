import { expect, test } from "vitest";
import { hostForwardingHandler } from "../../../provider/src/handlers/forwarding/host-forwarding.ts";
import { portForwardHandler } from "../../../provider/src/handlers/forwarding/port-forward.ts";
import type { Handler, Props } from "../../../provider/src/handlers/handler.ts";
import type { Host as HostContext } from "../../../provider/src/hosts/host.ts";
import type { Host } from "../host.ts";
import { forward, nat, type provider, refusals, sharedHost, urnOf } from "./host-under-test.ts";

let host: Host;
let run: ReturnType<typeof provider>;

sharedHost((lab, labRun) => {
  [host, run] = [lab, labRun];
});

const known =
  "host, network, address, externalInterface, externalAddress, outbound, outboundToInfrastructure, inbound, snat, forwardingScope, arp, proxyArp, sendRedirects, arpFilter, clampMss, guestAccessToHost, isolation, persistence";

const refused = (handler: Handler, context: HostContext, news: Props) => refusals(host, handler, context, news);

test.each<[Props, string]>([
  [
    { address: "192.168.100.1" },
    'address: expected an IPv4 address with prefix length such as "192.168.100.1/24", found "192.168.100.1"',
  ],
  [
    { address: "192.168.300.1/24" },
    'address: expected an IPv4 address with prefix length such as "192.168.100.1/24", found "192.168.300.1/24"',
  ],
  [
    { address: "192.168.100.0/24" },
    'address: expected an address between 192.168.100.1 and 192.168.100.254, found "192.168.100.0", which is the address of the network itself of 192.168.100.0/24',
  ],
  [
    { address: "192.168.1.200/24" },
    'address: expected a network of its own, found "192.168.1.200/24", which overlaps the host\'s route to 192.168.1.0/24 through xenbr0',
  ],
  [
    { externalInterface: "xenbr0; reboot" },
    "externalInterface: expected an interface name of 1 to 15 letters, digits, '_', '.' or '-', found \"xenbr0; reboot\"",
  ],
  [{ externalAddress: "10.0.0" }, 'externalAddress: expected an IPv4 address such as "192.168.100.11", found "10.0.0"'],
  [{ address: "192.168.100.1/31" }, 'address: expected a prefix length from /8 to /30, found "192.168.100.1/31"'],
  [
    { address: "192.168.100.255/24" },
    'address: expected an address between 192.168.100.1 and 192.168.100.254, found "192.168.100.255", which is the broadcast address of 192.168.100.0/24',
  ],
  [{ address: "192.168.100.1/32" }, 'address: expected a prefix length from /8 to /30, found "192.168.100.1/32"'],
  [
    { address: "192.168.100.1/ 24" },
    'address: expected an IPv4 address with prefix length such as "192.168.100.1/24", found "192.168.100.1/ 24"',
  ],
  [
    { address: "192.168.1.129/30" },
    'address: expected a network of its own, found "192.168.1.129/30", which overlaps the host\'s route to 192.168.1.0/24 through xenbr0',
  ],
  [{ outbound: "some" }, 'outbound: expected "any", "none" or a list of networks, found "some"'],
  [
    { outbound: ["10.0.0.0/8", "10.0.0"] },
    'outbound[1]: expected a network such as "203.0.113.0/24", or an address, found "10.0.0"',
  ],
  [{ inbound: "all" }, 'inbound: expected "forwarded" or "network", found "all"'],
  [{ snat: "on" }, 'snat: expected "auto", "address", "masquerade" or "off", found "on"'],
  [{ forwardingScope: "host" }, 'forwardingScope: expected "interface" or "global", found "host"'],
  [{ clampMss: 100 }, "clampMss: expected a segment size in bytes, an integer from 536 to 9000, found 100"],
  [{ proxyArp: 1 }, "proxyArp: expected true or false, found 1"],
  [
    { guestAccessToHost: [{ port: "53; reboot" }] },
    'guestAccessToHost[0].port: expected a port, an integer from 1 to 65535, found "53; reboot"',
  ],
  [
    { guestAccessToHost: [{ ports: 53 }] },
    'guestAccessToHost[0]: expected an object with source, protocol or port, found the key "ports"',
  ],
  [
    { outbound: ["0.0.0.0/0"] },
    'outbound[0]: expected a network such as "203.0.113.0/24", or an address; say "any" for every address, found "0.0.0.0/0"',
  ],
  [{ guestAccessToHost: [{}] }, "guestAccessToHost[0]: expected an object with source, protocol or port, found {}"],
  [{ persistence: "cron" }, 'persistence: expected "auto" or "none", found "cron"'],
  [{ address: "64.0.0.1/2" }, 'address: expected a prefix length from /8 to /30, found "64.0.0.1/2"'],
  [
    { address: "127.0.0.5/24" },
    'address: expected an ordinary address, none of the special network 127.0.0.0/8, found "127.0.0.5"',
  ],
  [
    { externalInterface: "-A" },
    "externalInterface: expected an interface name of 1 to 15 letters, digits, '_', '.' or '-', found \"-A\"",
  ],
  [{ toString: 1 }, `toString: unknown property; known are ${known}`],
  [{ adress: "x" }, `adress: unknown property; known are ${known}`],
])("HostForwarding refuses %j", async (wrong, message) => {
  expect(await refused(hostForwardingHandler, run.process(), { ...nat, ...wrong })).toEqual([message]);
});

test.each([
  ["Pool-wide network associated with eth0", /which is the outside one \(xenbr0\)$/],
  ["Host internal management network", /which belongs to the host itself$/],
])("HostForwarding refuses the network %s, where its closing rules would cut the host off", async (network, reason) => {
  const [message] = await refused(hostForwardingHandler, run.process(), { ...nat, network });
  expect(message).toMatch(/^network: expected an internal network, found/);
  expect(message).toMatch(reason);
});

test.each([
  [
    { externalInterface: "nosuch0" },
    /^externalInterface: expected an interface of the host that has an IPv4 address \(.*xenbr0 192\.168\.1\.10\/24/,
  ],
  [{ externalAddress: "9.9.9.9" }, /^externalAddress: expected an address of the host \(.*xenbr0 192\.168\.1\.10\/24/],
  [{ network: "00000000-1111-4222-8333-444444444444" }, /^network: .*found no network for "00000000/],
])("HostForwarding refuses %j, which the host does not have", async (wrong, message) => {
  const lines = await refused(hostForwardingHandler, run.process(), { ...nat, ...wrong });
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatch(message);
});

test("two forwardings of one run with overlapping addresses are refused, naming the other", async () => {
  const context = run.process();
  expect(await refused(hostForwardingHandler, context, nat)).toEqual([]);
  const second = { ...nat, owner: urnOf("HostForwarding", "other"), address: "192.168.100.129/25" };
  expect(await refused(hostForwardingHandler, context, second)).toEqual([
    'address: expected a network of its own, but this program\'s "nat" of stack shop/dev has an overlapping address',
  ]);
});

test("HostForwarding refuses a network nobody knows, with the candidates", async () => {
  const [message] = await refused(hostForwardingHandler, run.process(), { ...nat, network: "Nowhere" });
  expect(message).toMatch(
    /^network: expected the UUID or name label of a network, found no network for "Nowhere"\. The pool has: "Host internal/,
  );
});

test.each<[Props, string]>([
  [{ externalPort: 0 }, "externalPort: expected a port, an integer from 1 to 65535, found 0"],
  [{ externalPort: 65536 }, "externalPort: expected a port, an integer from 1 to 65535, found 65536"],
  [{ externalPort: "http", targetPort: 80 }, 'externalPort: expected a port, an integer from 1 to 65535, found "http"'],
  [{ targetPort: 0 }, "targetPort: expected a port, an integer from 1 to 65535, found 0"],
  [{ protocol: "sctp" }, 'protocol: expected "tcp", "udp" or "both", found "sctp"'],
  [
    { externalPort: "90-80" },
    'externalPort: expected a range of ports from 1 to 65535, the lower one first, such as "8000-8010", found "90-80"',
  ],
  [
    { externalPort: "9000-9010", targetPort: "80-85" },
    'targetPort: expected the first port, or a range of 11 like externalPort, found "80-85"',
  ],
  [
    { externalPort: "9000-9010", targetPort: 65530 },
    "targetPort: expected a range of 11 ports that ends at 65535 at most, found 65530",
  ],
  [
    { externalPort: "10000-12000", targetPort: 20000 },
    "externalPort: expected at most 1000 rules for one forward, found 2002. A range that keeps its numbers takes one rule, a shifted one takes one for each port and each of sources",
  ],
  [
    { sources: ["203.0.113.0/24", "everywhere"] },
    'sources[1]: expected a network such as "203.0.113.0/24", or an address, found "everywhere"',
  ],
  [
    { sources: ["0.0.0.0/0"] },
    'sources[0]: expected a network such as "203.0.113.0/24", or an address; leave the property out for every address, found "0.0.0.0/0"',
  ],
  [
    { forwarding: undefined, network: undefined },
    "forwarding: expected a HostForwarding that is there, found one that failed in this run: its own message says why",
  ],
  [
    { notSources: [] },
    'notSources: expected a network such as "203.0.113.0/24", or an address; leave the property out for every address, found []',
  ],
  [{ description: "two\nlines" }, 'description: expected a text without control characters, found "two\\nlines"'],
  [{ target: "192.168.100" }, 'target: expected an IPv4 address such as "192.168.100.11", found "192.168.100"'],
  [
    { target: "10.9.9.9" },
    'target: expected an address in the forwarding\'s network 192.168.100.0/24, found "10.9.9.9"',
  ],
  [
    { target: "192.168.100.1" },
    'target: expected the address of a guest, not dom0\'s own (192.168.100.1), found "192.168.100.1"',
  ],
  [
    { target: "192.168.100.0" },
    'target: expected an address between 192.168.100.1 and 192.168.100.254, found "192.168.100.0", which is the address of the network itself of 192.168.100.0/24',
  ],
  [
    { target: "192.168.100.255" },
    'target: expected an address between 192.168.100.1 and 192.168.100.254, found "192.168.100.255", which is the broadcast address of 192.168.100.0/24',
  ],
  [{ externalPort: 8080.5 }, "externalPort: expected a port, an integer from 1 to 65535, found 8080.5"],
  [{ externalPort: "08080" }, 'externalPort: expected a port, an integer from 1 to 65535, found "08080"'],
  [{ targetPort: "80 -j ACCEPT" }, 'targetPort: expected a port, an integer from 1 to 65535, found "80 -j ACCEPT"'],
  [{ hairpin: "yes" }, 'hairpin: expected true or false, found "yes"'],
  [{ enabled: null }, "enabled: expected true or false, found null"],
  [{ target: undefined }, "target: a value is required, found nothing"],
])("PortForward refuses %j", async (wrong, message) => {
  expect(await refused(portForwardHandler, run.process(), { ...forward, ...wrong })).toEqual([message]);
});

test("a resource name with a line break is refused: it would forge lines of a fragment", async () => {
  const owner = `${urnOf("PortForward", "http")}\nrule 1 nat -A XENNET-PREROUTING -j ACCEPT`;
  const [message] = await refused(portForwardHandler, run.process(), { ...forward, owner });
  expect(message).toMatch(/^owner: expected a text without control characters/);
});

test.each([22, 443])("PortForward refuses port %i, which would lock everybody out", async (port) => {
  const [message] = await refused(portForwardHandler, run.process(), { ...forward, externalPort: port });
  expect(message).toMatch(
    /^externalPort: expected a port other than 22 and 443, found .* it would lock you out|lock you out/,
  );
});

test("a management port needs to be asked for, and networks that keep reaching dom0, the workstation's among them", async () => {
  const ssh = { ...forward, externalPort: 22, allowManagementPort: true };
  expect((await refused(portForwardHandler, run.process(), ssh))[0]).toMatch(
    /^externalPort: expected networks in xennet:managementSources that keep reaching dom0 itself, found 22/,
  );
  const others = run.process({ XENNET_MANAGEMENT_SOURCES: "10.0.0.0/8" });
  expect((await refused(portForwardHandler, others, ssh))[0]).toMatch(
    /^externalPort: expected your own address 192\.168\.1\.50 among the networks in xennet:managementSources/,
  );
  const mine = run.process({ XENNET_MANAGEMENT_SOURCES: "10.0.0.0/8, 192.168.1.0/24" });
  expect(await refused(portForwardHandler, mine, ssh)).toEqual([]);
  expect(() => run.process({ XENNET_MANAGEMENT_SOURCES: "10.0.0.0/8 reboot" })).toThrow(/xennet:managementSources/);
});

test("two forwards of one port in one run are refused, naming the other", async () => {
  const context = run.process();
  expect(await refused(portForwardHandler, context, forward)).toEqual([]);
  const second = { ...forward, owner: urnOf("PortForward", "other"), target: "192.168.100.12" };
  expect(await refused(portForwardHandler, context, second)).toEqual([
    'externalPort: expected one forward a port, but two of this program ask for tcp port 8080: "http" of stack shop/dev and "other" of stack shop/dev',
  ]);
  expect(await refused(portForwardHandler, context, { ...second, protocol: "udp" })).toEqual([]);
});
