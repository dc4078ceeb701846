import type { GatewayConfig } from './gateway-config.ts'

/** What is wrong with keys that are right each for itself, but not together; undefined when all is well. */
export function findConflict({ app, isolation }: GatewayConfig): string | undefined {
  if (isolation === 'thread' || app.language === 'node') return undefined
  const own = app.language === 'python' ? 'a Python app has processes of its own' : 'there is no app'
  return `isolation: "${isolation}" is for JavaScript apps, and ${own}`
}
