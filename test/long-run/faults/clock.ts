const now = Date.now;

/** The wall clock of the machine on which the provider runs, so many milliseconds off. */
export function setClock(offset: number): void {
  Date.now = offset === 0 ? now : () => now() + offset;
}
