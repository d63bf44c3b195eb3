import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { legs } from "../support/legs.ts";
import { HAND_RECIPE } from "./hand-recipe.ts";
import { type HttpAnswer, type Lab, startLab } from "./lab.ts";
import { twoGuests } from "./two-guests.ts";

const EXTERNAL = "http://192.168.1.10";

/** The guest that answered and the peer it saw, or what came instead. */
function answererOf(answer: HttpAnswer): string {
  if (answer.kind !== "answered") return answer.kind;
  const { vm, peer, local, port } = JSON.parse(answer.body);
  return `${vm} at ${local}:${port} to ${peer}`;
}

describe.each(legs("legacy", "nft"))("the hand recipe with iptables-%s", (iptables) => {
  let lab: Lab;
  beforeEach(async () => {
    lab = await startLab({ iptables, bridgeNoArp: true });
  });
  afterEach(() => lab.close());

  const ask = async (port: number, timeoutMs?: number) =>
    answererOf(await lab.clientGet(`${EXTERNAL}:${port}/`, timeoutMs));
  const onDom0 = async (script: string) => {
    const { status, stdout, stderr } = await lab.runInDom0(`set -e\n${script}`);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    return stdout;
  };

  test("each step has the effect on real requests that it has on a real host", async () => {
    await twoGuests(lab).start();
    expect(await ask(8080)).toBe("unreachable");

    await onDom0(`${HAND_RECIPE.dnat}\n${HAND_RECIPE.address}`);
    expect(await ask(80), "the stock chain accepts port 80 on any interface").toBe(
      "vm1 at 192.168.100.11:80 to 192.168.1.50",
    );

    // DNAT sends 8080 to port 8080 of vm2, which the stock chain rejects.
    expect(await ask(8080)).toBe("unreachable");
    await onDom0(HAND_RECIPE.appendedAccept);
    expect(await ask(8080), "an appended accept stands behind the stock REJECT").toBe("unreachable");

    await onDom0(HAND_RECIPE.insertedAccepts);
    expect(await ask(8080)).toBe("vm2 at 192.168.100.12:8080 to 192.168.1.50");

    await onDom0("sysctl -qw net.ipv4.ip_forward=0");
    expect(await ask(8080, 500)).toBe("timeout");
  });

  test("guests reach the outside once SNAT hides them behind the external address", async () => {
    await twoGuests(lab).start();
    await onDom0(`${HAND_RECIPE.dnat}\n${HAND_RECIPE.address}\n${HAND_RECIPE.insertedAccepts}`);
    expect((await lab.guestGet("vm1", lab.outsideUrl, 500)).kind).toBe("timeout");
    await onDom0(HAND_RECIPE.snat);
    expect(answererOf(await lab.guestGet("vm1", lab.outsideUrl))).toBe("outside at 192.168.1.60:8000 to 192.168.1.10");
  });

  test("a bridge that vanishes with its last port comes back without address and ARP, the rules stay", async () => {
    const guests = twoGuests(lab);
    const vifs = await guests.start();
    await onDom0(`${HAND_RECIPE.dnat}\n${HAND_RECIPE.address}\n${HAND_RECIPE.insertedAccepts}`);
    expect(await ask(8080)).toBe("vm2 at 192.168.100.12:8080 to 192.168.1.50");

    await guests.stop(vifs);
    expect(await onDom0("ip -br link show type bridge | cut -d ' ' -f 1")).toBe("xenbr0\n");
    await guests.start();
    expect(await onDom0("ip -4 -br addr show dev xapi1; ip -o link show dev xapi1 | grep -c NOARP")).toBe("1\n");
    expect(await ask(8080, 500)).toBe("timeout");

    await onDom0(HAND_RECIPE.address);
    expect(await ask(8080)).toBe("vm2 at 192.168.100.12:8080 to 192.168.1.50");
  });

  test("restarting the firewall wipes the accepts and the redirections alike", async () => {
    await twoGuests(lab).start();
    await onDom0(`${HAND_RECIPE.dnat}\n${HAND_RECIPE.address}\n${HAND_RECIPE.insertedAccepts}`);
    expect(await ask(80)).toBe("vm1 at 192.168.100.11:80 to 192.168.1.50");
    await onDom0("service iptables restart");
    expect(await ask(8080)).toBe("unreachable");
    // dom0's own port again, behind which a lab without XAPI has no page.
    expect(await ask(80)).toBe("failed");
    expect((await onDom0("iptables-save -t nat")).match(/^-A/m)).toBeNull();
  });

  test("traffic between guests of one bridge does not pass the firewall", async () => {
    await twoGuests(lab).start();
    expect(answererOf(await lab.guestGet("vm1", "http://192.168.100.12:8080/"))).toBe(
      "vm2 at 192.168.100.12:8080 to 192.168.100.11",
    );
  });
});
