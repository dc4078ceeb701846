import type { GatewayConfig } from './gateway-config.ts'

/** What is wrong with keys that are right each for itself, but not together; undefined when all is well. */
export function findConflict({ app, isolation, dispatch }: GatewayConfig): string | undefined {
  if (app.language !== 'node') {
    const own = app.language === 'python' ? 'a Python app has processes of its own' : 'there is no app'
    if (isolation === 'process') return `isolation: "process" is for JavaScript apps, and ${own}`
    if (dispatch === 'task') return `dispatch: "task" is for JavaScript apps, and ${own}`
    return undefined
  }
  if (dispatch === 'inline') return undefined
  if (isolation === 'process') {
    return 'dispatch: "task" runs the app in threads, and isolation: "process" asks for processes'
  }
  if (app.interface === 'asgi')
    return 'dispatch: "task" runs whole requests, which ASGI apps are not made for'
  return undefined
}
