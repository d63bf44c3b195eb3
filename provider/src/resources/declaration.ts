import * as pulumi from "@pulumi/pulumi";
import { bridge, type Kind } from "../bridge";
import { printableText, quoted } from "../core/foreign-text";
import { programError } from "./program-error";
import { namesOfSecrets, wholeSecrets } from "./secret-inputs";
import { checkStackSettings } from "./stack-settings";

/** Resource options, less the ones a dynamic resource cannot honour. */
export type ResourceOptions = Omit<pulumi.CustomResourceOptions, "import">;

/** Where to look for a resource that is only read. */
export interface ExistingState {
  /** Name of the host profile. @default "default" */
  readonly host?: pulumi.Input<string> | undefined;
}

const providers = new Map<Kind, pulumi.dynamic.ResourceProvider>();

/** One provider object a kind: Pulumi serialises each object it sees, and that takes time. */
function providerOf(kind: Kind): pulumi.dynamic.ResourceProvider {
  const known = providers.get(kind);
  if (known !== undefined) return known;
  const made = bridge(kind);
  providers.set(kind, made);
  return made;
}

/**
 * What all four classes share: the type token, the owner mark, and the order of a replace.
 *
 * A handler is not told its URN, so the class passes it as `owner`. A device of a VM, a port of a host or the name on a
 * bridge can be held once only, so a replace always deletes first.
 */
export abstract class XennetResource extends pulumi.dynamic.Resource {
  protected constructor(kind: Kind, name: string, given: pulumi.Inputs, opts: ResourceOptions = {}) {
    if (opts.deleteBeforeReplace === false) {
      throw programError(
        `${kind} ${quoted(name)}: deleteBeforeReplace: false cannot be honoured, as the host has place for one only; leave the option out`,
      );
    }
    // The type leaves it out, but not every program is checked; the SDK would fail on it with a trace of its own.
    if ((opts as pulumi.CustomResourceOptions).import !== undefined) {
      const instead =
        kind === "XenNetwork" || kind === "XenVif" ? "; to take over what is there, use the input `adopt`" : "";
      throw programError(`${kind} ${quoted(name)}: Pulumi cannot import dynamic resources${instead}`);
    }
    checkStackSettings();
    const type = `pulumi-nodejs:dynamic/xennet:${kind}`;
    const prefix = new pulumi.Config("xennet").get("ownerPrefix") ?? "";
    const urn = pulumi.createUrn(name, type, opts.parent);
    const owner = pulumi.interpolate`${prefix}${urn}`;
    const props = wholeSecrets(given);
    // What is only read belongs to somebody else.
    const inputs = opts.id === undefined ? { ...props, owner, secretInputs: namesOfSecrets(props) } : { ...props };
    super(providerOf(kind), name, inputs, { ...opts, deleteBeforeReplace: true }, "xennet", kind);
  }
}

/** Shows a warning at a resource once the value is known; nothing while it is unknown, or when the warning would tell a secret. */
export function warnAbout<T>(
  resource: pulumi.Resource,
  value: pulumi.Input<T>,
  warning: (value: T) => string | undefined,
): void {
  const given = pulumi.output(value);
  given.apply(async (known) => {
    const text = warning(known as T);
    if (text !== undefined && !(await pulumi.isSecret(given))) pulumi.log.warn(printableText(text), resource);
  });
}
