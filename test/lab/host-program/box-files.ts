import { randomUUID } from "node:crypto";
import { alternativesOf, type IptablesKind, oldIptables } from "../iptables-kinds.ts";

/** What runs the program; bash as a dom0 has it when it is called `sh`. */
export const shebang = { dash: "#!/bin/dash", bash: "#!/bin/bash --posix", busybox: "#!/bin/busybox ash" } as const;

export type Shell = keyof typeof shebang;

/** Which awk a box has. `lint` is gawk that writes down every use of a variable or an element that nobody has set; CentOS has gawk. */
export const awks = {
  mawk: "mawk",
  busybox: "busybox",
  bwk: "original-awk",
  gawk: "gawk",
  lint: "gawk --lint",
} as const;

export type Awk = keyof typeof awks;

/** Prints what `lint` found, a line each: an empty file is no fault, not every program calls all functions that it shares, and at the end there are the fields of a line that was read there. */
export const readLint =
  "sed -e '/warning:/!d' -e '/warning: data file .* is empty/d' -e '/defined but never called directly/d' -e '/accessing fields from an END rule/d' /mnt/lint/found | sort -u";

/** Own copies of what the program reads and writes; /mnt holds the box's own things. */
export function files(
  made: { backend: IptablesKind; shell: Shell; awk: Awk },
  hostUuid: string,
  network: string,
): string {
  return `set -e
mount --make-rprivate /
mount -t tmpfs tmpfs /mnt
mkdir /mnt/etc
(cd /etc; cp -a passwd group nsswitch.conf services protocols hosts ld.so.cache alternatives /mnt/etc/)
mkdir -p /mnt/etc/init.d /mnt/etc/cron.d /mnt/etc/udev/rules.d /mnt/etc/sysconfig /mnt/etc/rc.d/rc3.d
${iptables(made.backend)}
cat >/mnt/etc/xensource-inventory <<END
INSTALLATION_UUID='${hostUuid}'
MANAGEMENT_INTERFACE='xenbr0'
END
echo '${network} xapi1' >/mnt/networks
${tools(made.shell)}
${awkOf(made.awk)}
mount --bind /mnt/etc /etc
for d in /usr/local/sbin /opt /run; do mount -t tmpfs tmpfs $d; done
mkdir -p /opt/xensource/bin
cat >/opt/xensource/bin/xe <<'END'
${xe}END
chmod 755 /opt/xensource/bin/xe
echo '${randomUUID()}' >/mnt/boot_id
mount --bind /mnt/boot_id /proc/sys/kernel/random/boot_id`;
}

function iptables(backend: IptablesKind): string {
  const directory = "/mnt/iptables-1.3.5";
  const old = backend === "1.3.5" ? oldIptables(directory) : [];
  return [
    `mkdir ${directory}`,
    ...old.map(([path, text]) => `cat >${path} <<'END_OF_SCRIPT'\n${text}END_OF_SCRIPT\nchmod 755 ${path}`),
    ...alternativesOf(backend, directory).map(([path, target]) => `ln -sf ${target} /mnt${path}`),
  ].join("\n");
}

/** By name, as the machine's own may be any of them. What lint says is on record, whatever the program makes of it, and also where all other files are read-only. */
function awkOf(awk: Awk): string {
  const link = `ln -sfn /mnt/tools/awk /mnt/etc/alternatives/awk`;
  if (awk !== "lint") return `mkdir /mnt/tools; ln -s "$(command -v ${awks[awk]})" /mnt/tools/awk; ${link}`;
  return `mkdir /mnt/tools
cat >/mnt/tools/awk <<'END'
#!/bin/sh
exec ${awks.lint} "$@" 2>>/mnt/lint/found
END
chmod 755 /mnt/tools/awk
mkdir /mnt/lint
mount -t tmpfs tmpfs /mnt/lint
: >/mnt/lint/found
${link}`;
}

/** The machine's sh is the program's shell, as on every dom0; busybox brings the program's other tools along. */
function tools(shell: Shell): string {
  if (shell === "dash") return "";
  const sh = `mount --bind "$(command -v ${shell})" "$(readlink -f /bin/sh)"`;
  if (shell !== "busybox") return sh;
  return `busybox=$(command -v busybox)
${sh}
for tool in cat chmod cp cut grep head ln mkdir mv readlink rm rmdir sed setsid sleep sync tr; do
  mount --bind "$busybox" "$(readlink -f "$(command -v $tool)")"
done`;
}

/** xapi's answer to `xe network-list uuid=… params=bridge --minimal`; /mnt/xapi says whether it is down or hangs. */
const xe = `#!/bin/sh
echo "$*" >>/mnt/xe.log
case $(cat /mnt/xapi 2>/dev/null) in
  down) exit 1 ;;
  hangs) sleep 50; exit 1 ;;
esac
uuid=$(printf '%s\\n' "$@" | sed -n 's/^uuid=//p')
sed -n "s/^$uuid //p" /mnt/networks
`;

export function boot(firewall: string): string {
  return `set -e
mkdir -p /run/lock
ip link set lo up
ip link add xenbr0 type bridge
ip link set xenbr0 up
ip addr add 10.0.0.1/24 dev xenbr0
[ -z '${firewall === "" ? "" : "stock"}' ] || iptables-restore <<'END'
${firewall}END`;
}

export const shutdown = `cat /proc/sys/kernel/random/uuid >/mnt/boot_id
rm -rf /run/*
for b in $(ip -o link show type bridge | sed 's/^[0-9]*: \\([^:@]*\\).*/\\1/'); do ip link del "$b"; done
for t in filter nat; do iptables -t $t -F; iptables -t $t -X; done
echo 0 >/proc/sys/net/ipv6/conf/default/disable_ipv6`;
