import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { StackOptions } from "./engine.ts";
import { readSalt } from "./runner/config.ts";
import { exportDeployment } from "./runner/deployment.ts";
import { type Project, readProject } from "./runner/project.ts";
import { PassphraseSecrets } from "./runner/secrets.ts";
import { initBackend, stateFilePath, writeStateFile } from "./runner/state-file.ts";

/** The files of one stack. Whichever engine works on them, they lie in `stateDir` and never in the project. */
export interface StackFiles {
  readonly project: Project;
  /** State, in the layout of Pulumi's file backend. */
  readonly stateFile: string;
  /** `Pulumi.<stack>.yaml`. */
  readonly configFile: string;
  readonly passphrase: string;
  readonly secrets: PassphraseSecrets;
}

/** Opens the files of a stack; a new stack is empty. */
export async function openStackFiles(options: StackOptions): Promise<StackFiles> {
  const { stateDir, stackName, projectDir } = options;
  const project = readProject(resolve(projectDir));
  mkdirSync(stateDir, { recursive: true });
  const configFile = configFilePath(options);
  const stateFile = stateFilePath(stateDir, project.name, stackName);
  const passphrase = readPassphrase(options);
  const salt = readSalt(configFile);
  const secrets =
    salt === undefined ? await PassphraseSecrets.create(passphrase) : await PassphraseSecrets.open(passphrase, salt);
  if (salt === undefined) writeFileSync(configFile, `encryptionsalt: ${secrets.salt}\n`, { mode: 0o600 });
  initBackend(stateDir, stateFile);
  if (!existsSync(stateFile)) {
    writeStateFile(stateFile, `organization/${project.name}/${stackName}`, exportDeployment(NOTHING, secrets));
  }
  return { project, stateFile, configFile, passphrase, secrets };
}

export function configFilePath({ stateDir, stackName }: Pick<StackOptions, "stateDir" | "stackName">): string {
  return join(stateDir, `Pulumi.${stackName}.yaml`);
}

const NOTHING = { resources: [], pendingOperations: [] };

/** `PULUMI_CONFIG_PASSPHRASE` of the stack's environment, else one made at random and kept with the state. */
function readPassphrase({ stateDir, env }: StackOptions): string {
  const given = env?.["PULUMI_CONFIG_PASSPHRASE"];
  if (given !== undefined) return given;
  const file = join(stateDir, "passphrase");
  if (!existsSync(file)) writeFileSync(file, randomBytes(24).toString("base64url"), { mode: 0o600 });
  return readFileSync(file, "utf8");
}
