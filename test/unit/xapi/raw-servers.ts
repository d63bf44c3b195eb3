import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { onTestFinished } from "vitest";

/** A web server without TLS. */
export async function webServer() {
  let connections = 0;
  const server = createServer((socket) => {
    connections += 1;
    socket.on("error", () => {});
    socket.once("data", () => socket.end("HTTP/1.0 400 Bad Request\r\n\r\n"));
  });
  return { port: await listening(server), connections: () => connections };
}

/** A host's TLS as far as the server's first flight: says hello in TLS 1.0 without any extension, shows its certificate, and notes what comes back. */
export async function hostOf2009(certificate: string) {
  const answers: string[] = [];
  const { raw } = new X509Certificate(certificate);
  const message = (type: number, body: Buffer) => Buffer.concat([Buffer.from([type]), length(body.length), body]);
  const serverHello = Buffer.concat([Buffer.from([3, 1]), Buffer.alloc(32, 7), Buffer.from([0, 0, 0x35, 0])]);
  const certificates = Buffer.concat([length(raw.length + 3), length(raw.length), raw]);
  const flight = Buffer.concat([message(2, serverHello), message(11, certificates), message(14, Buffer.alloc(0))]);
  const head = Buffer.from([22, 3, 1, flight.length >> 8, flight.length & 255]);
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", () => {
      socket.write(Buffer.concat([head, flight]));
      socket.once("data", (answer: Buffer) => {
        answers.push(`record ${answer[0]}, message ${answer[5]}`);
        socket.destroy();
      });
    });
  });
  return { port: await listening(server), answers };
}

function length(bytes: number): Buffer {
  return Buffer.from([bytes >> 16, (bytes >> 8) & 255, bytes & 255]);
}

async function listening(server: ReturnType<typeof createServer>): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => new Promise<void>((resolve) => server.close(() => resolve())));
  return (server.address() as AddressInfo).port;
}
