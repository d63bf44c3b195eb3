import type { HostSnapshot } from "../../dom0/host";
import type { HostContext } from "../../hosts/context";
import { settingName } from "../../hosts/profile-keys";
import {
  checkManagementPort,
  checkPoolPort,
  checkPoolServices,
  managementPortsIn,
  xapiPortForwarded,
} from "../../rules/ports";
import type { Problem } from "../../validation/problem";
import type { Props } from "../handler";
import { externalPortsOf, isEnabled, protocolOf } from "./port-forward-spec";

/** Refuses to take SSH or XAPI away from dom0, unless those who manage it keep a way. */
export function checkManagement(host: HostContext, news: Props, snapshot: HostSnapshot | undefined): Problem[] {
  const ports = externalPortsOf(news);
  if (ports === undefined || !isEnabled(news)) return [];
  return checkManagementPort("externalPort", protocolOf(news), ports, {
    allowed: news["allowManagementPort"] === true,
    sources: host.managementSources,
    setting: settingName(host.profile, "managementSources"),
    client: snapshot?.client,
    xapiThroughSsh: host.xapiVia === "ssh",
  });
}

/** What a forward takes from the pool's other hosts; for a host that answers. */
export async function checkPool(host: HostContext, news: Props, snapshot: HostSnapshot): Promise<Problem[]> {
  const ports = externalPortsOf(news);
  if (ports === undefined || !isEnabled(news)) return [];
  const { hosts } = await host.identity();
  const pool = { hosts: hosts.length, allowed: news["allowManagementPort"] === true };
  const services = checkPoolServices("externalPort", protocolOf(news), ports, pool);
  if (services.length > 0 || !managementPortsIn(protocolOf(news), ports).includes(443)) return services;
  const own = new Set(snapshot.addresses.map(({ address }) => address.split("/")[0]));
  const others = hosts.map(({ address }) => address).filter((address) => !own.has(address));
  const sources = host.managementSources;
  const problems = checkPoolPort("externalPort", ports, { hosts: hosts.length, others, sources });
  if (problems.length === 0 && host.xapiVia === "ssh") host.warn(xapiPortForwarded);
  return problems;
}

/** The profile's networks that keep reaching dom0, where this forward takes one of its management ports. */
export function managementSourcesOf(host: HostContext, news: Props): readonly string[] {
  const ports = externalPortsOf(news);
  return ports !== undefined && managementPortsIn(protocolOf(news), ports).length > 0 ? host.managementSources : [];
}
