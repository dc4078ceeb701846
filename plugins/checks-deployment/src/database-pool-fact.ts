import { defineFact, djangoSettings, placeOfKey } from '@havn/checklist'
import type { SourcePlace } from '@havn/plugin-api'
import { knownSetting, onlyProject, valueAt } from './django.ts'

/** Django's pool of connections to PostgreSQL: one in each process. */
export interface DatabasePool {
  /** Connections that it holds from the start. */
  minSize: number
  maxSize: number
  place: SourcePlace | null
}

/** psycopg_pool's own. */
const MIN_SIZE = 4

/** The pool of the default database; in a list, which is empty where there is none. */
export const databasePools = defineFact<readonly DatabasePool[]>({
  id: 'database-pools',
  title: 'Pools of connections',
  async collect({ get }) {
    const project = onlyProject((await get(djangoSettings)) ?? [])
    const databases = project === null ? null : knownSetting(project, 'DATABASES')
    const pool = valueAt(databases, 'default', 'OPTIONS', 'pool')
    if (databases === null || (pool !== true && (typeof pool !== 'object' || pool === null))) return []
    const size = (name: string) => {
      const value = valueAt(databases, 'default', 'OPTIONS', 'pool', name)
      return typeof value === 'number' ? value : null
    }
    const minSize = size('min_size') ?? MIN_SIZE
    const place =
      placeOfKey(databases, 'default.OPTIONS.pool.max_size') ??
      placeOfKey(databases, 'default.OPTIONS.pool') ??
      databases.place
    return [{ minSize, maxSize: size('max_size') ?? minSize, place }]
  },
})
