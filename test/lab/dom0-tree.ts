import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname } from "node:path";
import type { TlsKind } from "../sim/contract.ts";
import { CROND_INIT, IPTABLES_INIT, STOCK_FIREWALL, XE } from "./dom0-files.ts";
import { alternativesOf, backEndOf, type IptablesKind, oldIptables } from "./iptables-kinds.ts";
import { INSIDE } from "./namespaces.ts";
import { sshdConfig } from "./sshd.ts";
import { SYSTEMD_FILES, SYSTEMD_LINKS } from "./systemd-files.ts";

/** What differs from dom0 to dom0. */
export interface Dom0TreeOptions {
  readonly init: "sysvinit" | "systemd";
  /** Links in `/etc/rc.d` say what starts, cron has a script there, and sysctl reads one file only. */
  readonly old: boolean;
  readonly iptables: IptablesKind;
  readonly inventory: Inventory;
  /** crypt(3) hash of root's password. */
  readonly passwordHash: string;
  readonly authorizedKey: string;
  /** What sshd speaks. */
  readonly crypto: TlsKind;
}

/** Values of `/etc/xensource-inventory`. */
export type Inventory = Readonly<Record<string, string>>;

/** Makes dom0's disk: its own /etc, /root, /var, /opt and /usr/local, and what it adds to /usr/bin. */
export function makeDom0Tree(disk: string, options: Dom0TreeOptions): void {
  const write = (path: string, content: string, mode = 0o644) => {
    mkdirSync(dirname(disk + path), { recursive: true });
    writeFileSync(disk + path, content);
    chmodSync(disk + path, mode);
  };
  const link = (path: string, target: string) => {
    mkdirSync(dirname(disk + path), { recursive: true });
    rmSync(disk + path, { force: true });
    symlinkSync(target, disk + path);
  };
  const more = options.old ? RUN_LEVELS : ["/etc/sysctl.d"];
  for (const directory of [...DIRECTORIES, ...more]) mkdirSync(disk + directory, { recursive: true });
  if (options.init === "systemd") writeSystemd(write, link);
  else writeSysvinit(disk, write, link);
  if (options.old) writeRunLevels(write, link);
  writeUsers(write, options);
  writeNetworkFiles(write, options);
  writeIptables(write, link, options.iptables);
  write("/etc/sysconfig/iptables", STOCK_FIREWALL, 0o600);
  link("/var/run", "/run");
  link("/var/lock", "/run/lock");
  write("/opt/xensource/bin/xe", XE, 0o755);
  write("/opt/xensource/lab/networks", "");
  link("/usr/bin/xe", "/opt/xensource/bin/xe");
}

/** The text of `/etc/xensource-inventory`. */
export function inventoryText(inventory: Inventory): string {
  return Object.entries(inventory)
    .map(([key, value]) => `${key}='${value}'\n`)
    .join("");
}

const DIRECTORIES = [
  ...["cron.d", "default", "ssh", "udev/rules.d", "xensource"].map((name) => `/etc/${name}`),
  ...["bin", "etc", "lib", "sbin", "share"].map((name) => `/usr/local/${name}`),
  ...["cache", "lib", "log", "spool/cron/crontabs", "tmp"].map((name) => `/var/${name}`),
  "/root",
  "/opt",
];

/** The text of a stand-in for Red Hat's chkconfig. */
export const chkconfig = () => readFileSync(`${INSIDE}chkconfig.sh`, "utf8");

const RUN_LEVELS = [2, 3, 4, 5].map((level) => `/etc/rc.d/rc${level}.d`);
const OLD_IPTABLES = "/opt/xensource/lab/iptables-1.3.5";

type Write = (path: string, content: string, mode?: number) => void;
type Link = (path: string, target: string) => void;

/** Over the files of Debian packages. */
function writeSystemd(write: Write, link: Link): void {
  for (const { path, text, mode } of SYSTEMD_FILES) write(path, text, mode);
  for (const [path, target] of Object.entries(SYSTEMD_LINKS)) link(`/etc/systemd/system/${path}`, target);
}

/** Over the workstation's own files. */
function writeSysvinit(disk: string, write: Write, link: Link): void {
  copyFromWorkstation(disk);
  write("/etc/rc.d/init.d/iptables", IPTABLES_INIT, 0o755);
  link("/etc/init.d", "rc.d/init.d");
  write("/etc/rc.d/rc.local", "#!/bin/sh\n# Runs after all other init scripts.\ntouch /var/lock/subsys/local\n", 0o755);
  link("/etc/rc.local", "rc.d/rc.local");
  write("/etc/crontab", `SHELL=/bin/bash\nPATH=/sbin:/bin:/usr/sbin:/usr/bin\nMAILTO=""\n`);
  // rootless: every PAM module that changes credentials would fail.
  write(
    "/etc/pam.d/cron",
    "auth required pam_permit.so\naccount required pam_permit.so\nsession required pam_permit.so\n",
  );
}

/** `chkconfig`, and what it has set up: links that say what starts, and in which order. */
function writeRunLevels(write: Write, link: Link): void {
  write("/usr/bin/chkconfig", chkconfig(), 0o755);
  write("/etc/rc.d/init.d/crond", CROND_INIT, 0o755);
  for (const directory of RUN_LEVELS) {
    link(`${directory}/S08iptables`, "../init.d/iptables");
    link(`${directory}/S90crond`, "../init.d/crond");
  }
}

function writeIptables(write: Write, link: Link, kind: IptablesKind): void {
  if (kind === "1.3.5") for (const [path, text] of oldIptables(OLD_IPTABLES)) write(path, text, 0o755);
  for (const [path, target] of alternativesOf(kind, OLD_IPTABLES)) link(path, target);
  for (const suffix of ["", "-save", "-restore"]) {
    link(`/etc/alternatives/ip6tables${suffix}`, `/usr/sbin/ip6tables-${backEndOf(kind)}${suffix}`);
  }
}

/** What the workstation's programs need to run under another /etc. */
function copyFromWorkstation(disk: string): void {
  for (const file of ["protocols", "services", "ld.so.cache"]) {
    if (existsSync(`/etc/${file}`)) copyFileSync(`/etc/${file}`, `${disk}/etc/${file}`);
  }
  for (const directory of ["alternatives", "iproute2"]) {
    if (!existsSync(`/etc/${directory}`)) continue;
    cpSync(`/etc/${directory}`, `${disk}/etc/${directory}`, {
      recursive: true,
      verbatimSymlinks: true,
      filter: (path) => !path.endsWith(".gz"),
    });
  }
}

function writeUsers(write: Write, { passwordHash, authorizedKey, crypto }: Dom0TreeOptions): void {
  // sshd is uid 0: a namespace that maps a single uid has no other.
  write("/etc/passwd", "root:x:0:0:root:/root:/bin/bash\nsshd:x:0:0::/run/sshd:/usr/sbin/nologin\n");
  write("/etc/group", "root:x:0:\ntty:x:5:\nutmp:x:43:\ncrontab:x:101:\n");
  write("/etc/shadow", `root:${passwordHash}:20000:0:99999:7:::\nsshd:*:20000:0:99999:7:::\n`, 0o600);
  write(
    "/etc/nsswitch.conf",
    "passwd: files\ngroup: files\nshadow: files\nhosts: files\nservices: files\nprotocols: files\n",
  );
  write("/root/.ssh/authorized_keys", `${authorizedKey}\n`, 0o600);
  write("/etc/ssh/sshd_config", sshdConfig(crypto));
}

function writeNetworkFiles(write: Write, { inventory }: Dom0TreeOptions): void {
  write("/etc/hostname", "xenserver-lab\n");
  write("/etc/hosts", "127.0.0.1 localhost\n192.168.1.10 xenserver-lab\n");
  write("/etc/sysctl.conf", "net.ipv4.conf.default.rp_filter = 1\n");
  write("/etc/xensource-inventory", inventoryText(inventory));
  write("/etc/xensource/network.conf", "bridge\n");
}
