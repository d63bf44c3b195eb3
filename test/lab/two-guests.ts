import { randomUUID } from "node:crypto";
import type { SimVif } from "../sim/backplane.ts";
import type { Lab } from "./lab.ts";

/** Two web servers on the internal bridge `xapi1`, at 192.168.100.11 and .12, started through the backplane. */
export function twoGuests(lab: Lab) {
  let domid = 0;
  const disks = [1, 2].map((number) => ({ uuid: randomUUID(), number }));
  const networkUuid = randomUUID();
  const start = async (): Promise<SimVif[]> => {
    const vifs: SimVif[] = [];
    for (const { uuid, number } of disks) {
      domid += 1;
      const guest = { uuid, name: `vm${number}`, domid };
      const vif: SimVif = {
        uuid: randomUUID(),
        guest,
        device: "0",
        mac: `00:16:3e:00:00:0${number}`,
        mtu: 1500,
        bridge: "xapi1",
        networkUuid,
        internal: true,
        ipv4: { address: `192.168.100.1${number}/24`, gateway: "192.168.100.1" },
      };
      await lab.backplane.startGuest(guest);
      await lab.backplane.plugVif(vif);
      vifs.push(vif);
    }
    return vifs;
  };
  const stop = async (vifs: readonly SimVif[]) => {
    for (const vif of vifs) {
      await lab.backplane.unplugVif(vif);
      await lab.backplane.stopGuest(vif.guest);
    }
  };
  return { start, stop };
}
