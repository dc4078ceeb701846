import { defineRule, numberOf, optionOf } from '@havn/checklist'
import { databasePools, type DatabasePool } from '../database-pool-fact.ts'
import type { Stated, Workload } from '../workload.ts'
import { workloads } from '../workloads-fact.ts'

const DEFAULT_MAX_CONNECTIONS = 100
/** PostgreSQL keeps them for its superuser. */
const RESERVED = 3
/** PgBouncer’s own. */
const DEFAULT_MAX_CLIENTS = 100

/** Connections that one replica may hold, as many as it has threads or its pools take; null where that is not known. */
function connectionsOf({ commands }: Workload, pool: DatabasePool | undefined): number | null {
  let all = 0
  for (const command of commands) {
    const workers = numberOf(command, 'workers')
    const threads = numberOf(command, 'threads') ?? 1
    if (command.server === 'runserver' || workers === null) return null
    all += workers * (pool === undefined ? threads : Math.max(pool.minSize, Math.min(threads, pool.maxSize)))
  }
  return commands.length === 0 ? null : all
}

export const connections = defineRule({
  id: 'deployment.connections-exhausted',
  title: 'The database has fewer connections than the app can take',
  severity: 'warn',
  confidence: 'likely',
  hint: 'Run fewer workers or threads, raise the limit, or put PgBouncer in between.',
  references: [
    'https://www.postgresql.org/docs/current/runtime-config-connection.html#GUC-MAX-CONNECTIONS',
    'https://www.pgbouncer.org/config.html#max_client_conn',
    'https://docs.djangoproject.com/en/5.2/ref/databases/#connection-management',
  ],
  docs: {
    what: 'Multiplies workers, threads (or the pool of DATABASES) and replicas, those of a rolling update included, and compares with `max_connections` of PostgreSQL in the same files. Where the app is led to a PgBouncer there, it compares with `max_client_conn`, and the size of its pool with PostgreSQL.',
    why: 'Under load, or in the middle of an update, requests fail with “too many clients already”.',
    bad: 'services:\n  web:\n    image: shop\n    command: gunicorn shop.wsgi --workers 8 --threads 8\n    deploy: { replicas: 4 }\n  db:\n    image: postgres:17\n',
    good: 'services:\n  web:\n    image: shop\n    command: gunicorn shop.wsgi --workers 2 --threads 8\n    deploy: { replicas: 4 }\n  db:\n    image: postgres:17\n',
    language: 'yaml',
  },
  needs: { workloads, databasePools },
  check({ facts, report }) {
    for (const kind of ['compose', 'kubernetes'] as const) {
      const here = facts.workloads.filter((each) => each.kind === kind)
      const databases = here.filter(({ image }) =>
        /(?:^|\/)(?:postgres|postgis|postgresql|timescaledb)(?::|@|$)/.test(image ?? ''),
      )
      if (databases.length !== 1 || here.some(({ image }) => /pgcat|odyssey|pgpool/.test(image ?? '')))
        continue
      const [database] = databases as [Workload]
      const limit = maxConnections(database)
      const poolers = here.filter(({ image }) => /pgbouncer/.test(image ?? ''))
      for (const pooler of poolers) {
        const size = numberSet(pooler, /DEFAULT_POOL_SIZE$/)
        if (size === null || limit === null || size.value <= limit.value - RESERVED) continue
        report({
          message: `PgBouncer opens up to ${size.value} connections, of ${limit.value} that PostgreSQL gives.`,
          place: size.place!,
          ...(pooler.resource !== null && { resource: pooler.resource }),
          related: [{ message: 'the database', place: limit.place ?? database.place }],
        })
      }

      const apps = here.filter((each) =>
        each.commands.some(({ server }) =>
          /^(?:gunicorn|uvicorn|hypercorn|granian|uwsgi|celery)$/.test(server),
        ),
      )
      if (new Set(apps.map(({ file }) => file)).size > 1 && kind === 'compose') continue
      const [pooler] = poolers
      // Who goes past it, and who does not, nobody says here.
      if (poolers.length > 1 || (pooler !== undefined && !apps.every((app) => isLedTo(app, pooler)))) continue
      const served =
        pooler === undefined
          ? limit === null
            ? null
            : { ...limit, by: 'PostgreSQL', free: limit.value - RESERVED, at: database.place }
          : { ...maxClients(pooler), by: 'PgBouncer', at: pooler.place }
      const parts = apps.map((app) => ({ app, count: connectionsOf(app, facts.databasePools[0]) }))
      if (served === null || parts.length === 0 || parts.some(({ count }) => count === null)) continue
      const total = parts.reduce((sum, { app, count }) => sum + count! * (app.replicas.value + app.surge), 0)
      if (total <= served.free) continue
      const [largest] = parts.sort(
        (one, other) => other.count! * other.app.replicas.value - one.count! * one.app.replicas.value,
      ) as [(typeof parts)[0]]
      const option = largest.app.commands
        .map((command) => optionOf(command, 'workers'))
        .find((each) => each !== null)
      report({
        message: `Up to ${total} connections may be wanted at once, of ${served.value} that ${served.by} gives.`,
        place: largest.app.replicas.place ?? option?.place ?? largest.app.place,
        ...(largest.app.resource !== null && { resource: largest.app.resource }),
        related: [
          ...(largest.app.replicas.place !== null && option != null
            ? [{ message: 'workers of each replica', place: option.place }]
            : []),
          { message: pooler === undefined ? 'the database' : 'PgBouncer', place: served.place ?? served.at },
        ],
      })
    }
  },
})

/** `max_connections`; null where a file that nobody sees here sets it. */
function maxConnections(database: Workload): Stated | null {
  const { words, mounts } = database
  for (const { text, place } of words) {
    const match = /max_connections\s*=\s*(\d+)/.exec(text)
    if (match !== null) return { value: Number(match[1]), place }
  }
  const set = numberSet(database, /^POSTGRES(?:QL)?_MAX_CONNECTIONS$/)
  if (set !== null) return set
  const isElsewhere =
    words.some(({ text }) => /config_file|max_connections/.test(text)) ||
    mounts.some(({ target }) => /postgresql.*\.conf|\/etc\/postgresql|conf\.d/.test(target))
  return isElsewhere ? null : { value: DEFAULT_MAX_CONNECTIONS, place: null }
}

function maxClients(pooler: Workload): Stated & { free: number } {
  const limit = numberSet(pooler, /MAX_CLIENT_CONN$/) ?? { value: DEFAULT_MAX_CLIENTS, place: null }
  // It has a file of its own.
  const isElsewhere = limit.place === null && pooler.mounts.length > 0
  return { ...limit, free: isElsewhere ? Infinity : limit.value }
}

function numberSet({ environment }: Workload, name: RegExp): Stated | null {
  const found = [...environment].find(([each]) => name.test(each))?.[1]
  return found?.value != null && /^\d{1,9}$/.test(found.value)
    ? { value: Number(found.value), place: found.place }
    : null
}

/** Whether a variable of a service names another one as the host of its database. */
function isLedTo({ environment }: Workload, { resource }: Workload): boolean {
  const name = resource?.replace(/^[^./]+[./]/, '') ?? ''
  return [...environment.values()].some(
    ({ value }) =>
      value === name || (/^postg/.test(value ?? '') && new RegExp(`[@/]${name}(?::|/|$)`).test(value!)),
  )
}

export const poolTooSmall = defineRule({
  id: 'deployment.pool-smaller-than-threads',
  title: 'The pool has fewer connections than a worker has threads',
  severity: 'info',
  confidence: 'likely',
  hint: 'Let max_size be the number of threads, or run fewer of them.',
  references: [
    'https://docs.djangoproject.com/en/5.2/ref/databases/#connection-pool',
    'https://www.psycopg.org/psycopg3/docs/api/pool.html',
  ],
  docs: {
    what: 'Compares `max_size` of the pool in DATABASES, which is 4 where it is not said, with the threads of a worker.',
    why: 'Each process has a pool of its own. Threads beyond it wait for a connection, and after 30 seconds fail with PoolTimeout.',
    bad: '# settings.py: "OPTIONS": {"pool": True}\nservices:\n  web:\n    image: shop\n    command: gunicorn shop.wsgi --threads 8\n',
    good: '# settings.py: "OPTIONS": {"pool": {"max_size": 8}}\nservices:\n  web:\n    image: shop\n    command: gunicorn shop.wsgi --threads 8\n',
    language: 'yaml',
  },
  needs: { workloads, databasePools },
  check({ facts, report }) {
    const [pool] = facts.databasePools
    if (pool === undefined || pool.place === null) return
    for (const { commands, resource } of facts.workloads)
      for (const command of commands) {
        const threads = numberOf(command, 'threads')
        const option = optionOf(command, 'threads')
        if (command.isInherited || threads === null || option === null || threads <= pool.maxSize) continue
        report({
          message: `${threads} threads share ${pool.maxSize} ${pool.maxSize === 1 ? 'connection' : 'connections'}.`,
          place: option.place,
          ...(resource !== null && { resource }),
          related: [{ message: 'the pool', place: pool.place }],
        })
      }
  },
})
