import type { Fault, FaultKind } from "../actions.ts";
import type { Machine } from "../machine.ts";
import type { Disarm, Scene } from "./scene.ts";

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

/** What lies in wait before the run begins. */
export const ambushes: Partial<Record<FaultKind, (scene: Scene) => Promise<Disarm>>> = {
  "reply lost": async ({ machine, by }) => {
    machine.host.simulator.faults.loseReply(methodOf(by), 1, by.call % 2);
    return wasCalled(machine, by);
  },
  "connection dropped": async ({ machine, by }) => {
    machine.host.simulator.faults.dropConnection(methodOf(by), 1, by.call % 2);
    return wasCalled(machine, by);
  },
  "sessions end": async ({ machine, by }) => {
    machine.host.simulator.faults.expireSessionsAfter(by.call);
    return async () => true;
  },
  "host program killed": async ({ machine, by }) => {
    const killing = machine.console(`perl -e '${KILLER}' ${by.call % 8} ${by.ms}`);
    return async () => {
      await machine.console("touch /run/killer.stop");
      const said = await killing;
      await machine.console("rm -f /run/killer.stop");
      return said.includes("killed");
    };
  },
  "disk full": async ({ machine, by }) => {
    await machine.fillDisk(4 * (by.call % 12));
    return async () => {
      await machine.freeDisk();
      return true;
    };
  },
};

/** Whether the call came that was to go wrong. */
function wasCalled({ host: { simulator } }: Machine, by: Fault): Disarm {
  const before = simulator.countCalls(methodOf(by));
  return async () => simulator.countCalls(methodOf(by)) > before + (by.call % 2);
}

/** Waits for the so-many-th run of the host program, then kills it, and what it has started, so many milliseconds later. */
const KILLER = `
my ($spare, $ms) = @ARGV; my %seen;
sub runs { grep { -r "/proc/$_/cmdline" && open(my $f, "<", "/proc/$_/cmdline") && <$f> =~ /sbin.xennet\\0(transact|confirm|apply|revert)/ } grep { /^\\d+$/ } map { s{/proc/}{}r } glob("/proc/[0-9]*") }
for (1 .. 6000) {
  last if -e "/run/killer.stop";
  for my $pid (grep { !$seen{$_}++ } runs()) {
    next if $spare-- > 0;
    select(undef, undef, undef, $ms / 1000);
    print "killed" if kill "KILL", $pid;
    exit;
  }
  select(undef, undef, undef, 0.005);
}`;
