import { parseSavedRule } from "../../../provider/src/rules/saved.ts";
import type { Box } from "./box.ts";

/**
 * Everything the host program may touch, as text; an absent table equals one with empty chains that accept. What is in the records
 * of a boot is left out: they name numbers of interfaces and former values, which change while the host is the same.
 */
export function hostState(box: Box): Promise<string> {
  return box.sh(`
iptables-save | sed -e '/^#/d' -e '/^\\*/d' -e '/^COMMIT/d' -e '/ ACCEPT \\[/d' -e 's/ *\\[[0-9:]*\\]$//'
ip -4 addr show | sed -e '/valid_lft/d' -e 's/^[0-9]*: //'
grep -H . /proc/sys/net/ipv4/conf/*/forwarding /proc/sys/net/ipv4/conf/*/proxy_arp /proc/sys/net/ipv4/conf/*/send_redirects /proc/sys/net/ipv4/conf/*/arp_filter /proc/sys/net/ipv6/conf/*/disable_ipv6
find /etc /usr/local/sbin -exec stat -c '%N %F %a %u:%g' '{}' + | sort
find /etc /usr/local/sbin -type f -exec sha256sum '{}' + | sed -e '/ \\/etc\\/xennet\\/bridges$/d' -e '/ \\/etc\\/xennet\\/former$/d' | sort`);
}

/** A line of iptables-save as newer versions spell it, without its counters. */
export const spelled = (line: string): string => parseSavedRule("", line)?.text ?? line;

/** The counters of a rule, `[packets:bytes]`, as often as it is there. */
export async function countersOf(box: Box, rule: string): Promise<string[]> {
  const saved = (await box.sh("iptables-save -c")).split("\n");
  return saved.flatMap((line) => (spelled(line) === rule ? [line.split(" ")[0] ?? ""] : []));
}

/** Gives a rule of a chain of the filter table counters, as `7 500`. */
export async function setCounters(box: Box, name: string, rule: string, counters: string): Promise<void> {
  const at = (await chain(box, "filter", name)).indexOf(rule) + 1;
  await box.sh(`iptables -R ${name} ${at} ${rule} -c ${counters}`);
}

/** The rules of one chain, in order. */
export async function chain(box: Box, table: string, name: string): Promise<string[]> {
  const saved = await box.sh(`iptables-save -t ${table}`);
  return saved
    .split("\n")
    .flatMap((line) => (line.startsWith(`-A ${name} `) ? [spelled(line).slice(name.length + 4)] : []));
}

/** Asks again until the answer is yes; the deadline is generous, because the machine may be busy. */
export async function eventually(what: string, holds: () => Promise<boolean>, milliseconds = 20_000): Promise<void> {
  const deadline = Date.now() + milliseconds;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`still not so after ${milliseconds} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** The lines of a snapshot that begin with a word, without it. */
export function lines(answer: string, word: string): string[] {
  return answer.split("\n").flatMap((line) => (line.startsWith(`${word} `) ? [line.slice(word.length + 1)] : []));
}

/** A snapshot's text; fails when the program does not answer with one. */
export async function snapshot(box: Box): Promise<string> {
  const { code, stdout, stderr } = await box.xennet("snapshot");
  if (code !== 0) throw new Error(`snapshot ended with ${code}: ${stdout}${stderr}`);
  return stdout;
}
