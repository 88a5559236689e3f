/** Waits until `condition` holds. Fails with `what` after `timeoutMs`, so that a test never hangs silently. */
export async function eventually(
  condition: () => boolean | Promise<boolean>,
  what = 'the condition',
  timeoutMs = 15_000,
): Promise<void> {
  const end = performance.now() + timeoutMs
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`${what} did not come true in ${timeoutMs} ms`)
    await new Promise(resolve => setTimeout(resolve, 5))
  }
}
