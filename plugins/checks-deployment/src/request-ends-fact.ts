import { defineFact, nginxConfigs, numberOf, optionOf, serverCommands } from '@havn/checklist'
import type { ServerCommand } from '@havn/checklist'
import type { SourcePlace } from '@havn/plugin-api'
import { longestWait } from './nginx-passes.ts'
import { isSyncWorker } from './sync-worker.ts'

/** What ends a request that takes too long. */
export interface RequestEnd {
  by: string
  seconds: number
  place: SourcePlace
}

/** What ends requests in production, the most impatient first; empty where nothing is known to. */
export const requestEnds = defineFact<readonly RequestEnd[]>({
  id: 'request-ends',
  title: 'Timeouts of requests',
  async collect({ get }) {
    const servers = ((await get(serverCommands)) ?? [])
      .filter(({ origin, isInherited }) => !origin.isDevelopment && !isInherited)
      .flatMap((command) => {
        const seconds = requestSeconds(command)
        const place = optionOf(command, 'timeout')?.place ?? command.place
        return seconds === null ? [] : { by: command.server, seconds, place }
      })
    const wait = longestWait((await get(nginxConfigs)) ?? [])
    const proxies = wait === null || wait.seconds === Infinity ? [] : [{ ...wait, by: 'nginx' }]
    return [...servers, ...proxies].sort((one, other) => one.seconds - other.seconds)
  },
})

/** Seconds after which a server ends a single request; null where it does not: other workers of gunicorn watch themselves. */
function requestSeconds(command: ServerCommand): number | null {
  const seconds = numberOf(command, 'timeout')
  if (seconds === null || seconds === 0) return null
  if (command.server === 'uwsgi') return seconds
  return isSyncWorker(command) ? seconds : null
}
