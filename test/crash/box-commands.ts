import type { Box } from "../lab/host-program/box.ts";
import {
  declare,
  hostForwarding,
  newToken,
  portForward,
  put,
  remove,
  transaction,
} from "../lab/host-program/declarations.ts";
import { hostState } from "../lab/host-program/host-state.ts";

/** A command of the host program, from a host as `before` leaves it. */
export interface Crashed {
  readonly name: string;
  /** May answer what is in force where the host goes back to what is confirmed. */
  before(box: Box): Promise<unknown>;
  readonly args: (generation: number) => string;
  input?(box: Box, window: number): string;
}

const [forwarding, web, other] = [newToken(), newToken(), newToken()];

const first = (box: Box) => [put(forwarding, hostForwarding(box, forwarding)), put(web, portForward(box, web, 80))];
const change = (box: Box) => [put(other, portForward(box, other, 8081)), remove(web)];
const removal = () => [remove(forwarding), remove(web)];

/** Declares, and leaves a change of it pending, for longer than any run takes. */
async function pending(box: Box, operations: readonly string[]): Promise<string> {
  await declare(box, first(box));
  const confirmed = await inForce(box);
  await box.xennet("transact", transaction(box, operations, 600));
  return confirmed;
}

/** What is in force, without numbers of generations: all of it that a host shows outside of /etc/xennet. */
export async function inForce(of: Box): Promise<string> {
  const own = /\/etc\/xennet(\/|\b)|\/usr\/local\/sbin\/xennet|inventory$/;
  const shown = (await hostState(of)).split("\n").filter((line) => !own.test(line) && !/^# /.test(line));
  return shown.join("\n");
}

export const crashedCommands: readonly Crashed[] = [
  {
    name: "a first transaction",
    before: async () => {},
    args: () => "transact",
    input: (box, window) => transaction(box, first(box), window),
  },
  {
    name: "a transaction that puts and removes",
    before: (box) => declare(box, first(box)),
    args: () => "transact",
    input: (box, window) => transaction(box, change(box), window),
  },
  {
    name: "a transaction that removes everything",
    before: (box) => declare(box, first(box)),
    args: () => "transact",
    input: (box, window) => transaction(box, removal(), window),
  },
  {
    name: "a confirmation",
    before: (box) => pending(box, change(box)),
    args: (generation) => `confirm ${generation}`,
  },
  {
    name: "the confirmation that nothing is left",
    before: (box) => pending(box, removal()),
    args: (generation) => `confirm ${generation}`,
  },
  {
    name: "a way back",
    before: (box) => pending(box, change(box)),
    args: (generation) => `revert ${generation}`,
  },
  {
    name: "healing",
    before: async (box) => {
      await declare(box, first(box));
      await box.sh(
        "iptables -F XENNET-FORWARD; iptables -t nat -F PREROUTING; ip addr flush dev xapi1; echo 0 >/proc/sys/net/ipv4/conf/xapi1/forwarding",
      );
    },
    args: () => "apply",
  },
  {
    name: "a removal by hand",
    before: (box) => declare(box, first(box)),
    args: () => "remove",
  },
];
