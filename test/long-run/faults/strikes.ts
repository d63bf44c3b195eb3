import type { FaultKind } from "../actions.ts";
import { allHalted, vmStarted } from "../model.ts";
import { setClock } from "./clock.ts";
import { type Scene, vmOf } from "./scene.ts";

/** `false`: there was nothing to disturb. */
type Strike = (scene: Scene) => Promise<unknown> | unknown;

/** What strikes in the middle of the run. */
export const strikes: Partial<Record<FaultKind, Strike>> = {
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
    if (model.running[vm]) return false;
    await machine.xe("VM.start", await machine.vm(vm), false, false);
    vmStarted(model, vm);
    return true;
  },
  "vm stops": async ({ machine, model, by }) => {
    const vm = vmOf(by);
    if (!model.running[vm]) return false;
    await machine.xe("VM.hard_shutdown", await machine.vm(vm));
    model.running[vm] = false;
    return true;
  },
  "vm restarts": async ({ machine, model, by }) => {
    const vm = vmOf(by);
    if (!model.running[vm]) return false;
    await machine.xe("VM.hard_reboot", await machine.vm(vm));
    vmStarted(model, vm);
    return true;
  },
  "toolstack restarts": ({ machine }) => machine.host.simulator.restart(),
  "rules flushed": ({ machine }) => machine.console("iptables -F; iptables -t nat -F"),
  "run wiped": ({ machine }) => machine.console("rm -rf /run/xennet"),
  "clock jumps": ({ by }) => setClock(by.ms % 2 === 0 ? 3_600_000 : -3_600_000),
  "power cut": async ({ machine, model }) => {
    await machine.host.powerCut();
    allHalted(model);
  },
};
