import { bindsOf } from '@havn/checklist'
import type { ServerBind, ServerCommand } from '@havn/checklist'

/** Programs whose arguments do not say what they bind. */
const UNKNOWN = /^(?:celery|node|pm2|nodemon|ts-node|python|npm|bundler|nest)$/

/** The addresses that all of these commands listen on; null where one of them is not known. */
export function knownBindsOf(commands: readonly ServerCommand[]): ServerBind[] | null {
  if (commands.length === 0 || commands.some(({ server }) => UNKNOWN.test(server))) return null
  const binds = commands.flatMap(bindsOf)
  return binds.length === 0 || binds.some(({ port }) => port === null) ? null : binds
}
