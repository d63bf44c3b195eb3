/** Keys of ours in `other_config` of networks and VIFs. */
export const ownerKey = "xennet:owner";
export const incarnationKey = "xennet:incarnation";
export const formerKey = "xennet:former";
/** For `withKeys`: takes the marks off, and the former values with them. */
export const unmarked = { [ownerKey]: null, [incarnationKey]: null, [formerKey]: null } as const;
/** Of VIFs only: the one that had to make room. */
export const replacedKey = "xennet:replaced";

/** The marks a create or take-over writes, in the very call that makes the object. */
export function ownershipMarks(owner: string, incarnation: string): Record<string, string> {
  return { [ownerKey]: owner, [incarnationKey]: incarnation };
}
