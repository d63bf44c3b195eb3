import type { Box, Output } from "../lab/host-program/box.ts";
import { type HostLook, LOOK, LOOKING, readLooks, TOOLS } from "./host-look.ts";

/** The host program's process group ends before or after a command that it starts, the command with it. */
export type Kill = { readonly step: number; readonly when: "before" | "after" };

/** Puts a counter in front of each tool that the host program finds on its PATH; only runs of {@link killed} meet it. */
export async function countSteps(box: Box): Promise<void> {
  await box.sh(`set -e
mkdir /mnt/steps /mnt/steps/tools /mnt/steps/sbin
mount --bind /usr/sbin /mnt/steps/sbin
for tool in ${TOOLS.join(" ")}; do
  real=/mnt/steps/sbin/$tool
  [ -e "$real" ] || real=$(command -v $tool)
  printf '#!/bin/sh\\nreal=%s tool=%s\\n. /mnt/steps/counter\\n' "$real" "$tool" >/mnt/steps/tools/$tool
  chmod 755 /mnt/steps/tools/$tool
done
cat >/mnt/steps/counter <<'END'
[ -n "$COUNTED" ] || exec $real "$@"
count=0
read -r count </mnt/steps/count
count=$((count + 1))
echo $count >/mnt/steps/count
echo $tool >>/mnt/steps/log
here=/mnt/steps
if [ -d $here/looks ]; then
${LOOKING}
fi
read -r at when </mnt/steps/plan
[ $count = $at ] || exec $real "$@"
[ $when = before ] || $real "$@"
read -r _ _ _ _ group _ </proc/$$/stat
kill -KILL -$group
END
cat >/mnt/steps/look <<'END'
${LOOK}END
mount -t overlay overlay -o lowerdir=/mnt/steps/tools:/usr/sbin /usr/sbin`);
}

/** Runs the host program in a process group of its own, which ends as said; answers the tools that it started. */
export async function killed(
  box: Box,
  args: string,
  input: string,
  kill?: Kill,
): Promise<Output & { steps: string[] }> {
  const plan = kill === undefined ? "0 before" : `${kill.step} ${kill.when}`;
  await box.sh(`echo 0 >/mnt/steps/count; echo ${plan} >/mnt/steps/plan; : >/mnt/steps/log`);
  const output = await box.try(`COUNTED=yes exec setsid -w /usr/local/sbin/xennet ${args}`, input);
  return { ...output, steps: (await box.sh("cat /mnt/steps/log")).split("\n").slice(0, -1) };
}

/** The same without a kill, and the host around each step, by `<step> before` and `<step> after`. */
export async function recorded(box: Box, args: string, input: string) {
  await box.sh("mkdir /mnt/steps/looks");
  const { steps } = await killed(box, args, input);
  const printed = await box.sh(
    'cd /mnt/steps/looks; for look in *; do echo "### $look"; cat "$look"; done; rm -r ../looks',
  );
  const looks: ReadonlyMap<string, HostLook> = readLooks(printed);
  return { steps, looks };
}
