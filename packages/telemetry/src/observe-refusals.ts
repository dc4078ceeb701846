/** Where the API keeps what was registered with it (`@opentelemetry/api`, internal/global-utils). */
const registered = Symbol.for('opentelemetry.js.api.1')

/**
 * Shows a registered metrics SDK what this thread has refused, as `havn.refusals` by `havn.refusal.reason`. Does nothing
 * without an SDK.
 *
 * @param read gives sums that only grow, by reason; called at each export.
 */
export async function observeRefusals(read: () => Readonly<Record<string, number>>): Promise<void> {
  if (!(registered in globalThis)) return
  const { metrics } = await import('@opentelemetry/api')
  const sums = metrics.getMeter('@havn/telemetry').createObservableCounter('havn.refusals', {
    description: 'Connections and requests that were refused, or cut off, by a limit.',
    unit: '{refusal}',
  })
  sums.addCallback((result) => {
    for (const [reason, sum] of Object.entries(read())) result.observe(sum, { 'havn.refusal.reason': reason })
  })
}
