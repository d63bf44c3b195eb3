import net from "node:net";
import { Client, type ConnectConfig } from "ssh2";
import type { Lab } from "./lab.ts";

/** Logs in over the relay, runs one command, logs out; with the key unless a password is given. */
export function sshRun(lab: Lab, command: string, password?: string): Promise<string> {
  const { host, port, user: username, privateKey, hostKey } = lab.ssh;
  const auth: ConnectConfig = password === undefined ? { privateKey } : { password };
  const client = new Client();
  return new Promise((resolve, reject) => {
    client.on("error", reject);
    client.on("close", () => reject(new Error("the connection ended before the command did")));
    client.on("ready", () => {
      client.exec(command, (error, channel) => {
        if (error) return reject(error);
        let output = "";
        channel.setEncoding("utf8").on("data", (text: string) => {
          output += text;
        });
        channel.stderr.resume();
        channel.on("close", () => {
          resolve(output);
          client.end();
        });
      });
    });
    const sock = net.connect({ host, port, noDelay: true });
    const hostVerifier = (key: Buffer) => key.toString("base64") === hostKey.split(" ")[1];
    client.connect({ sock, username, hostVerifier, readyTimeout: 10_000, ...auth });
  });
}
