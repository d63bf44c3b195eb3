/** True for the name of an algorithm or of a type of key (RFC 4251, 6), in the letters that all of them are made of. */
export function isSshName(name: string): boolean {
  return /^[A-Za-z0-9@.+_-]{1,64}$/.test(name);
}
