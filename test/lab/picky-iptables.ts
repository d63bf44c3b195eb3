import type { Lab } from "./lab.ts";

/** What iptables says of a rule for a port that it refuses; the port follows. */
export const REFUSAL = "the host's kernel knows no rule for port";

/** Gives dom0 an iptables that refuses the rules of some ports, each in words of its own. */
export function refusePorts(lab: Lab, ports: readonly number[]): Promise<void> {
  return onDom0(
    lab,
    `link=/etc/alternatives/iptables-restore
readlink $link >/root/real-restore
cat >/root/picky-restore <<'END'
#!/bin/sh
real=$(cat /root/real-restore)
case "$*" in *--help*) exec "$real" "$@" ;; esac
input=$(cat)
for port in ${ports.join(" ")}; do
  case $input in *"--dport $port "*) echo "${REFUSAL} $port" >&2; exit 1 ;; esac
done
printf '%s\\n' "$input" | "$real" "$@"
END
chmod 755 /root/picky-restore; ln -sfn /root/picky-restore $link`,
  );
}

/** Gives dom0 its own iptables back. */
export function acceptPorts(lab: Lab): Promise<void> {
  return onDom0(lab, 'ln -sfn "$(cat /root/real-restore)" /etc/alternatives/iptables-restore');
}

async function onDom0(lab: Lab, script: string): Promise<void> {
  const { status, stderr } = await lab.runInDom0(`set -e\n${script}`);
  if (status !== 0) throw new Error(`dom0 ended with status ${status}: ${stderr}\n${script}`);
}
