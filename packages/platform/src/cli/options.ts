import { InvalidArgumentError, Option, type Command } from 'commander'
import type { LogLevel } from '@havn/plugin-api'
import type { Overrides } from '../deployment/settings.ts'

/** Options of every command that opens a door. */
export function addDoorOptions(command: Command): Command {
  return addLogOptions(
    addBindOption(command).option('--threads <n>', 'threads of the gateway, or "auto"', countOrAuto),
  )
}

/** Options that `up` and `serve` share. */
export function addServerOptions(command: Command): Command {
  const more = addBindOption(command)
    .option(
      '-w, --workers <n>',
      'processes that run the app, or "auto", the default: one for each usable CPU, as far as memory goes',
      countOrAuto,
    )
    .option('--threads <n>', 'threads of the gateway, or "auto"', countOrAuto)
    .option('--worker-threads <n>', 'Python threads in each worker', count)
    .addOption(
      new Option(
        '--isolation <kind>',
        "where a JavaScript app runs: in the gateway's threads, or in processes",
      ).choices(['thread', 'process']),
    )
    .addOption(
      new Option(
        '--dispatch <kind>',
        'how requests reach a JavaScript app: where they were accepted, or one a task in threads with one queue',
      ).choices(['inline', 'task']),
    )
    .option(
      '--request-timeout <seconds>',
      'longest a request may take; 0, the default, is no limit',
      secondsToMs,
    )
    .option(
      '--max-requests <n>',
      'requests after which a Python worker is replaced by a fresh one (no limit by default)',
      wholeNumber,
    )
    .option(
      '--max-worker-memory <size>',
      'resident memory beyond which a Python worker is replaced, such as 512M or 1G (no limit by default)',
      sizeToBytes,
    )
    .option('--queue-timeout <seconds>', 'longest a request may wait for a worker (default: 30)', secondsToMs)
    .option('--max-queue <n>', 'requests that may wait for a worker; 503 beyond (default: 1000)', count)
  return addLogOptions(more)
}

function addBindOption(command: Command): Command {
  return command
    .option(
      '-b, --bind <address>',
      'address to listen on: HOST:PORT, :PORT (loopback), PORT or unix:/path; may be repeated (default: 127.0.0.1:8000)',
      collect,
    )
    .addOption(
      new Option(
        '--tls <source>',
        "local: speak TLS with a certificate of this machine's own authority, for development",
      ).choices(['local']),
    )
    .option(
      '--tls-cert <file>',
      'speak TLS with this certificate and its chain (PEM); may be repeated, by name',
      collect,
    )
    .option('--tls-key <file>', 'key of the certificate, in the same order', collect)
    .option(
      '--redirect-from <address>',
      'plain HTTP address that sends everybody to https; may be repeated',
      collect,
    )
}

function addLogOptions(command: Command): Command {
  return command
    .option('--trusted-proxy <cidr>', 'peers whose forwarded headers are believed; may be repeated', collect)
    .addOption(
      new Option('--log-level <level>', 'least severe line to log').choices([
        'fatal',
        'error',
        'warn',
        'info',
        'debug',
        'trace',
        'silent',
      ]),
    )
    .addOption(
      new Option('--log-format <format>', 'auto: text on a terminal, JSON elsewhere').choices([
        'auto',
        'text',
        'json',
      ]),
    )
    .addOption(
      new Option('--access-log <format>', 'a line for each request, as Apache and nginx write it').choices([
        'combined',
      ]),
    )
    .option('--no-access-log', 'no line for each request')
}

/** What {@link addServerOptions} parses to. */
export interface ServerOptionValues {
  bind?: string[]
  tls?: 'local'
  tlsCert?: string[]
  tlsKey?: string[]
  redirectFrom?: string[]
  workers?: number | 'auto'
  threads?: number | 'auto'
  workerThreads?: number
  isolation?: 'thread' | 'process'
  dispatch?: 'inline' | 'task'
  requestTimeout?: number
  maxRequests?: number
  maxWorkerMemory?: number
  queueTimeout?: number
  maxQueue?: number
  trustedProxy?: string[]
  logLevel?: LogLevel
  logFormat?: 'auto' | 'text' | 'json'
  accessLog?: boolean | 'combined'
}

export function toOverrides(values: ServerOptionValues): Overrides {
  const { maxRequests, maxWorkerMemory: maxMemoryBytes } = values
  const recycle = { ...(maxRequests && { maxRequests }), ...(maxMemoryBytes && { maxMemoryBytes }) }
  return {
    bind: values.bind,
    tls: values.tls,
    tlsCerts: values.tlsCert,
    tlsKeys: values.tlsKey,
    redirectFrom: values.redirectFrom,
    workers: values.workers,
    threads: values.threads,
    workerThreads: values.workerThreads,
    isolation: values.isolation,
    dispatch: values.dispatch,
    trustedProxies: values.trustedProxy,
    logLevel: values.logLevel,
    logFormat: values.logFormat,
    // Commander says true where neither option is given.
    ...(values.accessLog !== undefined && values.accessLog !== true && { access: values.accessLog }),
    requestTimeoutMs: values.requestTimeout,
    ...(Object.keys(recycle).length > 0 && { recycle }),
    queueTimeoutMs: values.queueTimeout,
    maxQueue: values.maxQueue,
  }
}

/** One value for each time the option is given: a list after one option would swallow the arguments that follow. */
function collect(text: string, before: string[] | undefined): string[] {
  return [...(before ?? []), text]
}

function count(text: string): number {
  if (!/^[1-9]\d{0,3}$/.test(text)) throw new InvalidArgumentError('It takes a whole number from 1 to 9999.')
  return Number(text)
}

function wholeNumber(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('It takes a whole number from 1.')
  return Number(text)
}

function sizeToBytes(text: string): number {
  const match = /^([1-9]\d{0,8})([KMG]?)$/i.exec(text)
  if (match === null) throw new InvalidArgumentError('It takes bytes, or a number with K, M or G: 512M.')
  const power = { '': 0, K: 1, M: 2, G: 3 }[match[2]!.toUpperCase()]!
  return Number(match[1]) * 1024 ** power
}

function countOrAuto(text: string): number | 'auto' {
  return text === 'auto' ? text : count(text)
}

function secondsToMs(text: string): number {
  const seconds = Number(text)
  if (text.trim() === '' || !(seconds >= 0 && seconds <= 86_400)) {
    throw new InvalidArgumentError('It takes seconds, from 0 to 86400.')
  }
  return Math.round(seconds * 1000)
}
