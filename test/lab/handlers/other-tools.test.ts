import { expect, test } from "vitest";
import { hostForwardingHandler } from "../../../provider/src/handlers/forwarding/host-forwarding.ts";
import { portForwardHandler } from "../../../provider/src/handlers/forwarding/port-forward.ts";
import { xenNetworkHandler } from "../../../provider/src/handlers/network/xen-network.ts";
import { legs } from "../../support/legs.ts";
import { startHost } from "../host.ts";
import { bringOtherTools, keptByOthers } from "../other-tools.ts";
import { captureHost, compareHosts } from "../same-host.ts";
import { declare, declareForward, declareForwarding, forwardInputs } from "./declared-host.ts";
import { provider, urnOf } from "./host-under-test.ts";

test.each(legs("legacy", "nft"))(
  "other tools' rules, tables and the saved firewall stay as they are, whatever is declared, changed, healed, off or gone, on iptables-%s",
  async (iptables) => {
    await using host = await startHost({ iptables });
    await using run = provider(host);
    const others = await bringOtherTools(host.lab);
    for (const rule of [
      "-A f2b-sshd -s 192.0.2.7",
      "-A f2b-own -s 192.0.2.8",
      "-A FORWARD -j qos",
      "-A POSTROUTING -s 172",
    ]) {
      expect(others).toContain(rule);
    }
    const before = await captureHost(host.lab, host.simulator);
    const untouched = async (when: string) => expect(await keptByOthers(host.lab), when).toBe(others);
    const onDom0 = async (script: string) => {
      expect(await host.lab.runInDom0(script), script).toMatchObject({ status: 0 });
      await untouched(script);
    };

    const context = run.process();
    const network = await declare(xenNetworkHandler, context, {
      owner: urnOf("XenNetwork", "n"),
      nameLabel: "Internal",
    });
    const nat = await declareForwarding(context, network, { clampMss: 1300, guestAccessToHost: [{ port: 53 }] });
    await untouched("forwarding declared");
    const given = { externalPort: 8080, target: "192.168.100.11", hairpin: true };
    const web = await declareForward(context, nat, given);
    const both = await declareForward(context, nat, {
      externalPort: "9000-9010",
      target: "192.168.100.12",
      protocol: "both",
    });
    await untouched("forwards declared");

    const later = run.process();
    const news = forwardInputs("p8080", nat, { ...given, target: "192.168.100.13" });
    const { inputs } = await portForwardHandler.check(later, web.outs, news);
    const { outs } = await portForwardHandler.update(later, web.id, web.outs, inputs);
    await untouched("forward changed");
    await onDom0("iptables -D FORWARD -j XENNET-FORWARD; iptables -t nat -F XENNET-PREROUTING; xennet apply");
    await onDom0("xennet off");
    await onDom0("xennet on");
    expect(await portForwardHandler.read(run.process(), web.id, outs)).toMatchObject({ props: { drift: [] } });

    await portForwardHandler.delete(later, web.id, outs);
    await portForwardHandler.delete(later, both.id, both.outs);
    await untouched("forwards gone");
    await hostForwardingHandler.delete(later, nat.id, nat.outs);
    await xenNetworkHandler.delete(later, network.id, network.outs);
    await untouched("everything gone");
    expect(compareHosts(before, await captureHost(host.lab, host.simulator))).toEqual([]);
  },
);
