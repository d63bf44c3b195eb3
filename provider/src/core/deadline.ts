/**
 * Runs `work` and rejects with `onExpiry()` once `ms` have passed; the signal given to `work` aborts at that moment, so
 * that it can let go of sockets. The timer never outlives the work.
 */
export async function withDeadline<T>(
  ms: number,
  onExpiry: () => Error,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const expiry = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      // Rejecting first makes the deadline the answer, not the abort it causes.
      reject(onExpiry());
      controller.abort();
    }, ms);
  });
  try {
    return await Promise.race([work(controller.signal), expiry]);
  } finally {
    clearTimeout(timer);
  }
}
