import { defineRule, numberOf, optionOf, valueOf } from '@havn/checklist'
import type { ServerCommand, SourceText } from '@havn/checklist'
import { servingPython } from '../django.ts'
import { workloads } from '../workloads-fact.ts'

const MIN_BYTES = 64 * 2 ** 20

export const memory = defineRule({
  id: 'deployment.memory-for-workers',
  title: 'The workers do not fit in the memory that they may take',
  severity: 'warn',
  confidence: 'likely',
  hint: 'Raise the limit, or run fewer workers: a Python worker takes 64 MiB at least, mostly twice that.',
  references: ['https://github.com/benoitc/gunicorn/issues/2028'],
  docs: {
    what: 'Compares the limit of memory with the number of Python workers: less than 64 MiB for each is found.',
    why: 'The kernel kills workers under load, without a word in the app’s log.',
    bad: 'services:\n  web:\n    image: shop\n    command: gunicorn shop.wsgi --workers 9\n    mem_limit: 256m\n',
    good: 'services:\n  web:\n    image: shop\n    command: gunicorn shop.wsgi --workers 2\n    mem_limit: 512m\n',
    language: 'yaml',
  },
  needs: { workloads },
  check({ facts, report }) {
    for (const { memoryBytes, commands, resource } of servingPython(facts.workloads)) {
      const [command] = commands
      const workers = command === undefined || commands.length > 1 ? null : numberOf(command, 'workers')
      if (memoryBytes === null || workers === null || memoryBytes.value / workers >= MIN_BYTES) continue
      const option = optionOf(command!, 'workers')
      report({
        message: `${workers === 1 ? '1 worker has' : `${workers} workers have`} ${Math.floor(memoryBytes.value / 2 ** 20)} MiB.`,
        place: memoryBytes.place!,
        ...(resource !== null && { resource }),
        related: [{ message: 'the workers', place: option?.place ?? command!.place }],
      })
    }
  },
})

export const cpus = defineRule({
  id: 'deployment.workers-for-cpus',
  title: 'There are many more workers than processors',
  severity: 'info',
  confidence: 'likely',
  hint: 'Take about two workers for each processor, and threads for what waits.',
  references: ['https://docs.gunicorn.org/en/stable/design.html#how-many-workers'],
  docs: {
    what: 'Compares the limit of processors with the number of workers: more than five for each, and more than four in all, are found.',
    why: 'They take turns: all become slow together, each with its memory and its connection.',
    bad: 'services:\n  web:\n    image: shop\n    command: gunicorn shop.wsgi --workers 12\n    cpus: 1\n',
    good: 'services:\n  web:\n    image: shop\n    command: gunicorn shop.wsgi --workers 3\n    cpus: 1\n',
    language: 'yaml',
  },
  needs: { workloads },
  check({ facts, report }) {
    for (const { cpus: limit, commands, resource } of facts.workloads)
      for (const command of commands) {
        const option = optionOf(command, 'workers')
        const workers = numberOf(command, 'workers') ?? 0
        if (limit === null || option === null || workers <= 4 || workers <= limit.value * 5) continue
        report({
          message: `${workers} workers share ${limit.value} of a processor.`,
          place: option.place,
          ...(resource !== null && { resource }),
          related: limit.place === null ? [] : [{ message: 'the limit', place: limit.place }],
        })
      }
  },
})

export const grace = defineRule({
  id: 'deployment.grace-too-short',
  title: 'The container is killed before its server has drained',
  severity: 'warn',
  confidence: 'likely',
  hint: 'Give it more time than the server takes: stop_grace_period, terminationGracePeriodSeconds; or let the server take less.',
  references: [
    'https://docs.docker.com/reference/compose-file/services/#stop_grace_period',
    'https://docs.gunicorn.org/en/stable/settings.html#graceful-timeout',
  ],
  docs: {
    what: 'Compares the time between the signal to stop and the kill with the time that the server gives requests in flight. Where neither says anything it is for information.',
    why: 'A request that takes longer than the first ends without an answer at each deployment.',
    bad: 'services:\n  web:\n    image: shop\n    command: gunicorn shop.wsgi --graceful-timeout 60\n',
    good: 'services:\n  web:\n    image: shop\n    command: gunicorn shop.wsgi --graceful-timeout 60\n    stop_grace_period: 70s\n',
    language: 'yaml',
  },
  needs: { workloads },
  check({ facts, report }) {
    for (const { kind, graceSeconds, commands, resource, place } of facts.workloads)
      for (const command of commands) {
        const drain = drainSeconds(command)
        if (graceSeconds === null || drain === null || graceSeconds.value >= drain) continue
        const option = optionOf(command, 'graceful-timeout') ?? optionOf(command, 'timeout-graceful-shutdown')
        const isSaid = graceSeconds.place !== null || option !== null
        const own = kind === 'compose' ? 'Compose' : 'Kubernetes'
        report({
          message: `${graceSeconds.place === null ? `${own} kills` : 'It is killed'} after ${graceSeconds.value} s; ${command.server} drains for up to ${drain} s.`,
          place: graceSeconds.place ?? (option?.place.file === place.file ? option.place : place),
          severity: isSaid ? 'warn' : 'info',
          ...(resource !== null && { resource }),
          related: [{ message: 'the server', place: option?.place ?? command.place }],
        })
      }
  },
})

function drainSeconds(command: ServerCommand): number | null {
  if (!/^(?:gunicorn|uvicorn|hypercorn)$/.test(command.server)) return null
  return valueOf(command, 'graceful-timeout') === null ? null : numberOf(command, 'graceful-timeout')
}

export const readOnlyRoot = defineRule({
  id: 'deployment.read-only-worker-tmp',
  title: 'gunicorn cannot write its heartbeat',
  severity: 'error',
  confidence: 'likely',
  hint: 'Set --worker-tmp-dir /dev/shm, or mount memory at /tmp.',
  references: ['https://docs.gunicorn.org/en/stable/settings.html#worker-tmp-dir'],
  docs: {
    what: 'Finds gunicorn in a container whose root is read-only, where neither `worker_tmp_dir` nor a mount at /tmp gives it a folder to write in.',
    why: 'It ends as soon as it starts: “No usable temporary directory found”.',
    bad: 'services:\n  web:\n    image: shop\n    read_only: true\n    command: gunicorn shop.wsgi\n',
    good: 'services:\n  web:\n    image: shop\n    read_only: true\n    tmpfs: [/tmp]\n    command: gunicorn shop.wsgi\n',
    language: 'yaml',
  },
  needs: { workloads },
  check({ facts, report }) {
    for (const { readOnlyRoot: root, commands, mounts, resource } of facts.workloads)
      for (const command of commands) {
        if (root === null || command.server !== 'gunicorn') continue
        const option = optionOf(command, 'worker-tmp-dir')
        const folders = option === null ? ['/tmp', '/var/tmp', '/usr/tmp'] : [option.value]
        const isWritable = folders.some(
          (folder) =>
            folder === null ||
            folder.startsWith('/dev/shm') ||
            mounts.some(
              ({ target }) => folder === target || folder.startsWith(`${target.replace(/\/$/, '')}/`),
            ),
        )
        // TMPDIR may lead elsewhere.
        if (isWritable || command.environment.has('TMPDIR')) continue
        report({
          message: `The root is read-only, and nothing is mounted at ${folders[0]}.`,
          place: root,
          ...(resource !== null && { resource }),
          related: [{ message: 'gunicorn', place: option?.place ?? command.place }],
        })
      }
  },
})

export const migrateEach = defineRule({
  id: 'deployment.migrate-in-each-replica',
  title: 'Every replica migrates the database when it starts',
  severity: 'warn',
  confidence: 'likely',
  hint: 'Migrate once before: a job, an init step of the deployment, platform up’s own.',
  references: ['https://docs.djangoproject.com/en/5.2/ref/django-admin/#migrate'],
  docs: {
    what: 'Finds `manage.py migrate` (and Alembic, Prisma) in what starts a workload of more than one replica.',
    why: 'They run at the same time, one on top of the other; and a rollback starts by migrating forwards.',
    bad: 'services:\n  web:\n    image: shop\n    command: sh -c "python manage.py migrate && gunicorn shop.wsgi"\n    deploy: { replicas: 3 }\n',
    good: 'services:\n  web:\n    image: shop\n    command: gunicorn shop.wsgi\n    deploy: { replicas: 3 }\n',
    language: 'yaml',
  },
  needs: { workloads },
  check({ facts, report }) {
    const pattern =
      /\bmanage\.py\s+migrate\b|\bdjango-admin\s+migrate\b|\balembic\s+upgrade\b|\bprisma\s+migrate\s+deploy\b|\bflask\s+db\s+upgrade\b/
    for (const { replicas, words, scripts, resource, commands } of facts.workloads) {
      if (replicas.value < 2 || replicas.place === null) continue
      const places = [
        ...words.filter(({ text }) => pattern.test(text)).map(({ place }) => place),
        // A list of words, and what the image starts.
        ...(pattern.test(words.map(({ text }) => text).join(' '))
          ? words.slice(0, 1).map(({ place }) => place)
          : []),
        ...commands.flatMap(({ origin, isInherited }) => {
          const start = isInherited
            ? origin.stage?.instructions.findLast(
                ({ keyword, rest }) =>
                  (keyword === 'CMD' || keyword === 'ENTRYPOINT') && pattern.test(rest.text),
              )
            : undefined
          return start?.place ?? []
        }),
        ...scripts.flatMap((source) => {
          const match = new RegExp(`^(?![ \\t]*#).*?(${pattern.source})`, 'm').exec(source.text)
          if (match === null) return []
          const start = match.index + match[0].length - match[1]!.length
          return source.placeOf(start, start + match[1]!.length)
        }),
      ]
      if (places.length > 0)
        report({
          message: `${replicas.value} replicas migrate, each for itself.`,
          place: places[0]!,
          ...(resource !== null && { resource }),
          related: [{ message: 'the replicas', place: replicas.place }],
          ...(branches(scripts) && words.length > 0 && { confidence: 'possible' as const }),
        })
    }
  },
})

/** Whether a script does one thing or another by its arguments: which, is not followed. */
function branches(scripts: readonly SourceText[]): boolean {
  return scripts.some(({ text }) => /^\s*case\s|\$#|\[\s+"?\$\{?1\b/m.test(text))
}

export const beatReplicas = defineRule({
  id: 'deployment.beat-replicas',
  title: 'Periodic tasks run more than once',
  severity: 'error',
  confidence: 'certain',
  hint: 'Run celery beat as a workload of its own, with one replica and without overlap.',
  references: ['https://docs.celeryq.dev/en/stable/userguide/periodic-tasks.html'],
  docs: {
    what: 'Finds `celery beat`, or a worker with `-B`, in a workload of more than one replica.',
    why: 'Each of them sends each task: mails go out twice, and so do invoices.',
    bad: 'services:\n  beat:\n    image: shop\n    command: celery -A shop beat\n    deploy: { replicas: 2 }\n',
    good: 'services:\n  beat:\n    image: shop\n    command: celery -A shop beat\n    deploy: { replicas: 1 }\n',
    language: 'yaml',
  },
  needs: { workloads },
  check({ facts, report }) {
    for (const { replicas, commands, resource, scripts } of facts.workloads)
      for (const command of commands) {
        if (command.server !== 'celery' || replicas.value < 2 || replicas.place === null) continue
        const isBeat = optionOf(command, 'verb')?.value === 'beat' || optionOf(command, 'beat') !== null
        // Locks of its own, in Redis.
        const isLocked = command.options.some(({ value }) => /redbeat/i.test(value ?? ''))
        if (isBeat && !isLocked)
          report({
            message: `${replicas.value} replicas run the schedule.`,
            place: replicas.place,
            ...(resource !== null && { resource }),
            related: [{ message: 'the schedule', place: command.place }],
            ...(branches(scripts) && { confidence: 'possible' as const }),
          })
      }
  },
})
