import { defineRule, isOn, numberOf, optionOf, requirements, serverCommands, valueOf } from '@havn/checklist'
import type { ServerCommand } from '@havn/checklist'
import { defineCommandRule, isConfigKnown, productionCommands } from '../command-rule.ts'

export const jitterMissing = defineCommandRule({
  id: 'server.max-requests-without-jitter',
  title: 'All workers are replaced at the same moment',
  severity: 'warn',
  confidence: 'certain',
  hint: 'Set a jitter of about a tenth of it: --max-requests 1000 --max-requests-jitter 100.',
  references: ['https://docs.gunicorn.org/en/stable/settings.html#max-requests-jitter'],
  docs: {
    what: 'Finds workers that are replaced after so many requests, all after the same number.',
    why: 'Load is spread evenly, so that all of them come due together: for seconds nobody answers.',
    bad: 'FROM python:3.13-slim\nCMD ["gunicorn", "shop.wsgi", "--max-requests", "1000"]\n',
    good: 'FROM python:3.13-slim\nCMD ["gunicorn", "shop.wsgi", "--max-requests", "1000", "--max-requests-jitter", "100"]\n',
  },
  servers: ['gunicorn', 'hypercorn', 'uwsgi'],
  find(command) {
    const option = optionOf(command, 'max-requests')
    if (option === null || (numberOf(command, 'max-requests') ?? 0) <= 0) return null
    const jitter = optionOf(command, 'max-requests-jitter')
    if (jitter !== null && jitter.value !== '0') return null
    return {
      message: `Each worker ends after ${option.value} requests, without jitter.`,
      place: option.place,
    }
  },
})

export const workerTmpDir = defineCommandRule({
  id: 'server.worker-tmp-dir',
  title: "gunicorn's heartbeat is on the container's disk",
  severity: 'info',
  confidence: 'likely',
  hint: 'Add --worker-tmp-dir /dev/shm.',
  references: [
    'https://docs.gunicorn.org/en/stable/faq.html#how-do-i-avoid-gunicorn-excessively-blocking-in-os-fchmod',
  ],
  docs: {
    what: 'Finds gunicorn in a container without `worker_tmp_dir`.',
    why: 'Each worker touches a file to show that it lives: a disk that hangs kills workers that do not.',
    bad: 'FROM python:3.13-slim\nCMD ["gunicorn", "shop.wsgi"]\n',
    good: 'FROM python:3.13-slim\nCMD ["gunicorn", "shop.wsgi", "--worker-tmp-dir", "/dev/shm"]\n',
  },
  servers: ['gunicorn'],
  find(command) {
    if (!command.origin.isContainer || !isConfigKnown(command)) return null
    return optionOf(command, 'worker-tmp-dir') === null ? { message: 'worker_tmp_dir is not set.' } : null
  },
})

export const oneSyncWorker = defineCommandRule({
  id: 'server.one-request-at-a-time',
  title: 'The server answers one request at a time',
  severity: 'warn',
  confidence: 'likely',
  hint: 'Add threads or workers: --workers 2 --threads 4.',
  references: ['https://docs.gunicorn.org/en/stable/design.html#how-many-workers'],
  docs: {
    what: 'Finds gunicorn with one worker of the kind that has no threads, which it is where nothing is said.',
    why: 'While one client waits for a slow page, all others wait, and so does the health check: the container is killed.',
    bad: 'FROM python:3.13-slim\nCMD ["gunicorn", "shop.wsgi", "--bind", ":8000"]\n',
    good: 'FROM python:3.13-slim\nCMD ["gunicorn", "shop.wsgi", "--bind", ":8000", "--threads", "4"]\n',
  },
  servers: ['gunicorn'],
  find(command) {
    const { origin, via } = command
    const workers = optionOf(command, 'workers')
    // Heroku and its kin set WEB_CONCURRENCY, and a script may be given it.
    if (!isConfigKnown(command) || (workers === null && (origin.kind === 'procfile' || via.length > 0)))
      return null
    if (numberOf(command, 'workers') !== 1 || numberOf(command, 'threads') !== 1) return null
    const kind = optionOf(command, 'worker-class')
    if (kind !== null && !/^(?:sync|gthread)$/.test(kind.value ?? '?')) return null
    return { message: 'It has one worker and no threads.', ...(workers !== null && { place: workers.place }) }
  },
})

export const timeoutOff = defineCommandRule({
  id: 'server.timeout-off',
  title: 'A worker that hangs is never replaced',
  severity: 'warn',
  confidence: 'likely',
  hint: 'Set it to a little more than the slowest page takes.',
  references: ['https://docs.gunicorn.org/en/stable/settings.html#timeout'],
  docs: {
    what: 'Finds gunicorn with a timeout of 0.',
    why: 'A worker that waits for a database or a lock without end is lost until the next deployment; when all are, so is the app.',
    bad: 'FROM python:3.13-slim\nCMD ["gunicorn", "shop.wsgi", "--timeout", "0"]\n',
    good: 'FROM python:3.13-slim\nCMD ["gunicorn", "shop.wsgi", "--timeout", "60"]\n',
  },
  servers: ['gunicorn'],
  find(command) {
    const option = optionOf(command, 'timeout')
    return option !== null && numberOf(command, 'timeout') === 0
      ? { message: 'The timeout is 0: none.', place: option.place }
      : null
  },
})

const MAX_WORKERS = 32
const MAX_AT_ONCE = 500

export const workersAbsurd = defineCommandRule({
  id: 'server.too-many-workers',
  title: 'There are more workers than any machine runs',
  severity: 'warn',
  confidence: 'likely',
  hint: 'Take about two workers for each processor, and threads for what waits.',
  references: ['https://docs.gunicorn.org/en/stable/design.html#how-many-workers'],
  docs: {
    what: `Finds more than ${MAX_WORKERS} workers of one server, or more than ${MAX_AT_ONCE} threads in all.`,
    why: 'They do not work at a time, each takes its memory, and each may hold a connection to the database.',
    bad: 'FROM python:3.13-slim\nCMD ["gunicorn", "shop.wsgi", "--workers", "100"]\n',
    good: 'FROM python:3.13-slim\nCMD ["gunicorn", "shop.wsgi", "--workers", "4", "--threads", "8"]\n',
  },
  servers: ['gunicorn', 'uvicorn', 'hypercorn', 'granian', 'uwsgi'],
  find(command) {
    const option = optionOf(command, 'workers')
    const workers = numberOf(command, 'workers') ?? 1
    const threads = numberOf(command, 'threads') ?? 1
    if (workers > MAX_WORKERS && option !== null)
      return { message: `There are ${workers} workers.`, place: option.place }
    const place = optionOf(command, 'threads')?.place
    return workers * threads > MAX_AT_ONCE && place !== undefined
      ? { message: `There are ${workers} × ${threads} threads.`, place }
      : null
  },
})

export const preloadTelemetry = defineRule({
  id: 'server.preload-telemetry',
  title: 'Traces are lost in the workers',
  severity: 'warn',
  confidence: 'likely',
  hint: 'Start the exporter in post_fork of gunicorn.conf.py, or take --preload out.',
  references: [
    'https://opentelemetry-python.readthedocs.io/en/latest/examples/fork-process-model/README.html',
  ],
  docs: {
    what: 'Finds gunicorn that loads the app before it forks, in a project with the SDK of OpenTelemetry and without a `post_fork`.',
    why: 'The thread that sends spans is in the parent alone: workers fill their queues, and nothing arrives.',
    bad: 'gunicorn shop.wsgi --preload\n',
    good: 'gunicorn shop.wsgi --preload -c gunicorn.conf.py  # with def post_fork(server, worker): start()\n',
    language: 'sh',
  },
  needs: { serverCommands, requirements },
  check({ facts, report }) {
    const sdk = facts.requirements.find(
      ({ name, isDevelopment }) => name === 'opentelemetry-sdk' && !isDevelopment,
    )
    if (sdk === undefined) return
    for (const command of productionCommands(facts.serverCommands)) {
      const preload = optionOf(command, 'preload')
      if (command.server !== 'gunicorn' || !isOn(preload) || !isConfigKnown(command)) continue
      if (command.hooks.some((name) => /^(?:post_fork|post_worker_init)$/.test(name))) continue
      report({
        message:
          'The app is loaded before the workers are forked, and nothing starts the exporter behind it.',
        place: preload!.place,
        related: [{ message: 'the SDK is wanted here', place: sdk.place }],
      })
    }
  },
})

export const celeryLimits = defineCommandRule({
  id: 'server.celery-without-limits',
  title: 'A task may run without end',
  severity: 'info',
  confidence: 'possible',
  hint: 'Set --time-limit and --soft-time-limit, unless the settings do.',
  references: ['https://docs.celeryq.dev/en/stable/userguide/workers.html#time-limits'],
  docs: {
    what: 'Finds Celery workers without a time limit in their command.',
    why: 'Tasks that hang hold their processes until none is left, and the queue grows.',
    bad: 'FROM python:3.13-slim\nCMD ["celery", "-A", "shop", "worker"]\n',
    good: 'FROM python:3.13-slim\nCMD ["celery", "-A", "shop", "worker", "--time-limit", "600"]\n',
  },
  servers: ['celery'],
  find(command) {
    const isWorker = command.options.some(({ name, value }) => name === 'verb' && value === 'worker')
    const isLimited = ['time-limit', 'soft-time-limit'].some((name) => optionOf(command, name) !== null)
    return isWorker && !isLimited ? { message: 'Its tasks have no time limit.' } : null
  },
})

export const celeryBeatInside = defineCommandRule({
  id: 'server.celery-beat-in-worker',
  title: 'The schedule runs inside of a worker',
  severity: 'warn',
  confidence: 'certain',
  hint: 'Start celery beat by itself, once.',
  references: ['https://docs.celeryq.dev/en/stable/userguide/periodic-tasks.html#starting-the-scheduler'],
  docs: {
    what: 'Finds `celery worker -B`.',
    why: 'The second worker doubles every periodic task. Celery’s own guide keeps it for development.',
    bad: 'FROM python:3.13-slim\nCMD ["celery", "-A", "shop", "worker", "-B"]\n',
    good: 'FROM python:3.13-slim\nCMD ["celery", "-A", "shop", "worker"]\n',
  },
  servers: ['celery'],
  find(command) {
    const beat = optionOf(command, 'beat')
    return isOn(beat) ? { message: 'The worker runs the schedule, too.', place: beat!.place } : null
  },
})

/** A line of an image's own for a shell, with more than one command in it: `gunicorn -D && nginx`. */
function startsMore({ origin }: ServerCommand): boolean {
  if (origin.kind !== 'dockerfile') return false
  const starts = (origin.stage?.instructions ?? []).filter(({ keyword }) =>
    /^(?:CMD|ENTRYPOINT)$/.test(keyword),
  )
  return starts.some(({ rest }) => /[;&|]/.test(rest.text))
}

export const detached = defineCommandRule({
  id: 'server.detached',
  title: 'The server goes to the background of its container',
  severity: 'error',
  confidence: 'likely',
  hint: 'Let it stay in the foreground.',
  references: ['https://docs.docker.com/engine/containers/multi-service_container/'],
  docs: {
    what: 'Finds servers that put themselves into the background, as what an image or a container starts.',
    why: 'The first process ends, and with it the container.',
    bad: 'FROM python:3.13-slim\nCMD ["gunicorn", "shop.wsgi", "--daemon"]\n',
    good: 'FROM python:3.13-slim\nCMD ["gunicorn", "shop.wsgi"]\n',
  },
  servers: ['gunicorn', 'uwsgi', 'celery'],
  find(command) {
    const { origin, via } = command
    // In a script, something else may stay.
    if (!origin.isContainer || via.length > 0 || startsMore(command)) return null
    const option = command.options.findLast(({ spelling }) =>
      /^-*(?:daemon|D|daemonize2?|detach)$/.test(spelling),
    )
    if (option === undefined || /^(?:|false|0)$/i.test(option.value ?? '')) return null
    return { message: `${option.spelling} leaves the container without a process.`, place: option.place }
  },
})

export const keepaliveOff = defineCommandRule({
  id: 'server.keepalive-off',
  title: 'Each request takes a connection of its own',
  severity: 'info',
  confidence: 'certain',
  hint: 'Leave it at its default, or set more than the proxy’s idle time.',
  references: ['https://docs.gunicorn.org/en/stable/settings.html#keepalive'],
  docs: {
    what: 'Finds servers whose keep-alive is 0.',
    why: 'The proxy connects anew for each request, and under load ports run out.',
    bad: 'FROM python:3.13-slim\nCMD ["uvicorn", "shop:app", "--timeout-keep-alive", "0"]\n',
    good: 'FROM python:3.13-slim\nCMD ["uvicorn", "shop:app", "--timeout-keep-alive", "65"]\n',
  },
  servers: ['gunicorn', 'uvicorn', 'hypercorn'],
  find(command) {
    const option = optionOf(command, 'keepalive')
    return option !== null && valueOf(command, 'keepalive') === '0'
      ? { message: `${option.spelling} is 0.`, place: option.place }
      : null
  },
})
