import { setTimeout as delay } from "node:timers/promises";
import type { Fault, FaultKind, RunAction } from "./actions.ts";
import type { Machine } from "./machine.ts";
import { type Model, vmStarted } from "./model.ts";
import type { VmName } from "./stacks/program.ts";
import type { ProviderProcess } from "./stacks/provider-process.ts";

/** What a disturbance can reach. */
export interface Scene {
  readonly machine: Machine;
  readonly model: Model;
  readonly provider: ProviderProcess;
  readonly run: RunAction;
  readonly by: Fault;
}

/** Arms a fault; what is given back ends it and waits for what it has begun. */
export async function arm(scene: Scene): Promise<() => Promise<void>> {
  const { by, provider } = scene;
  const early = await prepare[by.fault]?.(scene);
  let calls = 0;
  let strike: Promise<void> | undefined;
  provider.onCall = () => {
    calls += 1;
    if (calls === by.call + 1) strike = delay(by.ms).then(async () => void (await strikes[by.fault]?.(scene)));
  };
  return async () => {
    provider.onCall = undefined;
    await strike;
    await early?.();
    scene.machine.host.simulator.faults.clear();
  };
}

type Prepare = (scene: Scene) => Promise<() => Promise<void>>;

const WRITING = [
  ...["network.create", "network.destroy", "network.add_to_other_config", "network.set_name_label"],
  ...[
    "VIF.create",
    "VIF.destroy",
    "VIF.plug",
    "VIF.unplug",
    "VIF.move",
    "VIF.set_other_config",
    "session.login_with_password",
  ],
];
const methodOf = ({ call, ms }: Fault): string => WRITING[(call + ms) % WRITING.length] ?? "";

const nothing = async (): Promise<void> => {};

/** What lies in wait before the run begins. */
const prepare: Partial<Record<FaultKind, Prepare>> = {
  "reply lost": async ({ machine, by }) => {
    machine.host.simulator.faults.loseReply(methodOf(by), 1, by.call % 2);
    return nothing;
  },
  "connection dropped": async ({ machine, by }) => {
    machine.host.simulator.faults.dropConnection(methodOf(by), 1, by.call % 2);
    return nothing;
  },
  "sessions end": async ({ machine, by }) => {
    machine.host.simulator.faults.expireSessionsAfter(by.call);
    return nothing;
  },
  "host program killed": async ({ machine, by }) => {
    const killing = machine.console(`perl -e '${KILLER}' ${by.call % 8} ${by.ms}`);
    return async () => {
      await machine.console("touch /run/killer.stop");
      await killing;
      await machine.console("rm -f /run/killer.stop");
    };
  },
  "disk full": async ({ machine, by }) => {
    await machine.onLan(
      `mount -o remount,size=$(($(df --output=used /run | tail -n 1) + ${4 * (by.call % 12)}))k /run`,
    );
    return () => machine.onLan("mount -o remount,size=50% /run");
  },
};

/** What strikes in the middle of the run. */
const strikes: Partial<Record<FaultKind, (scene: Scene) => Promise<unknown> | unknown>> = {
  "provider dies": ({ provider }) => provider.die(),
  "engine dies": ({ machine, provider, run }) => {
    machine.stacks[run.stack].engineDies();
    provider.die();
  },
  "ssh cut": ({ provider }) => provider.cut(),
  "lock held": ({ machine, by }) =>
    machine.console(`[ ! -d /run/xennet ] || flock /run/xennet/lock sleep ${(by.ms / 200).toFixed(1)}`),
  "vm starts": async ({ machine, model, by }) => {
    const vm = vmOf(by);
    if (model.running[vm]) return;
    await machine.xe("VM.start", await machine.vm(vm), false, false);
    vmStarted(model, vm);
  },
  "vm stops": async ({ machine, model, by }) => {
    const vm = vmOf(by);
    if (!model.running[vm]) return;
    await machine.xe("VM.hard_shutdown", await machine.vm(vm));
    model.running[vm] = false;
  },
  "toolstack restarts": ({ machine }) => machine.host.simulator.restart(),
};

const vmOf = ({ ms }: Fault): VmName => (ms % 2 === 0 ? "Fedora server 1" : "Fedora server 2");

/** Waits for the so-many-th run of the host program, then kills it, and what it has started, so many milliseconds later. */
const KILLER = `
my ($spare, $ms) = @ARGV; my %seen;
sub runs { grep { -r "/proc/$_/cmdline" && open(my $f, "<", "/proc/$_/cmdline") && <$f> =~ /sbin.xennet\\0(transact|confirm|apply|revert)/ } grep { /^\\d+$/ } map { s{/proc/}{}r } glob("/proc/[0-9]*") }
for (1 .. 6000) {
  last if -e "/run/killer.stop";
  for my $pid (grep { !$seen{$_}++ } runs()) {
    next if $spare-- > 0;
    select(undef, undef, undef, $ms / 1000);
    kill "KILL", $pid;
    exit;
  }
  select(undef, undef, undef, 0.005);
}`;
