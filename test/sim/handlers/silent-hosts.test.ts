import { expect, onTestFinished, test } from "vitest";
import { Limit } from "../../../provider/src/core/limit.ts";
import { tellWaitingTo } from "../../../provider/src/core/waiting.ts";
import { configure, handle } from "../../../provider/src/handlers/index.ts";
import { ed25519 } from "../../support/dom0-double/ssh-server.ts";
import { halfDeaf, mute, swallowing } from "../../support/silent-servers.ts";
import { password, simulate } from "../fixtures.ts";
import { fingerprintOf, makeTlsIdentity } from "../tls.ts";

/** What a refresh of 50 resources, 16 at a time as the engine does it, ends with, and after how long. */
async function refreshFifty(kind: string, profile: string, realm: string) {
  const since = performance.now();
  const limit = new Limit(16);
  const uuid = realm.replace(/^./, "0");
  const own = kind === "XenNetwork" ? uuid : "0123456789ab";
  const read = () => handle(kind, "read", [`${realm}/${own}`, { host: profile, owner: "urn:pulumi:dev::shop::t::n" }]);
  const ends = Array.from({ length: 50 }, () => limit.run(() => read().catch((error: Error) => error.message)));
  const messages = (await Promise.all(ends)).map(String);
  const brief = messages.filter((message) => message.startsWith(`The host of profile "${profile}" does not answer;`));
  const seconds = (performance.now() - since) / 1000;
  return { seconds, brief: brief.length, full: messages.filter((message) => !brief.includes(message)) };
}

test("whatever way a host is silent, one attempt decides for 50 resources, within 25 s and with one message", async () => {
  const tls = await makeTlsIdentity("xcp-ng-host");
  const simulator = await simulate();
  const answering = { xapiUrl: simulator.url, xapiFingerprint: simulator.fingerprint };
  const servers = {
    swallowedXapi: await swallowing(),
    muteXapi: await mute(),
    muteTls: await halfDeaf(tls),
    halfXapi: await halfDeaf(tls, "<?xml version='1.0'?><methodResponse><params>"),
    swallowedSsh: await swallowing(),
    muteSsh: await mute(),
    bothMute: await mute(),
  };
  const pinned = { xapiFingerprint: fingerprintOf(tls.cert) };
  const url = (port: number) => ({ xapiUrl: `https://127.0.0.1:${port}` });
  const hosts = {
    swallowedXapi: { ...url(servers.swallowedXapi.port), ...pinned },
    muteXapi: { ...url(servers.muteXapi.port), ...pinned },
    muteTls: { ...url(servers.muteTls.port), ...pinned },
    halfXapi: { ...url(servers.halfXapi.port), ...pinned },
    swallowedSsh: { ...answering, sshPort: servers.swallowedSsh.port },
    muteSsh: { ...answering, sshPort: servers.muteSsh.port },
    bothMute: { xapiVia: "ssh", sshPort: servers.bothMute.port },
  };
  const shared = { host: "127.0.0.1", password, sshHostKey: ed25519().public };
  const profiles = Object.entries(hosts).map(([name, settings]) => [name, { ...shared, ...settings }]);
  const stored = JSON.stringify(Object.fromEntries(profiles));
  configure({ get: (key) => (key === "xennet:hosts" ? stored : undefined) });

  const waits: string[] = [];
  const before = tellWaitingTo((line) => waits.push(line));
  onTestFinished(() => void tellWaitingTo(before));
  const runs = Object.keys(hosts).map(async (profile) => {
    const kind = profile.endsWith("Ssh") ? "HostForwarding" : "XenNetwork";
    return [profile, await refreshFifty(kind, profile, simulator.hostUuid)] as const;
  });
  const results = Object.fromEntries(await Promise.all(runs));
  for (const [profile, { seconds, brief, full }] of Object.entries(results)) {
    expect(full, profile).toHaveLength(1);
    expect(full[0], profile).toMatch(/\((XAPI_UNREACHABLE|XAPI_TIMEOUT|SSH_UNREACHABLE|SSH_TIMEOUT)\)/);
    expect(brief, profile).toBe(49);
    expect(seconds, `${profile}: ${full[0]}`).toBeLessThan(25);
    expect(servers[profile as keyof typeof servers].connections(), profile).toBeLessThanOrEqual(1);
  }
  const ways = Object.values(servers).map(({ port }) => waits.filter((line) => line.includes(`127.0.0.1:${port}`)));
  for (const lines of ways) expect(lines[0]).toMatch(/^Still waiting for .* \(10 s so far\)\.$/);
  console.info(
    Object.entries(results)
      .map(([profile, { seconds }]) => `${profile} ${seconds.toFixed(1)} s`)
      .join(", "),
  );
});
