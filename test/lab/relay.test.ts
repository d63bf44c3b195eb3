import net from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Lab, startLab } from "./lab.ts";
import { sshRun } from "./ssh-login.ts";

let lab: Lab;
beforeAll(async () => {
  lab = await startLab();
});
afterAll(() => lab.close());

test("ten rounds of eight simultaneous SSH logins all succeed", async () => {
  const answers: string[] = [];
  for (let round = 0; round < 10; round += 1) {
    answers.push(
      ...(await Promise.all(Array.from({ length: 8 }, (_, index) => sshRun(lab, `echo ${round}.${index}`)))),
    );
  }
  expect(answers).toEqual(Array.from({ length: 80 }, (_, n) => `${Math.floor(n / 8)}.${n % 8}\n`));
});

test("root logs in with the password as well, and not with a wrong one", async () => {
  expect(await sshRun(lab, "id -u", lab.ssh.password)).toBe("0\n");
  await expect(sshRun(lab, "id -u", "wrong")).rejects.toThrow(/authentication/i);
});

test("a command's output of a megabyte arrives whole", async () => {
  const output = await sshRun(lab, "head -c 1048576 /dev/zero | tr '\\0' x");
  expect(output.length).toBe(1048576);
});

test("dom0 counts the connections that are open, and cutting them ends the client's side with a reset", async () => {
  // dom0's sshd ends its side of the logins before this test a moment after the client ended its own.
  await expect.poll(() => lab.sshConnections(), { timeout: 20_000 }).toBe(0);
  const client = net.connect({ host: lab.ssh.host, port: lab.ssh.port });
  await new Promise((resolve) => client.once("data", resolve));
  expect(await lab.sshConnections()).toBe(1);
  const ended = new Promise((resolve) => client.once("error", resolve));
  expect(lab.cutSsh()).toBe(1);
  expect(await ended).toMatchObject({ code: "ECONNRESET" });
  await expect.poll(() => lab.sshConnections(), { timeout: 20_000 }).toBe(0);
});

test("an end of the client's side reaches dom0, and dom0's end reaches the client", async () => {
  const client = net.connect({ host: lab.ssh.host, port: lab.ssh.port, allowHalfOpen: true });
  await new Promise((resolve) => client.once("data", resolve));
  const ended = new Promise((resolve) => client.once("end", resolve));
  client.end();
  await ended;
  await expect.poll(() => lab.sshConnections(), { timeout: 20_000 }).toBe(0);
});

test("an orderly reboot ends open connections, and logins work again after it", async () => {
  const client = net.connect({ host: lab.ssh.host, port: lab.ssh.port });
  await new Promise((resolve) => client.once("data", resolve));
  const closed = new Promise((resolve) => client.once("close", resolve));
  await lab.rebootDom0();
  await closed;
  expect(await sshRun(lab, "hostname")).toBe("xenserver-lab\n");
});
