import { IPTABLES_INIT } from "./dom0-files.ts";

/** There once everything has been started; a container has no console to say so. */
export const BOOTED = "/var/log/booted";

/** What a systemd dom0 has beside the files of every dom0: path, text and mode. */
export const SYSTEMD_FILES: ReadonlyArray<{ readonly path: string; readonly text: string; readonly mode?: number }> = [
  {
    // pid 1 watches devices only where udevd's control socket is when it starts (sd-device's monitor); on a host udevd runs since the initrd.
    path: "/opt/xensource/lab/init",
    text: "#!/bin/sh\nmkdir -p /run/udev && : >/run/udev/control && exec /usr/lib/systemd/systemd\n",
    mode: 0o755,
  },
  { path: "/etc/systemd/system.conf", text: "[Manager]\nShowStatus=no\n" },
  {
    path: "/opt/xensource/lab/network",
    text: `#!/bin/sh
set -e
# 1 is the default of every new network namespace where br_netfilter is in; guests of one bridge would cross FORWARD.
[ ! -e /proc/sys/net/bridge/bridge-nf-call-iptables ] || echo 0 >/proc/sys/net/bridge/bridge-nf-call-iptables
ip -batch - <<'BATCH'
link set lo up
link add name xenbr0 type bridge
link set eth0 master xenbr0 up
addr add 192.168.1.10/24 dev xenbr0
link set xenbr0 up
route add default via 192.168.1.50
BATCH
`,
    mode: 0o755,
  },
  {
    // Stand-in for xcp-networkd: brings up the management bridge.
    path: "/usr/lib/systemd/system/xcp-networkd.service",
    text: `[Unit]
Description=The management network
Before=network.target
Wants=network.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/opt/xensource/lab/network

[Install]
WantedBy=multi-user.target
`,
  },
  {
    // The workstation's disks and terminals are none of dom0's business.
    path: "/etc/systemd/system/systemd-udev-trigger.service.d/net.conf",
    text: "[Service]\nExecStart=\nExecStart=/bin/udevadm trigger --type=devices --action=add --subsystem-match=net\n",
  },
  {
    path: "/usr/lib/systemd/system/lab-booted.service",
    text: `[Unit]
Description=Says that everything has been started
After=multi-user.target

[Service]
Type=oneshot
ExecStart=/bin/touch ${BOOTED}

[Install]
WantedBy=multi-user.target
`,
  },
  {
    // As EL7's iptables-services has it: basic.target wants it, a reload leaves other tables alone.
    path: "/usr/lib/systemd/system/iptables.service",
    text: `[Unit]
Description=IPv4 firewall with iptables
AssertPathExists=/etc/sysconfig/iptables
Before=network.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/libexec/iptables/iptables.init start
ExecReload=/usr/libexec/iptables/iptables.init reload
ExecStop=/usr/libexec/iptables/iptables.init stop

[Install]
WantedBy=basic.target
`,
  },
  { path: "/usr/libexec/iptables/iptables.init", text: IPTABLES_INIT, mode: 0o755 },
];

/** Enabled units: links under `/etc/systemd/system`. */
export const SYSTEMD_LINKS: Readonly<Record<string, string>> = {
  "basic.target.wants/iptables.service": "/usr/lib/systemd/system/iptables.service",
  "multi-user.target.wants/xcp-networkd.service": "/usr/lib/systemd/system/xcp-networkd.service",
  "multi-user.target.wants/lab-booted.service": "/usr/lib/systemd/system/lab-booted.service",
  "default.target": "/usr/lib/systemd/system/multi-user.target",
  ...Object.fromEntries(
    ["systemd-logind.service", "systemd-sysusers.service", "getty.target", "systemd-resolved.service"].map((unit) => [
      unit,
      "/dev/null",
    ]),
  ),
  ...Object.fromEntries(
    ["apt-daily.timer", "apt-daily-upgrade.timer", "dpkg-db-backup.timer", "fstrim.timer", "e2scrub_all.timer"].map(
      (unit) => [unit, "/dev/null"],
    ),
  ),
};
