import { createHash } from "node:crypto";

/** What the host program starts, and what is counted: each gets a counter in front of it. */
export const TOOLS = [
  ...["awk", "cat", "chmod", "cp", "cut", "flock", "grep", "head", "ip", "iptables-restore", "iptables-save", "ln"],
  ...["mkdir", "mv", "readlink", "rm", "rmdir", "sed", "setsid", "sort", "ss", "sync", "tr"],
];

/** What a host shows at a moment, digested: what survives a power cut, what lies under /run, and what is in force, the guard included. */
export interface HostLook {
  readonly disk: string;
  readonly run: string;
  readonly live: string;
}

/**
 * Prints a host for {@link digestLook}. What differs between two equal moments is left out: the boot's id, when a window ends, and
 * numbers of processes. It ends with 0, whatever comes and goes meanwhile.
 */
export const LOOK = `
unset COUNTED
PATH=/usr/bin:/bin:/usr/sbin:/sbin
read -r boot </proc/sys/kernel/random/boot_id
texts() { grep -r -s '' "$1" | sed -e "s/$boot/BOOT/g" -e '/pending[.a-z]*:/s/ [0-9]*$/ DEADLINE/' -e '/guard[.a-z]*:/s/:.*/:NUMBER/' | sort; }
echo '=== disk'
find /etc /usr/local/sbin -printf '%p %y %m %l\\n' | sort
find /etc /usr/local/sbin -path /etc/xennet -prune -o -type f -exec sha256sum {} + | sort
texts /etc/xennet
echo '=== run'
find /run/xennet -printf '%p %y %m\\n' 2>/dev/null | sort
texts /run/xennet
echo '=== live'
iptables-save 2>/dev/null | sed -e '/^#/d' -e 's/ \\[[0-9:]*\\]$//'
ip -o link show | sed -e 's/^[0-9]*: //'
ip -4 -o addr show | sed -e 's/^[0-9]*: //' -e 's/\\\\.*//'
ip -4 route show
grep -s . /proc/sys/net/ipv4/conf/*/forwarding /proc/sys/net/ipv4/conf/*/rp_filter /proc/sys/net/ipv4/conf/*/proxy_arp /proc/sys/net/ipv4/conf/*/send_redirects /proc/sys/net/ipv4/conf/*/arp_filter /proc/sys/net/ipv6/conf/*/disable_ipv6
grep -l -s xennet-guard /proc/[0-9]*/cmdline | wc -l
true
`;

export function digestLook(printed: string): HostLook {
  const [, disk = "", run = "", live = ""] = printed.split(/^=== \w+\n/m);
  const digest = (text: string) => createHash("sha256").update(text).digest("hex").slice(0, 16);
  return { disk: digest(disk), run: digest(run), live: digest(live) };
}

/** The looks of a recorded run, by `<step> before` and `<step> after`; each begins with a line `### <step> <when>`. */
export function readLooks(printed: string): Map<string, HostLook> {
  const looks = printed.split(/^### /m).slice(1);
  return new Map(looks.map((look) => [look.slice(0, look.indexOf("\n")), digestLook(look)]));
}

/** Shell text around a tool in a recorded run: looks before it and after it, but after none that goes on by itself, as the guard. Takes `$here`, `$count`, `$tool` and `$real`. */
export const LOOKING = `
/bin/sh $here/look >"$here/looks/$count before" 2>/dev/null
[ $tool != setsid ] || exec $real "$@"
$real "$@"
status=$?
/bin/sh $here/look >"$here/looks/$count after" 2>/dev/null
exit $status
`;
