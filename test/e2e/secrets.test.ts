import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { Host } from "../lab/host.ts";
import { findSecrets } from "../tour/secrets.ts";
import { changes, deploy, enginesUnderTest, succeeded, topology } from "./deployment.ts";

describe.each(enginesUnderTest())("on the $label", ({ engine }) => {
  test("no password, key or session reference is in the state file, in any output, or on any command line", async () => {
    await using deployment = await deploy(engine);
    const { host, stack } = deployment;
    const recorder = await host.lab.recordArgv();
    deployment.write(topology());
    succeeded(await deployment.preview());
    succeeded(await deployment.up());
    const state = readFileSync(stack.stateFile, "utf8");
    succeeded(await deployment.refresh());
    succeeded(await deployment.destroy());
    const commandLines = (await recorder.stop()).map(({ where, argv }) => `${where}: ${argv}`);
    expect(commandLines.some((line) => line.includes("xennet"))).toBe(true);
    const places = [
      { name: "the state file", text: state },
      { name: "the output", text: deployment.output() },
      { name: "a command line", text: commandLines.join("\n") },
    ];
    expect(findSecrets(host, places)).toEqual([]);
  });

  test("nor in a file, the environment or the memory of a process of dom0, nor in what runs that fail leave and print", async () => {
    await using deployment = await deploy(engine);
    const { host, stack } = deployment;
    // What XAPI's own stand-in and the lab keep there is not ours.
    const before = new Set((await filesOfDom0(host)).split(boundary));
    deployment.write(topology());
    const [environments, memory, up] = await Promise.all([
      environmentsOfDom0(host),
      memoryOfDom0(host),
      deployment.up(),
    ]);
    succeeded(up);
    expect(environments).toContain("PATH=/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin");
    expect(memory).toMatch(/owner urn:pulumi:dev::shop::/);
    for (const env of failing(host)) expect((await deployment.up({ env })).ok).toBe(false);
    const state = readFileSync(stack.stateFile, "utf8");
    const files = (await filesOfDom0(host)).split(boundary).filter((file) => !before.has(file));
    expect(files.some((file) => file.includes("xennet-fragment 1"))).toBe(true);
    succeeded(await deployment.destroy());
    const places = [
      { name: "an environment of dom0", text: environments },
      { name: "the memory of a process of dom0", text: memory },
      { name: "a file of dom0", text: files.join("\n") },
      { name: "the state file", text: state },
      { name: "the output of runs that fail", text: deployment.output() },
    ];
    expect(findSecrets(host, places)).toEqual([]);
  });

  test("a target that is a secret stays secret, in the text of its rules as well", async () => {
    await using deployment = await deploy(engine);
    const forwards = `
      const pulumi = require("@pulumi/pulumi");
      new PortForward("http", { forwarding: nat, externalPort: 80, target: pulumi.secret("192.168.100.77") });`;
    deployment.write(topology({ forwards: forwards.replace("192.168.100.77", "10.66.77.88") }));
    expect((await deployment.preview()).ok).toBe(false);
    expect(deployment.output()).toContain("forwarding's network 192.168.100.0/24, found a secret value");
    expect(deployment.output()).not.toContain("10.66.77.88");
    deployment.write(topology({ forwards }));
    succeeded(await deployment.preview());
    succeeded(await deployment.up());
    succeeded(await deployment.refresh());
    succeeded(await deployment.up());
    // The host would heal itself within a minute.
    await deployment.host.lab.runInDom0("kill -STOP $(cat /run/crond.pid); iptables -t nat -F XENNET-PREROUTING");
    expect(succeeded(await deployment.refresh()).stdout).toMatch(/drift.*\[secret\]/s);
    expect(readFileSync(deployment.stack.stateFile, "utf8")).not.toContain("192.168.100.77");
    await deployment.host.lab.runInDom0("kill -CONT $(cat /run/crond.pid)");
    expect(changes(succeeded(await deployment.up({ refresh: false })))).toEqual(["update PortForward http"]);
    expect(deployment.output()).not.toContain("192.168.100.77");
    expect(readFileSync(deployment.stack.stateFile, "utf8")).not.toContain("192.168.100.77");
    expect((await deployment.host.lab.runInDom0("iptables-save -t nat")).stdout).toContain("192.168.100.77:80");
  });

  test("what the host tells of a secret network or interface stays secret in all that is made of it", async () => {
    await using deployment = await deploy(engine);
    const { lab } = deployment.host;
    const hidden = ["Hidden network", "hidden0", "xenbr0"];
    const secret = (text?: string) => `require("@pulumi/pulumi").secret("${text}")`;
    const [label, bridge, outside] = hidden.map(secret);
    const secrets = { network: `nameLabel: ${label}, bridge: ${bridge}`, nat: `externalInterface: ${outside}` };
    const forward = `forwarding: nat, externalPort: 80, target: "192.168.100.11", externalAddress: "192.0.2.99"`;
    deployment.write(topology({ ...secrets, forwards: `new PortForward("http", { ${forward} });` }));
    expect((await deployment.preview()).ok).toBe(false);
    expect(deployment.output()).toMatch(/an address of the host \(.*\[secret\] 192\.168\.1\.10/);
    deployment.write(topology(secrets));
    const leaks = () => {
      const told = deployment.output() + readFileSync(deployment.stack.stateFile, "utf8");
      return hidden.filter((text) => told.includes(text));
    };
    succeeded(await deployment.preview());
    succeeded(await deployment.up());
    expect(leaks()).toEqual([]);
    await lab.runInDom0("kill -STOP $(cat /run/crond.pid)");
    // Healed in between, so that the second drift meets a state in which the first one is gone.
    for (const healed of [false, true]) {
      if (healed) await lab.runInDom0("xennet apply");
      if (healed) succeeded(await deployment.refresh());
      await lab.runInDom0("iptables -t nat -F XENNET-PREROUTING; iptables -F XENNET-FORWARD");
      expect(succeeded(await deployment.refresh()).stdout).toMatch(/drift.*\[secret\]/s);
      expect(leaks()).toEqual([]);
    }
    await lab.runInDom0("kill -CONT $(cat /run/crond.pid)");
    succeeded(await deployment.up({ refresh: false }));
    expect(leaks()).toEqual([]);
    expect((await lab.runInDom0("iptables-save")).stdout).toMatch(/-i xenbr0 .*--dport 8080 .*192\.168\.100\.12:80/);
  });

  test("what becomes secret without another change is secret in the state after the next up, which changes nothing", async () => {
    await using deployment = await deploy(engine);
    const hidden = ["192.168.100.77", "192.168.100.78", "xenbr0", "a-remark"];
    const program = (secret: string) => `
      const { secret } = require("@pulumi/pulumi");
      const s = ${secret};
      const internal = new XenNetwork("internal", { nameLabel: "Internal network", otherConfig: { remark: s("a-remark") } });
      const nat = new HostForwarding("nat", { network: internal, address: "192.168.100.1/24", externalInterface: s("xenbr0") });
      const ipv4 = { address: s("192.168.100.77/24"), gateway: "192.168.100.1" };
      new XenVif("server1", { vm: "Fedora server 1", network: internal, onDeviceConflict: "takeOver", ipv4 });
      new PortForward("http", { forwarding: nat, externalPort: 80, target: s("192.168.100.78") });`;
    const leaks = () => {
      const state = readFileSync(deployment.stack.stateFile, "utf8");
      return hidden.filter((text) => state.includes(text));
    };
    deployment.write(program("(text) => text"));
    succeeded(await deployment.up());
    expect(leaks()).toEqual(hidden);
    deployment.write(program("secret"));
    expect(changes(succeeded(await deployment.preview()))).toEqual([]);
    expect(changes(succeeded(await deployment.up()))).toEqual([]);
    expect(leaks()).toEqual([]);
    expect(changes(succeeded(await deployment.up()))).toEqual([]);
    expect(leaks()).toEqual([]);
  });

  test("a password stored in clear is refused, with the command that stores it encrypted", async () => {
    await using deployment = await deploy(engine);
    await deployment.stack.setConfig("xennet:password", "in clear");
    deployment.write(topology());
    const result = await deployment.preview();
    expect(result.ok).toBe(false);
    expect(deployment.output()).toMatch(
      /xennet:password .*without --secret.*pulumi config set xennet:password --secret/s,
    );
  });

  test("settings from the stack's configuration serve as well as the environment, a secret one included", async () => {
    await using deployment = await deploy(engine, { env: { XENNET_PASSWORD: "" } });
    deployment.write(topology());
    const missing = await deployment.preview();
    expect(missing.ok).toBe(false);
    expect(deployment.output()).toMatch(/xennet:password.*pulumi config set xennet:password --secret/s);
    await deployment.stack.setConfig("xennet:password", deployment.host.xapi.password, { secret: true });
    succeeded(await deployment.up());
    succeeded(await deployment.destroy());
    expect(findSecrets(deployment.host, [{ name: "the output", text: deployment.output() }])).toEqual([]);
  });
});

const boundary = "=== file ";

/** Everything that dom0 keeps where a program may write. */
async function filesOfDom0({ lab }: Host): Promise<string> {
  const where = "/etc /usr/local /root /var /run /tmp";
  const each = `for file in "$@"; do echo "${boundary}$file"; cat "$file"; done`;
  const script = `find ${where} -xdev -type f -size -4096k -exec sh -c '${each}' sh {} + 2>/dev/null`;
  return (await lab.runInDom0(script)).stdout;
}

/** The environments of all processes that dom0 has in 30 s, looked at all the time. */
async function environmentsOfDom0({ lab }: Host): Promise<string> {
  const script = `end=$(( $(date +%s) + 30 ))
while [ "$(date +%s)" -lt "$end" ]; do cat /proc/[0-9]*/environ 2>/dev/null | tr '\\0' '\\n'; sleep 0.05; done | sort -u`;
  return (await lab.runInDom0(script)).stdout;
}

/** What a core dump of a process of dom0 could show in 30 s: all that may be written to, sshd's and the lab's own left out. */
async function memoryOfDom0({ lab }: Host): Promise<string> {
  const script = `perl -e '
my (%seen, $end); $end = time + 30;
while (time < $end) {
  for my $pid (map { m{(\\d+)} } glob "/proc/[0-9]*") {
    open my $file, "<", "/proc/$pid/comm" or next; my $name = <$file> // "";
    next if $name =~ /^(sshd|node|perl|MainThread)/;
    open my $maps, "<", "/proc/$pid/maps" or next; open my $memory, "<", "/proc/$pid/mem" or next;
    while (<$maps>) {
      my ($from, $to) = /^(\\w+)-(\\w+) rw/ or next;
      seek $memory, hex $from, 0; read $memory, my $text, hex($to) - hex($from) or next;
      while ($text =~ /([ -~]{8,})/g) { print "$1\\n" unless $seen{$1}++ }
    }
  }
}'`;
  return (await lab.runInDom0(script)).stdout;
}

/** Settings with which an up comes as far as XAPI's login, dom0's login, or the host's certificate, and no further. */
function failing({ env }: Host): Array<Record<string, string>> {
  const wrong = { XENNET_XAPI_FINGERPRINT: "00".repeat(32), XENNET_XAPI_CA: "" };
  return [{ XENNET_USERNAME: "nobody" }, { XENNET_SSH_PORT: "9" }, wrong].map((settings) => ({ ...env, ...settings }));
}
