import { randomBytes, randomUUID } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import type { Backplane } from "../sim/backplane.ts";
import type { ProfileName, TlsKind } from "../sim/contract.ts";
import { type Agent, type HttpAnswer, startAgent } from "./agent.ts";
import { type ArgvRecorder, recordArgv } from "./argv-recorder.ts";
import { removeControlGroup } from "./control-group.ts";
import { createDom0, DOM0_ADDRESS, type Dom0, type Init, PORT_SOCKETS } from "./dom0.ts";
import { traitsOf } from "./dom0-traits.ts";
import { type Dom0TreeOptions, inventoryText, makeDom0Tree } from "./dom0-tree.ts";
import { createGuests, type Guests } from "./guest.ts";
import { type HostIdentity, inventoryOf } from "./inventory.ts";
import type { IptablesKind } from "./iptables-kinds.ts";
import { type LanNamespaces, openNamespaces } from "./namespaces.ts";
import { faketimeLibrary } from "./probe.ts";
import { type Relay, startRelay } from "./relay.ts";
import { type CommandResult, run, runScript } from "./shell.ts";
import { sshKeyTypes } from "./sshd.ts";
import { systemdRoot } from "./systemd-root.ts";

export type { ArgvRecorder, CommandResult, HttpAnswer };

export interface LabOptions {
  readonly profile?: ProfileName | undefined;
  /** nft by default; an old dom0 has 1.3.5. */
  readonly iptables?: IptablesKind | undefined;
  /** Of which time dom0 is; of its profile's by default. */
  readonly dom0?: "old" | "today" | undefined;
  /** What runs as dom0's pid 1; systemd needs root, and files that `npm run test:all` makes. `sysvinit` by default. */
  readonly init?: "sysvinit" | "systemd" | undefined;
  /** What sshd and XAPI's HTTPS server speak; of the profile's time by default. */
  readonly crypto?: TlsKind | undefined;
  /** INSTALLATION_UUID of `/etc/xensource-inventory`; random by default. */
  readonly hostUuid?: string | undefined;
  readonly controlDomainUuid?: string | undefined;
  /** Minutes of cron's clock a real minute; 60 ticks once a second and needs faketime. */
  readonly cronSpeed?: 1 | 60 | undefined;
  /** Internal bridges appear with NOARP, as the how-to of 2011 met them. */
  readonly bridgeNoArp?: boolean | undefined;
}

/** A host made of namespaces: a LAN with a client, dom0, and guests as the backplane starts them. */
export interface Lab extends AsyncDisposable {
  readonly backplane: Backplane;
  readonly rootless: boolean;
  readonly hostUuid: string;
  readonly controlDomainUuid: string;
  /** The simulator listens here; dom0's port 443 leads to it. */
  readonly xapiSocket: string;
  /** Whoever serves dom0's own page listens here; dom0's port 80 leads to it. */
  readonly pageSocket: string;
  /** Dom0's disk as the workstation sees it: `etc`, `root`, `var`, `opt` and `usr/local`. */
  readonly disk: string;
  /** Where the workstation reaches dom0's port 443, through the LAN. */
  readonly xapi: { readonly host: string; readonly port: number };
  readonly ssh: LabSsh;
  /** Prefix of a command line that runs in the LAN client's namespaces. */
  readonly enterLan: readonly string[];
  /** Prefix of a command line that runs in dom0's namespaces; stays valid over reboots. */
  readonly enterDom0: readonly string[];
  /** An HTTP server on the LAN, outside of the host, that answers `{peer, local, port}`. */
  readonly outsideUrl: string;
  /** Rewrites INSTALLATION_UUID, for a dom0 that belongs to another host than XAPI says. */
  setHostUuid(uuid: string): Promise<void>;
  /** Runs a script with `sh -s` in dom0, as root. */
  runInDom0(script: string): Promise<CommandResult>;
  /** A guest whose administrator set address and route by hand: kept on its disk, over stops and reboots. */
  setGuestAddress(vmName: string, cidr: string, gateway: string, device?: string): Promise<void>;
  /** One request of the LAN's client (192.168.1.50) over a new connection. */
  clientGet(url: string, timeoutMs?: number): Promise<HttpAnswer>;
  /** One request from inside a running guest over a new connection. */
  guestGet(vmName: string, url: string, timeoutMs?: number): Promise<HttpAnswer>;
  /** Stops the guests, ends dom0 and boots it again over the same disk. `whileDown` runs in between. */
  rebootDom0(whileDown?: () => void | Promise<void>): Promise<void>;
  /** The same without any orderly step. */
  powerCut(whileDown?: () => void | Promise<void>): Promise<void>;
  /** Resets the relayed SSH connections that are open now; answers how many there were. */
  cutSsh(): number;
  /** Established SSH connections as dom0 counts them. */
  sshConnections(): Promise<number>;
  /** Starts to collect command lines, to prove that none holds a secret. */
  recordArgv(): Promise<ArgvRecorder>;
  close(): Promise<void>;
}

/** How SSH reaches dom0 from the workstation. */
interface LabSsh {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly privateKeyFile: string;
  readonly privateKey: string;
  /** `ssh-ed25519 AAAA…`, or `ssh-rsa AAAA…` of an old host. */
  readonly hostKey: string;
}

const GET_TIMEOUT_MS = 2000;
const OUTSIDE = { host: "192.168.1.60", port: 8000 };

/** Builds LAN and dom0 and boots it; {@link Lab.close} or the end of this process takes everything away. */
export async function startLab(options: LabOptions = {}): Promise<Lab> {
  const init = initOf(options);
  const lan = await openNamespaces();
  try {
    const identity = {
      hostUuid: options.hostUuid ?? randomUUID(),
      controlDomainUuid: options.controlDomainUuid ?? randomUUID(),
      profile: options.profile ?? "xcp-ng-8.3",
    };
    const access = await makeDisk(lan, { init: init.kind, ...traitsOf(options) }, identity);
    const dom0 = createDom0(lan, init);
    const [, agent] = await Promise.all([dom0.powerOn(), startAgent(lan.enter)]);
    await agent.ask("serve", { name: "outside", ...OUTSIDE });
    const ssh = await startRelay(agent, lan.directory, DOM0_ADDRESS, 22);
    const xapi = await startRelay(agent, lan.directory, DOM0_ADDRESS, 443);
    const guests = createGuests(lan, options.bridgeNoArp ?? false);
    return compose({ lan, init, dom0, agent, ssh, xapi, guests }, identity, access);
  } catch (error) {
    await lan.close();
    throw error;
  }
}

function initOf({ init, cronSpeed }: LabOptions): Init {
  if (init === "systemd")
    return { kind: "systemd", packages: systemdRoot(), controlGroup: `xennet-lab-${randomUUID()}` };
  return { kind: "sysvinit", faketime: cronSpeed === 60 ? faketimeLibrary() : undefined };
}

interface Parts {
  readonly lan: LanNamespaces;
  readonly init: Init;
  readonly dom0: Dom0;
  readonly agent: Agent;
  readonly ssh: Relay;
  readonly xapi: Relay;
  readonly guests: Guests;
}

type Access = Omit<LabSsh, "host" | "port">;

function compose({ lan, init, dom0, agent, ssh, xapi, guests }: Parts, identity: HostIdentity, access: Access): Lab {
  const disk = `${lan.directory}/disk`;
  const runInDom0 = (script: string) => run([...lan.enterDom0, "sh", "-s"], { input: script });
  const restart = async (how: "orderly" | "cut", whileDown?: () => void | Promise<void>) => {
    if (how === "orderly") await guests.stopAll();
    await dom0.powerOff(how);
    await guests.stopAll();
    await whileDown?.();
    await dom0.powerOn();
  };
  const close = async () => {
    await Promise.all([ssh.close(), xapi.close()]);
    await lan.close();
    await agent.stop();
    if (init.kind === "systemd") await removeControlGroup(init.controlGroup);
  };
  return {
    ...identity,
    backplane: {
      ...guests.backplane,
      networksChanged: async (networks) => {
        const table = networks.map(({ uuid, bridge }) => `${uuid} ${bridge}\n`).join("");
        writeFileSync(`${disk}/opt/xensource/lab/networks`, table);
      },
    },
    rootless: lan.rootless,
    xapiSocket: `${lan.directory}/${PORT_SOCKETS.xapi}`,
    pageSocket: `${lan.directory}/${PORT_SOCKETS.page}`,
    disk,
    xapi: { host: xapi.host, port: xapi.port },
    ssh: { host: ssh.host, port: ssh.port, ...access },
    enterLan: lan.enter,
    enterDom0: lan.enterDom0,
    outsideUrl: `http://${OUTSIDE.host}:${OUTSIDE.port}/`,
    setHostUuid: async (uuid) => {
      writeFileSync(`${disk}/etc/xensource-inventory`, inventoryText(inventoryOf({ ...identity, hostUuid: uuid })));
    },
    runInDom0,
    setGuestAddress: (vmName, address, gateway, device = "0") =>
      guests.setAddress(vmName, device, { address, gateway }),
    clientGet: (url, timeoutMs = GET_TIMEOUT_MS) => agent.ask("get", { url, timeoutMs }),
    guestGet: (vmName, url, timeoutMs = GET_TIMEOUT_MS) => guests.get(vmName, url, timeoutMs),
    rebootDom0: (whileDown) => restart("orderly", whileDown),
    powerCut: (whileDown) => restart("cut", whileDown),
    cutSsh: () => ssh.cut(),
    sshConnections: async () => {
      const { stdout } = await runInDom0("ss -Htn state established '( sport = :22 )'");
      return stdout.split("\n").filter((line) => line !== "").length;
    },
    recordArgv: () => recordArgv(lan.dom0PidNamespace),
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** Dom0's disk with keys and a password of its own. */
async function makeDisk(
  lan: LanNamespaces,
  kind: Pick<Dom0TreeOptions, "init" | "iptables" | "old" | "crypto">,
  identity: HostIdentity,
): Promise<Access> {
  const type = sshKeyTypes[kind.crypto];
  const disk = `${lan.directory}/disk`;
  const hostKeyFile = `${disk}/etc/ssh/ssh_host_${type}_key`;
  const privateKeyFile = `${lan.directory}/id_${type}`;
  mkdirSync(`${disk}/etc/ssh`, { recursive: true });
  const keygen = `ssh-keygen -q -t ${type} -b 2048 -N ''`;
  await runScript(
    lan.enter,
    `cd /run/xennet-lab\n${keygen} -C '' -f disk/etc/ssh/ssh_host_${type}_key\n${keygen} -C lab -f id_${type}`,
  );
  const password = randomBytes(12).toString("base64url");
  makeDom0Tree(disk, {
    ...kind,
    inventory: inventoryOf(identity),
    passwordHash: await hashOf(password),
    authorizedKey: readFileSync(`${privateKeyFile}.pub`, "utf8").trim(),
  });
  const hostKey = readFileSync(`${hostKeyFile}.pub`, "utf8").trim().split(" ").slice(0, 2).join(" ");
  return { user: "root", password, privateKeyFile, privateKey: readFileSync(privateKeyFile, "utf8"), hostKey };
}

/** crypt(3) by perl, as Node has none; the password goes by stdin. */
async function hashOf(password: string): Promise<string> {
  const salt = randomBytes(8).toString("hex");
  const { stdout } = await run(["perl", "-e", 'print crypt(<STDIN>, "\\$6\\$$ARGV[0]\\$")', salt], { input: password });
  return stdout;
}
