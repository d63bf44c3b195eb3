import type { Box } from "./box.ts";

/** Lets a script take a tool's place; in it, $REAL is the tool, and what the script leaves to do is done by it. */
export async function wrapTool(box: Box, tool: string, body: string): Promise<void> {
  const link = `/etc/alternatives/${tool}`;
  await box.try(
    `real=$(readlink ${link}); { echo '#!/bin/sh'; echo "REAL=$real"; cat; } >/mnt/${tool}`,
    `${body}\nexec $REAL "$@"\n`,
  );
  await box.sh(`readlink ${link} >/mnt/real-${tool}; chmod 755 /mnt/${tool}; ln -sfn /mnt/${tool} ${link}`);
}

/** Puts the tool back in its place. */
export const unwrapTool = (box: Box, tool: string) =>
  box.sh(`ln -sfn "$(cat /mnt/real-${tool})" /etc/alternatives/${tool}`);
