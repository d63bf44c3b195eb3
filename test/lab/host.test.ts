import https from "node:https";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Host, startHost } from "./host.ts";

let host: Host;
beforeAll(async () => {
  host = await startHost();
});
afterAll(() => host.close());

interface VmRecord {
  readonly name_label: string;
  readonly VIFs: readonly string[];
}

const server = async (name: string) => {
  const records = await host.simulator.admin.call<Record<string, VmRecord>>("VM.get_all_records");
  const found = Object.entries(records).find(([, { name_label }]) => name_label === name);
  if (found === undefined) throw new Error(`no VM ${name}`);
  return { ref: found[0], vif: found[1].VIFs[0] ?? "" };
};

/** One JSON-RPC call over dom0's port 443, and the fingerprint of the certificate that was met there. */
const jsonRpc = (method: string, params: readonly unknown[]) =>
  new Promise<{ fingerprint: string; body: { result?: unknown } }>((resolve, reject) => {
    const request = https.request(`${host.xapi.url}/jsonrpc`, {
      method: "POST",
      rejectUnauthorized: false,
      agent: false,
    });
    request.on("error", reject);
    request.on("response", (response) => {
      const { fingerprint256: fingerprint } = (response.socket as import("node:tls").TLSSocket).getPeerCertificate();
      let body = "";
      response.setEncoding("utf8").on("data", (text: string) => {
        body += text;
      });
      response.on("end", () => resolve({ fingerprint, body: JSON.parse(body) }));
    });
    request.setHeader("content-type", "application/json");
    request.end(JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }));
  });

test("XAPI is reached through dom0's own port 443, again after a reboot, with the certificate that was announced", async () => {
  for (const step of ["before", "after"]) {
    if (step === "after") await host.rebootDom0();
    const { user, password, fingerprint } = host.xapi;
    const login = await jsonRpc("session.login_with_password", [user, password, "1.0", "lab test"]);
    expect(login.fingerprint).toBe(fingerprint);
    expect(host.simulator.openSessions()).toBe(1);
    await jsonRpc("session.logout", [login.body.result]);
  }
});

test("port 80 answers dom0's own page and 8080 is rejected, on the LAN", async () => {
  const page = await host.lab.clientGet("http://192.168.1.10/");
  expect(page).toMatchObject({ kind: "answered", status: 200, body: expect.stringContaining("XCP-ng") });
  expect(await host.lab.clientGet("http://192.168.1.10:8080/")).toMatchObject({
    kind: "unreachable",
    code: "EHOSTUNREACH",
  });
});

test("dom0's inventory names the host that XAPI says it is", async () => {
  const { stdout } = await host.lab.runInDom0(
    ". /etc/xensource-inventory; echo $INSTALLATION_UUID $MANAGEMENT_INTERFACE",
  );
  expect(stdout).toBe(`${host.simulator.hostUuid} xenbr0\n`);
});

test("a VM moved to an internal network makes its bridge when it starts, and is off after a host reboot", async () => {
  const { admin } = host.simulator;
  const { ref, vif } = await server("Fedora server 1");
  const network = await admin.call<string>("network.create", {
    ...{ name_label: "Internal network", name_description: "", MTU: "1500", other_config: {}, tags: [] },
  });
  const bridge = await admin.call<string>("network.get_bridge", network);
  const uuid = await admin.call<string>("network.get_uuid", network);
  await admin.call("VIF.move", vif, network);
  await host.lab.setGuestAddress("Fedora server 1", "192.168.100.11/24", "192.168.100.1");
  await admin.call("VM.start", ref, false, false);
  expect((await host.lab.runInDom0(`xe network-list uuid=${uuid} params=bridge --minimal`)).stdout).toBe(`${bridge}\n`);
  await host.lab.runInDom0(`ip addr add 192.168.100.1/24 dev ${bridge}; sysctl -qw net.ipv4.ip_forward=1
iptables -t nat -A PREROUTING -p tcp -i xenbr0 --dport 80 -j DNAT --to 192.168.100.11`);
  const answer = await host.lab.clientGet("http://192.168.1.10/");
  expect(answer).toMatchObject({ kind: "answered", body: expect.stringContaining('"vm":"Fedora server 1"') });

  await host.rebootDom0();
  expect(await admin.call("VM.get_power_state", ref)).toBe("Halted");
  expect((await host.lab.runInDom0(`ip link show ${bridge}`)).status).toBe(1);
  await admin.call("VM.start", ref, false, false);
  expect((await host.lab.runInDom0(`ip -br link show master ${bridge} | wc -l`)).stdout).toBe("1\n");
});
