import { XennetError } from "../../core/errors";
import type { FragmentOutcome, HostSnapshot } from "../../dom0/host";
import type { HostContext } from "../../hosts/context";
import { describeOwner } from "../../rules/owner";
import type { CreateAnswer, Handler, Props, ReadAnswer } from "../handler";
import { newIncarnation, newToken, ownPartOf, parseId, renderId, stateVersion } from "../identity";
import { changedKeys, diffAnswer, plain, textOf, textsOf, withDrift } from "../props";
import { knownNetworkUuid, networkUuidOf } from "../references";
import { assertSameRealm } from "../same-realm";
import { fragmentOf, storedOf } from "./stored-fragments";
import { warnOfHost, warnOfLeft, warnWhenWaiting } from "./warnings";

/** The marks a fragment is found and told apart by. */
export interface FragmentMarks {
  readonly token: string;
  readonly incarnation: string;
}

/** What differs between the resources that live in one fragment each. */
export interface FragmentKind {
  readonly kind: "host-forwarding" | "port-forward";
  /** Inputs whose change is a change of the resource; the others only describe. */
  readonly compared: readonly string[];
  /** The fragment's text. */
  compile(inputs: Props, marks: FragmentMarks, networkUuid: string): string;
  /** Outputs beside the inputs, as the host has them now. */
  outputs(inputs: Props, networkUuid: string, snapshot: HostSnapshot): Props;
  /** True when the change could cut the way by which the host is managed: it is then confirmed by a fresh login. */
  touchesManagement(inputs: Props, snapshot: HostSnapshot): boolean;
  /** Looks whether a change that is in force does what it is for; it only warns. */
  probe?(host: HostContext, inputs: Props, networkUuid: string, snapshot: HostSnapshot): Promise<void>;
}

/** The lines that every fragment has, from the inputs that every such resource has. */
export function commonLines(inputs: Props, marks: FragmentMarks, networkUuid: string) {
  const owner = textOf(inputs, "owner") ?? "";
  return {
    ...{ token: marks.token, incarnation: marks.incarnation, owner },
    name: owner.slice(owner.lastIndexOf("::") + 2).trim() || "-",
    network: networkUuid,
    externalInterface: textOf(inputs, "externalInterface") ?? "auto",
    externalAddress: textOf(inputs, "externalAddress") ?? "auto",
  };
}

/** The handler of a resource that lives in one fragment; nothing but another host replaces it. */
export function fragmentHandler(kind: FragmentKind, check: Handler["check"]): Handler {
  return {
    check,
    async diff(host, id, olds, news) {
      host.seenIds.add(id);
      const changed = changedKeys(olds, news, kind.compared);
      const replaces = changedKeys(olds, news, ["host"]);
      if (textsOf(olds, "drift").length > 0) changed.push("drift");
      // The old fragment is on another host, which this host context does not reach.
      else if (replaces.length === 0) changed.push(...(await unseen(host, id, olds, news)));
      return diffAnswer(changed, replaces);
    },
    create: (host, inputs) => createFragment(host, kind, inputs),
    read(host, id, props) {
      host.seenIds.add(id);
      return readFragment(host, kind, id, props);
    },
    update(host, id, olds, news) {
      host.seenIds.add(id);
      return updateFragment(host, kind, id, olds, news);
    },
    delete: deleteFragment,
  };
}

/**
 * Changes that the inputs do not show: a declaration that dom0 has lost, as by an upgrade that writes its disk anew, as
 * without a refresh nobody reads; and a network that was made anew under the name that is declared. The check has just
 * looked at host and pool.
 */
async function unseen(host: HostContext, id: string, olds: Props, news: Props): Promise<string[]> {
  if (!(await assertSameRealm(host, id, "host"))) return [];
  const { fragments } = await host.dom0.snapshot();
  const isLost = !fragments.some(({ token }) => token === parseId(id)?.own);
  const networkUuid = await knownNetworkUuid(host, news["network"], []);
  const isOther = networkUuid !== undefined && networkUuid !== (textOf(olds, "networkUuid") ?? networkUuid);
  return [...(isLost ? ["drift"] : []), ...(isOther ? ["network"] : [])];
}

/** Create and update are one body: the fragment is put, the transaction confirmed, the host's answer returned. */
async function putFragment(
  host: HostContext,
  kind: FragmentKind,
  inputs: Props,
  marks: FragmentMarks,
): Promise<{ outs: Props; networkUuid: string }> {
  await host.hostUuid();
  await host.assertSafeWindow();
  const networkUuid = await networkUuidOf(host, textOf(inputs, "network") ?? "");
  const text = kind.compile(inputs, marks, networkUuid);
  const touchesManagement = kind.touchesManagement(inputs, await host.dom0.snapshot());
  const outcome: FragmentOutcome = await host.dom0.submit({ op: "put", token: marks.token, text, touchesManagement });
  warnOfHost(host, outcome.snapshot);
  warnWhenWaiting(host, outcome.snapshot, marks.token);
  await kind.probe?.(host, inputs, networkUuid, outcome.snapshot);
  const outputs = kind.outputs({ ...inputs, ...marks }, networkUuid, outcome.snapshot);
  return {
    networkUuid,
    outs: plain({
      ...inputs,
      ...outputs,
      ...marks,
      networkUuid,
      drift: missingOf(outcome.snapshot, marks.token),
      stateVersion,
    }),
  };
}

/** Makes the resource; a fragment that an earlier, interrupted create of the same resource left is taken over. */
async function createFragment(host: HostContext, kind: FragmentKind, inputs: Props): Promise<CreateAnswer> {
  const realm = await host.hostUuid();
  const owner = textOf(inputs, "owner") ?? "";
  const snapshot = await host.dom0.snapshot();
  const leftOvers = storedOf(snapshot, kind.kind, owner).filter(
    ({ token }) => !host.seenIds.has(renderId({ realm, own: token })),
  );
  if (leftOvers.length > 1) {
    const found = leftOvers.map(({ token }) => token).join(", ");
    throw new XennetError(
      "OWNER_AMBIGUOUS",
      `${describeOwner(owner)} has ${leftOvers.length} declarations on the host (${found}), expected one at most: nothing tells which of them it was. Are two stacks of this name at work, of two backends? Then set xennet:ownerPrefix in one. Otherwise log in to dom0: "xennet status" shows what each token does, "xennet remove <token>" takes one off the host, rules and all. Leave one or none, then run up again`,
    );
  }
  const marks = { token: leftOvers[0]?.token ?? newToken(), incarnation: newIncarnation() };
  const { outs } = await putFragment(host, kind, inputs, marks);
  const id = renderId({ realm, own: marks.token });
  host.seenIds.add(id);
  return { id, outs };
}

async function updateFragment(
  host: HostContext,
  kind: FragmentKind,
  id: string,
  olds: Props,
  news: Props,
): Promise<{ outs: Props }> {
  const token = ownPartOf(id, await host.hostUuid(), "host", host.profile);
  refuseForeign(await host.dom0.snapshot(), kind, token, [textOf(olds, "owner"), textOf(news, "owner")]);
  const incarnation = textOf(olds, "incarnation") ?? newIncarnation();
  const { outs } = await putFragment(host, kind, news, { token, incarnation });
  return { outs };
}

/** An update never writes over a fragment of another kind or owner, whatever the state says. */
function refuseForeign(
  snapshot: HostSnapshot,
  kind: FragmentKind,
  token: string,
  owners: ReadonlyArray<string | undefined>,
): void {
  const stored = snapshot.fragments.find((fragment) => fragment.token === token);
  const found = stored && fragmentOf(stored);
  if (found === undefined || (found.kind === kind.kind && owners.includes(found.owner))) return;
  throw new XennetError(
    "FRAGMENT_FOREIGN",
    `the fragment ${token} on the host is the ${found.kind} ${describeOwner(found.owner)}, not this resource; the state does not fit the host. Run \`pulumi refresh\`, or remove the resource from the state`,
  );
}

/** What the host has of the resource; parts that are missing are listed in `drift` and taken out of `rules`. */
async function readFragment(host: HostContext, kind: FragmentKind, id: string, props: Props): Promise<ReadAnswer> {
  const token = ownPartOf(id, await host.hostUuid(), "host", host.profile);
  const snapshot = await host.dom0.snapshot();
  warnOfHost(host, snapshot);
  const stored = snapshot.fragments.find((fragment) => fragment.token === token);
  if (stored === undefined && snapshot.damaged.includes(token)) {
    const damaged = plain({ ...props, drift: ["its declaration on the host is damaged"] });
    return { id, props: damaged, inputs: withDrift(inputsOf(damaged), textsOf(damaged, "drift")) };
  }
  if (stored === undefined) return { id: "", props: {}, inputs: {} };
  const networkUuid = textOf(props, "networkUuid") ?? (await networkUuidOf(host, textOf(props, "network") ?? ""));
  const marks = { token, incarnation: textOf(props, "incarnation") ?? "" };
  const drift = missingOf(snapshot, token);
  if (stored.text !== kind.compile(props, marks, networkUuid)) drift.unshift("declaration changed on the host");
  const outputs = kind.outputs(props, networkUuid, snapshot);
  const found = plain({ ...props, ...outputs, drift });
  // Without drift the recorded inputs stay: their `rules` may name a bridge that had no name yet, and that is no change.
  const isAsRecorded = drift.length === 0 && textsOf(props, "drift").length === 0;
  return isAsRecorded ? { id, props: found } : { id, props: found, inputs: withDrift(inputsOf(found), drift) };
}

/** What the host misses of a declaration that is to be in force. */
function missingOf(snapshot: HostSnapshot, token: string): string[] {
  return snapshot.off ? [] : snapshot.missing.filter((part) => part.token === token).map((part) => part.what);
}

/** Removes exactly what this life of the resource put there. */
async function deleteFragment(host: HostContext, id: string, props: Props): Promise<void> {
  const token = ownPartOf(id, await host.hostUuid(), "host", host.profile);
  await host.assertSafeWindow();
  const incarnation = textOf(props, "incarnation") ?? "";
  const outcome = await host.dom0.submit({ op: "remove", token, incarnation });
  warnOfLeft(host, outcome.snapshot);
  if (outcome.result === "absent") {
    host.warn(`${describeOwner(textOf(props, "owner") ?? id)} was not on the host any more; nothing was removed.`);
  }
}

/** Outputs that are no inputs; a refresh leaves them out of what it reports as inputs. */
const outputOnly = new Set([
  ...["incarnation", "token", "networkUuid", "stateVersion", "drift"],
  ...["bridge", "bridgePresent", "status", "resolvedExternalInterface", "resolvedExternalAddress"],
  ...["files", "shadowedBy"],
]);

function inputsOf(props: Props): Props {
  return Object.fromEntries(Object.entries(props).filter(([key]) => !outputOnly.has(key)));
}
