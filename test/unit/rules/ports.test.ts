import { expect, test } from "vitest";
import {
  checkManagementPort,
  checkPoolPort,
  checkPoolServices,
  type ManagementWays,
  shadowedService,
} from "../../../provider/src/rules/ports.ts";
import type { PortRange } from "../../../provider/src/validation/port-range.ts";

const ways: ManagementWays = {
  allowed: false,
  sources: [],
  setting: "xennet:managementSources",
  client: "192.168.1.50",
  xapiThroughSsh: false,
};
const only = (port: number): PortRange => ({ from: port, to: port });
const asked = { ...ways, allowed: true };

const reason = (ports: PortRange, given: ManagementWays = ways) =>
  checkManagementPort("externalPort", "tcp", ports, given)[0]?.reason;

test.each([22, 443])("refuses to forward tcp %i, as that locks everybody out", (port) => {
  expect(reason(only(port))).toContain("lock you out");
});

test("a range that holds a management port is refused too, naming it", () => {
  expect(reason({ from: 20, to: 30 })).toMatch(/found 20-30: port 22 is among them, and it is SSH/);
});

test("asking for it is not enough: somebody must keep reaching dom0, the one who deploys among them", () => {
  expect(reason(only(22), asked)).toMatch(
    /^expected networks in xennet:managementSources that keep reaching dom0 itself/,
  );
  const others = { ...asked, sources: ["10.0.0.0/8"] };
  expect(reason(only(22), others)).toMatch(
    /^expected your own address 192\.168\.1\.50 among the networks in xennet:managementSources \(10\.0\.0\.0\/8\)/,
  );
  expect(reason(only(22), { ...asked, sources: ["10.0.0.0/8", "192.168.1.0/24"] })).toBeUndefined();
});

test("443 may go where XAPI is reached through SSH, 22 may not", () => {
  expect(reason(only(443), { ...asked, xapiThroughSsh: true })).toBeUndefined();
  expect(reason(only(22), { ...asked, xapiThroughSsh: true })).toContain("managementSources");
});

test("on a host of a pool, 443 may go only where the other hosts keep reaching dom0", () => {
  const pool = { hosts: 2, others: ["192.168.1.11"], sources: [] };
  expect(checkPoolPort("externalPort", only(443), pool)[0]?.reason).toContain("the pool's 2 hosts reach each other");
  expect(checkPoolPort("externalPort", only(443), { ...pool, sources: ["192.168.1.0/24"] })).toEqual([]);
  expect(checkPoolPort("externalPort", only(443), { ...pool, hosts: 1, others: [] })).toEqual([]);
});

test("what a pool's hosts hear each other by is refused, unless the pool does without", () => {
  const pool = { hosts: 2, allowed: false };
  const services = (protocol: "tcp" | "udp" | "both", ports: PortRange, given = pool) =>
    checkPoolServices("externalPort", protocol, ports, given).map((problem) => problem.reason);
  expect(services("udp", only(694))).toEqual([
    "expected a port that the pool's 2 hosts do not need of each other, found 694: udp 694 is for heartbeats of high availability. Choose another external port, or set allowManagementPort: true if the pool uses neither HA nor GFS2",
  ]);
  expect(services("both", { from: 5400, to: 5404 })[0]).toContain("found 5400-5404: udp 5404-5405 is for clustering");
  expect(services("tcp", only(21064))[0]).toContain("tcp 21064");
  expect(services("tcp", only(694))).toEqual([]);
  expect(services("udp", only(694), { ...pool, hosts: 1 })).toEqual([]);
  expect(services("udp", only(694), { ...pool, allowed: true })).toEqual([]);
});

test("allows udp 443, and warns about tcp 80, in a range and with both protocols as well", () => {
  expect(checkManagementPort("externalPort", "udp", only(443), ways)).toEqual([]);
  expect(shadowedService("tcp", only(80))).toContain("Port 80");
  expect(shadowedService("both", { from: 70, to: 90 })).toContain("Port 80");
  expect(shadowedService("udp", only(80))).toBeUndefined();
  expect(shadowedService("tcp", only(8080))).toBeUndefined();
});
