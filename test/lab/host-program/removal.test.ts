import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { STOCK_FIREWALL } from "../dom0-files.ts";
import { type Box, backends, makeBox } from "./box.ts";
import { declare, hostForwarding, newToken, pendingOf, portForward, put, remove, transact } from "./declarations.ts";
import { hostState, lines, snapshot } from "./host-state.ts";

describe.each(backends())("off, on and remove, iptables %s", (backend) => {
  let box: Box;
  let bare: string;
  const forwarding = newToken();

  beforeEach(async () => {
    box = await makeBox({ backend });
    await box.plug();
    await box.sh("rm /usr/local/sbin/xennet");
    bare = await hostState(box);
    await box.install();
    await declare(box, [put(forwarding, hostForwarding(box, forwarding))]);
  });
  afterEach(() => box.close());

  const withoutFiles = (state: string): string => state.replace(/^.*(\/etc|\/usr).*\n?/gm, "");

  test("off takes everything of ours from the live host, through healing and reboots, until on", async () => {
    const before = await hostState(box);
    expect((await box.xennet("off")).code).toBe(0);
    expect(withoutFiles(await hostState(box))).toBe(withoutFiles(bare));
    expect((await box.xennet("apply")).stdout).toBe("");
    expect(lines(await snapshot(box), "fragment")).toEqual([`${forwarding} off`]);
    await box.reboot();
    await box.plug();
    await box.xennet("apply");
    expect(await box.sh("iptables-save")).not.toContain("XENNET");
    expect((await box.xennet("status")).stdout).toContain("OFF");
    expect((await box.xennet("on")).code).toBe(0);
    expect(await hostState(box)).toBe(before);
  });

  test("a transaction during off is stored and confirmed, and takes effect with on", async () => {
    await box.xennet("off");
    const web = newToken();
    const answer = await transact(box, [put(web, portForward(box, web, 80))]);
    expect(lines(answer.stdout, "outcome")).toEqual([`${web} ok`]);
    await box.xennet(`confirm ${pendingOf(answer)}`);
    expect(await box.sh("iptables-save")).not.toContain("XENNET");
    await box.xennet("on");
    expect(await box.sh("iptables-save")).toContain(`xennet-${web}`);
  });

  test.each([
    [
      "a stack",
      async () => {
        const answer = await transact(box, [remove(forwarding)]);
        const confirmed = await box.xennet(`confirm ${pendingOf(answer)}`);
        expect([confirmed.code, lines(confirmed.stdout, "off")]).toEqual([0, ["yes"]]);
      },
    ],
    ["the administrator", async () => expect((await box.xennet(`remove ${forwarding}`)).code).toBe(0)],
  ])("off stays in force when %s removes the last declaration and a new one comes, until on", async (_who, clear) => {
    await box.xennet("off");
    await clear();
    expect(await box.xennet("apply")).toEqual({ code: 0, stdout: "", stderr: "" });
    expect((await box.xennet("status")).stdout).toContain("OFF");
    const again = newToken();
    await declare(box, [put(again, hostForwarding(box, again))]);
    expect(lines(await snapshot(box), "fragment")).toEqual([`${again} off`]);
    expect(withoutFiles(await hostState(box))).toBe(withoutFiles(bare));
    await box.xennet("on");
    expect(lines(await snapshot(box), "fragment")).toEqual([`${again} active`]);
  });

  test.each(["on", "remove"])("%s leaves nothing where the last declaration went during off", async (command) => {
    await box.xennet("off");
    await declare(box, [remove(forwarding)]);
    expect((await box.xennet(command)).code).toBe(0);
    expect(await hostState(box)).toBe(bare);
  });

  test("a change that nobody confirms leaves nothing where all else went during off that is over", async () => {
    await box.xennet("off");
    await declare(box, [remove(forwarding)]);
    const number = pendingOf(await transact(box, [put(forwarding, hostForwarding(box, forwarding))]));
    await box.xennet("on");
    expect(lines(await snapshot(box), "fragment")).toEqual([`${forwarding} active`]);
    expect((await box.xennet(`revert ${number}`)).code).toBe(0);
    expect(await hostState(box)).toBe(bare);
  });

  test("remove leaves the host as it was, to the byte", async () => {
    expect((await box.xennet("remove")).code).toBe(0);
    expect(await hostState(box)).toBe(bare);
    expect(await box.sh("ls -d /run/xennet 2>/dev/null || true")).toBe("");
  });

  test("remove with a token takes that declaration alone, whatever its state, and the last one takes everything", async () => {
    const before = await hostState(box);
    const [web, damaged] = [newToken(), newToken()];
    await declare(box, [put(web, portForward(box, web, 8080)), put(damaged, portForward(box, damaged, 8081))]);
    await box.sh(`f=$(ls /etc/xennet/generations/*/${damaged}.fragment); head -n 3 $f >/mnt/cut; cat /mnt/cut >$f`);
    expect((await box.xennet("status")).stdout).toContain(`  token        ${web}\n`);
    for (const token of [web, damaged]) {
      expect(await box.xennet(`remove ${token}`)).toEqual({
        ...{ code: 0, stderr: "" },
        stdout: `${token} is declared on this host no more. Its stack sees that with 'pulumi refresh'.\n`,
      });
    }
    const files = /.*\/etc\/xennet\/.*\n/g;
    expect((await hostState(box)).replace(files, "")).toBe(before.replace(files, ""));
    expect(await box.xennet("apply")).toEqual({ code: 0, stdout: "", stderr: "" });
    expect(lines(await snapshot(box), "fragment")).toEqual([`${forwarding} active`]);
    expect((await box.xennet(`remove ${forwarding}`)).code).toBe(0);
    expect(await hostState(box)).toBe(bare);
  });

  test("remove with a token is refused while a change is pending, and for what is no token of the host", async () => {
    const web = newToken();
    const before = await hostState(box);
    for (const token of [newToken(), "3f2a", "../confirmed", "'$(reboot)'", "''"]) {
      const { code, stdout } = await box.xennet(`remove ${token}`);
      expect([token, code, stdout]).toEqual([token, 65, expect.stringMatching(/^error NOT_DECLARED /)]);
    }
    expect(await hostState(box)).toBe(before);
    const number = pendingOf(await transact(box, [put(web, portForward(box, web, 80))]));
    expect(await box.xennet(`remove ${forwarding}`)).toMatchObject({
      ...{ code: 75, stdout: expect.stringMatching(/^error PENDING /) },
    });
    await box.xennet(`confirm ${number}`);
    await box.xennet("off");
    expect((await box.xennet(`remove ${web}`)).code).toBe(0);
    await box.xennet("on");
    const saved = await box.sh("iptables-save");
    expect([saved.includes(forwarding), saved.includes(web)]).toEqual([true, false]);
  });

  test("remove also takes references that others made to our chains", async () => {
    await box.sh(
      "iptables -A OUTPUT -d 203.0.113.1 -m comment --comment 'made by hand' -j XENNET-FORWARD; iptables -A FORWARD -j XENNET-FORWARD",
    );
    expect((await box.xennet("remove")).code).toBe(0);
    expect(await hostState(box)).toBe(bare);
  });

  test("remove works while a change is pending and while off", async () => {
    await box.xennet("off");
    await transact(box, [put(newToken(), portForward(box, newToken(), 80))]);
    expect((await box.xennet("remove")).code).toBe(0);
    expect(await hostState(box)).toBe(bare);
  });

  test("remove works from a program that is only piped in, on declarations nobody can read", async () => {
    await box.sh("echo garbage >/etc/xennet/confirmed");
    expect((await box.xennet("apply")).stdout).toMatch(/^error CONFIRMED_UNREADABLE /);
    expect((await box.try("sh -s remove </usr/local/sbin/xennet")).code).toBe(0);
    expect(await hostState(box)).toBe(bare);
  });

  test("chains that another tool froze into the saved firewall and a reboot brought back are removed too", async () => {
    await box.sh("iptables-save >/mnt/frozen; /usr/local/sbin/xennet off");
    await box.reboot();
    await box.plug();
    await box.sh("iptables-restore </mnt/frozen");
    await box.xennet("apply");
    expect(await box.sh("iptables-save")).not.toContain("XENNET");
  });
});

/** Lines that only look like ours: in comments, by name, with bytes and line ends of their own. */
const unusual = String.raw`-A INPUT -m comment --comment "see -j XENNET-INPUT" -j ACCEPT
-A INPUT -m comment --comment "before -j XENNET-INPUT -i x" -j DROP${"\r"}
${"\t"}# -A XENNET-FORWARD -j DROP
-A INPUT -m comment --comment "für Gäste ${"x".repeat(200)}" -j MY-XENNET-INPUT

:MY-XENNET-INPUT - [0:0]
:XENNET-web1 - [0:0]
-A XENNET-web1 -p tcp --dport 80 -j ACCEPT
-A INPUT -j XENNET-web1
-A INPUT -m comment --comment "-j" -j ACCEPT
-A INPUT -m comment --comment "see \"x -j XENNET-INPUT y\" end" -j ACCEPT
-A INPUT -m comment --comment "C:\\" -m comment --comment "\\\" -j XENNET-INPUT " -j ACCEPT
-A INPUT -m comment --comment -jXENNET-INPUT -j ACCEPT
-A INPUT -m comment --comm --jump=XENNET-INPUT -j ACCEPT
-A INPUT -j LOG --log-prefix "-jXENNET-INPUT"
-A INPUT -i XENNET-INPUT -j ACCEPT
-i XENNET-INPUT -A INPUT -j ACCEPT
-A INPUT -m owner --gid-owner XENNET-INPUT -j ACCEPT
`;

/** As iptables-save of every version prints them, and as people write them. */
const ours = `:XENNET-FORWARD - [0:0]
-A FORWARD -j XENNET-FORWARD
-A FORWARD -j XENNET-FORWARD${" "}
[3:180] -A FORWARD -j XENNET-FORWARD
-A XENNET-FORWARD -i xapi1 -j DROP
[0:0] -A XENNET-INPUT -i xapi1 -j DROP
-A XENNET-FORWARD -s 192.168.100.0/255.255.255.0 -m comment --comment "xennet-0123456789ab" -j ACCEPT${" "}
  -A FORWARD -j XENNET-FORWARD
-A FORWARD -j XENNET-FORWARD\r
-I FORWARD 1 -j XENNET-FORWARD
-N XENNET-FORWARD
-A INPUT -i xapi1 -j XENNET-INPUT -m comment --comment "by hand"
-A OUTPUT -m comment --comment "by hand" -g XENNET-FORWARD
-A  XENNET-FORWARD -i xapi1 -j DROP
-A\tXENNET-FORWARD -i xapi1 -j DROP
--append XENNET-FORWARD -i xapi1 -j DROP
-A FORWARD --jump XENNET-FORWARD
-A FORWARD  -j  XENNET-FORWARD
-A FORWARD -j "XENNET-FORWARD"
-A FORWARD -jXENNET-FORWARD
-A FORWARD --goto=XENNET-FORWARD
-A INPUT -m comment --comment "a b" -j XENNET-INPUT -p tcp
-A INPUT -m comment --comment "a \\"b\\\\" -j XENNET-INPUT
-A INPUT -m comment --comment="a b" -j XENNET-INPUT
-A INPUT --jum XENNET-INPUT
-A INPUT --j=XENNET-INPUT
-A INPUT --g XENNET-INPUT
-A INPUT --goto="XENNET-INPUT"
-i xapi1 -A XENNET-INPUT -j DROP
-i xapi1 --append=XENNET-INPUT -j DROP
: XENNET-INPUT - [0:0]
${"a append insert ins delete replace rep new-chain ne delete- delete-chain fl flush z zero po policy ren rename-chain check"
  .split(" ")
  .map((option) => `--${option} XENNET-INPUT -j DROP\n--${option}=XENNET-FORWARD -j DROP\n`)
  .join("")}`;

test("rules of ours go from the saved firewall file, and every other byte, mode and owner stays", async () => {
  const box = await makeBox();
  try {
    const token = newToken();
    await box.plug();
    const others = `# saved by hand: -j XENNET-FORWARD\n${STOCK_FIREWALL.replace(":RH-Firewall", `${unusual}:RH-Firewall`)}# no newline at the end`;
    await box.try(
      "cat >/etc/sysconfig/iptables; chown 1:2 /etc/sysconfig/iptables; chmod 640 /etc/sysconfig/iptables",
      others,
    );
    await box.sh("rm /usr/local/sbin/xennet");
    const bare = await hostState(box);
    await box.install();
    await declare(box, [put(token, hostForwarding(box, token))]);
    await box.try("cat >/etc/sysconfig/iptables", others.replace(":RH-Firewall", `${ours}:RH-Firewall`));
    await box.xennet("remove");
    expect(await hostState(box)).toBe(bare);
  } finally {
    await box.close();
  }
});

test("rules of ours go from a saved firewall file that is full of them", async () => {
  const box = await makeBox();
  try {
    const token = newToken();
    await box.plug();
    await declare(box, [put(token, hostForwarding(box, token))]);
    const rules = (chain: string) =>
      Array.from({ length: 15_000 }, (_, port) => `-A ${chain} -p tcp --dport ${port} -j ACCEPT\n-A ${chain} -j DROP`);
    const file = (lines: readonly string[]) => ["*nat", ...lines, "COMMIT", ""].join("\n");
    const others = rules("PREROUTING");
    const all = [":XENNET-PREROUTING - [0:0]", ...rules("XENNET-PREROUTING").flatMap((rule, at) => [rule, others[at]])];
    await box.try("cat >/etc/sysconfig/iptables", file(all as string[]));
    expect(await box.xennet("remove")).toMatchObject({ code: 0, stderr: "" });
    expect((await box.sh("cat /etc/sysconfig/iptables")) === file(others)).toBe(true);
  } finally {
    await box.close();
  }
}, 60_000);

test("directories that we made for the hooks go, links at boot included, and those that were there stay", async () => {
  const box = await makeBox();
  try {
    await box.sh(
      "rm -r /etc/udev /etc/cron.d /usr/local/sbin/xennet; mkdir -p /etc/rc.d/rc5.d; touch /etc/rc.d/rc5.d/S10network",
    );
    const bare = await hostState(box);
    await box.install();
    const token = newToken();
    await declare(box, [put(token, hostForwarding(box, token))]);
    expect(await box.sh("ls /etc/rc.d/rc3.d /etc/rc.d/rc5.d /etc/cron.d /etc/udev/rules.d /etc/init.d")).toBe(
      "/etc/cron.d:\nxennet\n\n/etc/init.d:\nxennet\n\n/etc/rc.d/rc3.d:\nS09xennet\n\n/etc/rc.d/rc5.d:\nS09xennet\nS10network\n\n/etc/udev/rules.d:\n95-xennet.rules\n",
    );
    expect(await box.sh("cd /etc/rc.d/rc3.d && ls -lL ../../init.d/xennet | cut -c1-10")).toBe("-rwxr-xr-x\n");
    await box.xennet("remove");
    expect(await hostState(box)).toBe(bare);
  } finally {
    await box.close();
  }
});
