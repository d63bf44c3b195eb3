import type { Box, Output } from "../lab/host-program/box.ts";
import type { HostLook } from "./host-look.ts";

/** What happens after the host program was killed. */
interface Sequel {
  act(box: Box, again: () => Promise<Output>): Promise<void>;
  /** What of the host it can tell from another. */
  readonly sees: (look: HostLook) => string;
}

/** As cron, udev and the guard call it; the program may have gone. */
const heal = "[ ! -x /usr/local/sbin/xennet ] || /usr/local/sbin/xennet apply";

/** The window is over: nothing but this number and the guard's sleep, which ends in the same call, knows the time. */
const passWindow = "[ ! -f /etc/xennet/pending ] || sed -i 's/ [0-9]*$/ 1/' /etc/xennet/pending";

export const sequels = {
  /** Who is told that a change is pending waits until it is settled, as the provider does, and runs again then: with the program, which going back from a first change has taken along. */
  "run again": {
    act: async (box, again) => {
      const { stdout } = await again();
      if (!stdout.startsWith("error PENDING")) return;
      await box.sh(`${passWindow}; ${heal}`);
      await box.install();
      await again();
    },
    sees: ({ disk, run, live }) => `${disk} ${run} ${live}`,
  },
  "the host heals, after the window": {
    act: async (box) => void (await box.sh(`${passWindow}; ${heal}`)),
    sees: ({ disk, run, live }) => `${disk} ${run} ${live}`,
  },
  "the power was cut": {
    act: async (box) => {
      await box.reboot();
      await box.plug();
      await box.sh(heal);
    },
    sees: ({ disk }) => disk,
  },
  "/run was wiped": {
    act: async (box) => void (await box.sh(`${passWindow}; rm -rf /run/xennet; ${heal}`)),
    sees: ({ disk, live }) => `${disk} ${live}`,
  },
} satisfies Record<string, Sequel>;

export type SequelName = keyof typeof sequels;

export const sequelNames = Object.keys(sequels) as SequelName[];
