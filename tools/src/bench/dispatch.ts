import { resolve } from 'node:path'
import type { Work } from './comparison.ts'
import { ownContender } from './own-contender.ts'

const directory = resolve(import.meta.dirname, 'apps')

/**
 * What `dispatch: "task"` costs, and what it brings, against the default: the same JavaScript apps, 2 workers each.
 *
 * @param command script of the `platform` command that is measured.
 */
export function dispatchWorks(command: string): Work[] {
  const contenders = (entry: string) =>
    (['inline', 'task'] as const).map((dispatch) => {
      const app = { entry, interface: 'node' as const, directory, options: ['--dispatch', dispatch] }
      return ownContender(command, app, dispatch)
    })
  return [
    {
      name: 'busy',
      title: 'A JavaScript app of which one request in 50 takes 50 ms of CPU time',
      path: '/',
      connections: [32],
      contenders: contenders('./sometimes-busy.mjs'),
    },
    {
      name: 'hello',
      title: 'A JavaScript hello',
      path: '/',
      connections: [8, 32],
      contenders: contenders('./hello.mjs'),
    },
  ]
}
