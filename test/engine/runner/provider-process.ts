import { createInterface } from "node:readline";
import type { ProviderCall, SpawnedProcess } from "../engine.ts";
import { equal } from "./compare.ts";
import { describeExit, ProcessGroup } from "./process-group.ts";
import type { Project } from "./project.ts";
import { ProviderClient } from "./provider-client.ts";
import type { PropertyMap } from "./values.ts";

export interface ProviderOptions {
  readonly project: Project;
  readonly env: Readonly<Record<string, string>>;
  readonly onSpawn: (process: SpawnedProcess) => void;
  /** One line that the provider printed. */
  readonly onLine: (line: string) => void;
}

/** The dynamic-provider processes of one run: one for each config, started when it is first needed. */
export class Providers {
  readonly calls: ProviderCall[] = [];
  readonly #options: ProviderOptions;
  readonly #started: { readonly config: PropertyMap; readonly process: Promise<ProviderProcess> }[] = [];

  constructor(options: ProviderOptions) {
    this.#options = options;
  }

  /** The provider with this config. */
  async get(config: PropertyMap): Promise<ProviderClient> {
    const known = this.#started.find((started) => equal(started.config, config));
    if (known !== undefined) return (await known.process).client;
    const process = ProviderProcess.start(this.#options, config, (call) => this.calls.push(call));
    this.#started.push({ config, process });
    return (await process).client;
  }

  /** Tells the providers that the run is being cancelled. */
  async cancel(): Promise<void> {
    const running = await Promise.allSettled(this.#started.map(({ process }) => process));
    const calls = running.map((result) => (result.status === "fulfilled" ? result.value.client.cancel() : undefined));
    // A provider that has died cannot be told; its calls report that.
    await Promise.allSettled(calls);
  }

  async stop(): Promise<void> {
    const running = await Promise.allSettled(this.#started.map(({ process }) => process));
    await Promise.all(running.map((result) => (result.status === "fulfilled" ? result.value.stop() : undefined)));
  }
}

class ProviderProcess {
  readonly client: ProviderClient;
  readonly #group: ProcessGroup;

  private constructor(group: ProcessGroup, client: ProviderClient) {
    this.#group = group;
    this.client = client;
  }

  static async start(
    options: ProviderOptions,
    config: PropertyMap,
    onCall: (call: ProviderCall) => void,
  ): Promise<ProviderProcess> {
    const { project } = options;
    const group = new ProcessGroup(process.execPath, [project.resolveSdk("@pulumi/pulumi/cmd/dynamic-provider"), ""], {
      cwd: project.programDir,
      env: { ...options.env, PULUMI_NODEJS_PROJECT: project.name },
    });
    options.onSpawn({ kind: "provider", pid: group.pid });
    createInterface({ input: group.child.stderr }).on("line", options.onLine);
    const client = new ProviderClient(`127.0.0.1:${await readPort(group, options.onLine)}`, onCall);
    await client.configure(config);
    return new ProviderProcess(group, client);
  }

  async stop(): Promise<void> {
    this.client.close();
    await this.#group.stop();
  }
}

/** The first line a plugin prints is its port; the rest is output. */
function readPort(group: ProcessGroup, onLine: (line: string) => void): Promise<number> {
  return new Promise((resolve, reject) => {
    let isPort = true;
    createInterface({ input: group.child.stdout }).on("line", (line) => {
      if (!isPort) return onLine(line);
      isPort = false;
      if (/^\d+$/.test(line)) resolve(Number(line));
      else reject(new Error(`The dynamic provider must print its port first, but it printed ${JSON.stringify(line)}.`));
    });
    void group.ended.then((status) => {
      reject(new Error(`The dynamic provider ended before it could be used (${describeExit(status)}).`));
    });
  });
}
