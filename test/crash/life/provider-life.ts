import { setTimeout as wait } from "node:timers/promises";
import { Claims } from "../../../provider/src/hosts/claims.ts";
import { Host as HostContext } from "../../../provider/src/hosts/host.ts";
import { requireProfile } from "../../../provider/src/hosts/profile.ts";
import type { Host } from "../../lab/host.ts";
import { startDetour } from "../../support/detour.ts";
import type { Life } from "./mini-engine.ts";

/** A provider process that a test can kill. */
export interface ProviderLife extends Life, AsyncDisposable {
  readonly warnings: readonly string[];
  /** Resolves when the process is dead, or told to end. */
  readonly over: Promise<void>;
  /** SIGKILL: its connections end, and nothing it still does reaches the host. */
  kill(): void;
  /** The engine was killed: nothing is recorded any more, and the provider sees the end of its stdin. */
  loseEngine(): void;
}

/** Starts one. It reaches the host over ways of its own, so its death is nobody else's. */
export async function startProvider(host: Host, windowSeconds?: number): Promise<ProviderLife> {
  const { ssh, xapi } = host.lab;
  const [sshWay, xapiWay] = await Promise.all([startDetour(ssh), startDetour(xapi)]);
  const env = {
    ...host.env,
    XENNET_SSH_PORT: String(sshWay.port),
    XENNET_XAPI_URL: `https://127.0.0.1:${xapiWay.port}`,
  };
  const warnings: string[] = [];
  const warn = (text: string) => void warnings.push(text);
  const profile = {
    ...requireProfile("default", { config: () => undefined, env }),
    confirmationWindow: windowSeconds,
  };
  const context = new HostContext(profile, { claims: new Claims(), seenIds: new Set<string>(), warn });
  let isOver = false;
  let end = (): void => {};
  const over = new Promise<void>((resolve) => {
    end = () => {
      isOver = true;
      resolve();
    };
  });
  const cut = () => {
    for (const way of [sshWay, xapiWay]) {
      way.block();
      way.cut();
    }
  };
  let closing: Promise<void> | undefined;
  const close = () => {
    closing ??= context.close();
    return closing;
  };
  return {
    ...{ context, warnings, over },
    isOver: () => isOver,
    kill: () => {
      end();
      cut();
    },
    loseEngine: () => {
      end();
      // The process gives itself 3 s; then it is gone, whatever it is at.
      void Promise.race([close(), wait(3000)]).then(cut);
    },
    async [Symbol.asyncDispose]() {
      await close();
      await Promise.all([sshWay, xapiWay].map((way) => way[Symbol.asyncDispose]()));
    },
  };
}
