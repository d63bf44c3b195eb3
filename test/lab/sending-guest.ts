import type { Lab } from "./lab.ts";
import { run } from "./shell.ts";

/** What a guest tries all the time, and where in dom0 it is counted. */
const ATTEMPTS = {
  "dom0's external address, 22 and 443": ["INPUT", "-i xapi+ -d 192.168.1.10 -s 192.168.100.11 -p tcp"],
  "dom0's internal address, 22 and 443": ["INPUT", "-i xapi+ -d 192.168.100.1 -p tcp"],
  "dom0's external address, from the LAN's address": ["INPUT", "-i xapi+ -s 192.168.1.50"],
  storage: ["FORWARD", "-i xapi+ -o storage0"],
  "storage, from the LAN": ["FORWARD", "-i xenbr0 -o storage0"],
  "the LAN, from an address of the LAN": ["FORWARD", "-i xapi+ -o xenbr0 -s 192.168.1.99"],
} as const;

/** By IPv6, which has a table of its own. */
const LINK_LOCAL = "dom0 by IPv6, 22";

export type Counts = Readonly<Record<string, number>>;

/** Counts what got past dom0's filter, and sends from every guest that is there, from its first moment on. */
export class SendingGuests implements AsyncDisposable {
  readonly #lab: Lab;
  /** The back end that dom0 does not use: what empties dom0's tables does not meet these. */
  readonly #counter: "legacy" | "nft";
  #watch: Promise<unknown> = Promise.resolve();

  constructor(lab: Lab, dom0Uses: "legacy" | "nft") {
    this.#lab = lab;
    this.#counter = dom0Uses === "legacy" ? "nft" : "legacy";
  }

  /** Storage behind dom0, the counters, and the sender; again after a boot. */
  async start(): Promise<void> {
    const rules = Object.values(ATTEMPTS).map(([chain, match]) => `-A ${chain} ${match}`);
    // As open as a dom0 may be: no check of sources, and IPv6 addresses that hold at once.
    await this.#dom0(`cd /proc/sys/net; for name in all default; do echo 0 >ipv4/conf/$name/rp_filter; echo 0 >ipv6/conf/$name/accept_dad; done
ip link add storage0 type bridge; ip addr add 10.10.10.1/24 dev storage0; ip link set storage0 up
ip neigh add 10.10.10.2 lladdr 52:54:00:00:00:02 dev storage0 nud permanent
iptables-${this.#counter}-restore --noflush <<'RULES'
*security
:INPUT ACCEPT
:FORWARD ACCEPT
${rules.join("\n")}
COMMIT
*raw
:PREROUTING ACCEPT
-A PREROUTING -i xapi+ -s 192.168.100.11
COMMIT
RULES
ip6tables-${this.#counter} -t security -A INPUT -i xapi+ -p tcp --dport 22`);
  }

  /** Sends until {@link stop}, from guests that come later as well. */
  send(): void {
    this.#watch = run([...this.#lab.enterLan, "sh", "-c", WATCH, "sender", SENDER]);
  }

  /** A neighbour that takes dom0 for its router sends to storage. */
  async sendFromLan(): Promise<void> {
    const script = `ip route replace 10.10.10.0/24 via 192.168.1.10; for n in $(seq 5); do timeout 0.2 bash -c 'echo >/dev/tcp/10.10.10.2/443' || true; done`;
    const { status, stderr } = await run([...this.#lab.enterLan, "bash", "-ec", script]);
    if (status !== 0) throw new Error(`the LAN's client ended with status ${status}: ${stderr}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await run([...this.#lab.enterLan, "sh", "-c", "touch /run/no-more-sending"]);
    await this.#watch;
  }

  /** What came as far so far; `arrived` is what the guests sent, before any filter. */
  async counts(): Promise<Counts> {
    const save = `iptables-${this.#counter}-save -c -t security; iptables-${this.#counter}-save -c -t raw; ip6tables-${this.#counter}-save -c -t security`;
    const lines = (await this.#dom0(save)).split("\n").filter((line) => line.startsWith("["));
    const counted = lines.map((line) => Number(/^\[(\d+):/.exec(line)?.[1]));
    const names = [...Object.keys(ATTEMPTS), "arrived", LINK_LOCAL];
    if (counted.length !== names.length) throw new Error(`dom0 counts something else:\n${lines.join("\n")}`);
    return Object.fromEntries(names.map((name, index) => [name, counted[index] ?? Number.NaN]));
  }

  async #dom0(script: string): Promise<string> {
    const { status, stdout, stderr } = await this.#lab.runInDom0(`set -e\n${script}`);
    if (status !== 0) throw new Error(`dom0 ended with status ${status}: ${stderr}\n${script}`);
    return stdout;
  }
}

/** A sender in every guest's namespace; each ends with its interface. */
const WATCH = `while [ ! -e /run/no-more-sending ]; do
  for ns in $(ip netns list | cut -d ' ' -f 1); do
    case $ns in guest*) ;; *) continue ;; esac
    [ -n "$(ip netns pids "$ns" 2>/dev/null | xargs -r ps -o args= -p | grep no-more-sending)" ] || ip netns exec "$ns" perl -e "$1" &
  done
  sleep 0.1
done
wait; rm -f /run/no-more-sending`;

/** Whole frames to the address that every bridge of virtual ports has: neither an answer nor a route is needed. */
const SENDER = `use Socket qw(:DEFAULT inet_pton); my $index;
  sub sum { my $s = 0; $s += $_ for unpack "n*", $_[0]; $s = ($s & 0xffff) + ($s >> 16) while $s >> 16; ~$s & 0xffff }
  sub syn { my ($pseudo, $port) = @_;
    my $tcp = pack "nnNNCCnnn", 1024 + int rand 60000, $port, int rand 2**31, 0, 80, 2, 512, 0, 0;
    substr($tcp, 16, 2) = pack "n", sum($pseudo . $tcp); $tcp }
  sub v4 { my ($from, $to, $port) = @_; my ($s, $d) = (inet_aton($from), inet_aton($to));
    my $ip = pack "CCnnnCCna4a4", 69, 0, 40, int rand 65536, 0, 64, 6, 0, $s, $d;
    substr($ip, 10, 2) = pack "n", sum($ip); pack("n", 0x0800) . $ip . syn($s . $d . pack("nn", 6, 20), $port) }
  sub v6 { my ($port) = @_; my ($s, $d) = map { inet_pton(AF_INET6, $_) } "fe80::1234", "ff02::1";
    "\\x33\\x33\\0\\0\\0\\x01\\x02\\0\\0\\0\\0\\x11" . pack("n", 0x86dd) . pack("NnCC", 0x60000000, 20, 6, 255) . $s . $d . syn($s . $d . pack("NN", 20, 6), $port) }
  socket(my $raw, 17, SOCK_RAW, 0) or die "socket: $!";
  # no-more-sending: what the watch finds it by, and ends it with.
  while (!-e "/run/no-more-sending") {
    if (open my $file, "<", "/sys/class/net/eth0/ifindex") { chomp($index = <$file>) } else { exit if $index; next }
    my $where = pack "SnlSCCa8", 17, 0x0800, $index, 0, 0, 6, "\\xfe\\xff\\xff\\xff\\xff\\xff";
    my $to = "\\xfe\\xff\\xff\\xff\\xff\\xff\\x02\\x00\\x00\\x00\\x00\\x11";
    # To all nodes, as nobody knows the bridge's own address: it was made of a MAC that it had for a moment.
    send($raw, $_, 0, $where) for v6(22), map { $to . $_ } v4("192.168.1.50", "192.168.1.10", 22), v4("192.168.1.99", "192.168.1.60", 443),
      v4("192.168.100.11", "10.10.10.2", 443), map { my $port = $_; map { v4("192.168.100.11", $_, $port) } "192.168.1.10", "192.168.100.1" } 22, 443;
    select undef, undef, undef, 0.004;
  }`;
