import { createServer, type Server } from "node:http";
import type { Simulator } from "../sim/contract.ts";
import { startSimulator } from "../sim/simulator.ts";
import { traitsOf } from "./dom0-traits.ts";
import { backEndOf } from "./iptables-kinds.ts";
import { type Lab, type LabOptions, startLab } from "./lab.ts";
import { requireLab } from "./probe.ts";

/** A whole host: the lab, and a XAPI that moves the lab's bridges and guests. */
export interface Host extends AsyncDisposable {
  readonly lab: Lab;
  readonly simulator: Simulator;
  readonly xapi: {
    readonly url: string;
    readonly user: string;
    readonly password: string;
    readonly fingerprint: string;
  };
  /** The `XENNET_*` variables with which a stack reaches this host. */
  readonly env: Readonly<Record<string, string>>;
  /** A host reboot: guests off, XAPI's sessions gone, dom0 boots again over its disk. */
  rebootDom0(): Promise<void>;
  /** The same as the mains fail. */
  powerCut(): Promise<void>;
  close(): Promise<void>;
}

/** Starts a host as the recipe meets it: two halted VMs, nothing forwarded. */
export async function startHost(options: LabOptions = {}): Promise<Host> {
  await requireLab(backEndOf(traitsOf(options).iptables));
  const lab = await startLab(options);
  try {
    return await completeHost(lab, options);
  } catch (error) {
    await lab.close();
    throw error;
  }
}

async function completeHost(lab: Lab, options: LabOptions): Promise<Host> {
  const { user, password } = lab.ssh;
  const simulator = await startSimulator({
    profile: options.profile ?? "xcp-ng-8.3",
    tls: traitsOf(options).crypto,
    backplane: lab.backplane,
    username: user,
    password,
    listen: { path: lab.xapiSocket },
    uuids: { host: lab.hostUuid, controlDomain: lab.controlDomainUuid },
  });
  await lab.runInDom0(`cat >/etc/xensource/xapi-ssl.pem <<'END'\n${simulator.certificatePem}\nEND`);
  const page = createServer(simulator.httpHandler);
  await new Promise<void>((resolve, reject) => {
    page.once("error", reject);
    page.listen(lab.pageSocket, resolve);
  });
  const xapi = {
    url: `https://${lab.xapi.host}:${lab.xapi.port}`,
    user,
    password,
    fingerprint: simulator.fingerprint,
  };
  let closed: Promise<void> | undefined;
  const close = () => {
    closed ??= closeAll(page, simulator, lab);
    return closed;
  };
  return {
    lab,
    simulator,
    xapi,
    env: { ...environmentOf(lab, xapi), ...(traitsOf(options).crypto === "legacy" ? legacyEnvironment : {}) },
    rebootDom0: () => lab.rebootDom0(() => simulator.hostRebooted()),
    powerCut: () => lab.powerCut(() => simulator.hostRebooted()),
    close,
    [Symbol.asyncDispose]: close,
  };
}

async function closeAll(page: Server, simulator: Simulator, lab: Lab): Promise<void> {
  const pageClosed = new Promise((resolve) => page.close(resolve));
  page.closeAllConnections();
  await pageClosed;
  await simulator.close();
  await lab.close();
}

const legacyEnvironment = { XENNET_ALLOW_LEGACY_CRYPTO: "true" };

function environmentOf({ ssh }: Lab, xapi: Host["xapi"]): Record<string, string> {
  return {
    XENNET_HOST: ssh.host,
    XENNET_XAPI_URL: xapi.url,
    XENNET_XAPI_FINGERPRINT: xapi.fingerprint,
    XENNET_USERNAME: xapi.user,
    XENNET_PASSWORD: xapi.password,
    XENNET_SSH_HOST: ssh.host,
    XENNET_SSH_PORT: String(ssh.port),
    XENNET_SSH_USERNAME: ssh.user,
    XENNET_SSH_PRIVATE_KEY: ssh.privateKey,
    XENNET_SSH_HOST_KEY: ssh.hostKey,
  };
}
