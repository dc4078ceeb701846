import { defineRule, djangoSettings, placeOfKey } from '@havn/checklist'
import type { DjangoProject, DjangoSetting } from '@havn/checklist'
import { choosesSettings, knownSetting, onlyProject, serving, valueAt } from '../django.ts'
import type { Workload } from '../workload.ts'
import { workloads } from '../workloads-fact.ts'

export const sqliteReplicas = defineRule({
  id: 'deployment.sqlite-replicas',
  title: 'Each replica has a database of its own',
  severity: 'error',
  confidence: 'certain',
  hint: 'Use PostgreSQL, or run one replica.',
  references: ['https://www.sqlite.org/whentouse.html'],
  docs: {
    what: 'Finds SQLite in the settings, and more than one replica of what runs them.',
    why: 'Clients log in at one replica and are unknown to the next; what they save is there every other time.',
    bad: '# settings.py: the engine is django.db.backends.sqlite3\nspec:\n  replicas: 3\n',
    good: '# settings.py: the engine is django.db.backends.sqlite3\nspec:\n  replicas: 1\n',
    language: 'yaml',
  },
  needs: { workloads, djangoSettings },
  check({ facts, report }) {
    const project = onlyProject(facts.djangoSettings)
    const database = project === null ? null : sqliteOf(project)
    if (project === null || database === null) return
    const { place } = database
    for (const workload of serving(facts.workloads, project)) {
      const { replicas, resource } = workload
      if (replicas.value > 1 && replicas.place !== null && !choosesDatabase(workload, project))
        report({
          message: `${replicas.value} replicas each write an SQLite file.`,
          place: replicas.place,
          ...(resource !== null && { resource }),
          ...(place !== null && { related: [{ message: 'the database', place }] }),
          confidence: database.confidence,
        })
    }
  },
})

/** Whether variables of a workload may lead its settings to another database, or it to other settings. */
function choosesDatabase({ environment }: Workload, project: DjangoProject): boolean {
  const names = [...environment.keys()]
  return (
    choosesSettings(environment, project) || names.some((name) => /DATABASE|^DB_|^POSTGRES|SQL/.test(name))
  )
}

/** The default database that the settings have for certain, where it is an SQLite file. */
function sqliteOf(project: DjangoProject): Pick<DjangoSetting, 'place' | 'confidence'> | null {
  const databases = knownSetting(project, 'DATABASES')
  const engine = valueAt(databases, 'default', 'ENGINE')
  const isSqlite = typeof engine === 'string' && /sqlite3$|spatialite$/.test(engine)
  if (databases === null || !isSqlite || valueAt(databases, 'default', 'NAME') === ':memory:') return null
  return {
    place: placeOfKey(databases, 'default.ENGINE') ?? databases.place,
    confidence: databases.confidence,
  }
}

export const sqliteWithoutVolume = defineRule({
  id: 'deployment.sqlite-without-volume',
  title: 'The database is gone with its container',
  severity: 'error',
  confidence: 'likely',
  hint: 'Mount a volume where the file lies, or use PostgreSQL.',
  references: ['https://docs.docker.com/engine/storage/volumes/'],
  docs: {
    what: 'Finds SQLite in the settings, and a service or container that runs them without any volume.',
    why: 'The next deployment begins with an empty database.',
    bad: '# settings.py: the engine is django.db.backends.sqlite3\nservices:\n  web:\n    image: shop\n    command: gunicorn shop.wsgi\n',
    good: '# settings.py: the engine is django.db.backends.sqlite3\nservices:\n  web:\n    image: shop\n    command: gunicorn shop.wsgi\n    volumes: ["data:/data"]\n',
    language: 'yaml',
  },
  needs: { workloads, djangoSettings },
  check({ facts, report }) {
    const project = onlyProject(facts.djangoSettings)
    const database = project === null ? null : sqliteOf(project)
    if (project === null || database === null) return
    const { place } = database
    for (const workload of serving(facts.workloads, project)) {
      const { kind, mounts, resource } = workload
      if (kind === 'image' || mounts.length > 0 || workload.hasHiddenVariables) continue
      if (choosesDatabase(workload, project)) continue
      report({
        message: 'It writes an SQLite file into its container.',
        place: workload.place,
        ...(resource !== null && { resource }),
        ...(place !== null && { related: [{ message: 'the database', place }] }),
      })
    }
  },
})
