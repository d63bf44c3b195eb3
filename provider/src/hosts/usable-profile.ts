import { type HostProfile, resolveProfile, unusable } from "./profile";
import type { SettingSources } from "./profile-keys";

/**
 * The profile, or an error that lists all problems. Where nothing is missing but the pins that old cryptography needs, the
 * error shows what the host has: nothing is sent to it, and nobody logs in while they are missing.
 */
export async function usableProfile(name: string, sources: SettingSources): Promise<HostProfile> {
  const result = resolveProfile(name, sources);
  if (result.ok) return result.profile;
  if (result.unpinned === undefined) throw unusable(name, result.problems);
  // Loaded when needed: programs with look-ups read profiles before they start the clients of XAPI and SSH.
  const { pinProblems } = await import("./pin-looks.js");
  throw unusable(name, await pinProblems(result.unpinned));
}
