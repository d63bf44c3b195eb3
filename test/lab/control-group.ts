import { existsSync } from "node:fs";
import { eventually } from "../support/eventually.ts";
import { run } from "./shell.ts";

const HIERARCHIES = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified", "/sys/fs/cgroup/systemd"];

/** Takes a control group away, in every hierarchy, once the processes in it have ended. */
export async function removeControlGroup(name: string): Promise<void> {
  for (const folder of HIERARCHIES.map((hierarchy) => `${hierarchy}/${name}`)) {
    if (!existsSync(folder)) continue;
    await eventually(async () => {
      const { status, stderr } = await run(["find", folder, "-depth", "-type", "d", "-exec", "rmdir", "{}", "+"]);
      if (status !== 0) throw new Error(`The control group ${folder} cannot be removed: ${stderr}`);
    });
  }
}
