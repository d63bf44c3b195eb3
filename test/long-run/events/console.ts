import type { ConsoleDeed, EventAction } from "../actions.ts";
import { networkIn } from "../looks/declared.ts";
import { type Look, look, text } from "../looks/look.ts";
import type { Machine } from "../machine.ts";
import type { Model } from "../model.ts";
import { STACKS } from "../stacks/program.ts";

/** A rule that an administrator has put at the end of the firewall's own chain. */
export const THEIR_RULE = "INPUT -p tcp -m tcp --dport 9999 -j ACCEPT";

const PROGRAM = "/usr/local/sbin/xennet";
const ifInstalled = (command: string): string => `[ ! -x ${PROGRAM} ] || ${command}`;

/** Somebody types at dom0's console. */
export async function consoleEvent(
  { what, pick }: Extract<EventAction, { do: "console" }>,
  model: Model,
  machine: Machine,
): Promise<void> {
  const now = await look(machine.host);
  if (what === "apply with a full disk") return withFullDisk(pick, machine);
  if (what === "remove one") return removeOne(now, pick, model, machine);
  const said = await machine.console(scriptOf(what, pick, bridgeOf(now, pick, model)));
  if (now.installed && what === "off" && /is off/.test(said)) model.off = true;
  if (what === "on") model.off = false;
  if (what === "remove" && now.installed) {
    model.off = false;
    for (const stack of STACKS) {
      if (Object.keys(model.programs[stack].forwardings).length > 0) model.settled[stack] = false;
    }
  }
}

/** One of the bridges that a stack declares and that are there. */
function bridgeOf(now: Look, pick: number, model: Model): string | undefined {
  const declared = STACKS.flatMap((stack) =>
    model.slots.map((slot) => text(networkIn(now, { stack, program: model.programs[stack] }, slot), "bridge")),
  );
  const bridges = declared.filter((name) => now.links.has(name));
  return bridges[pick % Math.max(1, bridges.length)];
}

type Scripted = Exclude<ConsoleDeed, "apply with a full disk" | "remove one">;

function scriptOf(what: Scripted, pick: number, bridge: string | undefined): string {
  const onBridge = (script: string): string => (bridge === undefined ? "" : script);
  const scripts: Readonly<Record<Scripted, string>> = {
    flush: "iptables -F",
    "flush nat": "iptables -t nat -F",
    "flush ours": "iptables -F XENNET-FORWARD; iptables -F XENNET-INPUT",
    "rule of theirs": `iptables -C ${THEIR_RULE} 2>/dev/null || iptables -A ${THEIR_RULE}`,
    "firewall restart": "/etc/init.d/iptables restart",
    address: onBridge(`ip -4 addr flush dev ${bridge}`),
    route: onBridge(`ip -4 route flush dev ${bridge}`),
    "link down": onBridge(`ip link set dev ${bridge} down`),
    "forwarding off": "for f in /proc/sys/net/ipv4/conf/xapi*/forwarding; do [ ! -e $f ] || echo 0 >$f; done",
    off: ifInstalled("xennet off"),
    on: ifInstalled("xennet on"),
    remove: ifInstalled("xennet remove"),
    "run wiped": "rm -rf /run/xennet",
    "clock jump":
      "touch -d '2031-01-01' /etc/xennet/* 2>/dev/null; touch -d '2001-01-01' /run/xennet/* 2>/dev/null; true",
    // In the middle of putting everything back.
    "apply killed": `iptables -F; ${ifInstalled(`{ xennet apply & sleep 0.${String(pick).padStart(2, "0")}; kill -9 $!; wait; }`)}`,
    "apply during a lock": `iptables -F; [ ! -e /run/xennet/lock ] || { flock /run/xennet/lock sleep 0.3 & xennet apply; wait; }`,
  };
  return scripts[what];
}

/** Cron's run finds no room for what it writes. */
async function withFullDisk(pick: number, machine: Machine): Promise<void> {
  await machine.fillDisk(4 * (pick % 4));
  try {
    await machine.console(`iptables -F; ${ifInstalled("xennet apply")}`);
  } finally {
    await machine.freeDisk();
  }
}

/** One declaration goes, without its stack. */
async function removeOne(now: Look, pick: number, model: Model, machine: Machine): Promise<void> {
  const fragments = [...now.fragments];
  const [token, fragment] = fragments[pick % Math.max(1, fragments.length)] ?? [];
  if (token === undefined || now.pending) return;
  await machine.console(`xennet remove ${token}`);
  for (const stack of STACKS) {
    if (fragment?.owner.startsWith(`urn:pulumi:${stack}::`) === true) model.settled[stack] = false;
  }
}
