import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hostForwardingHandler } from "../../../provider/src/handlers/forwarding/host-forwarding.ts";
import { portForwardHandler } from "../../../provider/src/handlers/forwarding/port-forward.ts";
import { legs } from "../../support/legs.ts";
import { type PacketRow, scenarios } from "../../support/packets/packet-table.ts";
import { DOM0S } from "../dom0-traits.ts";
import { type Host, startHost } from "../host.ts";
import { captureHost, compareHosts } from "../same-host.ts";
import { run as runCommand } from "../shell.ts";
import { type Declared, declareForward, declareForwarding, declareGuests } from "./declared-host.ts";
import { provider } from "./host-under-test.ts";

const guests: Readonly<Record<string, string>> = { vm1: "Fedora server 1", vm2: "Fedora server 2" };

/** Long enough for an answer on a busy machine; what is dropped costs all of it. */
const patience = { answered: 5000, dropped: 700 };

describe.each(legs(...DOM0S))("with %s", (_name, options) => {
  let host: Host;
  let run: ReturnType<typeof provider>;
  let network: Declared;

  beforeAll(async () => {
    host = await startHost(options);
    run = provider(host);
    network = await declareGuests(host, run.process());
    // A neighbour that sends what is for guests to dom0 by itself.
    await inLan(["ip", "route", "add", "192.168.100.0/24", "via", "192.168.1.10"]);
  });
  afterAll(async () => {
    await run?.[Symbol.asyncDispose]();
    await host?.close();
  });

  const inLan = async (command: readonly string[]) => {
    const result = await runCommand([...host.lab.enterLan, ...command]);
    expect(result).toMatchObject({ status: 0, stderr: "" });
    return result.stdout;
  };

  async function fateOf({ from, to, fate }: PacketRow): Promise<string> {
    const url = `http://${to}/`;
    const limit = fate === "dropped" ? patience.dropped : patience.answered;
    if (from === "dom0") {
      const { stdout } = await host.lab.runInDom0(`curl -s --noproxy '*' -m ${limit / 1000} ${url}`);
      return shown(stdout);
    }
    const answer =
      from === "client"
        ? await host.lab.clientGet(url, limit)
        : await host.lab.guestGet(guests[from] ?? "", url, limit);
    if (answer.kind === "answered") return shown(answer.body);
    return answer.kind === "timeout" ? "dropped" : "refused";
  }

  test.each(scenarios)("$title", { timeout: 120_000 }, async ({ forwarding, forwards, packets }) => {
    const before = await captureHost(host.lab, host.simulator);
    const context = run.process();
    const nat = await declareForwarding(context, network, forwarding);
    const made = await Promise.all(forwards.map((given) => declareForward(context, nat, given)));

    const found = await Promise.all(packets.map(async (row) => ({ ...row, fate: await fateOf(row) })));
    expect(found).toEqual(packets);

    await Promise.all(made.map(({ id, outs }) => portForwardHandler.delete(context, id, outs)));
    await hostForwardingHandler.delete(context, nat.id, nat.outs);
    expect(compareHosts(before, await captureHost(host.lab, host.simulator))).toEqual([]);
  });

  test("what belongs to no connection leaves no guest: it would bear the guest's own address", async () => {
    const context = run.process();
    const nat = await declareForwarding(context, network);
    const seen = ["-p", "tcp", "-s", "192.168.100.0/24", "-d", "192.168.1.50"];
    await inLan(["iptables", "-I", "INPUT", ...seen]);
    try {
      const guest = await guestNamespace();
      for (const flags of [
        strayFlags.RST,
        strayFlags.SYN | strayFlags.ACK,
        strayFlags.none,
        strayFlags.FIN | strayFlags.PSH,
      ]) {
        await inLan([
          "ip",
          "netns",
          "exec",
          guest,
          "perl",
          "-e",
          sendStray,
          "192.168.100.11",
          "192.168.1.50",
          String(flags),
        ]);
      }
      // The way out is there for what is a connection; it also shows that the stray packets had the time to arrive.
      expect((await host.lab.guestGet(guests["vm1"] ?? "", host.lab.outsideUrl)).kind).toBe("answered");
      const [, packets] = /^\s*(\d+)\s/m.exec((await inLan(["iptables", "-nvxL", "INPUT", "1"])).trim()) ?? [];
      expect(packets).toBe("0");
    } finally {
      await inLan(["iptables", "-D", "INPUT", ...seen]);
      await hostForwardingHandler.delete(context, nat.id, nat.outs);
    }
  });

  /** The network namespace of the guest with the address .11. */
  async function guestNamespace(): Promise<string> {
    const find =
      'for ns in $(ip netns list | cut -d " " -f 1); do ip -n "$ns" -4 addr | grep -q " 192.168.100.11/" && echo "$ns"; done; true';
    return (await inLan(["sh", "-c", find])).trim();
  }

  test("SSH goes to a guest for everybody but those who manage the host", async () => {
    const context = run.process({ XENNET_MANAGEMENT_SOURCES: "192.168.1.50" });
    const nat = await declareForwarding(context, network);
    const given = { externalPort: 22, target: "192.168.100.11", targetPort: 80, allowManagementPort: true };
    const ssh = await declareForward(context, nat, given);
    const asOther = [
      "curl",
      "-s",
      "--noproxy",
      "*",
      "--interface",
      "192.168.1.60",
      "-m",
      "5",
      "http://192.168.1.10:22/",
    ];
    expect(shown(await inLan(asOther))).toBe("vm1:80 sees 192.168.1.60");
    // A fresh login of the workstation, which reaches dom0 as the LAN's client.
    const later = run.process();
    expect((await portForwardHandler.read(later, ssh.id, ssh.outs)).props["drift"]).toEqual([]);
    await portForwardHandler.delete(later, ssh.id, ssh.outs);
    await hostForwardingHandler.delete(later, nat.id, nat.outs);
  });
});

const strayFlags = { none: 0, FIN: 1, SYN: 2, RST: 4, PSH: 8, ACK: 16 };

/** Sends one TCP segment that no socket has asked for. */
const sendStray = `use Socket; my ($from, $to, $flags) = @ARGV;
  sub sum { my $s = 0; $s += $_ for unpack "n*", $_[0]; $s = ($s & 0xffff) + ($s >> 16) while $s >> 16; ~$s & 0xffff }
  my $segment = pack "nnNNCCnnn", 4711, 9, 1, 1, 80, $flags, 512, 0, 0;
  my $pseudo = inet_aton($from) . inet_aton($to) . pack "nn", 6, length $segment;
  substr($segment, 16, 2) = pack "n", sum($pseudo . $segment);
  socket(my $raw, PF_INET, SOCK_RAW, 6) or die "socket: $!";
  bind($raw, pack_sockaddr_in(0, inet_aton($from))) or die "bind: $!";
  send($raw, $segment, 0, pack_sockaddr_in(0, inet_aton($to))) or die "send: $!";`;

function shown(body: string): string {
  if (body === "") return "refused";
  if (!body.startsWith("{")) return "dom0's own page";
  const { vm, port, peer } = JSON.parse(body) as { vm: string; port: number; peer: string };
  const who = Object.entries(guests).find(([, name]) => name === vm)?.[0];
  return `${who ?? vm}:${port} sees ${peer}`;
}
