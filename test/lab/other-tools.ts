import type { Lab } from "./lab.ts";

/**
 * Chains, jumps and rules as fail2ban and docker make them, in three tables, and a table of the other back end's; answers
 * {@link keptByOthers}.
 */
export async function bringOtherTools(lab: Lab): Promise<string> {
  await onDom0(
    lab,
    `iptables -N f2b-sshd; iptables -A f2b-sshd -s 192.0.2.7 -j REJECT; iptables -A f2b-sshd -j RETURN
iptables -I INPUT -p tcp -m multiport --dports 22 -j f2b-sshd
iptables -N DOCKER-USER; iptables -A DOCKER-USER -j RETURN; iptables -I FORWARD -j DOCKER-USER
iptables -t nat -N DOCKER; iptables -t nat -A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
iptables -t nat -A DOCKER -i docker0 -j RETURN
iptables -t nat -A POSTROUTING -s 172.17.0.0/16 '!' -o docker0 -j MASQUERADE
iptables -t mangle -N qos; iptables -t mangle -A qos -p udp --dport 5060 -j DSCP --set-dscp-class EF
iptables -t mangle -A FORWARD -j qos
case $(readlink /etc/alternatives/iptables) in *nft*) other=iptables-legacy ;; *) other=iptables-nft ;; esac
$other -N f2b-own; $other -A f2b-own -s 192.0.2.8 -j DROP; $other -I INPUT -j f2b-own`,
  );
  return keptByOthers(lab);
}

/** Every rule, chain and policy that is not ours, of both back ends, in order; and the file that the firewall was saved to. */
export async function keptByOthers(lab: Lab): Promise<string> {
  return onDom0(
    lab,
    `for save in iptables-legacy-save iptables-nft-save; do
  echo "$save:"; $save 2>/dev/null | sed -e '/^#/d' -e 's/ *\\[[0-9:]*\\]$//' | grep -v XENNET- || true
done
cd /etc/sysconfig; stat -c '%n %i %a %u:%g %Y' iptables; sha256sum iptables`,
  );
}

async function onDom0(lab: Lab, script: string): Promise<string> {
  const { status, stdout, stderr } = await lab.runInDom0(`set -e\n${script}`);
  if (status !== 0) throw new Error(`dom0 ended with status ${status}: ${stderr}\n${script}`);
  return stdout;
}
