import type { Box, Output } from "../lab/host-program/box.ts";

/** The host program's process group ends before or after a command that it starts, the command with it. */
export type Kill = { readonly step: number; readonly when: "before" | "after" };

const TOOLS = [
  ...["awk", "cat", "chmod", "cp", "cut", "flock", "grep", "head", "ip", "iptables-restore", "iptables-save", "ln"],
  ...["mkdir", "mv", "readlink", "rm", "rmdir", "sed", "setsid", "sort", "ss", "sync", "tr"],
];

/** Puts a counter in front of each tool that the host program finds on its PATH; only runs of {@link killed} meet it. */
export async function countSteps(box: Box): Promise<void> {
  await box.sh(`set -e
mkdir /mnt/tools /mnt/sbin
mount --bind /usr/sbin /mnt/sbin
for tool in ${TOOLS.join(" ")}; do
  real=/mnt/sbin/$tool
  [ -e "$real" ] || real=$(command -v $tool)
  printf '#!/bin/sh\\nreal=%s tool=%s\\n. /mnt/counter\\n' "$real" "$tool" >/mnt/tools/$tool
  chmod 755 /mnt/tools/$tool
done
cat >/mnt/counter <<'END'
[ -n "$COUNTED" ] || exec $real "$@"
count=0
read -r count </mnt/count
count=$((count + 1))
echo $count >/mnt/count
echo $tool >>/mnt/log
read -r at when </mnt/plan
[ $count = $at ] || exec $real "$@"
[ $when = before ] || $real "$@"
read -r _ _ _ _ group _ </proc/$$/stat
kill -KILL -$group
END
mount -t overlay overlay -o lowerdir=/mnt/tools:/usr/sbin /usr/sbin`);
}

/** Runs the host program in a process group of its own, which ends as said; answers the tools that it started. */
export async function killed(
  box: Box,
  args: string,
  input: string,
  kill?: Kill,
): Promise<Output & { steps: string[] }> {
  const plan = kill === undefined ? "0 before" : `${kill.step} ${kill.when}`;
  await box.sh(`echo 0 >/mnt/count; echo ${plan} >/mnt/plan; : >/mnt/log`);
  const output = await box.try(`COUNTED=yes exec setsid -w /usr/local/sbin/xennet ${args}`, input);
  return { ...output, steps: (await box.sh("cat /mnt/log")).split("\n").slice(0, -1) };
}
