import { defineRule, djangoSettings, placeOfKey } from '@havn/checklist'
import type { DjangoSetting } from '@havn/checklist'
import type { SourcePlace } from '@havn/plugin-api'
import { knownSetting, onlyProject, valueAt } from '../django.ts'
import { requestEnds } from '../request-ends-fact.ts'

export const sqlTimeouts = defineRule({
  id: 'deployment.sql-timeout-longer',
  title: 'The database works on what the server or the proxy has given up',
  severity: 'warn',
  confidence: 'likely',
  hint: 'Let statements end before the request does: statement_timeout below --timeout and proxy_read_timeout.',
  references: [
    'https://www.postgresql.org/docs/current/runtime-config-client.html#GUC-STATEMENT-TIMEOUT',
    'https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNECT-CONNECT-TIMEOUT',
    'https://docs.gunicorn.org/en/stable/settings.html#timeout',
  ],
  docs: {
    what: 'Compares `statement_timeout`, `connect_timeout` and MySQL’s `read_timeout` in OPTIONS of DATABASES with the time after which gunicorn’s sync workers, uWSGI’s harakiri or nginx end a request.',
    why: 'The request is over without an error that names its query, which goes on, holds its locks, and is asked again by the next try.',
    bad: '# settings.py: "OPTIONS": {"options": "-c statement_timeout=60000"}\nservices:\n  web:\n    image: shop\n    command: gunicorn shop.wsgi --timeout 30\n',
    good: '# settings.py: "OPTIONS": {"options": "-c statement_timeout=25000"}\nservices:\n  web:\n    image: shop\n    command: gunicorn shop.wsgi --timeout 30\n',
    language: 'yaml',
  },
  needs: { requestEnds, djangoSettings },
  check({ facts, report }) {
    const project = onlyProject(facts.djangoSettings)
    const databases = project === null ? null : knownSetting(project, 'DATABASES')
    if (databases === null) return
    const [end] = facts.requestEnds
    if (end === undefined) return
    for (const { name, seconds, place } of timeoutsOf(databases)) {
      // As long is too long: the other clock started before.
      if (seconds < end.seconds) continue
      report({
        message: `${name} is ${seconds} s; ${end.by} ends a request after ${end.seconds} s.`,
        place,
        related: [{ message: 'what ends it', place: end.place }],
        confidence: databases.confidence === 'certain' ? 'likely' : 'possible',
      })
    }
  },
})

const UNITS: Readonly<Record<string, number>> = { us: 1e-6, ms: 1e-3, s: 1, min: 60, h: 3600, d: 86_400 }

/** The timeouts that the default database is given. */
function timeoutsOf(databases: DjangoSetting): { name: string; seconds: number; place: SourcePlace }[] {
  const options = (name: string) => valueAt(databases, 'default', 'OPTIONS', name)
  const placeOf = (name: string) =>
    placeOfKey(databases, `default.OPTIONS.${name}`) ??
    placeOfKey(databases, 'default.OPTIONS') ??
    databases.place
  const found: { name: string; seconds: number; place: SourcePlace }[] = []
  const add = (name: string, seconds: number, place: SourcePlace | null) => {
    if (seconds > 0 && place !== null) found.push({ name, seconds, place })
  }
  const text = options('options')
  for (const [, name, value, unit] of typeof text === 'string'
    ? text.matchAll(
        /(?:-c\s*|--)(statement[_-]timeout|lock[_-]timeout)\s*=\s*'?(\d{1,12})\s*(us|ms|s|min|h|d)?/g,
      )
    : [])
    // PostgreSQL counts in milliseconds.
    add(name!.replace('-', '_'), Number(value) * UNITS[unit ?? 'ms']!, placeOf('options'))
  for (const name of ['connect_timeout', 'read_timeout', 'write_timeout']) {
    const value = options(name)
    if (typeof value === 'number' || (typeof value === 'string' && /^\d{1,9}$/.test(value)))
      add(name, Number(value), placeOf(name))
  }
  return found
}
