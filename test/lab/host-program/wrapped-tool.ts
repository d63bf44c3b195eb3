import type { Box } from "./box.ts";

/** Lets a script take a tool's place; in it, $REAL is the tool, and what the script leaves to do is done by it. */
export async function wrapTool(box: Box, tool: string, body: string): Promise<void> {
  const link = `/etc/alternatives/${tool}`;
  await box.try(
    `real=$(readlink ${link}); [ "$real" != /mnt/${tool} ] || real=$(cat /mnt/real-${tool}); { echo '#!/bin/sh'; echo "REAL=$real"; cat; } >/mnt/${tool}`,
    `${body}\nexec $REAL "$@"\n`,
  );
  await box.sh(
    `sed -n 's/^REAL=//p' /mnt/${tool} >/mnt/real-${tool}; chmod 755 /mnt/${tool}; ln -sfn /mnt/${tool} ${link}`,
  );
}

/** Puts the tool back in its place. */
export const unwrapTool = (box: Box, tool: string) =>
  box.sh(`ln -sfn "$(cat /mnt/real-${tool})" /etc/alternatives/${tool}`);

/** The same for `ip`, which no alternative leads to. */
export async function wrapIp(box: Box, body: string): Promise<void> {
  await box.sh('[ -e /mnt/real-ip ] || cp "$(readlink -f "$(command -v ip)")" /mnt/real-ip');
  await box.try("cat >/mnt/ip; chmod 755 /mnt/ip", `#!/bin/sh\nREAL=/mnt/real-ip\n${body}\nexec $REAL "$@"\n`);
  await box.sh('real=$(readlink -f "$(command -v ip)"); mountpoint -q "$real" || mount --bind /mnt/ip "$real"');
}
