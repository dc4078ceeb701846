import { isOn, numberOf, optionOf } from '@havn/checklist'
import type { ServerCommand } from '@havn/checklist'
import { defineCommandRule, isConfigKnown, type CommandReport, type CommandRule } from '../command-rule.ts'

const REFERENCES = [
  'https://uwsgi-docs.readthedocs.io/en/latest/ThingsToKnow.html',
  'https://www.bloomberg.com/company/stories/configuring-uwsgi-production-deployment/',
]

/** A rule over uWSGI's options, with an ini file as its examples. */
function defineUwsgiRule(
  rule: Omit<CommandRule, 'references' | 'servers' | 'find'> & {
    find(command: ServerCommand): CommandReport | null
  },
) {
  return defineCommandRule({
    ...rule,
    references: REFERENCES,
    servers: ['uwsgi'],
    find: (command) => (isConfigKnown(command) ? rule.find(command) : null),
  })
}

/** Where an option is missing: the file that lacks it, or the command. */
function lacking(command: ServerCommand, message: string): CommandReport {
  const first = command.options.find(({ from }) => from === 'file')
  return first === undefined ? { message } : { message, place: first.place }
}

function isMissing(command: ServerCommand, name: string): boolean {
  return !isOn(optionOf(command, name))
}

const start = 'FROM python:3.13-slim\nCMD uwsgi --http-socket :8000 --module shop.wsgi '

export const needApp = defineUwsgiRule({
  id: 'server.uwsgi-need-app',
  title: 'uWSGI runs without an app',
  severity: 'warn',
  confidence: 'certain',
  hint: 'Set need-app = true.',
  docs: {
    what: 'Finds uWSGI without `need-app`.',
    why: 'When the app cannot be imported, uWSGI starts all the same and answers every request with a 500.',
    bad: `${start}\n`,
    good: `${start}--need-app\n`,
  },
  find: (command) => (isMissing(command, 'need-app') ? lacking(command, 'need-app is not set.') : null),
})

export const dieOnTerm = defineUwsgiRule({
  id: 'server.uwsgi-die-on-term',
  title: 'uWSGI takes a stop for a reload',
  severity: 'warn',
  confidence: 'certain',
  hint: 'Set die-on-term = true.',
  docs: {
    what: 'Finds uWSGI without `die-on-term`, where Docker, Kubernetes or supervisor stops it.',
    why: 'SIGTERM reloads it: a stop waits for its deadline, and then kills it with requests in flight.',
    bad: `${start}\n`,
    good: `${start}--die-on-term\n`,
  },
  find(command) {
    const { stage } = command.origin
    const isOtherSignal = stage?.instructions.some(({ keyword }) => keyword === 'STOPSIGNAL') ?? false
    // A unit may say KillSignal=SIGQUIT.
    if (isOtherSignal || command.origin.kind === 'systemd') return null
    const hooks = command.options.some(({ name }) => name === 'hook-master-start')
    return isMissing(command, 'die-on-term') && !hooks ? lacking(command, 'die-on-term is not set.') : null
  },
})

export const master = defineUwsgiRule({
  id: 'server.uwsgi-master',
  title: 'uWSGI runs without a master',
  severity: 'warn',
  confidence: 'certain',
  hint: 'Set master = true.',
  docs: {
    what: 'Finds uWSGI without `master`.',
    why: 'Nothing starts a worker again that died, and most limits are not kept.',
    bad: `${start}\n`,
    good: `${start}--master\n`,
  },
  find: (command) => (isMissing(command, 'master') ? lacking(command, 'master is not set.') : null),
})

export const harakiri = defineUwsgiRule({
  id: 'server.uwsgi-harakiri',
  title: 'A request may hold its worker without end',
  severity: 'warn',
  confidence: 'certain',
  hint: 'Set harakiri to a little more than the slowest page takes.',
  docs: {
    what: 'Finds uWSGI without `harakiri`.',
    why: 'A worker that waits without end is lost; when all are, so is the app.',
    bad: `${start}\n`,
    good: `${start}--harakiri 60\n`,
  },
  find(command) {
    const option = optionOf(command, 'timeout')
    return option === null || option.value === '0' ? lacking(command, 'harakiri is not set.') : null
  },
})

export const threadsOff = defineUwsgiRule({
  id: 'server.uwsgi-threads-off',
  title: "The app's threads never run",
  severity: 'warn',
  confidence: 'certain',
  hint: 'Set enable-threads = true.',
  docs: {
    what: 'Finds uWSGI with neither `threads` nor `enable-threads`.',
    why: 'Python’s lock is never set up: threads of Sentry, OpenTelemetry and pools start and do nothing, without a word.',
    bad: `${start}\n`,
    good: `${start}--enable-threads\n`,
  },
  find(command) {
    const hasThreads = optionOf(command, 'threads') !== null || !isMissing(command, 'enable-threads')
    const hasLoop = command.options.some(({ name }) => /^(?:gevent|asyncio|async)$/.test(name))
    return hasThreads || hasLoop ? null : lacking(command, 'enable-threads is not set.')
  },
})

export const bufferSize = defineUwsgiRule({
  id: 'server.uwsgi-buffer-size',
  title: 'Requests with large headers fail',
  severity: 'info',
  confidence: 'likely',
  hint: 'Set buffer-size = 32768.',
  docs: {
    what: 'Finds uWSGI whose `buffer-size` is the default of 4 KiB, or less than 8 KiB.',
    why: 'A browser with a few large cookies gets an empty answer, and the log says “invalid request block size”.',
    bad: `${start}\n`,
    good: `${start}--buffer-size 32768\n`,
  },
  find(command) {
    const option = optionOf(command, 'buffer-size')
    if (option === null) return lacking(command, 'buffer-size is not set: headers may have 4 KiB.')
    const size = numberOf(command, 'buffer-size')
    return size !== null && size < 8_192
      ? { message: `Headers may have ${size} bytes.`, place: option.place }
      : null
  },
})

export const httpSocket = defineUwsgiRule({
  id: 'server.uwsgi-http-socket',
  title: "uWSGI's plain HTTP parser faces clients",
  severity: 'info',
  confidence: 'possible',
  hint: 'Put a proxy before it and use socket, or use http, its router.',
  docs: {
    what: 'Finds `http-socket` on all addresses.',
    why: 'It is meant for what stands behind a proxy: slow clients hold workers, and its parser is simple.',
    bad: `${start}\n`,
    good: 'FROM python:3.13-slim\nCMD uwsgi --socket :8000 --module shop.wsgi\n',
  },
  find(command) {
    const option = optionOf(command, 'http-socket')
    return option?.value != null && !/^(?:127\.|localhost|\/)/.test(option.value)
      ? { message: `http-socket is ${option.value}.`, place: option.place }
      : null
  },
})

export const forkShared = defineUwsgiRule({
  id: 'server.uwsgi-fork-shared',
  title: 'Workers may share connections that were opened before the fork',
  severity: 'info',
  confidence: 'possible',
  hint: 'Set lazy-apps = true, or open connections in @postfork.',
  docs: {
    what: 'Finds uWSGI with several processes and without `lazy-apps`.',
    why: 'The app is imported once and then forked: a connection that the import opened has two users, and their answers mix.',
    bad: `${start}--processes 4\n`,
    good: `${start}--processes 4 --lazy-apps\n`,
  },
  find: (command) =>
    (numberOf(command, 'workers') ?? 1) > 1 && isMissing(command, 'lazy-apps')
      ? lacking(command, 'The app is imported before the workers are forked.')
      : null,
})
