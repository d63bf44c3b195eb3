import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";
import type { Lab } from "../../lab/lab.ts";
import { digestLook, type HostLook, LOOK, LOOKING, TOOLS } from "../host-look.ts";

/** What happens at a step: the host program's process group is killed before or after it, or the step waits for `go`. */
export type StepFault = "kill before" | "kill after" | "hold";

/** A command that the host program started in a run, as `transact iptables-restore`, and the host around it in a recorded one. */
export interface Step {
  readonly label: string;
  /** `transact 2 17`: the 17th step of the second `transact` of the run. Runs that overlap never have their steps in the same order twice. */
  readonly address: string;
  readonly before?: HostLook | undefined;
  readonly after?: HostLook | undefined;
}

/** Counts the commands that the host program starts when a provider calls it, and lets things happen at one of them. */
export interface Dom0Steps {
  /** Forgets what was; the step of that address meets the fault. Without one all are only counted. */
  arm(address?: string, fault?: StepFault): void;
  /** The same without a fault; the host is looked at around each step. */
  record(): void;
  /** Steps since. */
  seen(): Step[];
  /** How many there were. */
  count(): number;
  /** Resolves when the fault is met, or false when `ended` says that nothing more comes. */
  met(ended: () => boolean): Promise<boolean>;
  /** Lets a step go on that was held. */
  go(): void;
  /** Puts the counters in front of dom0's tools again, after a reboot. */
  install(): Promise<void>;
}

/** In dom0, on its disk. */
const FOLDER = "/root/steps";

/** An address that no step has. */
const NOWHERE = "none 0 0";

export async function countDom0Steps(lab: Lab): Promise<Dom0Steps> {
  const folder = `${lab.disk}${FOLDER}`;
  mkdirSync(folder, { recursive: true });
  const install = async () => {
    const { status, stderr } = await lab.runInDom0(INSTALL);
    if (status !== 0) throw new Error(`the counters could not be put in front of dom0's tools: ${stderr}`);
  };
  await install();
  // Every arming has a folder of its own: a process that is left over from the one before writes into the old one.
  let run = 0;
  const current = () => `${folder}/${run}`;
  const lines = () => readFileSync(`${current()}/log`, "utf8").split("\n").slice(0, -1);
  const arm = (address: string, fault: StepFault, prepare = () => {}) => {
    run += 1;
    mkdirSync(current());
    writeFileSync(`${current()}/count`, "0\n");
    writeFileSync(`${current()}/plan`, `${address} ${fault}\n`);
    writeFileSync(`${current()}/log`, "");
    prepare();
    writeFileSync(`${folder}/run`, `${run}\n`);
  };
  return {
    arm: (address = NOWHERE, fault = "hold") => arm(address, fault),
    record: () =>
      arm(NOWHERE, "hold", () => {
        writeFileSync(`${current()}/look`, LOOK);
        mkdirSync(`${current()}/looks`);
      }),
    seen: () => {
      const looks = `${current()}/looks`;
      const taken = new Set(existsSync(looks) ? readdirSync(looks) : []);
      const look = (name: string) =>
        taken.has(name) ? digestLook(readFileSync(`${looks}/${name}`, "utf8")) : undefined;
      return lines().map((line, at) => {
        const [label = "", address = ""] = line.split("; ");
        return { label, address, before: look(`${at + 1} before`), after: look(`${at + 1} after`) };
      });
    },
    count: () => lines().length,
    met: async (ended) => {
      for (;;) {
        const isLast = ended();
        if (existsSync(`${current()}/met`)) return true;
        if (isLast) return false;
        await wait(3);
      }
    },
    go: () => writeFileSync(`${current()}/go`, ""),
    install,
  };
}

/**
 * /usr/sbin comes first on the host program's PATH. In front of it goes a folder with a counter for each tool; it counts
 * when its parent is the host program, called over SSH, and is the tool otherwise.
 */
const INSTALL = `set -e
folder=${FOLDER}
mkdir -p $folder/tools $folder/sbin
mountpoint -q $folder/sbin || mount --bind /usr/sbin $folder/sbin
for tool in ${TOOLS.join(" ")} udevadm; do
  real=$folder/sbin/$tool
  [ -e "$real" ] || real=$(PATH=/usr/bin command -v $tool) || continue
  cat >$folder/tools/$tool <<END
#!/bin/sh
real=$real tool=$tool
. $folder/counter
END
  chmod 755 $folder/tools/$tool
done
cat >$folder/counter <<'END'
read -r line </proc/$PPID/cmdline
case $SSH_CONNECTION:$line in
  ?*:*/usr/local/sbin/xennet[a-z]*) line=\${line#*/usr/local/sbin/xennet} ;;
  *) exec $real "$@" ;;
esac
read -r run <${FOLDER}/run || exec $real "$@"
here=${FOLDER}/$run
count=0
read -r count <$here/count
count=$((count + 1))
echo $count >$here/count
read -r _ _ _ _ group _ </proc/$$/stat
kind=\${line%%[0-9]*}
# Each run of the host program has a process group of its own.
if [ ! -e $here/run.$group ]; then
  nth=1
  until /usr/bin/mkdir $here/$kind.$nth 2>/dev/null; do nth=$((nth + 1)); done
  echo "$nth 0" >$here/run.$group
fi
read -r nth own <$here/run.$group
own=$((own + 1))
echo "$nth $own" >$here/run.$group
echo "$line $tool; $kind $nth $own" >>$here/log
if [ -d $here/looks ]; then
${LOOKING}
fi
read -r plan nth_of own_of fault <$here/plan
[ "$plan $nth_of $own_of" = "$kind $nth $own" ] && /usr/bin/mkdir $here/met 2>/dev/null || exec $real "$@"
case $fault in
  hold)
    tries=0
    until [ -e $here/go ] || [ $tries = 300 ]; do /usr/bin/sleep 0.01; tries=$((tries + 1)); done
    exec $real "$@" ;;
  'kill after') $real "$@" ;;
esac
kill -KILL -$group
END
mount -t overlay overlay -o lowerdir=$folder/tools:/usr/sbin /usr/sbin`;
