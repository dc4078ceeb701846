import { placeOfKey } from '@havn/checklist'
import type { DjangoProject, SettingValue } from '@havn/checklist'
import { settingRule, type Fault } from '../setting-rule.ts'
import { entriesOf, hasApp, valueAt } from '../values.ts'

const database = (more: string, engine = 'django.db.backends.postgresql') =>
  `DATABASES = {\n    'default': {\n        'ENGINE': '${engine}',\n        'NAME': 'shop',\n${more}    },\n}\n`
const line = (key: string, value: string) => `        '${key}': ${value},\n`

export const sqlite = settingRule({
  id: 'django.sqlite',
  title: 'The database is an SQLite file',
  severity: 'info',
  confidence: 'certain',
  hint: 'Keep it on a disk that outlives the container, and on one machine alone; else use PostgreSQL.',
  references: ['https://docs.djangoproject.com/en/stable/ref/databases/#sqlite-notes'],
  docs: {
    what: 'Finds `DATABASES` whose default is an SQLite file.',
    why: 'A second machine has other data, and a container’s own disk is gone with the next release.',
    bad: database('', 'django.db.backends.sqlite3'),
    good: database(''),
  },
  judge(project) {
    const setting = project.setting('DATABASES')
    const engine = valueAt(setting?.value, 'default', 'ENGINE')
    if (typeof engine !== 'string' || !/sqlite|spatialite/.test(engine)) return null
    return {
      setting,
      place: placeOfKey(setting!, 'default.ENGINE'),
      message: 'The default database is SQLite.',
    }
  },
})

/** Whether the app is served over ASGI, as far as settings tell. */
function isAsync(project: DjangoProject): boolean {
  if (hasApp(project, 'channels') || hasApp(project, 'daphne')) return true
  return (
    project.setting('ASGI_APPLICATION')?.place != null && project.setting('WSGI_APPLICATION')?.place == null
  )
}

export const connectionAgeAsync = settingRule({
  id: 'django.connection-age-async',
  title: 'Database connections are kept under ASGI',
  severity: 'warn',
  confidence: 'likely',
  hint: "Set CONN_MAX_AGE = 0, and use a pool: OPTIONS = {'pool': True} (Django 5.1, psycopg 3), or PgBouncer.",
  references: ['https://docs.djangoproject.com/en/stable/ref/databases/#persistent-database-connections'],
  docs: {
    what: 'Finds `CONN_MAX_AGE` that is not 0, in projects that are served over ASGI alone.',
    why: 'Each request may get a thread of its own, whose connection nobody uses again: the database runs out of them.',
    bad: `ASGI_APPLICATION = 'shop.asgi.application'\n${database(line('CONN_MAX_AGE', '600'))}`,
    good: `ASGI_APPLICATION = 'shop.asgi.application'\n${database(line('CONN_MAX_AGE', '0'))}`,
  },
  judge(project) {
    const setting = project.setting('DATABASES')
    if (setting === null || !isAsync(project)) return null
    return entriesOf(setting.value).flatMap(([alias, settings]): Fault[] => {
      const age = valueAt(settings, 'CONN_MAX_AGE')
      if (age === undefined || age === 0) return []
      const place = placeOfKey(setting, `${alias}.CONN_MAX_AGE`)
      return [
        {
          setting,
          place,
          message: `CONN_MAX_AGE of ${alias} is ${age === null ? 'None: for ever' : String(age)}.`,
        },
      ]
    })
  },
})

export const poolWithAge = settingRule({
  id: 'django.pool-with-connection-age',
  title: 'A pool and CONN_MAX_AGE exclude each other',
  severity: 'error',
  confidence: 'certain',
  hint: 'Leave CONN_MAX_AGE out: the pool keeps connections.',
  references: ['https://docs.djangoproject.com/en/stable/ref/databases/#connection-pool'],
  docs: {
    what: 'Finds databases with `pool` among their options, and `CONN_MAX_AGE` that is not 0.',
    why: 'Django raises ImproperlyConfigured at the first query.',
    bad: database(line('CONN_MAX_AGE', '60') + line('OPTIONS', "{'pool': True}")),
    good: database(line('OPTIONS', "{'pool': True}")),
  },
  judge(project) {
    const setting = project.setting('DATABASES')
    return entriesOf(setting?.value).flatMap(([alias, settings]): Fault[] => {
      const age = valueAt(settings, 'CONN_MAX_AGE')
      if (!valueAt(settings, 'OPTIONS', 'pool') || age === 0 || age === undefined) return []
      return [
        { setting, place: placeOfKey(setting!, `${alias}.CONN_MAX_AGE`), message: `${alias} has both.` },
      ]
    })
  },
})

const LOCAL_HOST =
  /^(?:$|\/|localhost$|127\.|::1$|[^.:]+$|.*\.(?:local|internal|svc|localhost|invalid)(?:$|\.))/

export const databasePlain = settingRule({
  id: 'django.database-without-tls',
  title: 'The way to the database may be open to read',
  severity: 'warn',
  confidence: 'possible',
  hint: "Set OPTIONS = {'sslmode': 'verify-full', 'sslrootcert': …} (PostgreSQL), or 'ssl' (MySQL).",
  references: ['https://www.postgresql.org/docs/current/libpq-ssl.html'],
  docs: {
    what: 'Finds databases at hosts with a domain, whose options say nothing of TLS.',
    why: 'Unasked, PostgreSQL’s client takes plain text where the server or somebody in between offers nothing else.',
    bad: database(line('HOST', "'db.example.com'")),
    good: database(line('HOST', "'db.example.com'") + line('OPTIONS', "{'sslmode': 'verify-full'}")),
  },
  judge(project) {
    const setting = project.setting('DATABASES')
    return entriesOf(setting?.value).flatMap(([alias, settings]): Fault[] => {
      const engine = valueAt(settings, 'ENGINE')
      const host = valueAt(settings, 'HOST')
      if (typeof engine !== 'string' || !/postg|mysql/.test(engine)) return []
      if (typeof host !== 'string' || LOCAL_HOST.test(host)) return []
      const mode = valueAt(settings, 'OPTIONS', 'sslmode')
      const isSafe = typeof mode === 'string' && !/^(?:disable|allow|prefer)$/.test(mode)
      if (
        isSafe ||
        entriesOf(valueAt(settings, 'OPTIONS')).some(([name]) => /^ssl(?!mode)|service/.test(name))
      )
        return []
      return [
        {
          setting,
          place: placeOfKey(setting!, `${alias}.HOST`),
          message: `${host} is asked without TLS, or whatever it offers.`,
        },
      ]
    })
  },
})

const LOCMEM = /locmem|dummy/i

function cacheBackend(project: DjangoProject, alias: string): SettingValue | undefined {
  return valueAt(project.setting('CACHES')?.value, alias, 'BACKEND')
}

export const sessionsLocal = settingRule({
  id: 'django.sessions-in-one-process',
  title: 'Sessions are where only one process sees them',
  severity: 'error',
  confidence: 'certain',
  hint: "Keep them in the database (Django's default), or in a cache that all workers share: Redis, Memcached.",
  references: ['https://docs.djangoproject.com/en/stable/topics/http/sessions/#using-cached-sessions'],
  docs: {
    what: 'Finds sessions in a cache in a process’s memory, or none at all.',
    why: 'The next request goes to another worker, where the user is not logged in; a restart logs everybody out.',
    bad: "SESSION_ENGINE = 'django.contrib.sessions.backends.cache'\n",
    good: "SESSION_ENGINE = 'django.contrib.sessions.backends.cache'\nCACHES = {'default': {'BACKEND': 'django.core.cache.backends.redis.RedisCache', 'LOCATION': 'redis://cache:6379'}}\n",
  },
  judge(project) {
    const setting = project.setting('SESSION_ENGINE')
    if (setting?.value !== 'django.contrib.sessions.backends.cache') return null
    const alias = project.setting('SESSION_CACHE_ALIAS')?.value
    const backend = cacheBackend(project, typeof alias === 'string' ? alias : 'default')
    if (typeof backend !== 'string' || !LOCMEM.test(backend) || project.setting('CACHES')?.isFake) return null
    return { setting, message: `Sessions are in a cache of the kind ${backend.split('.').at(-1)}.` }
  },
})

export const sessionsInFiles = settingRule({
  id: 'django.sessions-in-files',
  title: 'Sessions are files of one machine',
  severity: 'warn',
  confidence: 'certain',
  hint: "Keep them in the database (Django's default), or in a cache that all machines share.",
  references: ['https://docs.djangoproject.com/en/stable/topics/http/sessions/#using-file-based-sessions'],
  docs: {
    what: 'Finds `SESSION_ENGINE` that keeps sessions in files.',
    why: 'A second container does not see them, a release takes them away, and nothing removes old ones.',
    bad: "SESSION_ENGINE = 'django.contrib.sessions.backends.file'\n",
    good: "SESSION_ENGINE = 'django.contrib.sessions.backends.db'\n",
  },
  judge(project) {
    const setting = project.setting('SESSION_ENGINE')
    return setting?.value === 'django.contrib.sessions.backends.file'
      ? { setting, message: 'Sessions are in files.' }
      : null
  },
})

export const cacheLocal = settingRule({
  id: 'django.cache-in-one-process',
  title: 'Each worker has a cache of its own',
  severity: 'info',
  confidence: 'likely',
  hint: 'Use Redis, Memcached or the database, where what is cached must be the same for all, such as rate limits and locks.',
  references: ['https://docs.djangoproject.com/en/stable/topics/cache/#local-memory-caching'],
  docs: {
    what: 'Finds `CACHES` that the project sets to memory of the process, or to nothing.',
    why: 'What one worker forgets, another still answers with; limits of requests count for each worker alone.',
    bad: "CACHES = {'default': {'BACKEND': 'django.core.cache.backends.locmem.LocMemCache'}}\n",
    good: "CACHES = {'default': {'BACKEND': 'django.core.cache.backends.redis.RedisCache', 'LOCATION': 'redis://cache:6379'}}\n",
  },
  judge(project) {
    const setting = project.setting('CACHES')
    if (setting === null || setting.isDefault) return null
    return entriesOf(setting.value).flatMap(([alias, settings]): Fault[] => {
      const backend = valueAt(settings, 'BACKEND')
      if (typeof backend !== 'string' || !LOCMEM.test(backend)) return []
      return [
        {
          setting,
          place: placeOfKey(setting, `${alias}.BACKEND`),
          message: `The cache ${alias} is a ${backend.split('.').at(-1)}.`,
        },
      ]
    })
  },
})

const UNSENT = /mail\.backends\.(console|dummy|locmem|filebased)\./

export const emailNowhere = settingRule({
  id: 'django.email-goes-nowhere',
  title: 'Mails are not sent',
  severity: 'warn',
  confidence: 'certain',
  hint: 'Use the SMTP backend, or that of your provider.',
  references: ['mail.E001', 'https://docs.djangoproject.com/en/stable/topics/email/#email-backends'],
  replaces: ['mail.E001'],
  docs: {
    what: 'Finds `EMAIL_BACKEND`, and entries of `MAILERS` (Django 6.1), that print, keep or drop what is sent.',
    why: 'Nobody gets a link to reset a password, and administrators hear of no error.',
    bad: "EMAIL_BACKEND = 'django.core.mail.backends.console.EmailBackend'\n",
    good: "EMAIL_BACKEND = 'django.core.mail.backends.smtp.EmailBackend'\n",
  },
  judge(project): Fault[] {
    const mailers = project.setting('MAILERS')
    const setting = project.setting('EMAIL_BACKEND')
    const backends = [
      ...entriesOf(mailers?.value).map(
        ([alias, mailer]) => [mailers, `${alias}.BACKEND`, valueAt(mailer, 'BACKEND')] as const,
      ),
      [setting, '', setting?.value] as const,
    ]
    return backends.flatMap(([setting, path, backend]): Fault[] => {
      const kind = typeof backend === 'string' ? UNSENT.exec(backend)?.[1] : undefined
      if (kind === undefined || !setting) return []
      return [{ setting, place: placeOfKey(setting, path), message: `The ${kind} backend sends nothing.` }]
    })
  },
})

export const autoField = settingRule({
  id: 'django.auto-field-implicit',
  title: 'Keys of new tables are 32 bits wide',
  severity: 'info',
  confidence: 'certain',
  hint: "Set DEFAULT_AUTO_FIELD = 'django.db.models.BigAutoField', and make migrations.",
  references: ['models.W042'],
  replaces: ['models.W042'],
  docs: {
    what: 'Finds projects before Django 6 that do not set `DEFAULT_AUTO_FIELD`.',
    why: 'A table that grows past 2,147,483,647 rows takes no more, and changing it then takes hours.',
    bad: "INSTALLED_APPS = ['django.contrib.auth']\n",
    good: "INSTALLED_APPS = ['django.contrib.auth']\nDEFAULT_AUTO_FIELD = 'django.db.models.BigAutoField'\n",
  },
  judge(project) {
    const setting = project.setting('DEFAULT_AUTO_FIELD')
    if (project.djangoVersion !== null && Number.parseInt(project.djangoVersion) >= 6) return null
    if (setting?.isDefault !== true) return null
    return {
      setting,
      place: project.setting('DATABASES')?.place ?? null,
      message: 'DEFAULT_AUTO_FIELD is not set.',
    }
  },
})

export const timeZonesOff = settingRule({
  id: 'django.time-zones-off',
  title: 'Times have no zone',
  severity: 'info',
  confidence: 'certain',
  hint: 'Set USE_TZ = True; times in the database are UTC then.',
  references: ['https://docs.djangoproject.com/en/stable/topics/i18n/timezones/'],
  docs: {
    what: 'Finds `USE_TZ = False`.',
    why: 'The hour that comes twice in autumn cannot be told apart, and a server in another zone reads other times.',
    bad: 'USE_TZ = False\n',
    good: 'USE_TZ = True\n',
  },
  judge(project) {
    const setting = project.setting('USE_TZ')
    return setting?.value === false ? { setting, message: 'USE_TZ is off.' } : null
  },
})
