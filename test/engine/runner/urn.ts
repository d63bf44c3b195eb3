/** Type of the root of every stack. */
export const STACK_TYPE = "pulumi:pulumi:Stack";
/** Package of all dynamic resources of the Node.js SDK. */
const DYNAMIC_PACKAGE = "pulumi-nodejs";
export const DYNAMIC_PROVIDER_TYPE = `pulumi:providers:${DYNAMIC_PACKAGE}`;

export interface UrnParts {
  readonly stack: string;
  readonly project: string;
  /** URN of the parent; the stack itself does not show in its children's URNs. */
  readonly parent?: string | undefined;
  readonly type: string;
  readonly name: string;
}

export function makeUrn({ stack, project, parent, type, name }: UrnParts): string {
  const parentType = parent === undefined || parent === "" ? "" : qualifiedTypeOf(parent);
  return withQualifiedType(stack, project, parentType, type, name);
}

export function withQualifiedType(stack: string, project: string, parentType: string, type: string, name: string) {
  const qualified = parentType === "" || parentType === STACK_TYPE ? type : `${parentType}$${type}`;
  return `urn:pulumi:${stack}::${project}::${qualified}::${name}`;
}

export function nameOf(urn: string): string {
  return urn.split("::").slice(3).join("::");
}

export function qualifiedTypeOf(urn: string): string {
  const type = urn.split("::")[2];
  if (type === undefined) throw new Error(`${JSON.stringify(urn)} is not a URN.`);
  return type;
}

export function typeOf(urn: string): string {
  const type = qualifiedTypeOf(urn);
  return type.slice(type.lastIndexOf("$") + 1);
}
