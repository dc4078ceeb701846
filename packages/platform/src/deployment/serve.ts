import { realpath, stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { startSupervisor, takeSystemdSockets, type GatewayApp } from '@havn/gateway'
import type { AppInterface } from '@havn/model'
import { addressToUrl } from '@havn/model/address'
import { openSourceTree, type Detection } from '@havn/plugin-api'
import { listenForStop } from './stop-request.ts'
import { defaultThreads } from '../builtin/default-threads.ts'
import { openRegistry } from '../builtin/open-registry.ts'
import type { Terminal } from '../cli/terminal.ts'
import { prepareEnvironment } from '../environment/prepare-environment.ts'
import { errors } from '../errors.ts'
import { appEnvironment } from './app-environment.ts'
import { checkInterface, parseEntry, type ParsedEntry } from './parse-entry.ts'
import { toGatewayTls } from '../builtin/gateway-tls.ts'
import { resourceLimits } from './resource-limits.ts'
import { ensureTls } from './ensure-tls.ts'
import { planTls } from './tls-settings.ts'
import { planPublicEndpoints, planServerSettings, type Overrides } from './settings.ts'

export interface ServeOptions {
  /** `module:attribute`, or a JavaScript or TypeScript file. */
  entry: string
  directory: string
  interface?: AppInterface
  python?: string
  overrides: Overrides
}

/**
 * Runs the gateway alone, as gunicorn or uvicorn would be used. Installs nothing and changes nothing.
 *
 * @returns the exit code.
 */
export async function serve(options: ServeOptions, terminal: Terminal): Promise<number> {
  const directory = await directoryOf(options.directory)
  const entry = parseEntry(options.entry, directory)
  checkInterface(entry, options.interface)
  const endpoints = planPublicEndpoints({}, options.overrides).value
  const tls = await ensureTls(planTls({}, options.overrides, process.cwd()).value, terminal)
  const passed = takeSystemdSockets(process.env)
  // An address that was asked for wins.
  const sockets = options.overrides.bind ? [] : passed
  useAppEnvironment()

  const signals = listenForStop()
  try {
    const app = await resolveApp({ entry, options, directory, signal: signals.signal })
    const resources = await resourceLimits()
    const { cpus } = resources
    const { overrides } = options
    const settings = planServerSettings({
      config: {},
      overrides,
      resources,
      isTerminal: terminal.isStdoutTerminal,
      isColored: terminal.isStdoutColored,
      threadModules: await threadModules(directory),
      tls,
    })
    const gateway = await startSupervisor(
      {
        listeners: endpoints.map(({ address }) => address),
        app,
        workers: settings.workers,
        threads:
          settings.threads ??
          defaultThreads(app.language === 'python' ? 'python' : 'node', settings.workers, cpus),
        ...(settings.isolation && { isolation: settings.isolation }),
        ...(settings.dispatch && { dispatch: settings.dispatch }),
        ...(settings.taskLimits && { taskLimits: settings.taskLimits }),
        threadModules: [...settings.threadModules],
        ...(settings.recycle && { recycle: settings.recycle }),
        trustedProxies: [...settings.trustedProxies],
        ...(settings.proxyProtocol && { proxyProtocol: [...settings.proxyProtocol] }),
        ...(settings.tls && { tls: toGatewayTls(settings.tls) }),
        limits: settings.limits,
        timeouts: settings.timeouts,
        log: settings.log,
      },
      { sockets },
    )
    const urls = gateway.addresses.map((address) => addressToUrl(address, tls ? 'https' : 'http'))
    terminal.stderr.write(`Serving ${options.entry} on ${urls.join(' and ')} (Ctrl-C stops it)\n`)
    // The gateway's own log says how it went.
    signals.onReload = () => void gateway.reload().catch(() => {})
    const upgrade = () => void gateway.reload({ process: true }).catch(() => {})
    process.on('SIGUSR2', upgrade)
    const ended = await Promise.race([signals.requested.then(() => null), gateway.ended])
    if (ended) throw ended.error ?? errors.HAVN_ERR_RELEASE_ENDED({ reason: ended.reason })
    signals.force.addEventListener('abort', () => void gateway.stop({ force: true }), { once: true })
    await gateway.stop()
    return 0
  } finally {
    signals.close()
  }
}

async function resolveApp(input: {
  entry: ParsedEntry
  options: ServeOptions
  directory: string
  signal: AbortSignal
}): Promise<GatewayApp> {
  const { entry, options, directory, signal } = input
  if (entry.language === 'node') {
    return { language: 'node', interface: options.interface, target: entry.target, directory }
  }
  const runtime = await prepareEnvironment({
    root: directory,
    project: { language: 'python', manager: 'none', files: [] },
    python: options.python,
    env: appEnvironment(process.env, {}),
    extraRequirements: [],
    install: false,
    onEvent: () => {},
    signal,
  })
  const known = (options.interface as 'wsgi' | 'asgi' | undefined) ?? entry.interface
  const kind = known ?? (await askInterface({ entry, directory, runtime, signal }))
  const threads = options.overrides.workerThreads ?? 4
  return {
    language: 'python',
    interface: kind,
    target: entry.target,
    directory,
    python: runtime.interpreter,
    threads,
  }
}

/** Imports the entry once, in a child, to see whether it is WSGI or ASGI. */
async function askInterface(input: {
  entry: ParsedEntry
  directory: string
  runtime: Awaited<ReturnType<typeof prepareEnvironment>>
  signal: AbortSignal
}): Promise<'wsgi' | 'asgi'> {
  const { entry, directory, runtime, signal } = input
  const registry = await openRegistry({ root: directory, config: {} })
  try {
    const { instance } = await registry.open('framework', 'python')
    const tree = await openSourceTree(directory)
    const options = { entry: entry.target, env: {} }
    const detection: Detection = {
      framework: { id: 'python', name: 'Python' },
      project: { language: 'python', manager: 'none', files: [] },
      evidence: [],
      confidence: 1,
    }
    const facts = await instance.inspect({ tree, detection, runtime, options, signal })
    return facts.entry.interface === 'asgi' ? 'asgi' : 'wsgi'
  } finally {
    await registry.close()
  }
}

/** OTLP by itself where the standard variables ask for it. */
async function threadModules(directory: string): Promise<string[]> {
  const { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: traces } = process.env
  if (!endpoint && !traces) return []
  const registry = await openRegistry({ root: directory, config: {} })
  const { instance } = await registry.open('monitor', 'otlp')
  return [...(instance.threadModules ?? [])]
}

/** The gateway and its workers inherit this process's variables: what is ours and npm's is taken out first. */
function useAppEnvironment(): void {
  const kept = appEnvironment(process.env, {})
  for (const name of Object.keys(process.env)) {
    if (!(name in kept)) delete process.env[name]
  }
}

async function directoryOf(path: string): Promise<string> {
  const found = await stat(resolve(path)).catch(() => null)
  if (!found?.isDirectory()) throw errors.HAVN_ERR_DIRECTORY_MISSING({ path: resolve(path) })
  return realpath(resolve(path))
}
