import { expect, test } from "vitest";
import { portForwardHandler } from "../../../provider/src/handlers/forwarding/port-forward.ts";
import { startHost } from "../host.ts";
import { declareForwarding, declareGuests, forwardInputs } from "./declared-host.ts";
import { provider } from "./host-under-test.ts";

test("several declarations of one owner are refused with the command that takes one off the host, and that helps", async () => {
  await using host = await startHost();
  await using run = provider(host);
  const network = await declareGuests(host, run.process());
  const nat = await declareForwarding(run.process(), network);
  const given = forwardInputs("web", nat, { externalPort: 8080, target: "192.168.100.11", targetPort: 80 });
  const { inputs } = await portForwardHandler.check(run.process(), {}, given);

  // Two creates at once that do not see each other, as of two stacks with the same name.
  const processes = [run.process(), run.process()];
  await Promise.all(processes.map(async (process) => process.hostUuid()));
  const made = await Promise.all(processes.map(async (process) => portForwardHandler.create(process, inputs)));
  const tokens = made.map(({ id }) => id.split("/")[1] ?? "");
  expect(new Set(tokens).size).toBe(2);

  const refusal = await portForwardHandler.create(run.process(), inputs).then(
    () => "made",
    (error: unknown) => error as Error & { code?: string },
  );
  expect(refusal).toMatchObject({ code: "OWNER_AMBIGUOUS" });
  const { message } = refusal as Error;
  for (const token of tokens) expect(message).toContain(token);
  expect(message).toMatch(/^"web" of stack shop\/dev has 2 declarations on the host .*"xennet remove <token>"/);
  expect(message).not.toContain("/etc/xennet");

  const [kept = "", removed = ""] = tokens;
  const { status, stdout } = await host.lab.runInDom0(`xennet status; xennet remove ${removed}`);
  expect(status).toBe(0);
  for (const token of tokens) expect(stdout).toContain(`  token        ${token}\n`);
  const taken = await portForwardHandler.create(run.process(), inputs);
  expect(taken.id.split("/")[1]).toBe(kept);
  expect(await host.lab.clientGet("http://192.168.1.10:8080/")).toMatchObject({ kind: "answered" });
  const lost = made.find(({ id }) => id.endsWith(removed));
  expect((await portForwardHandler.read(run.process(), lost?.id ?? "", lost?.outs ?? {})).id).toBe("");
});
