import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { onTestFinished } from "vitest";
import { parseOffer, type SshOffer } from "../../../provider/src/dom0/ssh-offer.ts";

/** Collects what SSH clients offer; each connection is ended after that. A client's KEXINIT has the form of a server's. */
export async function offerCollector(): Promise<{ readonly port: number; readonly offers: SshOffer[] }> {
  const offers: SshOffer[] = [];
  const server = createServer((socket) => {
    let read: Buffer = Buffer.alloc(0);
    socket.on("error", () => {});
    socket.write("SSH-2.0-OpenSSH_9.2\r\n");
    socket.on("data", (chunk: Buffer) => {
      read = Buffer.concat([read, chunk]);
      const offer = parseOffer(read);
      if (offer === undefined) return;
      offers.push(offer);
      socket.destroy();
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => new Promise<void>((resolve) => server.close(() => resolve())));
  return { port: (server.address() as AddressInfo).port, offers };
}
